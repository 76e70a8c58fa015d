"""A results folder: what is done stays done, what failed is listed, one table, whatever is killed on the way."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.formats.activitynet import read_external, read_results
from avloc.formats.files import read_truth
from avloc.lock import locked
from avloc.media.writer import write_video
from avloc.scale.batch import LOCK
from avloc.scale.detect import Detect, Detected
from avloc.scale.manifest import MANIFEST, read_manifest
from avloc.scale.table import TABLE
from avloc.scale.work import Task
from avloc.zoo import CONFIG, find_model

LOW = ("--min-score", "0")  # the model knows no class of these videos; the table should have rows

ONE = (*LOW, "--workers", "1")


def tiny(path: Path, seed: int = 0, *, sound: bool = True) -> Path:
    rng = np.random.default_rng(seed)
    frames = (rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(8))
    wave = (0.3 * np.sin(np.arange(12_800) * (0.1 + 0.05 * seed))).astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_video(path, frames, 10, wave if sound else None)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    tiny(folder / "a.mp4", 1)
    tiny(folder / "a.mkv", 2)
    tiny(folder / "deep" / "b [x].mp4", 3)
    tiny(folder / "silent.mp4", sound=False)
    (folder / "text.mp4").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def results(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("out")
    assert main(["detect", str(videos), "--out", str(out), "--workers", "2", *LOW]) == 1
    return out


def content(folder: Path) -> dict[str, bytes]:
    """Result files and table, by place."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.suffix in (".json", ".csv")}


def test_files_states_and_table(videos: Path, results: Path) -> None:
    assert sorted(content(results)) == [
        "a.mkv.events.json",
        "a.mp4.events.json",
        "deep/b [x].events.json",
        "events.csv",
        "failed.csv",
    ]
    entries = read_manifest(results)
    assert {name: entry.state for name, entry in entries.items()} == {
        "a.mkv": "done",
        "a.mp4": "done",
        "deep/b [x]": "done",
        "silent": "skipped",
        "text": "failed",
    }
    assert "seen and heard" in entries["silent"].reason
    about = read_external(results / "deep" / "b [x].events.json")
    assert (results / "deep" / about["video"]).resolve() == (videos / "deep" / "b [x].mp4").resolve()
    assert about["key"] == entries["deep/b [x]"].key and len(about["key"]) == 64
    told = list(csv.DictReader((results / "failed.csv").open()))
    assert [(row["video"], row["state"], row["reason"]) for row in told] == [
        (name, entries[name].state, entries[name].reason) for name in ("silent", "text")
    ]
    assert (results / told[0]["file"]).resolve() == (videos / "silent.mp4").resolve()
    rows = list(csv.DictReader((results / TABLE).open()))
    assert len(rows) > 0 and list(rows[0]) == ["video", "start_s", "end_s", "label", "score", "file"]
    assert {(results / row["file"]).resolve() for row in rows} == {
        (videos / name).resolve() for name in ("a.mkv", "a.mp4", "deep/b [x].mp4")
    }
    inside = read_results(results / "a.mp4.events.json")["a.mp4"]
    assert sum(row["video"] == "a.mp4" for row in rows) == len(inside)
    assert [row["video"] for row in rows] == sorted(row["video"] for row in rows)


def test_again_is_nothing_to_do_and_the_failed_are_listed(
    videos: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p: p.stat().st_mtime_ns for p in results.rglob("*.json")}
    assert main(["detect", str(videos), "--out", str(results), *ONE]) == 1
    said = capsys.readouterr()
    assert "3 done already; 0 to do" in said.out
    assert "3 of 5 videos done (0 now, 3 before), 1 skipped, 1 failed" in said.out
    assert said.err.count("\n") == 1 and "text" in said.err
    assert {p: p.stat().st_mtime_ns for p in results.rglob("*.json")} == before


