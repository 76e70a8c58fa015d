"""A server on loopback that is sent nonsense.

    python bench/serve_fuzz.py                    # 1,000 requests

Requests with methods, paths, headers, bodies and forms by lot, whole and cut off: is there an answer of status 500, a
traceback, or a server that is gone?
"""

from __future__ import annotations

import argparse
import json
import random
import re
import socket
import tempfile
import time
from collections import Counter
from pathlib import Path

from serve import TOKEN, Server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fuzz(Path(folder), options)


def fuzz(folder: Path, options: argparse.Namespace) -> None:
    videos = folder / "videos"
    videos.mkdir()
    (videos / "out").symlink_to("/etc")
    server = Server(folder, "--folder", str(videos), "--max-mb", "1", "--queue", "8", "--time-limit", "20")
    lots = random.Random(options.seed)
    statuses: Counter[str] = Counter()
    began = time.monotonic()
    for _ in range(options.requests):
        statuses[raw(server.port, nonsense(lots), lots)] += 1
    print(f"{options.requests} requests in {time.monotonic() - began:.0f} s: {dict(sorted(statuses.items()))}")
    print(f"alive: {server.process.poll() is None}, healthy: {server.ask('GET', '/healthz')[0]}")
    print(f"exit status {server.stop()}; tracebacks in the log: {server.log.read_text().count('Traceback')}")
    print(f"uploads left half: {len(list((server.store / 'incoming').iterdir()))}")
    for line in sorted(set(re.findall(r"^\S*(?:Error|Exception).*", server.log.read_text(), re.M))):
        print(f"  {line}")


def nonsense(lots: random.Random) -> bytes:
    """A request that is mostly one."""
    method = lots.choice(["GET"] * 6 + ["POST"] * 9 + ["DELETE", "HEAD", "PUT", "OPTIONS", "PATCH", "BREW", ""])
    job = lots.choice(["0" * 32, "../../etc/passwd", "%2e%2e%2f", "\u00e9", "%ff%fe", "a" * 5000, "{}", "%00", "1"])
    path = lots.choice([
        *["/detect"] * 20, "/detect?wait=1e999", "/detect?page=maybe", "/detect?wait=-1", "/detect?wait=nan",
        f"/jobs/{job}", f"/jobs/{job}/events", f"/jobs/{job}/page.html", "/jobs", "/models", "/metrics", "/", "/docs",
        f"/jobs/{job}?min_score={lots.choice(['2', 'x', '', 'inf', '0.5'])}", "//", "*", "http://x/detect", "/%",
        "/openapi.json", "\x00", "/" + "?" * 300, "/healthz#x",
    ])  # fmt: skip
    if method == "POST" and lots.random() < 0.8:
        path = "/detect"
    kind = lots.choice([
        "application/json", "video/mp4", "multipart/form-data; boundary=b", "multipart/form-data", "text/plain", "",
        "application/octet-stream", "multipart/form-data; boundary=" + "b" * 500, "\u00ff/\u00ff; ;;=", "video/",
        'multipart/form-data; boundary="b', "application/json; charset=utf-7",
    ])  # fmt: skip
    body = _body(lots, kind)
    headers = [("Host", lots.choice(["127.0.0.1"] * 15 + ["evil.example", "", "localhost:1", "[::1", "a b"]))]
    token = lots.choice([TOKEN] * 30 + ["wrong", "", "\u00ff", TOKEN + " "])
    headers.append(("Authorization", lots.choice(["Bearer "] * 30 + ["Basic ", ""]) + token))
    if kind:
        headers.append(("Content-Type", kind))
    length = lots.choice([str(len(body))] * 30 + ["-1", "999999999999999999999", "x", str(len(body) + 10), "5000000"])
    headers.append(("Content-Length", length) if lots.random() < 0.9 else ("Transfer-Encoding", "chunked"))
    if lots.random() < 0.1:
        name = lots.choice(["Origin", "Origin", "X-\u00e9", "Range", "Cookie", "Expect", "Content-Length", "Host"])
        headers.append((name, "z" * lots.choice([1, 100, 40_000])))
    head = f"{method} {path} HTTP/{lots.choice(['1.1'] * 9 + ['9.9'])}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers)
    whole = head.encode("utf-8", "surrogateescape") + b"\r\n" + body
    if lots.random() < 0.05:
        place = lots.randrange(len(whole))
        whole = whole[:place] + lots.randbytes(lots.randrange(1, 9)) + whole[place:]
    return whole[: lots.randrange(1, len(whole))] if lots.random() < 0.1 else whole


def _body(lots: random.Random, kind: str) -> bytes:
    if "json" in kind:
        asked = lots.choice(
            ["out/passwd", "/etc/passwd", "../x", "\x00", "a" * 9000, "", ".", "~", "\ud800", 3, None, []]
        )
        text = json.dumps(lots.choice([{"path": asked}, asked, {"path": asked, "x": 1}, {}, [[]]]))
        return lots.choice([text.encode(), text.encode()[:5], b"[" * 20_000, lots.randbytes(30), b"1" * 70_000])
    noise = lots.randbytes(lots.choice([0, 1, 1000, 60_000]))
    if "multipart" in kind:
        name = lots.choice(
            ['video"; filename="a.mp4', 'video"; filename="../../x.mp4', "video", 'v"; filename="\u00ff', ""]
        )
        part = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: video/mp4\r\n\r\n'.encode()
        return (
            lots.choice([part, part * 2, part * 40, b"--b--", b""])
            + noise
            + lots.choice([b"\r\n--b--\r\n", b"", b"\r\n--b"])
        )
    return noise


def raw(port: int, request: bytes, lots: random.Random) -> str:
    """Status of the answer, or how there was none."""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as line:
            line.settimeout(1.0)
            line.sendall(request)
            if lots.random() < 0.5:
                line.shutdown(socket.SHUT_WR)
            answer = line.recv(65_536)
    except TimeoutError:
        return "waits for more"
    except OSError:
        return "closed"
    found = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    return found[1].decode() if found else "closed"


if __name__ == "__main__":
    main()
