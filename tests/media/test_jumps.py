"""What is shown where decoding jumps is what a decoding of the whole file shows, picture by picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from videos import need

from avloc.media.clips import cut_clip
from avloc.media.reader import read_frames
from avloc.media.starts import skips, starts_of
from avloc.media.writer import write_video

SIDES = (96, 64)
RATE = 5  # pictures a second: few of them reach behind 10 s, from where on files with an index are sought in
COUNT = 160
KEYS = Callable[[int, bool], bool]  # number of a packet, whether it is a key packet > what its flag says


@dataclass(frozen=True)
class Making:
    ending: str
    codec: str
    options: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    flags: KEYS | None = None


X264 = {"g": "24", "bf": "3"}
X265 = "log-level=none:keyint=24:min-keyint=24:bframes=4:"
MAKINGS = {
    "h264 mp4": Making("mp4", "libx264", X264),
    "h264 open mkv": Making("mkv", "libx264", X264 | {"x264-params": "open-gop=1:b-pyramid=normal"}),
    "h264 open ts": Making("ts", "libx264", X264 | {"x264-params": "open-gop=1"}),
    "h264 refresh mp4": Making("mp4", "libx264", {"g": "25", "x264-params": "intra-refresh=1"}),
    "h264 refresh mkv": Making("mkv", "libx264", {"g": "10", "x264-params": "intra-refresh=1"}),
    "h264 refresh slices ts": Making(
        "ts", "libx264", {"g": "20", "tune": "zerolatency", "x264-params": "intra-refresh=1:slice-max-size=400"}
    ),
    "h264 one key flv": Making("flv", "libx264", {"g": "1000"}),
    "h264 interlaced ts": Making("ts", "libx264", X264 | {"flags": "+ildct+ilme"}),
    "h264 all flagged mp4": Making("mp4", "libx264", X264, flags=lambda number, key: True),
    "h264 all flagged mkv": Making("mkv", "libx264", X264, flags=lambda number, key: True),
    "h264 some flagged mp4": Making("mp4", "libx264", {"g": "48"}, flags=lambda number, key: key or number % 7 == 3),
    "h264 wrong flagged mkv": Making("mkv", "libx264", {"g": "48"}, flags=lambda number, key: number % 9 == 4),
    "hevc mp4": Making("mp4", "libx265", {"x265-params": X265 + "open-gop=0"}),
    "hevc open mkv": Making("mkv", "libx265", {"x265-params": X265 + "open-gop=1"}),
    "hevc open ts": Making("ts", "libx265", {"x265-params": X265 + "open-gop=1"}),
    "hevc layers mp4": Making("mp4", "libx265", {"x265-params": X265 + "temporal-layers=3:b-adapt=0"}),
    "hevc all flagged mp4": Making("mp4", "libx265", {"x265-params": X265}, flags=lambda number, key: True),
    "vp8 webm": Making("webm", "libvpx", {"g": "30", "auto-alt-ref": "1", "lag-in-frames": "10"}),
    "vp9 webm": Making("webm", "libvpx-vp9", {"g": "30", "auto-alt-ref": "1", "lag-in-frames": "20"}),
    "vp9 all flagged mkv": Making("mkv", "libvpx-vp9", {"g": "30"}, flags=lambda number, key: True),
    "av1 webm": Making("webm", "libsvtav1", {"g": "40", "preset": "10"}),
    "av1 mp4": Making("mp4", "libsvtav1", {"g": "31", "preset": "10", "crf": "4"}),
    "mpeg2 open ts": Making("ts", "mpeg2video", {"g": "12", "bf": "2", "qmax": "4"}),
    "mpeg2 mpg": Making("mpg", "mpeg2video", {"g": "15", "bf": "2", "qmax": "4"}),
    "mpeg2 all flagged mkv": Making("mkv", "mpeg2video", {"g": "15", "bf": "2"}, flags=lambda number, key: True),
    "mpeg4 mp4": Making("mp4", "mpeg4", {"g": "24", "bf": "2"}),
    "mpeg4 wrong flagged mkv": Making("mkv", "mpeg4", {"g": "24"}, flags=lambda number, key: number % 5 == 2),
    "mpeg4 avi": Making("avi", "mpeg4", {"g": "24"}),
    "wmv2 asf": Making("asf", "wmv2", {"g": "24"}),
    "mjpeg mov": Making("mov", "mjpeg", pixels="yuvj420p"),
    "ffv1 mkv": Making("mkv", "ffv1", {"g": "12"}),
    "prores mov": Making("mov", "prores_ks", pixels="yuv422p10le"),
}


def pictures() -> Iterator[NDArray[np.uint8]]:
    """Each tells its number in 8 bars over a texture that moves on, so that no picture can stand for another."""
    across, down = np.meshgrid(np.arange(SIDES[0]), np.arange(SIDES[1]))
    for number in range(COUNT):
        grey = 128 + 70 * np.sin((across + 5 * number) / 7) * np.cos(down / 5)
        bars = np.repeat([255 * (number >> bit & 1) for bit in range(8)], SIDES[0] // 8)
        grey[:24] = bars[None]
        yield np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def number_of(picture: NDArray[np.uint8]) -> int:
    width = picture.shape[1] // 8
    row = picture[4:16].mean((0, 2)).reshape(8, width)[:, 3:-3].mean(1)
    return sum(int(level > 128) << bit for bit, level in enumerate(row))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    @cache
    def make(name: str) -> Path:
        making = MAKINGS[name]
        need(making.codec)
        path = tmp_path_factory.mktemp("jumps") / f"a.{making.ending}"
        write_video(
            path,
            pictures(),
            RATE,
            None,
            video_codec=making.codec,
            crf=12,
            pixel_format=making.pixels,
            video_options=making.options,
        )
        return path if making.flags is None else flagged(path, making.flags)

    return make


def flagged(path: Path, flags: KEYS) -> Path:
    """A copy whose container says otherwise which packets are key packets."""
    other = path.with_name(f"flagged{path.suffix}")
    with av.open(str(path)) as source, av.open(str(other), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(p for p in source.demux(video=0) if p.size):
            packet.is_keyframe = flags(number, packet.is_keyframe)
            packet.stream = stream
            target.mux(packet)
    return other


@cache
def whole(path: Path) -> tuple[NDArray[np.float64], list[NDArray[np.uint8]]]:
    """All pictures and when each appears, decoded from the beginning to the end by libav alone."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        found: list[Any] = [f for p in container.demux(stream) for f in stream.decode(p)]
    ordered = path.suffix == ".avi"  # without presentation times: by the order alone
    times = [n / RATE if ordered else float(f.time) for n, f in enumerate(found)]
    return np.array(times) - times[0], [f.to_ndarray(format="rgb24") for f in found]


