"""Cutting a stretch out of a media file, at any time, sound in step.

Pictures and sound are coded anew: a copy of packets could begin at key pictures alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.errors import MediaError
from avloc.media.orientation import UPRIGHT, Orientation, orientation_of
from avloc.media.probe import MediaInfo, probe
from avloc.media.reader import frame_at, read_audio, read_frames
from avloc.media.selection import ROUNDING_S, shown_at_s
from avloc.media.source import MAX_SIDE, Source, open_source, packets_from
from avloc.media.writer import write_video

LEAST_S = 0.1
"""A stretch is at least this long: an event may have no length at all."""

_UNSAID = 2  # no colour space is stated, in the list of ISO/IEC 23091-2
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_STANDS_S = 0.3
_AAC_RATE = 48000  # for what is none of these
_BLOCK_S = 1.0
_REORDER_S = 1.0  # packets are read on for this long behind the end, for they come in the order of decoding


@dataclass(frozen=True, slots=True)
class Quality:
    """How a stretch is coded: x264's rate factor, most pixels of the shorter side, most pictures a second."""

    crf: int = 20
    side: int = MAX_SIDE
    fps: float = 240.0


def cut_clip(
    source: str | Path,
    path: str | Path,
    start_s: float,
    end_s: float,
    *,
    info: MediaInfo | None = None,
    quality: Quality = Quality(),
) -> Path:
    """Write [start_s, end_s) of `source` to `path`, H.264 and AAC; its ending names the container, as .mp4.

    Pictures keep their own times (also of a variable rate) and their looks: upright, in square pixels, with even
    sides; the first one's size is that of all, into which later ones of other proportions are fitted. The last one
    stands to the end. Sound keeps its rate, in one channel or two. The file appears whole or not at all.

    Args:
        info: What `probe` says of `source`, where it is known already.

    Raises:
        MediaError: the source cannot be read or begins after start_s, or the clip cannot be written.
        ValueError: start_s is negative or not before end_s.
    """
    if not 0 <= start_s <= end_s < math.inf:
        raise ValueError(f"a clip from {start_s} to {end_s} s was asked for; 0 <= start <= end is needed")
    info = info or probe(source)
    if start_s >= info.duration_s:
        raise MediaError(
            f"{info.path}: ends at {info.duration_s:.2f} s; nothing can be cut out from {start_s:.2f} s on"
        )
    end_s = min(max(end_s, start_s + LEAST_S), max(info.duration_s, start_s + LEAST_S))
    rate = _AAC_RATE if info.audio is None or info.audio.sample_rate not in _AAC_RATES else info.audio.sample_rate
    waveform = None if info.audio is None else _waveform(info, start_s, end_s, rate)
    if info.video is None:
        return write_video(path, None, 1.0, waveform, rate)
    size, aspect, coloured = looks_of(info.path, start_s, quality.side)
    rate_hz = min(max(info.video.fps or 25.0, 25.0), quality.fps)
    times_s = _thinned([start_s, *picture_times(info, start_s, end_s)], quality.fps)
    if times_s[-1] < end_s - 2 / rate_hz:  # a track ends a picture's length behind its last one
        times_s.append(end_s - 1 / rate_hz)
    return write_video(
        path,
        read_frames(info.path, times_s, size, pixel_aspect=aspect),
        rate_hz,
        waveform,
        rate,
        crf=quality.crf,
        frame_times_s=(time_s - start_s for time_s in times_s),
        state_colours=coloured,
        video_options={"preset": "veryfast"} | ({"bf": "0"} if _slow(times_s) else {}),
        container_options={"movflags": "+faststart"} if Path(path).suffix.lower() == ".mp4" else None,
    )


def _thinned(times_s: Iterable[float], fps: float) -> list[float]:
    """Those that are not nearer to the one kept before than pictures may come."""
    kept: list[float] = []
    for time_s in times_s:
        if not kept or time_s - kept[-1] >= 1 / fps - ROUNDING_S:
            kept.append(time_s)
    return kept


def _slow(times_s: list[float]) -> bool:
    """Whether a picture stands for long: in mp4, pictures out of order would then make the track too short."""
    return any(after - time_s > _STANDS_S for time_s, after in itertools.pairwise(times_s))


def picture_times(info: MediaInfo, start_s: float, end_s: float) -> list[float]:
    """When the pictures appear that replace another between start_s and end_s, without either; by the packets.

    A file whose packets do not say gets the times of its average rate.
    """
    assert info.video is not None
    found: set[float] = set()
    with open_source(info.path) as source:
        for time_s in _stamps(source, start_s, end_s):
            if time_s is None:
                step_s = 1 / (info.video.fps or 25.0)
                return [start_s + k * step_s for k in range(1, math.ceil((end_s - start_s) / step_s - 1e-6))]
            if start_s + ROUNDING_S < time_s < end_s - ROUNDING_S:
                found.add(time_s)
    return sorted(found)


def _stamps(source: Source, start_s: float, end_s: float) -> Iterator[float | None]:
    """Time of each picture from before start_s to behind end_s; None where one does not say."""
    assert source.video is not None
    ordered = source.container.format.name == "avi"  # knows times of decoding alone, as `read_frames` has it
    for packet in packets_from(source, source.video, start_s):
        stamp = packet.dts if ordered else packet.pts
        if packet.size == 0 or packet.is_discard:
            continue
        if stamp is None:
            yield None
            continue
        yield float(stamp * packet.time_base) - source.zero_s if ordered else shown_at_s(packet, source.zero_s)
        latest = stamp if packet.dts is None else packet.dts
        if float(latest * packet.time_base) - source.zero_s > end_s + _REORDER_S:
            return


def _waveform(info: MediaInfo, start_s: float, end_s: float, rate: int) -> Iterator[NDArray[np.float32]]:
    """Blocks (S,) or (S, 2) of the sound of the stretch, silence where there is none."""
    assert info.audio is not None
    channels = 1 if info.audio.channels == 1 else 2
    left = round((end_s - start_s) * rate)
    for block in read_audio(info.path, sample_rate=rate, block_s=_BLOCK_S, start_s=start_s, channels=channels):
        yield block[:left]
        left -= len(block[:left])
        if not left:
            return
    while left:
        silent = min(left, round(_BLOCK_S * rate))
        yield np.zeros((silent,) if channels == 1 else (silent, channels), np.float32)
        left -= silent


def looks_of(path: Path, time_s: float, side: int = MAX_SIDE) -> tuple[tuple[int, int], float, bool]:
    """Of the picture at a time: width and height in square pixels as displayed, the shorter one at most `side`, the
    aspect of its stored pixels, and whether its colour space is stated.

    Raises:
        MediaError: there is no picture.
    """
    frame = frame_at(path, time_s)
    with open_source(path) as source:
        assert source.video is not None
        aspect = float(source.video.sample_aspect_ratio or 1)
    size = square_size(frame.width, frame.height, aspect, orientation_of(frame))
    smaller = min(1.0, side / min(size))
    width, height = (2 * max(1, round(part * smaller / 2)) for part in size)
    return (width, height), aspect, frame.colorspace != _UNSAID


def square_size(width: int, height: int, aspect: float, turn: Orientation = UPRIGHT) -> tuple[int, int]:
    """Width and height in square pixels, even and turned upright, of a picture whose pixels are `aspect` times as
    wide as high; neither side gets smaller than it is stored."""
    sides = (width * max(aspect, 1.0), height / min(aspect, 1.0))
    across, down = (2 * max(1, round(min(side, MAX_SIDE) / 2)) for side in sides)
    return (down, across) if turn.swaps_sides else (across, down)
