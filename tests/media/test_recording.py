"""What a recorder wrote down: rate, timecode, time of day; and copies with chapters, which keep the rest as it is."""

from __future__ import annotations

import datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from videos import beep, film, need

from avloc.errors import MediaError
from avloc.media.recording import recording
from avloc.media.remux import copy_with_chapters, read_chapters
from avloc.media.writer import write_video

CHAPTERS = [(0, 400, "dog & 犬"), (400, 900, "–"), (900, 1500, "cat")]


@pytest.mark.parametrize("ending", ["mov", "mkv"])
@pytest.mark.parametrize(
    ("rate", "timecode"),
    [
        (Fraction(30000, 1001), "01:00:00;02"),
        (Fraction(24000, 1001), "10:00:00:00"),
        (Fraction(25), ""),
        (Fraction(60000, 1001), ""),
        (Fraction(50), ""),
    ],
)
def test_rates_are_exact_and_timecode_is_found(ending: str, rate: Fraction, timecode: str, tmp_path: Path) -> None:
    told = {"timecode": timecode} if timecode else {}
    seen = recording(film(tmp_path / f"a.{ending}", rate, **told))
    assert (seen.rate, seen.timecode, seen.began, seen.sound) == (rate, timecode, None, False)
    assert (seen.width, seen.height, seen.first_s) == (32, 32, 0)
    assert seen.length_s == pytest.approx(1.5, abs=0.05)


def test_the_time_of_day_is_found_and_one_of_the_place_goes_first(tmp_path: Path) -> None:
    utc, unset = "2024-05-01T12:34:56.000000Z", "1970-01-01T00:00:00.000000Z"
    place = {"com.apple.quicktime.creationdate": "2024-05-01T14:34:50+0200"}
    rate = Fraction(25)
    began = datetime.datetime(2024, 5, 1, 12, 34, 56, tzinfo=datetime.UTC)
    assert recording(film(tmp_path / "a.mp4", rate, creation_time=utc)).began == began
    seen = recording(film(tmp_path / "b.mov", rate, creation_time=utc, **place)).began
    assert seen is not None and seen.isoformat() == "2024-05-01T14:34:50+02:00"
    assert recording(film(tmp_path / "c.mp4", rate, creation_time=unset)).began is None


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_chapters_go_into_a_copy_that_ffmpeg_reads(ending: str, tmp_path: Path) -> None:
    source = film(tmp_path / "a.mov", Fraction(30000, 1001), timecode="01:00:00;02", title="mine")
    copy_with_chapters(source, tmp_path / f"b.{ending}", CHAPTERS)
    with av.open(str(tmp_path / f"b.{ending}")) as theirs:
        found = [(c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]) for c in theirs.chapters()]
        assert [(1000 * a, m["title"]) for a, _, m in found] == [(a, title) for a, _, title in CHAPTERS]
        assert [float(1000 * b) for _, b, _ in found] == pytest.approx([400, 900, 1500], abs=2)  # the file's own end
        pictures = [frame.to_ndarray().mean() for frame in theirs.decode(video=0)]
    with av.open(str(source)) as original:
        assert pictures == [frame.to_ndarray().mean() for frame in original.decode(video=0)]
    assert read_chapters(tmp_path / f"b.{ending}")[:2] == CHAPTERS[:2]
    assert recording(tmp_path / f"b.{ending}").timecode == "01:00:00;02"
    assert read_chapters(source) == [] and not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_sound_and_rotation_go_along(tmp_path: Path) -> None:
    pictures = (np.full((32, 64, 3), i, np.uint8) for i in range(30))
    write_video(tmp_path / "a.mp4", pictures, 20, beep(1.5, 16000, 0.5), rotation=90)
    copy_with_chapters(tmp_path / "a.mp4", tmp_path / "b.mp4", CHAPTERS)
    with av.open(str(tmp_path / "a.mp4")) as one, av.open(str(tmp_path / "b.mp4")) as two:
        assert [f.rotation for f in two.decode(video=0)] == [f.rotation for f in one.decode(video=0)] != [0] * 30
    with av.open(str(tmp_path / "a.mp4")) as one, av.open(str(tmp_path / "b.mp4")) as two:
        frames = [[frame.to_ndarray() for frame in file.decode(audio=0)] for file in (one, two)]
        assert all(np.array_equal(a, b) for a, b in zip(*frames, strict=True))


def test_what_a_container_does_not_take_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    need("libvpx", "libopus")
    pictures = (np.full((32, 64, 3), i, np.uint8) for i in range(10))
    write_video(tmp_path / "a.webm", pictures, 20, None, video_codec="libvpx")
    for target in (tmp_path / "b.mp4", tmp_path / "no" / "b.mkv"):
        with pytest.raises(MediaError, match=r"b\.m.*: cannot be written with the streams of"):
            copy_with_chapters(tmp_path / "a.webm", target, CHAPTERS)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.webm"]
