"""`avloc convert`: any to any, many to one, one to many; nothing is written over unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from avloc.cli.main import main
from avloc.events import Events
from avloc.formats.files import FORMATS, read_events, read_truth, write_events
from avloc.formats.truth import Truth

DOG = Events([1.52], [5.03], ["dog barking"], [0.93])
RAIN = Events([2, 3], [4, 5], ["rain", "dog barking"], [0.5, 0.25])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """What `avloc detect --out` leaves: a file a video, in folders."""
    folder = tmp_path / "results"
    (folder / "deep").mkdir(parents=True)
    write_events(folder / "a.events.json", {"a": DOG})
    write_events(folder / "deep" / "b.events.json", {"b": RAIN})
    return folder


def line(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that a run prints, be it told or an error."""
    main(["convert", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert len((out + err).splitlines()) == 1, out + err
    return (out + err).strip()


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if not form.frames and name != "youtube"])
def test_any_to_any(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / f"a{FORMATS[name].endings[0]}", tmp_path / "back.csv"
    write_events(tmp_path / "a.truth.csv", {"a": Truth(9.5, "test", DOG)}, "csv-truth")
    assert main(["convert", str(tmp_path / "a.truth.csv"), str(first), "--to", name]) == 0
    assert main(["convert", str(first), str(second)]) == 0
    assert read_events(second) == {"a": Events([1.52], [5.03], ["dog barking"])}


def test_by_ending(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    eaf = tmp_path / "a.eaf"
    said = line(capsys, results / "a.events.json", eaf)
    assert said == f"{eaf}: 1 event of 1 video; scores are not kept in ELAN"
    assert read_events(eaf) == {"a": Events([1.52], [5.03], ["dog barking"])}
    assert line(capsys, results / "a.events.json", tmp_path / "a.vtt") == f"{tmp_path / 'a.vtt'}: 1 event of 1 video"


def test_a_folder_to_a_table_and_back(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, folder = tmp_path / "all.csv", tmp_path / "labels"
    assert line(capsys, results, table) == f"{table}: 3 events of 2 videos"
    assert read_events(table) == {"a": DOG, "deep/b": RAIN}
    assert line(capsys, table, folder, "--to", "raven") == f"{folder}: 3 events of 2 videos in 2 files"
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.txt"))
    assert files == ["a.selections.txt", "deep/b.selections.txt"]
    assert read_events(folder) == {"a": DOG, "deep/b": RAIN}


def test_videos_of_one_name_in_several_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place, events in (("north", DOG), ("south", RAIN)):
        (tmp_path / "results" / place).mkdir(parents=True)
        write_events(tmp_path / "results" / place / "rec1.events.json", {"rec1": events})
    table, folder = tmp_path / "all.csv", tmp_path / "labels"
    assert line(capsys, tmp_path / "results", table) == f"{table}: 3 events of 2 videos"
    assert read_events(table) == {"north/rec1": DOG, "south/rec1": RAIN}
    assert line(capsys, table, folder, "--to", "raven") == f"{folder}: 3 events of 2 videos in 2 files"
    assert read_events(folder) == {"north/rec1": DOG, "south/rec1": RAIN}


def test_one_name_that_has_no_place_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_events(tmp_path / "all.json", {"a": DOG, "b": Events([1], [2], ["two\tparts"])})
    out = tmp_path / "out"
    said = line(capsys, tmp_path / "all.json", out, "--to", "audacity")
    assert said.startswith(f"avloc: {out / 'b.txt'}: the name 'two\\tparts' has no place in Audacity")
    assert list(out.iterdir()) == []


def test_several_files_and_a_least_score(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "all.json"
    files = (results / "a.events.json", results / "deep" / "b.events.json")
    assert line(capsys, *files, out, "--min-score", 0.5, "--to", "fiftyone") == f"{out}: 2 events of 2 videos"
    assert read_events(out) == {"a": DOG, "b": RAIN[:1]}


def test_lengths_go_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_events(tmp_path / "a.events.json", {"a": Truth.of(DOG, 12.5)})
    line(capsys, tmp_path / "a.events.json", tmp_path / "truth.json", "--to", "activitynet-truth")
    assert read_truth(tmp_path / "truth.json") == {"a": Truth(12.5, "train", Events([1.52], [5.03], ["dog barking"]))}


def test_nothing_is_written_over_unasked(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, mine = results / "a.events.json", tmp_path / "a.txt"
    before = source.read_bytes()
    (tmp_path / "link.json").symlink_to(source)
    for target in (source, tmp_path / "link.json"):
        assert "is what was read" in line(capsys, source, target, "--force")
    mine.write_text("1\t2\tmine\n")
    assert "is there already; give another name, or --force" in line(capsys, source, mine)
    assert source.read_bytes() == before and mine.read_text() == "1\t2\tmine\n"
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / "a.txt").write_text("1\t2\tmine\n")
    assert "a.txt: is there already" in line(capsys, results, folder, "--to", "audacity")
    assert [file.name for file in folder.iterdir()] == ["a.txt"]
    assert "1 event of 1 video" in line(capsys, source, mine, "--force")
    assert read_events(mine)["a"].labels == ("dog barking",)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../b", "a\\b"])
def test_a_videos_name_leads_out_of_no_folder(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_events(tmp_path / "all.json", {name: DOG})
    out = tmp_path / "out"
    out.mkdir()
    assert "cannot name a file" in line(capsys, tmp_path / "all.json", out, "--to", "srt")
    assert list(out.iterdir()) == [] and sorted(f.name for f in tmp_path.iterdir()) == ["all.json", "out"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["one.json"], "two paths are needed"),
        ([], "two paths are needed"),
        (["none.csv", "x.json"], "none.csv cannot be read"),
        (["results", "x.eaf"], "a file of ELAN holds one video, not 2; write a folder"),
        (["results", "x.foo"], "x.foo: its ending is of no known format"),
        (["results", "x"], "x: is a folder; say with --to"),
        (["results", "x.csv", "--to", "excel"], "'excel' is no format; the formats are"),
        (["results", "x.csv", "--from", "excel"], "'excel' is no format; the formats are"),
        (["results", "x.csv", "--fps", "0"], "--fps is 0; a frame rate"),
        (["results", "x.csv", "--min-score", "nan"], "--min-score is 'nan'; a number"),
        (["results", "results/a.events.json", "x.csv"], "video 'a' stands in"),
        (["results", "x.csv", "--fps", "inf"], "--fps is inf; a frame rate"),
        (["results", "x.csv", "--min-score", "=1"], "--min-score is '=1'; a number, or CLASS=SCORE"),
        (["results", "x.csv", "--label", "dog barkin"], "no class 'dog barkin'; did you mean 'dog barking'?"),
        (["results", "x.csv", "--min-score", "rian=0.2"], "no class 'rian'; did you mean 'rain'?"),
        (["results", "x.csv", "--start", "soon"], "--start is 'soon'; a number of seconds"),
        (["results", "x.csv", "--start", "5", "--end", "4"], "from 5 to 4 s is none"),
        (["results", "x.csv", "--merge-gap", "-1"], "--merge-gap is -1"),
        (
            ["results", "x.srt", "--wall-clock"],
            "--wall-clock: SRT has no place for the time of day; activitynet, csv, edl",
        ),
        (["results", "x.csv", "--wall-clock"], "a: its video is not there to tell when it began"),
        (["results", "x.csv", "--wall-clock", "--time-from", "file"], "--time-from is 'file'; metadata, or name:"),
        (["results", "x.csv", "--wall-clock", "--time-from", "name:%Q"], "--time-from: %Q is none of"),
        (["results", "x.csv", "--wall-clock", "--time-from", "name:%Y"], "a: holds no time of the form %Y"),
        (["results/a.events.json", "x.edl"], "name its folder with --videos, or the rate with --fps"),
        (["results/a.events.json", "x.edl", "--fps", "25", "--timecode", "00:00:00;00"], "no drop-frame timecode"),
        (["results/a.events.json", "x.edl", "--fps", "120"], "an EDL counts frames with two digits"),
        (["results/a.events.json", "x.mp4"], "the video 'a' is not there to be copied"),
    ],
)
def test_what_cannot_be_is_one_line(
    results: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(results.parent)
    assert said in line(capsys, *arguments)
    assert [file.name for file in results.parent.iterdir()] == ["results"]
