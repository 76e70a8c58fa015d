"""A server in a process of its own, and requests to it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from avloc.media.writer import write_video

TOKEN = "a token for the tests"
SOURCE = Path(__file__).parents[2] / "src"


def tiny(path: Path, seed: int = 0) -> Path:
    """A video of less than a second."""
    rng = np.random.default_rng(seed)
    frames = (rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(8))
    wave = (0.3 * np.sin(np.arange(12_800) * (0.1 + 0.05 * seed))).astype(np.float32)
    return write_video(path, frames, 10, wave)


class Server:
    """`avloc serve` on a free port of loopback."""

    def __init__(self, store: Path, *more: str, token: str | None = TOKEN) -> None:
        self.store = store
        self._more, self._token = more, token
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "avloc", "serve", "--port", "0", "--store", str(self.store), *self._more]
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)} | (
            {"AVLOC_TOKEN": self._token} if self._token else {}
        )
        with (self.store.parent / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True)
        assert self.process.stdout is not None
        found = re.fullmatch(r"avloc serves at http://127\.0\.0\.1:(\d+)/\n", self.process.stdout.readline())
        assert found is not None, self.log
        self.port = int(found[1])

    @property
    def log(self) -> str:
        return (self.store.parent / "log").read_text()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status, and the JSON or the text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._token:
            sent = {"Authorization": f"Bearer {self._token}"} | sent
        try:
            connection.request(method, path, body, sent, encode_chunked="Transfer-Encoding" in sent)
            answer = connection.getresponse()
            text = answer.read()
            self.headers = answer.headers
            is_json = answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(text) if is_json else text.decode()
        finally:
            connection.close()

    def over(self, job: str) -> dict[str, Any]:
        """A job once it has ended."""
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            status, told = self.ask("GET", f"/jobs/{job}")
            assert status == 200
            if told["state"] in ("done", "failed", "skipped"):
                return dict(told)
            time.sleep(0.05)
        raise AssertionError(f"the job has not ended; {self.log}")

    def files(self) -> list[Path]:
        """All that lies in the store."""
        return [path for path in self.store.rglob("*") if not path.is_dir() and path.name != ".avloc.lock"]
