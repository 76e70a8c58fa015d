"""The server's page in a real browser: a video is dropped on it, and its report is there."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import TOKEN, Server, tiny
from chromium import Browser, find_chromium

pytest.importorskip("fastapi")

PROGRAM = find_chromium()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is absent; the page is looked at in it")

EVIL = "<img src=x onerror=alert(1)>.mp4"
INSIDE = "document.getElementById('page').contentDocument"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "store", "--max-mb", "1", "--min-score", "0")
    yield server
    assert server.stop() == 0


def test_a_dropped_video_shows_its_report(server: Server, tmp_path: Path) -> None:
    files = [shutil.copy(tiny(tmp_path / "a.mp4"), tmp_path / EVIL), tmp_path / "text.mp4", tmp_path / "large.mp4"]
    files[1].write_text("no video")
    files[2].write_bytes(bytes(1_100_000))
    assert PROGRAM is not None
    with Browser(PROGRAM) as browser:
        known = base64.b64encode(f"me:{TOKEN}".encode()).decode()
        browser.call("Network.setExtraHTTPHeaders", headers={"Authorization": f"Basic {known}"})
        address = f"http://127.0.0.1:{server.port}"
        browser.call("Page.navigate", url=f"{address}/")
        browser.until("document.readyState === 'complete' && !!document.getElementById('files')")
        place = browser.call(
            "DOM.querySelector", nodeId=browser.call("DOM.getDocument")["root"]["nodeId"], selector="#files"
        )
        browser.call("DOM.setFileInputFiles", nodeId=place["nodeId"], files=[str(file) for file in files])
        browser.until(
            "document.querySelectorAll('.job.failed').length === 2 && !!document.querySelector('.job.chosen')"
        )
        told = browser.value("[...document.querySelectorAll('.job')].map((job) => job.innerText)")
        assert "more than are taken" in told[0] and "failed: cannot be read as video" in told[1] and EVIL in told[2]
        browser.until(f"{INSIDE}.readyState === 'complete' && {INSIDE}.querySelector('video').readyState >= 1")
        assert browser.value(f"{INSIDE}.querySelector('h1').textContent") == "video.mp4"
        assert browser.value("document.getElementById('page').offsetHeight") > 300
        browser.click(".job.chosen .acts button")
        browser.until("document.querySelectorAll('.job').length === 2 && document.getElementById('report').hidden")
        assert browser.troubles == []
        assert all(asked.startswith((address, "data:", "about:")) for asked in browser.requests)
    assert not [path for path in server.files() if path.suffix == ".mp4"]
