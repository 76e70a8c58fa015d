"""A server as its users meet it: videos in, events out, and one clear line for all that is refused."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import TOKEN, Server, tiny

from avloc.detector import Detector

pytest.importorskip("fastapi")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    tiny(folder / "a.mp4", 1)
    (folder / "outside").mkdir()
    (folder / "inside").mkdir()
    tiny(folder / "outside" / "secret.mp4", 2)
    tiny(folder / "inside" / "b.mkv", 3)
    (folder / "inside" / "link.mp4").symlink_to(folder / "outside" / "secret.mp4")
    (folder / "inside" / "way").symlink_to(folder / "outside")
    return folder


@pytest.fixture(scope="module")
def server(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = tmp_path_factory.mktemp("served") / "store"
    server = Server(store, "--folder", str(videos / "inside"), "--max-mb", "0.5", "--queue", "9")
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log


def form(content: bytes, name: str = "my cat.mp4", more: str = "") -> tuple[bytes, dict[str, str]]:
    head = f'--b\r\nContent-Disposition: form-data; name="video"; filename="{name}"\r\n{more}\r\n'.encode()
    return head + content + b"\r\n--b--\r\n", {"Content_Type": "multipart/form-data; boundary=b"}


def test_a_video_gives_the_events_that_the_detector_finds(server: Server, videos: Path) -> None:
    content = (videos / "a.mp4").read_bytes()
    known = Detector.load("default", threads=1).detect_fully(videos / "a.mp4")
    raw = server.ask("POST", "/detect?wait=60", content, Content_Type="video/mp4")
    body, headers = form(content)
    formed = server.ask("POST", "/detect?wait=60", body, **headers)
    for status, told in (raw, formed):
        assert (status, told["state"], told["progress"]) == (200, "done", 1.0)
        assert told["duration_s"] == pytest.approx(known.duration_s, abs=2e-3)
        found = server.ask("GET", f"{told['self']}?min_score=0")[1]["events"]
        expected = known.all_events.above(0).by_time()
        assert [event["label"] for event in found] == list(expected.labels) and len(expected)
        assert [event["start_s"] for event in found] == pytest.approx(list(expected.start_s), abs=2e-3)
    files = formed[1]["files"]
    status, page = server.ask("GET", files["page"])
    assert status == 200 and "<h1><bdi>video.mp4</bdi></h1>" in page and 'src="video.mp4"' in page
    assert f'"name":"{formed[1]["id"]}"' in page and "/store" not in page  # verdicts go by the job, not by a place
    assert server.ask("GET", files["video"], Range="bytes=4-7") == (206, "ftyp")
    assert server.ask("GET", files["events"])[1]["results"].keys() == {"result"}
    assert not [path for path in server.files() if "cat" in str(path) or b"my cat" in path.read_bytes()]


def test_a_job_is_removed_with_all_its_files(server: Server, videos: Path) -> None:
    before = set(server.files())
    status, told = server.ask("POST", "/detect?page=false", (videos / "a.mp4").read_bytes(), Content_Type="video/mp4")
    assert status == 202 and server.headers["Location"] == told["self"]
    job = server.over(told["id"])
    mine = {path.name for path in set(server.files()) - before}
    assert mine == {"job.json", "result.events.json", "result.candidates.safetensors"} and "page" not in job["files"]
    assert server.ask("DELETE", told["self"])[0] == 204
    assert set(server.files()) == before
    assert server.ask("GET", told["self"])[0] == 404


def test_progress_is_told_until_the_end(server: Server, videos: Path) -> None:
    _, told = server.ask("POST", "/detect", (videos / "a.mp4").read_bytes(), Content_Type="video/mp4")
    status, text = server.ask("GET", f"{told['self']}/events")
    assert status == 200 and server.headers.get_content_type() == "text/event-stream"
    *progress, last, rest = text.split("\n\n")
    assert last.startswith("event: end\ndata: {") and '"state": "done"' in last and rest == ""
    assert all(one.startswith(("event: progress\ndata: {", ": ")) for one in progress)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("b.mkv", 200),
        ("{inside}/b.mkv", 200),
        ("../outside/secret.mp4", 403),
        ("{inside}/../outside/secret.mp4", 403),
        ("link.mp4", 403),
        ("way/secret.mp4", 403),
        ("/etc/passwd", 403),
        ("../nothing", 403),
        ("nothing.mp4", 404),
        (".", 404),
        ("", 422),
        ("b\0.mkv", 422),
        ("x" * 5000, 422),
    ],
)
def test_paths_below_the_folder_alone_are_read(server: Server, videos: Path, asked: str, status: int) -> None:
    body = json.dumps({"path": asked.format(inside=videos / "inside")})
    answered, told = server.ask("POST", "/detect?wait=60", body, Content_Type="application/json")
    assert answered == status, told
    if status == 200:
        assert told["state"] == "done"
        assert server.ask("GET", told["files"]["video"], Range="bytes=0-3")[0] == 206
        assert str(videos) not in str(told)
    else:
        assert told["error"].count("\n") == 0 and "outside/secret" not in told["error"]


def too_long() -> Iterator[bytes]:
    for _ in range(30):
        yield bytes(50_000)


REFUSED: list[tuple[str, str, Any, dict[str, str], int]] = [
    ("POST", "/detect", bytes(600_000), {"Content_Type": "video/mp4"}, 413),
    ("POST", "/detect", bytes(1_600_000), {"Content_Type": "video/mp4"}, 413),
    ("POST", "/detect", too_long, {"Content_Type": "video/mp4", "Transfer_Encoding": "chunked"}, 413),
    ("POST", "/detect", b"<p>", {"Content_Type": "text/html"}, 415),
    ("POST", "/detect", b"x", {}, 415),
    ("POST", "/detect", form(b"x", "a.html", "Content-Type: text/html\r\n")[0], form(b"")[1], 415),
    ("POST", "/detect", b"", {"Content_Type": "video/mp4"}, 422),
    ("POST", "/detect", b"no form", form(b"")[1], 422),
    ("POST", "/detect", b"--b--\r\n", form(b"")[1], 422),
    ("POST", "/detect", form(b"x\r\n" + form(b"y")[0])[0], form(b"")[1], 422),
    ("POST", "/detect", form(b"x")[0][:-9], form(b"")[1], 400),
    ("POST", "/detect", b"x", {"Content_Type": "multipart/form-data"}, 422),
    ("POST", "/detect", b"{}", {"Content_Type": "application/json"}, 422),
    ("POST", "/detect", b"[" * 60_000, {"Content_Type": "application/json"}, 422),
    ("POST", "/detect", b" " * 70_000, {"Content_Type": "application/json"}, 413),
    ("POST", "/detect?wait=forever", b"x", {"Content_Type": "video/mp4"}, 422),
    ("POST", "/detect?wait=1e9", b"x", {"Content_Type": "video/mp4"}, 422),
    ("POST", "/detect", b"x", {"Content_Type": "video/mp4", "Origin": "http://evil.example"}, 403),
    ("POST", "/detect", b"x", {"Content_Type": "video/mp4", "Sec_Fetch_Site": "cross-site"}, 403),
    ("GET", "/jobs/..%2f..%2fetc%2fpasswd", None, {}, 404),
    ("GET", "/jobs/" + "0" * 32, None, {}, 404),
    ("GET", "/jobs/" + "0" * 32 + "?min_score=2", None, {}, 422),
    ("GET", "/nothing", None, {}, 404),
    ("PUT", "/detect", b"x", {}, 405),
    ("GET", "/", None, {"Authorization": "Bearer wrong"}, 401),
    ("GET", "/metrics", None, {"Authorization": ""}, 401),
    ("POST", "/detect", b"x", {"Authorization": "Basic !!", "Content_Type": "video/mp4"}, 401),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), REFUSED)
def test_what_is_refused_is_told_in_a_line(
    server: Server, method: str, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    before = server.files()
    answered, told = server.ask(method, path, body() if callable(body) else body, **headers)
    assert answered == status and told.keys() == {"error"}
    assert 10 < len(told["error"]) < 300 and "\n" not in told["error"]
    assert server.files() == before


def test_what_is_no_video_fails_with_its_reason(server: Server) -> None:
    _, told = server.ask("POST", "/detect?wait=60", b"no video" * 100, Content_Type="video/mp4")
    assert told["state"] == "failed" and told["reason"].startswith("cannot be read as video or sound")
    assert str(server.store) not in told["reason"] and "events" not in told
    assert server.ask("GET", f"{told['self']}/video.mp4")[0] == 404
    folder = server.store / "jobs" / told["id"]
    assert [path.name for path in folder.iterdir()] == ["job.json"]


def test_an_upload_that_is_cut_off_leaves_nothing(server: Server, videos: Path) -> None:
    before, content = server.files(), (videos / "a.mp4").read_bytes()
    head = f"POST /detect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: video/mp4\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 10) as line:
        line.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[: len(content) // 2])
        while len(server.files()) == len(before):  # until half of it is there
            threading.Event().wait(0.02)
    for _ in range(500):
        if server.files() == before:
            break
        threading.Event().wait(0.02)
    assert server.files() == before


def test_a_huge_header_is_refused(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n")
        try:
            answer = line.recv(100)
        except ConnectionResetError:
            answer = b""
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 "))
    assert server.ask("GET", "/healthz")[0] == 200


def test_the_token_may_be_a_password(server: Server) -> None:
    known = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
    status, page = server.ask("GET", "/", Authorization=f"Basic {known}")
    assert status == 200 and "Drop a video here" in page
    server.ask("GET", "/", Authorization="Basic eDp5")
    assert server.headers["WWW-Authenticate"].startswith("Basic ")


def test_model_health_and_counters_are_told(server: Server) -> None:
    (model,) = server.ask("GET", "/models")[1]["models"]
    assert model["name"] == "default" and "dog barking" in model["labels"]
    status, told = server.ask("GET", "/healthz")
    assert (status, told["workers"], told["trouble"]) == (200, 1, "")
    _, text = server.ask("GET", "/metrics")
    assert server.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    counted = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(counted["avloc_workers"]) == 1 and float(counted['avloc_answers_total{status="200"}']) > 0


def test_the_interface_tells_of_itself_without_the_network(server: Server) -> None:
    schema = server.ask("GET", "/openapi.json")[1]
    assert {"/detect", "/jobs/{job_id}", "/models", "/healthz", "/metrics"} <= schema["paths"].keys()
    assert {"413", "415", "422", "429"} <= schema["paths"]["/detect"]["post"]["responses"].keys()
    for path in ("/docs", "/"):
        status, page = server.ask("GET", path)
        assert status == 200 and "http://" not in page.replace("http://www.w3.org/", "") and "https://" not in page
