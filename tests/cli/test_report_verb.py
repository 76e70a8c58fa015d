"""`avloc report`: a page for each result, kept where nothing has changed, and what is missing is said."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avloc.cli import page_media
from avloc.cli.main import main
from avloc.events import Events
from avloc.formats.activitynet import write_results
from avloc.media.probe import MediaInfo
from avloc.media.writer import write_video
from avloc.report.page import made_from_of
from avloc.scale.kept import Kept, kept_file, save_kept
from avloc.scale.manifest import Entry, Manifest
from avloc.scale.shown import Shown

EVENTS = Events([0.2, 0.5], [0.4, 0.9], ["dog", "cat"], [0.9, 0.4])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two results, of which one has its video."""
    wave = 0.5 * np.sin(np.arange(16000) * 0.3).astype(np.float32)
    (tmp_path / "videos").mkdir()
    pictures = (np.full((48, 64, 3), 9 * i, np.uint8) for i in range(10))
    write_video(tmp_path / "videos" / "a.mp4", pictures, 10, wave)
    folder = tmp_path / "results"
    for name, video in (("a", "../videos/a.mp4"), ("deep/a", "../gone/b.mp4")):
        path = folder / f"{name}.events.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_results(path, {"a": EVENTS}, {"source": Path(video).name, "video": video, "duration": 1.0})
    return folder


def pages(site: Path) -> dict[str, str]:
    return {p.name: p.read_text(encoding="utf-8") for p in sorted((site / "pages").iterdir())}