def differences(path: Path, times_s: list[float], exact: bool = False) -> list[float]:
    """Mean difference of each picture from that of the whole decoding, in grey levels."""
    starts_s, all_pictures = whole(path)
    wanted = np.maximum(np.searchsorted(starts_s, np.array(times_s) + 1e-4, side="right") - 1, 0)
    shown = read_frames(path, times_s, SIDES, threads=1, exact=exact)
    pairs = zip(shown, wanted, strict=True)
    return [float(np.abs(picture.astype(float) - all_pictures[w]).mean()) for picture, w in pairs]


@pytest.mark.parametrize("name", MAKINGS)
def test_regular_times(made: Callable[[str], Path], name: str) -> None:
    path = made(name)
    assert [number_of(p) for p in whole(path)[1]] == list(range(COUNT))
    for step_s in (0.13, 0.32, 1.0, 2.3, 7.9):
        assert max(differences(path, np.arange(0.03, 33, step_s).tolist())) < 2
    for time_s in (9.9, 10.1, 17.37, 23.03, 31.9):
        assert max(differences(path, [time_s]) + differences(path, [time_s, time_s + 1.1], exact=True)) < 2


@pytest.mark.parametrize("name", MAKINGS)
@settings(max_examples=8, deadline=None)
@given(times_s=st.lists(st.floats(-1, 34), min_size=1, max_size=10).map(sorted))
def test_any_times(made: Callable[[str], Path], name: str, times_s: list[float]) -> None:
    assert max(differences(made(name), times_s)) < 2


@pytest.mark.parametrize("name", [n for n in MAKINGS if "flagged" in n or "refresh" in n or "av1" in n])
@pytest.mark.parametrize("start_s", [5.02, 21.13])
def test_clips_begin_with_the_picture_on_screen(
    made: Callable[[str], Path], name: str, start_s: float, tmp_path: Path
) -> None:
    clip = cut_clip(made(name), tmp_path / "clip.mp4", start_s, start_s + 3)
    with av.open(str(clip)) as container:
        got = [number_of(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    assert got[:15] == list(range(int(start_s * RATE), int(start_s * RATE) + 15))


def test_a_closed_start_is_found_where_there_is_one(made: Callable[[str], Path]) -> None:
    """Jumps are taken: a test of equality alone would pass without any."""
    wanted = {
        "h264 mp4": 7,
        "h264 all flagged mp4": 7,
        "h264 refresh mp4": 1,
        "h264 one key flv": 1,
        "hevc open ts": 7,
        "mpeg2 mpg": 11,
        "mpeg4 mp4": 7,
        "vp8 webm": 6,
        "vp9 webm": 6,
        "av1 mp4": 6,
        "ffv1 mkv": 14,
        "mjpeg mov": COUNT,
        "wmv2 asf": 0,
    }
    for name, count in wanted.items():
        with av.open(str(made(name))) as container:
            starts = starts_of(container.streams.video[0])
            assert sum(starts(p) for p in container.demux(video=0)) == count, name


def test_pictures_are_skipped_only_by_decoders_that_heed_it(made: Callable[[str], Path]) -> None:
    wanted = {"h264 mp4": True, "hevc mp4": True, "hevc open ts": True, "hevc layers mp4": False, "mpeg2 mpg": True}
    for name, skipping in (wanted | {"av1 webm": False, "vp9 webm": False}).items():
        with av.open(str(made(name))) as container:
            assert skips(container.streams.video[0]) == skipping, name
