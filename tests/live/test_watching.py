"""`avloc watch` as its users meet it: killed and started again, each event comes once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from avloc.cli.main import main
from avloc.errors import MediaError
from avloc.events import Event, Events
from avloc.formats.activitynet import read_results
from avloc.live.moment import TimeFrom
from avloc.live.search import Cut, Searcher, opening_of
from avloc.live.settled import Settling, Stamp
from avloc.live.telling import Message
from avloc.live.told import STATE, Recorded, Told
from avloc.live.watching import Watching, Wishes
from avloc.media.clips import cut_clip
from avloc.media.probe import probe
from avloc.scale.detect import Detect
from avloc.zoo import find_model

ROOT = Path(__file__).parents[2]
SETTLE = ("--settle", "0.3", "--min-score", "0.3")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    cut_clip(ROOT / "demo" / "sample.mp4", folder / "sheep.mkv", 1.0, 5.0)
    cut_clip(ROOT / "demo" / "sample.mp4", folder / "dog.mkv", 11.0, 15.5)
    return folder


def noting(tmp_path: Path, more: str = "") -> tuple[str, Path]:
    """A program that writes down what it is told."""
    script, told = tmp_path / "note.py", tmp_path / "told.jsonl"
    script.write_text(f"import sys, os\nline = sys.stdin.readline()\n{more}\nopen({str(told)!r}, 'a').write(line)\n")
    told.touch()
    return f"{sys.executable} {script}", told


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def until(true: Callable[[], object]) -> None:
    ends = time.monotonic() + 90
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_killed_renamed_cut_short_and_overwritten_each_event_comes_once(made: Path, tmp_path: Path) -> None:
    camera, out = tmp_path / "camera", tmp_path / "out"
    camera.mkdir()
    command, told = noting(tmp_path)
    start = [sys.executable, "-m", "avloc", "watch", str(camera), "--out", str(out), "--on-event", command, *SETTLE]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(start, stderr=log, env=environment, start_new_session=True)
        content = (made / "sheep.mkv").read_bytes()
        with (camera / "a.mkv").open("wb", buffering=0) as f:
            for i in range(4):
                f.write(content[i * len(content) // 4 : (i + 1) * len(content) // 4])
                time.sleep(0.1)
        until(lambda: lines(told))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        (camera / "a.mkv").rename(camera / "b.mkv")  # the same recording by another name
        shutil.copy(made / "dog.mkv", camera / "a.mkv")  # another one by the same name
        process = subprocess.Popen(start, stderr=log, env=environment, start_new_session=True)
        until(lambda: any(one["label"] == "dog barking" for one in lines(told)))
        (camera / "b.mkv").write_bytes(content[: 9 * len(content) // 10])
        until(lambda: (out / "b.mkv.events.json").exists())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        last = subprocess.run([*start, "--once", "--json"], stdout=subprocess.PIPE, stderr=log, env=environment)
    assert last.returncode == 0 and "Traceback" not in (tmp_path / "log").read_text()
    found = lines(told)
    known = {e.label for f in out.glob("*.events.json") for es in read_results(f).values() for e in es}
    assert {"sheep bleating", "dog barking"} <= known == {one["label"] for one in found}
    assert len(found) == len({(one["label"]) for one in found}) == len({one["id"] for one in found})
    assert last.stdout == b""


def test_clips_lines_and_times(made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    camera, clips = tmp_path / "camera", tmp_path / "clips"
    camera.mkdir()
    shutil.copy(made / "dog.mkv", camera / "20260927-101500.mkv")
    (camera / "text.mp4").write_text("no video")
    more = ["--json", "--once", "--clips", str(clips), "--time-from", "name:%Y%m%d-%H%M%S", "--label", "dog barking"]
    assert main(["watch", str(camera), "--out", str(tmp_path / "out"), *more, *SETTLE]) == 0
    (line,) = capfd.readouterr().out.splitlines()
    told = json.loads(line)
    assert told["label"] == "dog barking" and told["start"].startswith("2026-09-27T10:15:0")
    (clip,) = clips.iterdir()
    assert Path(told["clip"]) == clip and clip.name.startswith("20260927-101500_000")
    assert 1.0 < probe(clip).duration_s < 5.0
    assert main(["watch", str(camera), "--out", str(tmp_path / "out"), *more, *SETTLE]) == 0
    assert capfd.readouterr().out == ""


def test_what_did_not_arrive_is_told_again(made: Path, tmp_path: Path) -> None:
    camera = tmp_path / "camera"
    camera.mkdir()
    shutil.copy(made / "dog.mkv", camera)
    marker = tmp_path / "tried"
    command, told = noting(
        tmp_path, f"if not os.path.exists({str(marker)!r}): open({str(marker)!r}, 'w'); sys.exit(3)"
    )
    assert main(["watch", str(camera), "--out", str(tmp_path / "out"), "--once", "--on-event", command, *SETTLE]) == 0
    assert marker.exists() and len(lines(told)) == len({one["id"] for one in lines(told)}) > 0


def test_when_it_is_stopped_no_further_event_is_told(tmp_path: Path) -> None:
    told, got = Told(tmp_path / STATE), list[Message]()
    events = Events.of([Event(float(at), at + 0.5, "dog barking", 0.9) for at in range(3)])
    told.put_found(tmp_path / "a.mkv", Stamp(1, 1, 1), Recorded("r"), events)
    (tmp_path / "camera").mkdir()

    def tell(message: Message) -> None:
        got.append(message)
        watching.stopping = True

    watching = Watching(
        Settling(tmp_path / "camera", 0.1, lambda path: True),
        told,
        Detect(find_model("default")),
        Wishes(tmp_path, tell, lambda message: None),
        time_from=TimeFrom(),
        poll_s=0,
    )
    watching.step()
    assert len(got) == 1 and told.counts() == {"told": 1, "pending": 2}
    watching.close()


def test_present_files_may_be_passed_over(made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    camera = tmp_path / "camera"
    camera.mkdir()
    shutil.copy(made / "dog.mkv", camera)
    more = ["--out", str(tmp_path / "out"), "--once", "--skip-present", *SETTLE]
    assert main(["watch", str(camera), *more]) == 0
    assert capfd.readouterr().out == "" and not list((tmp_path / "out").glob("*.events.json"))


def test_only_at_the_very_first_start(made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    camera = tmp_path / "camera"
    camera.mkdir()
    more = ["--out", str(tmp_path / "out"), "--once", "--skip-present", *SETTLE]
    assert main(["watch", str(camera), *more]) == 0  # there is nothing yet
    shutil.copy(made / "dog.mkv", camera)
    assert main(["watch", str(camera), *more]) == 0
    assert "dog barking" in capfd.readouterr().out


def test_a_recording_is_known_by_its_opening(made: Path, tmp_path: Path) -> None:
    content = (made / "dog.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(content[: len(content) // 2])
    assert opening_of(made / "dog.mkv") == opening_of(tmp_path / "cut.mkv") != opening_of(made / "sheep.mkv")


def test_no_clip_is_cut_of_another_recording(made: Path, tmp_path: Path) -> None:
    searcher = Searcher(Detect(find_model("default")), TimeFrom())
    order = Cut(made / "dog.mkv", opening_of(made / "sheep.mkv"), tmp_path / "clip.mp4", 1.0, 2.0)
    with pytest.raises(MediaError, match="overwritten by another recording"):
        searcher(order, lambda seconds, of_seconds: None)
    clip = searcher(replace(order, recording=opening_of(made / "dog.mkv")), lambda seconds, of_seconds: None)
    assert clip == tmp_path / "clip.mp4" and probe(clip).duration_s == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--settle", "0"], "--settle is 0"),
        (["--on-event", "x y", "--webhook", "http://x/"], "give one"),
        (["--label", "unicorn"], "unicorn"),
        (["--clips", "CAMERA/clips"], "lies in the watched folder"),
        (["--workers", "0"], "--workers is 0"),
        (["--time-limit", "-1"], "--time-limit is -1"),
    ],
)
def test_what_cannot_be_is_told_at_once(
    tmp_path: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.replace("CAMERA", str(tmp_path)) for word in more]
    assert main(["watch", str(tmp_path), "--out", str(tmp_path / "out"), *given]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
