"""Stopped or killed, a server loses no job: what ran is finished or returned, and the next start goes on."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from asking import Server, tiny

pytest.importorskip("fastapi")


def test_too_little_memory_for_a_worker_is_told(tmp_path: Path) -> None:
    server = Server(tmp_path / "store", "--max-memory-mb", "150", token=None)
    try:
        ends = time.monotonic() + 60
        while not (told := server.ask("GET", "/healthz")[1])["trouble"] and time.monotonic() < ends:
            time.sleep(0.1)
        assert "within 150 MB" in told["trouble"] and "--max-memory-mb" in told["trouble"]
        assert server.stop() == 0
    finally:
        server.process.kill()
    assert "Traceback" not in server.log


def test_jobs_outlive_the_server(tmp_path: Path) -> None:
    content = tiny(tmp_path / "a.mp4").read_bytes()
    server = Server(tmp_path / "store", "--grace", "0.01", token=None)
    try:
        jobs = [server.ask("POST", "/detect", content, Content_Type="video/mp4")[1]["id"] for _ in range(4)]
        assert server.stop() == 0
        states = [(tmp_path / "store" / "jobs" / job / "job.json").read_text() for job in jobs]
        assert any('"state": "queued"' in state for state in states)
        torn = tmp_path / "store" / "jobs" / ("0" * 32) / "video.mp4"
        torn.parent.mkdir()
        shutil.copy(tmp_path / "a.mp4", torn)
        (tmp_path / "store" / "incoming" / ("1" * 32)).write_bytes(content[:100])
        server.start()
        assert not torn.exists() and not list((tmp_path / "store" / "incoming").iterdir())
        assert [server.over(job)["state"] for job in jobs] == ["done"] * 4
        server.process.kill()
        server.process.wait()
        server.start()
        assert [server.over(job)["state"] for job in jobs] == ["done"] * 4
        assert server.ask("GET", "/models", Host="evil.example")[0] == 403
        assert server.ask("GET", "/models", Host=f"localhost:{server.port}")[0] == 200
        assert server.stop() == 0
    finally:
        server.process.kill()
    assert "Traceback" not in server.log
