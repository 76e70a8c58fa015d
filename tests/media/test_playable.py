"""What browsers play is told, and what they do not gets a small copy with the same times."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

from avloc.media.playable import PROXY, make_proxy, stills, unplayable
from avloc.media.probe import probe
from avloc.media.reader import frame_at, read_audio
from avloc.media.writer import write_video

RATE = 16000


def shade(i: int) -> int:
    """Brightness of the i-th picture: it tells the time."""
    return 20 + 4 * i


def video(path: Path, video_codec: str = "libx264", audio_codec: str = "aac", **more: str) -> Path:
    """3 s of 960 x 540 at 10 fps, with a click at 2 s."""
    wave = np.zeros(3 * RATE, np.float32)
    wave[2 * RATE : 2 * RATE + 800] = 0.8
    pictures = (np.full((540, 960, 3), shade(i), np.uint8) for i in range(30))
    return write_video(path, pictures, 10, wave, RATE, video_codec=video_codec, audio_codec=audio_codec, **more)


@pytest.mark.parametrize(
    ("name", "codecs", "pixels", "told"),
    [
        ("a.mp4", ("libx264", "aac"), "yuv420p", ""),
        ("a.webm", ("libvpx-vp9", "libopus"), "yuv420p", ""),
        ("a.mp4", ("libx264", "aac"), "yuv420p10le", "h264 in yuv420p10le"),
        ("a.mp4", ("libx265", "aac"), "yuv420p", "hevc"),
        ("a.mp4", ("libx264", "ac3"), "yuv420p", "ac3 sound"),
        ("a.mov", ("libx264", "pcm_s16le"), "yuv420p", "pcm_s16le sound"),
        ("a.mkv", ("libx264", "aac"), "yuv420p", "matroska"),
        ("a.avi", ("mpeg4", "libmp3lame"), "yuv420p", "avi"),
    ],
)
def test_what_browsers_do_not_play(
    tmp_path: Path, name: str, codecs: tuple[str, str], pixels: str, told: str
) -> None:
    pictures = [np.zeros((48, 64, 3), np.uint8)] * 5
    wave = np.zeros(16000, np.float32)
    path = write_video(
        tmp_path / name, pictures, 10, wave, 48000, video_codec=codecs[0], audio_codec=codecs[1], pixel_format=pixels
    )
    assert unplayable(probe(path)) == told


def test_a_copy_is_small_plays_everywhere_and_has_the_same_times(tmp_path: Path) -> None:
    info = probe(video(tmp_path / "a.avi", "mpeg4", "libmp3lame"))
    copy = make_proxy(info, tmp_path / "a.proxy.mp4")
    made = probe(copy)
    assert unplayable(made) == "" and made.video is not None
    assert (made.video.width, made.video.height) == (640, PROXY.side)
    assert made.duration_s == pytest.approx(info.duration_s, abs=0.15)
    for time_s in (0.05, 1.55, 2.85):
        shown, meant = (frame_at(path, time_s).to_ndarray(format="gray").mean() for path in (copy, info.path))
        assert shown == pytest.approx(meant, abs=2)
    clicks = [np.argmax(np.abs(np.concatenate(list(read_audio(path)))) > 0.3) / RATE for path in (copy, info.path)]
    assert clicks[0] == pytest.approx(clicks[1], abs=0.01)


def test_a_copy_is_kept_until_the_video_changes(tmp_path: Path) -> None:
    pictures = [np.zeros((48, 64, 3), np.uint8)] * 5
    path, copy = write_video(tmp_path / "a.mkv", pictures, 10, None), tmp_path / "a.proxy.mp4"
    inode = make_proxy(probe(path), copy).stat().st_ino
    assert make_proxy(probe(path), copy).stat().st_ino == inode
    os.utime(path, (1, 1))
    assert make_proxy(probe(path), copy).stat().st_ino != inode


def test_stills_are_the_pictures_of_their_times(tmp_path: Path) -> None:
    found = list(stills(video(tmp_path / "a.mp4"), [0.25, 2.95], 54))
    for jpeg, expected in zip(found, (shade(2), shade(29)), strict=True):
        (tmp_path / "a.jpg").write_bytes(jpeg)
        with av.open(str(tmp_path / "a.jpg")) as container:
            picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
        assert picture.shape == (54, 96, 3) and picture.mean() == pytest.approx(expected, abs=3)
