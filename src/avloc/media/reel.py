"""One video of many cuts: each fitted into one frame, at one rate, sound in step, under a title, and as a chapter.

cuts > frame and rate of all > pictures by timestamp, titles drawn in > H.264; sound, else silence > AAC

Legend: H and W height and width in pixels, S samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.media.clips import looks_of
from avloc.media.lettering import line
from avloc.media.probe import MediaInfo
from avloc.media.reader import read_audio, read_frames
from avloc.media.scaling import Picture
from avloc.media.writer import write_video

SIDE = 1080
"""Most pixels of the frame's shorter side."""
RATES = tuple(Fraction(n) for n in (24, 25, 30, 50, 60))
RATES_NTSC = tuple(Fraction(n * 1000, 1001) for n in (24, 30, 60))
SAMPLE_RATE = 48000
DIMMED = 0.35  # what is left of the picture behind a title
_WIDE = (1280, 720)  # of cuts that have no picture
_FADE = SAMPLE_RATE // 200  # 5 ms: a cut in the middle of a wave would click
_BLOCK_S = 1.0
_SAME_RATE = 3e-4  # 24 and 23.976 lie further apart

OnCut = Callable[[int, int], object]
"""Is told which cut is done, from 1 on, of how many."""


@dataclass(frozen=True, slots=True)
class Cut:
    """[start_s, end_s) of a file, within it; two lines to draw over it; and its chapter's title."""

    info: MediaInfo
    start_s: float
    end_s: float
    title: str
    below: str
    chapter: str


@dataclass(frozen=True, slots=True)
class _Laid:
    """Where a cut lies in the reel: so many pictures from `first` on; the proportions of its file's pixels."""

    cut: Cut
    first: int
    count: int
    pixel_aspect: float


def write_reel(path: Path, cuts: Sequence[Cut], on_cut: OnCut | None = None) -> float:
    """Write the cuts one after the other, at least one; the ending names the container. The result is its length.

    The frame is that of most of the time, its shorter side at most 1080 pixels; others are fitted in, black around
    them, upright and in square pixels. The rate is the lowest usual one that no cut exceeds, at most 60. Each picture
    is what is on screen at its time, so that a cut begins with its own first picture; sound follows to the sample.
    The file appears whole or not at all.

    Raises:
        MediaError: a file cannot be read, or the reel cannot be written.
    """
    looks = {cut.info.path: (_WIDE, 1.0) for cut in cuts}
    for cut in cuts:
        if cut.info.video is not None and looks[cut.info.path] == (_WIDE, 1.0):
            looks[cut.info.path] = looks_of(cut.info.path, cut.start_s, SIDE)[:2]
    size = _frame_of(cuts, {file: seen[0] for file, seen in looks.items()})
    rate = rate_of([cut.info for cut in cuts])
    laid: list[_Laid] = []
    for cut in cuts:
        count = max(1, round((cut.end_s - cut.start_s) * rate))
        first = laid[-1].first + laid[-1].count if laid else 0
        laid.append(_Laid(cut, first, count, looks[cut.info.path][1]))
    ends = [one.first + one.count for one in laid]
    write_video(
        path,
        _pictures(laid, size, rate, on_cut or (lambda number, of: None)),
        float(rate),
        _waveform(laid, rate) if any(cut.info.audio for cut in cuts) else None,
        SAMPLE_RATE,
        crf=20,
        state_colours=True,
        video_options={"preset": "veryfast"},
        container_options={} if path.suffix.lower() == ".mkv" else {"movflags": "+faststart"},
        chapters=[
            (round(1000 * one.first / rate), round(1000 * end / rate), one.cut.chapter)
            for one, end in zip(laid, ends, strict=True)
        ],
    )
    return float(ends[-1] / rate)


