"""Decoded frames to upright RGB pictures of one size.

Legend: H and W height and width in pixels.
"""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from avloc.media.orientation import orientation_of

Picture = NDArray[np.uint8]

_ROUNDED = 2  # pixels
# Weighted area for the squeeze, and colour at full resolution: bilinear aliases, and costs as much.
_SQUEEZE = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class Scaler:
    """Frame to RGB picture of one size; a frame asked for again is not converted again.

    It is squeezed, or with the aspect of its pixels fitted in, black around it.
    """

    def __init__(self, size: tuple[int, int], pixel_aspect: float | None = None) -> None:
        self._size = size
        self._pixel_aspect = pixel_aspect
        self._reformatter = VideoReformatter()
        self._last: tuple[VideoFrame, Picture] | None = None

    def __call__(self, frame: VideoFrame) -> Picture:
        if self._last is None or self._last[0] is not frame:
            self._last = frame, self._convert(frame)
        return self._last[1].copy()

    def _convert(self, frame: VideoFrame) -> Picture:
        turn = orientation_of(frame)
        size = self._size if self._pixel_aspect is None else _fitted(frame, self._pixel_aspect, self._size)
        width, height = size[::-1] if turn.swaps_sides else size
        small = self._reformatter.reformat(frame, width, height, "rgb24", interpolation=_SQUEEZE, threads=1)
        picture = turn.apply(np.asarray(small.to_ndarray(), np.uint8))
        if size == self._size:
            return picture
        whole = np.zeros((*self._size[::-1], 3), np.uint8)
        left, top = ((all_ - part) // 2 for all_, part in zip(self._size, size, strict=True))
        whole[top : top + size[1], left : left + size[0]] = picture
        return whole


def _fitted(frame: VideoFrame, pixel_aspect: float, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height within `size` that keep a frame's proportions; all of it where they differ by rounding."""
    wide = frame.width * pixel_aspect / frame.height
    wide = 1 / wide if orientation_of(frame).swaps_sides else wide
    width, height = min(size[0], round(size[1] * wide)), min(size[1], round(size[0] / wide))
    near = size[0] - width <= _ROUNDED and size[1] - height <= _ROUNDED
    return size if near else (max(1, width), max(1, height))
