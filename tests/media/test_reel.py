"""A reel: cuts of any files one after the other, each with its own first picture, sound in step, under a title."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from videos import FPS, beep, flash

from avloc.errors import MediaError
from avloc.media.probe import MediaInfo, probe
from avloc.media.reader import read_audio, read_frames
from avloc.media.reel import Cut, Title, rate_of, write_reel
from avloc.media.remux import read_chapters
from avloc.media.writer import write_video


def cut(path: Path, start_s: float, end_s: float, name: str = "dog") -> Cut:
    return Cut(probe(path), start_s, end_s, name, path.name, f"{name} - {path.name}")


def plain(path: Path, level: int, size: tuple[int, int], fps: float = 10, **more: object) -> Path:
    frames = (np.full((size[1], size[0], 3), level, np.uint8) for _ in range(round(2 * fps)))
    return write_video(path, frames, fps, None, **more)  # type: ignore[arg-type]


def test_flash_and_beep_stay_together_in_every_cut(tmp_path: Path) -> None:
    flashing = write_video(tmp_path / "a.mp4", flash(60, 1.6), FPS, beep(3.0, 44100, 1.6), 44100)
    other = write_video(tmp_path / "b.mkv", flash(60, 0.9), FPS, beep(3.0, 16000, 0.9, 2), 16000)
    reel = tmp_path / "reel.mp4"
    cuts = [cut(flashing, 1.05, 2.25), cut(other, 0.333, 1.4), cut(flashing, 1.5, 2.5)]
    length_s = write_reel(reel, cuts)
    info = probe(reel)
    assert info.video is not None and info.video.fps == 24 and info.duration_s == pytest.approx(length_s, abs=0.05)
    wave = np.concatenate(list(read_audio(reel, sample_rate=48000)))
    times = np.arange(0, length_s, 1 / 96)
    bright = np.array([p[:60].mean() > 130 for p in read_frames(reel, times.tolist(), (160, 120))])
    begins = [0.0, 1.2, 1.2 + 26 / 24]  # 29, 26 and 24 pictures
    for begin, start_s, moment_s in zip(begins, (1.05, 0.333, 1.5), (1.6, 0.9, 1.6), strict=True):
        begin = round(begin * 24) / 24
        wanted = begin + moment_s - start_s
        near = (times > wanted - 0.3) & (times < wanted + 0.3)
        seen_s = float(times[near][np.argmax(bright[near])])
        part = np.abs(wave[round((wanted - 0.3) * 48000) : round((wanted + 0.3) * 48000)]) > 0.1
        heard_s = wanted - 0.3 + float(np.argmax(part)) / 48000
        assert abs(seen_s - wanted) <= 1 / 24 + 1 / 96 and abs(heard_s - wanted) < 0.01


def test_sizes_rates_turned_pictures_and_no_sound_go_into_one_frame(tmp_path: Path) -> None:
    wide = plain(tmp_path / "wide.mp4", 100, (320, 180), 25)
    tall = plain(tmp_path / "tall.mp4", 200, (320, 180), 30, rotation=90)
    heard = write_video(tmp_path / "heard.m4a", None, 1.0, beep(2.0, 16000, 0.5), 16000)
    reel = tmp_path / "reel.mkv"
    told: list[tuple[int, int]] = []
    length_s = write_reel(
        reel, [cut(wide, 0, 1.5), cut(tall, 0, 1), cut(heard, 0, 1)], lambda number, of: told.append((number, of))
    )
    assert length_s == pytest.approx(3.5, abs=0.02) and told == [(1, 3), (2, 3), (3, 3)]
    info = probe(reel)
    assert info.video is not None and (info.video.width, info.video.height, info.video.fps) == (320, 180, 30)
    assert info.audio is not None
    first, turned, nothing = read_frames(reel, [0.5, 2.0, 3.0], (320, 180))
    assert abs(int(first[60, 10, 0]) - 100) < 8
    assert turned[60, 10, 0] < 20 and abs(int(turned[60, 160, 0]) - 200) < 8  # black beside an upright picture
    assert nothing[60].max() < 20 and nothing[-40:].max() > 150  # of sound alone: a title on black
    assert read_chapters(reel) == [
        (0, 1500, "dog - wide.mp4"), (1500, 2500, "dog - tall.mp4"), (2500, 3500, "dog - heard.m4a"),
    ]  # fmt: skip


def test_a_reel_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    good = plain(tmp_path / "good.mp4", 100, (64, 48))
    info = probe(good)
    gone = MediaInfo(tmp_path / "gone.mp4", info.container, info.duration_s, info.video, None)
    for reel in (tmp_path / "reel.mp4", tmp_path / "none" / "reel.mp4"):
        with pytest.raises(MediaError):
            write_reel(reel, [cut(good, 0, 1), Cut(gone, 0, 1, "x", "y", "z")])
    assert [path.name for path in tmp_path.iterdir()] == ["good.mp4"]


def test_the_rate_is_a_usual_one_that_no_file_exceeds(tmp_path: Path) -> None:
    def of(*rates: float) -> Fraction:
        infos = [probe(plain(tmp_path / f"{rate:g}.mp4", 9, (64, 48), rate)) for rate in rates]
        return rate_of(infos)

    assert of(10) == 24 and of(24000 / 1001, 10) == Fraction(24000, 1001)
    assert of(30000 / 1001) == Fraction(30000, 1001) and of(25, 12) == 25 and of(60) == 60


def test_titles_are_drawn_over_the_lower_edge_alone() -> None:
    for size in ((640, 360), (90, 160), (16, 16)):
        picture = np.full((size[1], size[0], 3), 120, np.uint8)
        Title("people laughing", "a very long name of a video.mp4 0:01.0 to 0:02.0", size).draw(picture)
        assert (picture[: size[1] // 3] == 120).all() or size[1] == 16
        assert picture.min() < 60 and (size[1] == 16 or picture.max() > 200)
