"""`avloc clips`: events become files under safe names, a second run keeps them, and what is missing is one line."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.cli.clips import COLUMNS, plan, surest
from avloc.cli.main import main
from avloc.cli.names import slug, told_apart
from avloc.cli.results import Result, find_results
from avloc.compose.compose_config import ComposeConfig
from avloc.compose.library import MediaLibrary
from avloc.compose.planner import plan as plan_scene
from avloc.compose.render import compose_video
from avloc.errors import AvlocError
from avloc.events import Events
from avloc.events.filter import EventFilter
from avloc.formats.activitynet import write_results
from avloc.media.probe import probe
from avloc.media.remux import read_chapters

EVENTS = Events(
    [0.5, 2.0, 3.0, 3.5],
    [1.2, 2.6, 3.9, 3.5],
    ["dog barking", "dog barking", "<script>alert(1)</script>", "../../etc/passwd"],
    [0.9, 0.4, 0.8, 0.7],
)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("videos") / "a video.mp4"
    config = ComposeConfig(duration_s=(4.0, 4.0), size=(160, 120))
    compose_video(path, plan_scene(MediaLibrary.procedural(), config, np.random.default_rng(0)))
    return path


def results(folder: Path, name: str, events: Events, video: str, **more: object) -> Path:
    path = folder / f"{name}.events.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"source": Path(video).name, "video": video, "duration": 4.0, "model": "default", **more}
    write_results(path, {Path(name).name: events}, about)
    return path


def table(out: Path) -> list[dict[str, str]]:
    with (out / "clips.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_events_become_clips_with_a_table(tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results(tmp_path / "results", "deep/a video", EVENTS, str(video))
    out = tmp_path / "clips"
    command = ["clips", str(tmp_path / "results"), "--label", "dog barking", "--out", str(out)]
    assert main([*command, "--min-score", "0.5", "--margin", "0.25"]) == 0
    assert [p.name for p in out.glob("*.mp4")] == ["a-video_0000.25-0001.45_dog-barking.mp4"]
    assert probe(next(out.glob("*.mp4"))).duration_s == pytest.approx(1.2, abs=0.1)
    row = ["deep/a video", "0.500", "1.200", "dog barking", "0.9", "a-video_0000.25-0001.45_dog-barking.mp4"]
    assert table(out) == [dict(zip(COLUMNS, row, strict=True))]
    assert "1 of 1 clips" in capsys.readouterr().out


def test_the_same_command_goes_on_where_it_stopped(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results(tmp_path / "results", "a", EVENTS, str(video))
    out = tmp_path / "clips"
    assert main(["clips", str(tmp_path / "results"), "--out", str(out), "--limit", "2"]) == 0
    first = {p.name: p.stat().st_mtime_ns for p in out.glob("*.mp4")}
    assert len(first) == 2
    assert main(["clips", str(tmp_path / "results"), "--out", str(out), "--label", "dog barking"]) == 0
    assert "2 of 2 clips (1 were there already)" in capsys.readouterr().out
    assert {name: (out / name).stat().st_mtime_ns for name in first} == first
    assert sorted(row["file"] for row in table(out)) == sorted(p.name for p in out.glob("*.mp4"))
    assert len(table(out)) == 3


def test_a_reel_holds_what_is_chosen_in_place_of_clips_or_beside_them(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results(tmp_path / "results", "a", EVENTS, str(video))
    results(tmp_path / "results", "gone", EVENTS[:1], "../gone.mp4")
    reel, out = tmp_path / "reel.mp4", tmp_path / "clips"
    command = ["clips", str(tmp_path / "results"), "--label", "dog barking", "--reel", str(reel)]
    assert main(command) == 1  # one video is missing, which is told once
    told = capsys.readouterr()
    assert told.err.count("\n") == 1 and "gone: its video is missing" in told.err and "2 cuts" in told.out
    titles = [title for _, _, title in read_chapters(reel)]
    assert titles == [f"dog barking - a video.mp4 {at}" for at in ("0:00.5 to 0:01.2", "0:02.0 to 0:02.6")]
    assert probe(reel).duration_s == pytest.approx(1.3, abs=0.1) and not out.exists()
    (tmp_path / "results" / "gone.events.json").unlink()
    before = reel.read_bytes()
    assert main([*command, "--limit", "1"]) == 1 and reel.read_bytes() == before
    assert "is there already; give another name, or --force" in capsys.readouterr().err
    assert main(["clips", str(tmp_path), "--out", str(out), "--force"]) == 1
    assert "--force is of --reel" in capsys.readouterr().err
    assert main([*command, "--limit", "1", "--force", "--out", str(out)]) == 0
    assert len(read_chapters(reel)) == 1 and len(list(out.glob("*.mp4"))) == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "give --out, a folder for the clips, or --reel"),
        (["--reel", "x.avi"], "--reel is x.avi; a video is needed whose name ends in .mp4"),
        (["--reel", "x.mp4", "--min-score", "0.95"], "of 4 events none is left to cut out"),
    ],
)
def test_reels_that_cannot_be_are_one_line(
    tmp_path: Path, flags: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    results(tmp_path / "results", "a", EVENTS, "a.mp4")
    assert main(["clips", "results", *flags]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and [p.name for p in tmp_path.iterdir()] == ["results"]


def test_a_reel_over_one_of_its_videos_is_refused(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "a.mp4"
    mine.write_bytes(video.read_bytes())
    results(tmp_path, "a", EVENTS[:1], "a.mp4")
    assert main(["clips", str(tmp_path), "--reel", str(mine), "--force"]) == 1
    assert "is one of the videos" in capsys.readouterr().err and mine.read_bytes() == video.read_bytes()


def test_what_a_killed_run_left_is_swept_away(tmp_path: Path, video: Path) -> None:
    results(tmp_path / "results", "a", EVENTS[:1], str(video))
    out = tmp_path / "clips"
    out.mkdir()
    old, new, other = (out / f".{name}.mp4" for name in ("b_0001.00-0002.00_x.77", "b_0001.00-0002.00_x.78", "mine"))
    for path in (old, new, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (1, 1))
    assert main(["clips", str(tmp_path / "results"), "--out", str(out)]) == 0
    assert [path.exists() for path in (old, new, other)] == [False, True, True]


def test_hostile_labels_and_names_stay_inside_the_folder(tmp_path: Path, video: Path) -> None:
    results(tmp_path / "results", "a", EVENTS, str(video))
    out = tmp_path / "deep" / "clips"
    assert main(["clips", str(tmp_path / "results"), "--out", str(out)]) == 0
    assert sorted(p.name for p in out.iterdir()) == [
        "a_0000.50-0001.20_dog-barking.mp4",
        "a_0002.00-0002.60_dog-barking.mp4",
        "a_0003.00-0003.90_script-alert-1-script.mp4",
        "a_0003.50-0003.60_etc-passwd.mp4",
        "clips.csv",
    ]
    assert {row["label"] for row in table(out)} == set(EVENTS.labels)


def test_a_moved_video_is_found_and_a_missing_one_is_one_line(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results(tmp_path / "results", "a video", EVENTS[:2], "../gone/a video.mp4")
    results(tmp_path / "results", "other", EVENTS[:2], "../gone/other.mp4")
    out = tmp_path / "clips"
    assert main(["clips", str(tmp_path / "results"), "--out", str(out), "--videos", str(video.parent)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("avloc: other: its video is missing ('../gone/other.mp4' beside ")
    assert len(list(out.glob("*.mp4"))) == 2


def test_a_label_that_does_not_occur_names_those_that_do(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results(tmp_path / "results", "a", EVENTS[:2], str(video))
    (tmp_path / "results" / "bad.events.json").write_text("{")
    assert main(["clips", str(tmp_path / "results"), "--label", "Dog baking", "--out", str(tmp_path / "c")]) == 1
    assert capsys.readouterr().err == ("avloc: there is no class 'Dog baking'; did you mean 'dog barking'?\n")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("option", [["--limit", "0"], ["--margin", "-1"], ["--min-score", "2"], ["--videos", "none"]])
def test_impossible_settings_are_one_line(
    tmp_path: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    results(tmp_path, "a", EVENTS, "a.mp4")
    assert main(["clips", str(tmp_path), "--out", str(tmp_path / "c"), *option]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def result(name: str, events: Events) -> Result:
    return Result(name, Path(f"{name}.events.json"), events, 10.0, "", None, "default", None)


LABELS = st.text(min_size=1, max_size=40)


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=8, unique=True))
def test_no_two_clips_share_a_name_and_all_names_are_safe(pairs: list[tuple[str, str]]) -> None:
    by_video: dict[str, list[str]] = {}
    for video, label in pairs:
        by_video.setdefault(video, []).append(label)
    every = plan(
        [result(v, Events([1.0] * len(names), [2.0] * len(names), names)) for v, names in by_video.items()], 0.0
    )
    names = [clip.file for clip in every]
    assert len({name.casefold() for name in names}) == len(pairs)
    for name in names:
        assert not set(name) & set('/\\:*?"<>|\0\n\t') and ".." not in name and not name.startswith((".", "-"))
        assert len(name.encode()) < 255


def test_names_do_not_depend_on_what_is_asked_for() -> None:
    found = [result("a", Events([1, 1], [2, 2], ["a/b", "a:b"], [0.9, 0.2]))]
    every = plan(found, 0.0)
    assert every[0].file != every[1].file
    assert plan(found, 0.0, EventFilter(labels=("a:b",))) == [every[1]]
    assert surest(every, 1) == [every[0]] and surest(every, None) == every


def test_merged_events_are_one_clip_under_a_name_of_its_own() -> None:
    found = [result("a", Events([1, 3], [2, 4], ["a/b", "a/b"], [0.2, 0.9]))]
    (merged,) = plan(found, 0.0, EventFilter(merge_gap_s=1.0))
    assert (merged.start_s, merged.end_s, merged.event.score) == (1.0, 4.0, 0.9)
    assert merged.file == "a_0001.00-0004.00_a-b.mp4"


def test_a_margin_ends_with_the_video_and_so_does_the_name() -> None:
    (clip,) = plan([result("a", Events([8.5], [9.5], ["x"]))], 2.0)
    assert (clip.start_s, clip.end_s, clip.file) == (6.5, 10.0, "a_0006.50-0010.00_x.mp4")


def test_videos_of_one_name_in_two_folders_are_told_apart_in_the_names() -> None:
    names = [c.file for c in plan([result(n, Events([1], [2], ["x"])) for n in ("north/a", "south/A", "b")], 0.0)]
    spans = "0001.00-0002.00_x.mp4"
    assert names == [f"north-a_{spans}", f"south-A_{spans}", f"b_{spans}"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dog barking", "dog-barking"),
        ("...", "event"),
        ("日本 の 犬", "日本-の-犬"),
        ("é" * 200, "é" * 45),
        ("a\udcffb", "a-b"),
        ("-rf *", "rf"),
    ],
)
def test_slugs(text: str, name: str) -> None:
    assert slug(text, "event") == name


def test_names_that_a_file_system_confuses_are_told_apart() -> None:
    names = told_apart(["Dog", "dog", "cat"], ["1", "2", "3"])
    assert names[2] == "cat"
    assert len({name.casefold() for name in names}) == 3


def test_videos_of_a_file_of_labels_have_its_names(tmp_path: Path, video: Path) -> None:
    for name, text in {"rec.txt": "0.2\t0.5\tdog\n", "all.csv": "video,start,end,label\nrec,0.2,0.5,dog\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / "rec.mp4").unlink(missing_ok=True)
        (tmp_path / "rec.mp4").hardlink_to(video)
        out = tmp_path / f"of {name}"
        assert main(["clips", str(tmp_path / name), "--out", str(out)]) == 0
        assert [(row["video"], row["file"]) for row in table(out)] == [("rec", "rec_0000.20-0000.50_dog.mp4")]


def test_a_file_of_many_videos_and_one_without_words(tmp_path: Path) -> None:
    write_results(tmp_path / "all.json", {"a": EVENTS, "b/c": EVENTS[:1]})
    found = find_results(tmp_path / "all.json")
    assert [(r.name, r.title, r.duration_s, r.video) for r in found] == [
        ("a", "a", None, None),
        ("b/c", "c", None, None),
    ]
    (tmp_path / "odd.events.json").write_text(json.dumps({"results": {"a": []}, "external_data": []}))
    with pytest.raises(AvlocError, match="external_data"):
        find_results(tmp_path)


def test_a_result_that_names_what_is_no_video_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    results(tmp_path, "a", EVENTS, str(tmp_path / "secret"))
    results(tmp_path, "b", EVENTS, "x" * 5000 + ".mp4")
    assert [r.video for r in find_results(tmp_path)] == [None, None]