def test_killed_and_started_again_gives_the_same_files(videos: Path, results: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "avloc.cli.main", "detect", str(videos), "--out", str(tmp_path), *LOW]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while not any(tmp_path.rglob("*.events.json")):
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    first = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.json")}
    with (tmp_path / MANIFEST).open("ab") as f:
        f.write(b'{"result": "a.mp4", "sta')
    (tmp_path / ".avloc-1-torn.tmp").write_text("half")
    assert main(["detect", str(videos), "--out", str(tmp_path), "--workers", "2", *LOW]) == 1
    assert content(tmp_path) == content(results)
    assert all(path.stat().st_mtime_ns == at for path, at in first.items())
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_damaged_result_and_a_changed_video_are_made_anew(
    videos: Path, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "videos"
    tiny(mine / "a.mp4", 1)
    tiny(mine / "b.mp4", 2)
    out = tmp_path / "out"
    arguments = ["detect", str(mine), "--out", str(out), *ONE]
    assert main(arguments) == 0
    whole = content(out)
    (out / "a.events.json").write_bytes(whole["a.events.json"][:100])
    assert main(arguments) == 0 and content(out) == whole
    assert "(0 now, 1 from what was kept, 1 before)" in capsys.readouterr().out
    (out / "a.events.json").write_bytes(whole["a.events.json"][:100])
    (out / "a.candidates.safetensors").write_bytes(b"half")
    assert main(arguments) == 0 and content(out) == whole
    assert "(1 now, 1 before)" in capsys.readouterr().out
    tiny(mine / "b.mp4", 5)
    (out / MANIFEST).unlink()  # then the key of the result file tells
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "a: was done before" in said and "b: was done before" not in said
    assert content(out)["b.events.json"] != whole["b.events.json"]


def test_the_failed_are_tried_again_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, out = tmp_path / "videos", tmp_path / "out"
    tiny(mine / "slow.mp4", 1)
    arguments = ["detect", str(mine), "--out", str(out), *ONE]
    assert main([*arguments, "--time-limit", "0.001"]) == 1
    assert "took longer than 0.001 s" in capsys.readouterr().err
    assert main(arguments) == 1
    assert "took longer" in capsys.readouterr().err
    assert main([*arguments, "--retry-failed"]) == 0
    assert (out / "slow.events.json").is_file()


def test_pages_are_made_by_workers_too(tmp_path: Path) -> None:
    tiny(tmp_path / "videos" / "deep" / "a.mp4", 1)
    tiny(tmp_path / "videos" / "index.mp4", 2)
    arguments = ["detect", str(tmp_path / "videos"), "--out", str(tmp_path / "out"), *ONE]
    assert main(arguments) == 0
    assert main([*arguments, "--report", str(tmp_path / "site")]) == 0
    page = tmp_path / "site" / "deep" / "a.html"
    made = page.stat().st_mtime_ns
    assert main([*arguments, "--report", str(tmp_path / "site")]) == 0
    assert page.stat().st_mtime_ns == made
    index = (tmp_path / "site" / "index.html").read_text()
    assert '["deep/a.mp4","deep/a.html",0.8,1,' in index and '["index.mp4","index_.html",0.8,1,' in index
    assert (
        'href="../index.html"' in page.read_text() and 'href="../index_.html" title="index.mp4"' in page.read_text()
    )
    assert 'href="deep/a.html" title="deep/a.mp4"' in (tmp_path / "site" / "index_.html").read_text()


def test_two_runs_on_one_folder(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(tmp_path / LOCK) as mine:
        assert mine
        assert main(["detect", str(videos), "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "another run works there" in error


def test_a_manifest_that_leads_outside(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps({"result": "../../x", "video": "a", "state": "done"}))
    assert main(["detect", str(videos), "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "outside of the folder" in error


@pytest.mark.parametrize(
    "options", [("--workers", "2"), ("--retry-failed",), ("--out", "o", "--workers", "0"), ("--time-limit", "nan")]
)
def test_options_that_cannot_be(options: tuple[str, ...], videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", str(videos), *options]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_leaves_a_usable_folder(tmp_path: Path) -> None:
    videos, results, whole = (tmp_path / name for name in ("videos", "results", "whole"))
    for number in range(6):
        tiny(videos / f"{number}.mp4", number)
    command = [sys.executable, "-m", "avloc.cli.main", "detect", str(videos), "--out", str(results), *ONE]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not any(results.rglob("*.events.json")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert errors == "" and (results / TABLE).is_file()
    # On a busy machine the signal may come after the last video.
    assert process.returncode == 0 or (process.returncode == 130 and "The same command goes on from here" in said)
    for out in (results, whole):
        assert main(["detect", str(videos), "--out", str(out), *ONE]) == 0
    assert content(results) == content(whole)


@pytest.fixture
def copied(videos: Path, results: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The videos and their results, to be changed."""
    for folder in (videos, results):
        shutil.copytree(folder, tmp_path / folder.name)
    return tmp_path / videos.name, tmp_path / results.name


def blank(video: Path) -> None:
    """The same size and date, and nothing in it."""
    status = video.stat()
    video.write_bytes(bytes(status.st_size))
    os.utime(video, ns=(status.st_atime_ns, status.st_mtime_ns))


def another_model(folder: Path) -> Path:
    shutil.copytree(find_model("default"), folder)
    config = json.loads((folder / CONFIG).read_text())
    config["decoding"]["nms_sigma"] = 0.5
    (folder / CONFIG).write_text(json.dumps(config))
    return folder


def test_what_is_shown_changes_without_the_videos(
    copied: tuple[Path, Path], results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, out = copied
    for name in ("a.mp4", "a.mkv", "deep/b [x].mp4"):
        blank(videos / name)
    site = tmp_path / "site"
    assert main(["detect", str(videos), "--out", str(out), "--min-score", "0.0003", "--report", str(site)]) == 1
    assert "(0 now, 3 from what was kept, 0 before), 1 skipped, 1 failed" in capsys.readouterr().out
    for name, before in read_truth(results).items():
        assert read_truth(out)[name].events == before.events.above(0.0003)
        assert 0 < len(before.events.above(0.0003)) < len(before.events)
        page = (site / f"{name}.html").read_text()
        assert 'id="level"' in page and page.count("<tr data-event=") == len(before.events.above(0.0003))
    assert main(["detect", str(videos), "--out", str(out), *LOW]) == 1
    assert content(out) == content(results)


def test_a_results_folder_has_one_setting(
    copied: tuple[Path, Path], results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, out = copied
    assert main(["detect", str(videos / "a.mp4"), "--out", str(out), "--min-score", "0.0003"]) == 0
    assert "2 results of other videos there were brought to the same settings" in capsys.readouterr().out
    assert {name: v.events for name, v in read_truth(out).items()} == {
        name: v.events.above(0.0003) for name, v in read_truth(results).items()
    }
    assert len(list(csv.DictReader((out / TABLE).open()))) == sum(len(v.events) for v in read_truth(out).values())
    before = content(out)
    other = ["--out", str(out), "--model", str(another_model(tmp_path / "model"))]
    assert main(["detect", str(videos / "a.mp4"), *other]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "(2 of them, such as a.mkv)" in error
    assert content(out) == before


def test_a_mix_of_settings_is_refused_by_all_who_read_it(
    copied: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, out = copied
    mixed = tmp_path / "mixed"
    shutil.copytree(out, mixed)
    assert main(["detect", str(videos), "--out", str(out), "--min-score", "0.0003"]) == 1
    shutil.copy(out / "a.mkv.events.json", mixed)
    capsys.readouterr()
    truth = tmp_path / "truth.csv"
    truth.write_text("video,start,end,label\na.mkv,0,1,dog barking\n")
    for verb in (
        ["report", str(mixed), "--out", str(tmp_path / "site")],
        ["clips", str(mixed), "--out", str(tmp_path / "clips")],
        ["convert", str(mixed), str(tmp_path / "all.csv")],
        ["evaluate", str(mixed), "--truth", str(truth)],
    ):
        assert main(verb) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and "(2 of model default with threshold 0, 1 of model default with" in error, (
            error
        )
        assert ("give --min-score 0.0003" in error) == (verb[0] != "evaluate")
    assert main(["convert", str(mixed), str(tmp_path / "all.csv"), "--min-score", "0.0003"]) == 0


def test_stopped_while_results_are_shown_anew(
    copied: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, out = copied
    for name in ("a.mp4", "a.mkv", "deep/b [x].mp4"):
        blank(videos / name)
    arguments = ["detect", str(videos), "--out", str(out), "--min-score", "0.0003"]
    before, made = Detect.again, []

    def stop_at_the_second(self: Detect, task: Task, key: str) -> Detected | None:
        made.append(task)
        if len(made) == 2:
            raise KeyboardInterrupt
        return before(self, task, key)

    monkeypatch.setattr(Detect, "again", stop_at_the_second)
    assert main(arguments) == 130
    rows = list(csv.DictReader((out / TABLE).open()))
    assert {row["video"] for row in rows} == {"a.mkv", "a.mp4", "deep/b [x]"}  # of both settings, until it goes on
    assert main(arguments) == 1
    assert "(0 now, 2 from what was kept, 1 before)" in capsys.readouterr().out


def test_a_page_that_cannot_be_made_of_what_is_kept_fails_its_video_alone(
    copied: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, out = copied
    sizes = {name: (videos / name).stat().st_size for name in ("a.mp4", "a.mkv", "deep/b [x].mp4")}
    largest = max(sizes, key=sizes.__getitem__)
    monkeypatch.setattr("avloc.report.page.LARGEST_INLINE_BYTES", sizes[largest] - 1)
    arguments = ["detect", str(videos), "--out", str(out), "--report", str(tmp_path / "site"), "--inline", "--quick"]
    assert main([*arguments, *LOW]) == 1
    said = capsys.readouterr()
    assert "(0 now, 2 from what was kept, 0 before), 1 skipped, 2 failed" in said.out
    assert said.err.count("\n") == 2 and "fit inside a page" in said.err and largest in said.err
    assert len(list((tmp_path / "site").rglob("*.html"))) == 3
