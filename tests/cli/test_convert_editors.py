"""`avloc convert` for editors, with choosing and the time of day, on a small video with timecode and a date."""

from __future__ import annotations

import csv
import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from videos import film

from avloc.cli.main import main
from avloc.events import Events
from avloc.formats.files import read_events, read_truth, write_events
from avloc.formats.truth import Choices, Truth

EVENTS = Events([0.2, 0.5, 0.9], [0.4, 0.8, 1.4], ["dog", "cat", "dog"], [0.9, 0.6, 0.3])
NTSC = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filmed")
    film(folder / "20240501-123456.mov", NTSC, timecode="01:00:00;02", creation_time="2024-05-01T12:34:56.000000Z")
    return folder


@pytest.fixture
def place(filmed: Path, tmp_path: Path) -> Path:
    """A video with timecode and its events, as detection leaves them."""
    shutil.copytree(filmed, tmp_path, dirs_exist_ok=True)
    video = tmp_path / "20240501-123456.mov"
    write_events(tmp_path / "my.events.json", {"my": Truth.of(EVENTS, 1.5, str(video))})
    return tmp_path


def convert(*words: object) -> None:
    assert main(["convert", *map(str, words)]) == 0


def test_rate_and_timecode_are_those_of_the_video(place: Path) -> None:
    convert(place / "my.events.json", place / "my.edl")
    text = (place / "my.edl").read_text("utf-8")
    assert "FCM: DROP FRAME" in text and "* FROM CLIP NAME: 20240501-123456.mov" in text
    assert "001  AX       V     C        01:00:00;08 01:00:00;14 01:00:00;00 01:00:00;06" in text
    again = read_events(place / "my.edl")["my"]
    assert again.labels == EVENTS.labels and again.score.tolist() == EVENTS.score.tolist()
    assert again.start_s == pytest.approx(EVENTS.start_s, abs=0.51 / 29.97)


def test_markers_come_back_by_what_the_video_says(place: Path) -> None:
    for name in ("my.markers.edl", "my.markers.csv", "my.fcpxml"):
        convert(place / "my.events.json", place / name)
        shutil.copy(place / "20240501-123456.mov", place / "my.mov")  # the video, by the name that the file has
        convert(place / name, place / f"{name}.json")
        again = read_events(place / f"{name}.json")["my"]
        assert again.start_s == pytest.approx(EVENTS.start_s, abs=0.51 / 29.97 + 0.001), name
        (place / "my.mov").unlink()


def test_what_a_person_says_goes_before_what_the_video_says(place: Path) -> None:
    convert(place / "my.events.json", place / "my.markers.csv", "--fps", 25, "--timecode", "10:00:00:00")
    rows = list(csv.DictReader((place / "my.markers.csv").open(encoding="utf-8"), delimiter="\t"))
    assert [row["In"] for row in rows] == ["10:00:00:05", "10:00:00:12", "10:00:00:23"]
    convert(place / "my.markers.csv", place / "b.csv", "--fps", 25, "--timecode", "10:00:00:00")
    assert read_events(place / "b.csv")["my"].start_s.tolist() == [0.2, 0.48, 0.92]


def test_chapters_go_into_a_copy_of_the_video_and_come_back(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    convert(place / "my.events.json", place / "my.mp4")
    assert capsys.readouterr().out.endswith("scores are not kept in chapters of a video\n")
    convert(place / "my.mp4", place / "b.json")
    again = read_truth(place / "b.json")["my"]
    assert again.events.by_time() == Events(EVENTS.start_s, EVENTS.end_s, EVENTS.labels)
    assert again.duration_s == pytest.approx(1.5, abs=0.01) and again.media == str(place / "my.mp4")
    assert main(["convert", str(place / "20240501-123456.mov"), str(place / "c.csv")]) == 1
    assert "has no chapters to read" in capsys.readouterr().err


def test_a_folder_of_chapters(place: Path) -> None:
    convert(place, place / "out", "--to", "chapters")
    assert [file.name for file in (place / "out").iterdir()] == ["my.mp4"]


def test_youtube_says_when_it_shows_none(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    convert(place / "my.events.json", place / "my.youtube.txt")
    assert "YouTube shows chapters where there are 3" in capsys.readouterr().out
    assert (place / "my.youtube.txt").read_text() == "0:00 dog, cat\n"


@pytest.mark.parametrize(
    ("flags", "kept"),
    [
        (["--label", "dog"], [0, 2]),
        (["--label", "dog", "--label", "cat", "--not-label", "bird"], None),
        (["--not-label", "dog"], [1]),
        (["--min-score", "0.5", "--min-score", "dog=0.2", "--min-score", "cat=0.7"], [0, 2]),
        (["--min-length", "0.25"], [1, 2]),
        (["--start", "0:00.45", "--end", "0.85"], [1]),
    ],
)
def test_events_are_chosen(flags: list[str], kept: list[int] | None, place: Path) -> None:
    arguments = ["convert", str(place / "my.events.json"), str(place / "b.csv"), *flags]
    assert main(arguments) == (kept is None)  # there is no bird to be left out
    if kept is not None:
        assert read_events(place / "b.csv")["my"] == EVENTS.take(kept)


def test_near_events_are_one_and_a_file_names_classes(place: Path) -> None:
    (place / "classes.txt").write_text("# mine\ndog\nhorse\n")
    convert(place / "my.events.json", place / "b.csv", "--labels-file", place / "classes.txt", "--merge-gap", 0.5)
    assert read_events(place / "b.csv")["my"] == Events([0.2], [1.4], ["dog"], [0.9])


def test_flags_that_would_change_nothing_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_events(place / "some.csv", {"film": Events([1.0], [2.0], ["dog"], [0.5])})
    for flags, why in (
        (["--timecode", "01:00:00:00"], "neither "),
        (["--time-from", "name:%Y%m%d"], "--time-from is of --wall-clock"),
    ):
        assert main(["convert", str(place / "some.csv"), str(place / "other.json"), *flags]) == 1
        error = capsys.readouterr().err
        assert why in error and error.count("\n") == 1 and not (place / "other.json").exists()
    convert(place / "some.csv", place / "some.edl", "--fps", 25, "--timecode", "01:00:00:00")
    convert(place / "some.edl", place / "back.csv", "--fps", 25, "--timecode", "01:00:00:00")


def test_time_of_day(place: Path) -> None:
    def clocks(*flags: str) -> list[str]:
        convert(place / "my.events.json", place / "b.csv", "--force", "--wall-clock", *flags)
        return [row["start_clock"] for row in csv.DictReader((place / "b.csv").open(encoding="utf-8"))]

    assert clocks()[0] == "2024-05-01T12:34:56.200+00:00"
    assert clocks("--time-from", "name:%Y%m%d-%H%M%S")[2] == "2024-05-01T12:34:56.900"
    for name in ("b.edl", "b.markers.edl", "b.markers.csv", "b.fcpxml"):
        convert(place / "my.events.json", place / name, "--wall-clock")
        assert "2024-05-01T12:34:56.900+00:00" in (place / name).read_text("utf-8")
        assert read_events(place / name, choices=Choices(fps=29.97)).popitem()[1].score.tolist() == [0.9, 0.6, 0.3]
    convert(place / "my.events.json", place / "b.events.json", "--wall-clock")
    assert '"began": "2024-05-01T12:34:56.000+00:00"' in (place / "b.events.json").read_text()
    assert read_events(place / "b.csv")["my"] == EVENTS