def test_every_result_has_a_page_and_what_is_missing_is_said(
    tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    assert main(["report", str(results), "--out", str(site), "--title", "My <archive>"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[:2] == [
        "4 events of 2 classes in 2 videos, 0:02 min together",
        "pages: 2 made, 0 kept",
    ]
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("avloc: deep/a: its video is missing ('../gone/b.mp4' beside ")
    made = pages(site)
    assert list(made) == ["a.html", "deep-a.html"]
    assert 'src="../../videos/a.mp4"' in made["a.html"]
    assert 'id="level"' in made["a.html"] and 'id="level"' not in made["deep-a.html"]
    assert 'href="../index.html"' in made["a.html"]
    assert "<h1><bdi>My &lt;archive&gt;</bdi></h1>" in (site / "index.html").read_text()


def test_the_same_command_keeps_pages_and_a_change_makes_them_anew(tmp_path: Path, results: Path) -> None:
    site = tmp_path / "site"
    command = ["report", str(results), "--out", str(site), "--quick"]
    assert main(command) == 0
    first = {p.name: p.stat().st_mtime_ns for p in (site / "pages").iterdir()}
    assert main(command) == 0
    assert {p.name: p.stat().st_mtime_ns for p in (site / "pages").iterdir()} == first
    write_results(results / "a.events.json", {"a": EVENTS[:1]}, {"video": "../videos/a.mp4", "duration": 1.0})
    assert main(command) == 0
    assert [p.name for p in (site / "pages").iterdir() if p.stat().st_mtime_ns != first[p.name]] == ["a.html"]
    os.utime(tmp_path / "videos" / "a.mp4", (1, 1))
    before = made_from_of(site / "pages" / "a.html")
    assert main(command) == 0
    assert made_from_of(site / "pages" / "a.html") != before


def test_a_least_score_and_another_folder_of_videos(tmp_path: Path, results: Path) -> None:
    site = tmp_path / "site"
    (tmp_path / "videos").rename(tmp_path / "moved")
    command = ["report", str(results), "--out", str(site), "--min-score", "0.5", "--videos", str(tmp_path / "moved")]
    assert main(command) == 0
    page = pages(site)["a.html"]
    assert 'src="../../moved/a.mp4"' in page
    assert re.findall(r'data-label="(\w+)"', page) == ["dog"]


def test_a_bad_result_is_one_line_and_the_rest_is_there(
    tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "z.events.json").write_text('{"results": {"z": 1}}')
    write_results(results / "y.events.json", {"y": Events()})
    assert main(["report", str(results), "--out", str(tmp_path / "site"), "--quick"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "z.events.json" in line and "is needed" in line]
    assert [line for line in lines if line.startswith("avloc: y: its length is unknown")]
    assert list(pages(tmp_path / "site")) == ["a.html", "deep-a.html"]


def test_no_result_at_all_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path), "--out", str(tmp_path / "site")]) == 1
    assert "holds no result of avloc detect (NAME.events.json) and no file of labels" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_what_failed_is_listed_in_the_index(
    tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "videos" / "<b>.mp4").write_text("no video")
    (tmp_path / "videos" / "c.mp4").write_text("no sound")
    manifest = Manifest(results)
    entries = [
        Entry("a", "../videos/a.mp4", "done"),
        Entry("<b>", "../videos/<b>.mp4", "failed", "cannot be read & so on"),
        Entry("c", "../videos/c.mp4", "skipped", "has no sound"),
        Entry("gone", "../videos/gone.mp4", "failed", "was removed since"),
    ]
    manifest.begin(entries)
    assert main(["report", str(results), "--out", str(tmp_path / "site"), "--quick"]) == 0
    assert "no result of 2 videos" in capsys.readouterr().out
    index = (tmp_path / "site" / "index.html").read_text()
    assert "1 failed, 1 skipped" in index and "gone" not in index.split("Without a result")[1].split("</table>")[0]
    assert "<bdi>&lt;b&gt;</bdi></th><td>failed</td><td>cannot be read &amp; so on</td>" in index
    for path in results.rglob("*.events.json"):
        path.unlink()
    (results / "events.csv").write_text("video,start_s,end_s,label,score\n")
    (results / "failed.csv").write_text("video,file,state,reason\n<b>,x,failed,y\n")
    assert main(["report", str(results), "--out", str(tmp_path / "empty")]) == 0
    assert "1 failed, 1 skipped" in (tmp_path / "empty" / "index.html").read_text()


def test_level_and_notes_come_from_what_detection_kept(tmp_path: Path, results: Path) -> None:
    path = results / "deep" / "a.events.json"
    info = MediaInfo(path, "mov", 1.0, None, None)
    kept = Kept("k", info, 1.0, EVENTS, np.linspace(0, 1, 50, dtype=np.float32), ("the file ends early",))
    save_kept(kept_file(path), kept)
    Shown("m", 0.1, 0.001).write(path, kept, {"source": "b.mp4", "video": "../gone/b.mp4"})
    assert main(["report", str(results), "--out", str(tmp_path / "site")]) == 0
    page = pages(tmp_path / "site")["deep-a.html"]
    assert 'id="level"' in page and "Note: the file ends early." in page
    save_kept(kept_file(path), replace(kept, key="of another video"))
    assert main(["report", str(results), "--out", str(tmp_path / "other")]) == 0
    assert 'id="level"' not in pages(tmp_path / "other")["deep-a.html"]


def test_pictures_of_events_are_taken_from_the_page_of_before(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, made = tmp_path / "site", list[int]()
    real = page_media.stills

    def counted(path: Path, times_s: list[float], side: int) -> Iterator[bytes]:
        made.append(len(times_s))
        return real(path, times_s, side)

    monkeypatch.setattr(page_media, "stills", counted)
    run = ["report", str(results), "--out", str(site)]
    assert main(run) == 0
    pictures = re.findall(r'class="still" [^>]*src="([^"]*)"', pages(site)["a.html"])
    assert made == [2] and len(set(pictures)) == 2
    assert main([*run, "--min-score", "0.5"]) == 0
    assert made == [2, 0]
    assert re.findall(r'class="still" [^>]*src="([^"]*)"', pages(site)["a.html"]) == pictures[:1]
    assert main(run) == 0  # one of them is new again
    assert made == [2, 0, 1]
    os.utime(tmp_path / "videos" / "a.mp4", (1, 1))
    assert main(run) == 0
    assert made == [2, 0, 1, 2]


def test_a_page_is_made_anew_when_its_result_tells_how_surely_events_are_seen(tmp_path: Path) -> None:
    row = {"segment": [1.0, 2.0], "label": "dog barking", "score": 0.9}
    about = {"duration": 5.0, "video": "gone.mp4", "model": "default"}
    result, page = tmp_path / "a.events.json", tmp_path / "site" / "pages" / "a.html"
    result.write_text(json.dumps({"results": {"a": [row]}, "external_data": about}), "utf-8")
    assert main(["report", str(result), "--out", str(tmp_path / "site")]) == 0
    assert "data-seen" not in page.read_text("utf-8")
    told = {**row, "evidence": {"visual": 0.75, "audio": 0.5}}
    result.write_text(json.dumps({"results": {"a": [told]}, "external_data": about}), "utf-8")
    assert main(["report", str(result), "--out", str(tmp_path / "site")]) == 0
    assert 'data-seen="0.75" data-heard="0.50"' in page.read_text("utf-8")
    rows = [told, {**told, "segment": [2.5, 4.0], "score": 0.95, "evidence": {"visual": 0.25, "audio": 1.0}}]
    result.write_text(json.dumps({"results": {"a": rows}, "external_data": about}), "utf-8")
    for flags in (["--merge-gap", "1"], ["--start", "3"]):  # as the surest part of it, or all of it
        assert main(["report", str(result), "--out", str(tmp_path / "site"), *flags]) == 0
        assert page.read_text("utf-8").count("data-seen=") == 1
        assert 'data-seen="0.25" data-heard="1.00"' in page.read_text("utf-8")
