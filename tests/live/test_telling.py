"""How an event is told: to a program without a shell, to an address; what did not arrive is known."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from avloc.errors import AvlocError
from avloc.events import Event
from avloc.live.telling import Command, Message, NotToldError, Webhook
from avloc.live.told import Noted

NOTED = Noted(
    1, "0123", Path("/cam/a b.mp4"), Event(1.5, 3.25, "dog barking", 0.81234), began="2026-09-27T10:15:00+02:00"
)
TOLD = {
    "id": "0123",
    "file": "/cam/a b.mp4",
    "label": "dog barking",
    "start_s": 1.5,
    "end_s": 3.25,
    "score": 0.8123,
    "start": "2026-09-27T10:15:01.500+02:00",
    "end": "2026-09-27T10:15:03.250+02:00",
    "clip": None,
}


def test_a_program_gets_json_and_variables_and_no_shell(tmp_path: Path) -> None:
    script = tmp_path / "my note.py"
    script.write_text(
        "import os, sys\n"
        "own = sorted((k, v) for k, v in os.environ.items() if k.startswith('AVLOC_'))\n"
        f"open({str(tmp_path / 'told')!r}, 'w').write(repr((sys.argv[1:], sys.stdin.read(), own)))\n"
    )
    Command.of(f"{sys.executable} '{script}' '; touch x' $HOME")(Message(NOTED))
    words, line, own = eval((tmp_path / "told").read_text())
    assert words == ["; touch x", "$HOME"] and line.endswith("\n") and json.loads(line) == TOLD
    variables = dict(own)
    assert variables["AVLOC_LABEL"] == "dog barking" and variables["AVLOC_START_S"] == "1.5"
    assert variables["AVLOC_CLIP"] == "" and variables["AVLOC_FILE"] == "/cam/a b.mp4"


def test_a_program_that_fails_has_not_been_told() -> None:
    with pytest.raises(NotToldError, match="ended with status 3"):
        Command((sys.executable, "-c", "raise SystemExit(3)"))(Message(NOTED))
    with pytest.raises(NotToldError, match="cannot be run"):
        Command(("/nothing/here",))(Message(NOTED))
    for text in ("", "/nothing/here", "'open"):
        with pytest.raises(AvlocError, match="--on-event"):
            Command.of(text)


class Hook(BaseHTTPRequestHandler):
    """Answers with the status that stands in the path."""

    got: ClassVar[list[tuple[str, str | None, dict[str, object]]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.got.append((self.path, self.headers["Idempotency-Key"], body))
        if self.path == "/odd":
            self.wfile.write(b"this is no HTTP\r\n\r\n")
            return
        self.send_response(int(self.path[1:4]))
        self.send_header("Location", "/200")
        self.end_headers()

    def log_message(self, *given: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Hook)
    Hook.got.clear()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_that_does_not_answer_well_has_not_been_told(address: str) -> None:
    Webhook.of(f"{address}/204")(Message(NOTED))
    assert Hook.got == [("/204", "0123", TOLD)]
    for status in (500, 404, 302):
        with pytest.raises(NotToldError, match=f"status {status}"):
            Webhook.of(f"{address}/{status}")(Message(NOTED))
    assert [path for path, *_ in Hook.got] == ["/204", "/500", "/404", "/302"]  # no redirection was followed
    with pytest.raises(NotToldError, match="answered, but not as HTTP"):
        Webhook.of(f"{address}/odd")(Message(NOTED))
    with pytest.raises(NotToldError, match="cannot be reached"):
        Webhook.of("http://127.0.0.1:9/x")(Message(NOTED))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file:///etc/passwd",
        "ftp://x/y",
        "http://",
        "127.0.0.1:80",
        "http://x:99999/",
        "http://x/a b",
        "http://me:word@x/",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AvlocError, match="--webhook"):
        Webhook.of(text)


def test_without_a_time_there_is_none() -> None:
    assert Message(Noted(1, "x", Path("a"), Event(0, 1, "a"))).view()["start"] is None
