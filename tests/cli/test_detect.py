"""What a user types and sees: the sample, folders, and every kind of bad input."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from avloc import load
from avloc.cli.main import main
from avloc.events import Event, Events
from avloc.formats.activitynet import read_results, read_truth
from avloc.media.writer import write_video

SAMPLE = Path(__file__).parents[2] / "demo" / "sample.mp4"


def tiny(path: Path, *, seconds: float = 2.0, picture: bool = True, sound: bool = True) -> Path:
    frames = (np.full((48, 64, 3), 8 * i % 256, np.uint8) for i in range(round(seconds * 10)))
    wave = 0.1 * np.sin(np.arange(round(seconds * 16_000)) * 0.2).astype(np.float32)
    return write_video(path, frames if picture else None, 10, wave if sound else None)


def tiou(a: Event, b: Event) -> float:
    shared = max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))
    return shared / (a.duration_s + b.duration_s - shared)


def test_the_sample_s_events_are_found_and_nothing_else_is_shown(tmp_path: Path) -> None:
    assert main(["detect", str(SAMPLE), "--out", str(tmp_path), "--report", str(tmp_path)]) == 0
    shown = read_results(tmp_path / "sample.events.json")["sample"]
    truth_file = SAMPLE.with_name("sample.truth.json")
    truth = read_truth(truth_file)["sample"].events
    assert len(truth) >= 4
    for event in truth:
        assert any(d.label == event.label and tiou(d, event) >= 0.5 for d in shown), event
    for other in json.loads(truth_file.read_text())["database"]["sample"]["other_events"]:
        distractor = Event(*other["segment"], other["label"])
        assert not any(d.label == distractor.label and tiou(d, distractor) > 0.1 for d in shown), distractor
    page = (tmp_path / "sample.html").read_text()
    assert all(event.label in page for event in truth)


def test_python_and_command_line_agree(tmp_path: Path) -> None:
    assert main(["detect", str(SAMPLE), "--out", str(tmp_path), "--all"]) == 0
    written = read_results(tmp_path / "sample.events.json")["sample"]
    found = load("default").detect_fully(SAMPLE)
    assert len(written) == len(found.all_events) and written.labels == found.all_events.labels
    assert np.allclose(written.start_s, found.all_events.start_s, atol=6e-4)
    assert isinstance(found.events, Events) and set(found.events) <= set(found.all_events)


def test_a_choice_made_in_reading_is_told_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wave = 0.1 * np.sin(np.arange(32_000) * 0.2).astype(np.float32)
    for name in ("a", "b"):
        inverted = np.stack([wave, -wave], 1)
        write_video(tmp_path / f"{name}.mp4", [np.zeros((48, 64, 3), np.uint8)] * 20, 10, inverted)
    assert main(["detect", str(tmp_path / "a.mp4")]) == 0
    assert capsys.readouterr().out.count("cancel out") == 1
    about = json.loads((tmp_path / "a.events.json").read_text())["external_data"]
    assert len(about["notes"]) == 1 and "cancel out" in about["notes"][0]
    assert main(["detect", str(tmp_path), "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    assert capsys.readouterr().out.count("cancel out") == 2


def test_the_same_files_whether_kept_or_made_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = tiny(tmp_path / "a.mp4")
    for name, scores in (("once", ["0.005"]), ("twice", ["0", "0.005"])):
        for score in scores:
            out = tmp_path / name
            assert main(["detect", str(video), "--out", str(out), "--min-score", score, "--report", str(out)]) == 0
    assert capsys.readouterr().out.count("from what was kept") == 1
    files = {name: {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("once", "twice")}
    assert sorted(files["once"]) == ["a.candidates.safetensors", "a.events.json", "a.html"]
    assert files["once"] == files["twice"]


def test_a_silent_film_among_others_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, sound in (("a", True), ("b", False)):
        tiny(tmp_path / f"{name}.mp4", sound=sound)
    assert main(["detect", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "b.mp4: skipped (has no sound" in said.out and "1 of 2 videos done, 1 skipped." in said.out
    assert said.err == ""


def text(path: Path) -> Path:
    path.write_text("no video\n" * 50)
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def truncated(path: Path) -> Path:
    whole = tiny(path.with_name("whole.mp4"))
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    whole.unlink()
    return path


def without_sound(path: Path) -> Path:
    return tiny(path, sound=False)


def without_picture(path: Path) -> Path:
    return tiny(path, picture=False)


def zero_length(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        container.add_stream("aac", rate=16_000)
        container.start_encoding()
    return path


def folder_without_media(path: Path) -> Path:
    path.mkdir()
    (path / "notes.txt").write_text("nothing to see")
    return path


def missing(path: Path) -> Path:
    return path


BAD: list[tuple[Callable[[Path], Path], str]] = [
    (text, ""),
    (empty, "empty"),
    (truncated, ""),
    (without_sound, "both seen and heard"),
    (without_picture, "both seen and heard"),
    (zero_length, ""),
    (folder_without_media, "no video"),
    (missing, "does not exist"),
]


@pytest.mark.parametrize(("make", "says"), BAD, ids=[make.__name__ for make, _ in BAD])
def test_bad_input_is_one_line_and_leaves_nothing(
    make: Callable[[Path], Path], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = make(tmp_path / "bad.mp4")
    out = tmp_path / "out"
    assert main(["detect", str(bad), "--out", str(out)]) == 1
    error = capsys.readouterr().err.strip()
    assert error.count("\n") == 0 and "bad.mp4" in error and says in error, error
    assert "Traceback" not in error
    assert not out.exists() or not any(out.iterdir())


def test_an_unwritable_output_is_told_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    for option in ("--out", "--report"):
        assert main(["detect", str(tiny(tmp_path / "a.mp4")), option, str(blocked / "x")]) == 1
        assert "cannot be written" in capsys.readouterr().err


def test_a_video_beside_which_nothing_can_be_written_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tiny(tmp_path / "a.mp4").open("rb") as file:
        assert main(["detect", f"/proc/self/fd/{file.fileno()}"]) == 1
    assert "/proc/self/fd: cannot be written to" in capsys.readouterr().err


def test_a_folder_goes_on_past_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = tmp_path / "videos"
    (videos / "deep").mkdir(parents=True)
    tiny(videos / "a.mp4")
    shutil.copy(videos / "a.mp4", videos / "deep" / "b [x].MOV")
    text(videos / "bad.mkv")
    out = tmp_path / "out"
    assert main(["detect", str(videos), "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "2 of 3 videos done" in said.out and said.err.count("\n") == 1 and "bad.mkv" in said.err
    written = sorted(str(p.relative_to(out)) for p in out.rglob("*.json"))
    assert written == ["a.events.json", "deep/b [x].events.json"]


def closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that nobody can look into, not even who may read all: its path is longer than the system takes."""
    folder.mkdir()
    with monkeypatch.context() as there:
        there.chdir(folder)
        for _ in range(17):
            Path("x" * 250).mkdir()
            there.chdir("x" * 250)
    return folder


