"""Text as pixels, without any font of the system: Latin, Greek and Cyrillic letters of DejaVu Sans.

text > letters side by side > scaled to a height; what is not among the letters shows as a box.

Legend: H and W height and width in pixels.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

FILE = Path(__file__).with_name("lettering.npz")  # made by tools/make_lettering.py
UNKNOWN = "\N{WHITE SQUARE}"
_MORE = "\N{HORIZONTAL ELLIPSIS}"

Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters on one sheet (H, W): each has its left edge and its width."""

    sheet: Mask
    places: dict[str, tuple[int, int]]

    def width(self, text: str) -> int:
        """Width of a text on the sheet."""
        return sum(self.place(sign)[1] for sign in text)

    def place(self, sign: str) -> tuple[int, int]:
        """Left edge and width of a letter."""
        return self.places.get(sign) or self.places[UNKNOWN]


@cache
def letters() -> Letters:
    """All there are."""
    with np.load(FILE, allow_pickle=False) as file:
        codes, widths, sheet = file["codes"], file["widths"].astype(int), file["sheet"]
    left = np.cumsum([0, *widths[:-1]])
    return Letters(sheet, {chr(c): (int(x), int(w)) for c, x, w in zip(codes, left, widths, strict=True)})


def line(text: str, height: int, most_wide: int) -> Mask:
    """A line of text of so many pixels of height, at most so wide: (H, W), 0 to 255 where it is drawn.

    A text that is too long ends in an ellipsis.
    """
    known = letters()
    most = max(1, most_wide * len(known.sheet) // height)
    shown = _fitting(" ".join(unicodedata.normalize("NFC", text).split()), known, most)
    if not shown:
        return np.zeros((height, 1), np.uint8)
    places = [known.place(sign) for sign in shown]
    whole = np.concatenate([known.sheet[:, x : x + w] for x, w in places], axis=1)
    width = max(1, round(whole.shape[1] * height / len(whole)))
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(whole), format="gray")
    scaled = VideoReformatter().reformat(frame, width, height, "gray", interpolation=Interpolation.AREA, threads=1)
    return np.asarray(scaled.to_ndarray(), np.uint8)


def _fitting(text: str, known: Letters, most: int) -> str:
    if known.width(text) <= most:
        return text
    kept = text
    while kept and known.width(kept + _MORE) > most:
        kept = kept[:-1]
    return kept.rstrip() + _MORE if kept else ""