def rate_of(files: Sequence[MediaInfo]) -> Fraction:
    """The lowest usual rate of pictures that no file exceeds; 60 where one does, 25 where none has pictures.

    29.97 and its like are taken where the fastest file has them.
    """
    fastest = max((info.video.fps or 25.0 for info in files if info.video is not None), default=25.0)
    same = (rate for rate in RATES_NTSC if abs(fastest / rate - 1) < _SAME_RATE)
    return next(same, next((rate for rate in RATES if rate >= fastest * (1 - _SAME_RATE)), RATES[-1]))


def _frame_of(cuts: Sequence[Cut], sizes: dict[Path, tuple[int, int]]) -> tuple[int, int]:
    seconds: Counter[tuple[int, int]] = Counter()
    for cut in cuts:
        if cut.info.video is not None:
            seconds[sizes[cut.info.path]] += cut.end_s - cut.start_s  # type: ignore[assignment]
    return max(seconds, key=lambda size: (seconds[size], size)) if seconds else _WIDE


def _pictures(laid: Sequence[_Laid], size: tuple[int, int], rate: Fraction, on_cut: OnCut) -> Iterator[Picture]:
    for number, one in enumerate(laid, 1):
        cut, title = one.cut, Title(one.cut.title, one.cut.below, size)
        if cut.info.video is None:
            pictures: Iterator[Picture] = (np.zeros((*size[::-1], 3), np.uint8) for _ in range(one.count))
        else:
            times_s = (cut.start_s + float(k / rate) for k in range(one.count))
            pictures = read_frames(cut.info.path, times_s, size, pixel_aspect=one.pixel_aspect)
        for picture in pictures:
            title.draw(picture)
            yield picture
        on_cut(number, len(laid))


class Title:
    """Two lines over the lower edge of pictures of one size (width, height), on a darkened band."""

    def __init__(self, title: str, below: str, size: tuple[int, int]) -> None:
        width, height = size
        upper, lower = (max(10, min(size) // share) for share in (15, 22))
        self._room = max(4, upper // 3)
        most_wide = max(1, width - 2 * self._room)
        masks = [line(title, upper, most_wide), line(below, lower, most_wide)]
        self._band = min(height, sum(len(mask) for mask in masks) + 2 * self._room)
        drawn = np.zeros((upper + lower + 2 * self._room, width), np.float32)
        for mask, top in zip(masks, (self._room, self._room + upper), strict=True):
            drawn[top : top + len(mask), self._room : self._room + mask.shape[1]] = mask[:, :most_wide] / 255
        drawn = drawn[: self._band, :, None]  # (H, W, 1)
        self._kept = (1 - drawn) * DIMMED
        self._added = 255 * drawn

    def draw(self, picture: Picture) -> None:
        """Draw it into a picture (H, W, 3)."""
        band = picture[-self._band :]
        band[...] = np.rint(band * self._kept + self._added).astype(np.uint8)


def _waveform(laid: Sequence[_Laid], rate: Fraction) -> Iterator[NDArray[np.float32]]:
    """Blocks (S, 2); each cut has as many samples as its pictures take, whatever came before."""
    for one in laid:
        begin, end = (round(frame / rate * SAMPLE_RATE) for frame in (one.first, one.first + one.count))
        done, length = 0, end - begin
        for block in _heard(one.cut, length):
            at = np.arange(done, done + len(block))
            edge = np.minimum(at, length - 1 - at).clip(0, _FADE) / _FADE
            yield (block * edge[:, None]).astype(np.float32)
            done += len(block)


def _heard(cut: Cut, length: int) -> Iterator[NDArray[np.float32]]:
    """`length` samples (S, 2) of a cut in blocks, silence where there is no sound."""
    left = length
    if cut.info.audio is not None:
        blocks = read_audio(cut.info.path, sample_rate=SAMPLE_RATE, block_s=_BLOCK_S, start_s=cut.start_s, channels=2)
        for block in blocks:
            yield block[:left]
            left -= len(block[:left])
            if not left:
                return
    while left:
        silent = min(left, round(_BLOCK_S * SAMPLE_RATE))
        yield np.zeros((silent, 2), np.float32)
        left -= silent