@pytest.mark.parametrize(("verb", "names"), [("detect", "ab"), ("extract", "a")])
def test_a_folder_that_cannot_be_looked_into_is_told_and_the_rest_is_done(
    tmp_path: Path, verb: str, names: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    videos, out = tmp_path / "v", tmp_path / "out"
    videos.mkdir()
    alone = closed(videos / "closed", monkeypatch)
    for name in names:
        tiny(videos / f"{name}.mp4")
    assert main([verb, str(videos), "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and str(alone) in error and "cannot be looked into (file name too long)" in error
    assert len([*out.glob("*.events.json"), *out.glob("*.features.safetensors")]) == len(names)
    assert main([verb, str(alone), "--out", str(out)]) == 1
    assert "cannot be looked into" in capsys.readouterr().err


def test_same_names_are_told_apart(tmp_path: Path) -> None:
    tiny(tmp_path / "a.mp4")
    tiny(tmp_path / "a.mkv")
    assert main(["detect", str(tmp_path)]) == 0
    assert sorted(p.name for p in tmp_path.glob("*.json")) == ["a.mkv.events.json", "a.mp4.events.json"]


def test_one_name_in_two_folders_keeps_both_results(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        tiny(tmp_path / name / "x.mp4")
    out = tmp_path / "out"
    arguments = [str(tmp_path / "one"), str(tmp_path / "two" / "x.mp4"), str(tmp_path / "one" / "x.mp4")]
    assert main(["detect", *arguments, "--out", str(out)]) == 0
    written = sorted(str(p.relative_to(out)) for p in out.rglob("*.json"))
    assert written == ["one/x.mp4.events.json", "two/x.mp4.events.json"]


@pytest.mark.parametrize("option", [("--min-score", "nan"), ("--min-score", "2"), ("--threads", "-3")])
def test_an_impossible_option_is_one_line(
    option: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["detect", str(tiny(tmp_path / "a.mp4")), *option]) == 1
    assert option[0] in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--inline", "--proxy", "--quick"])
def test_how_pages_are_made_is_no_use_without_pages(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["detect", str(tiny(tmp_path / "a.mp4")), option]) == 1
    assert "give --report as well" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.json"))


def test_a_wrong_model_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", str(tiny(tmp_path / "a.mp4")), "--model", "nonsense"]) == 1
    assert "nonsense" in capsys.readouterr().err
