"""Frames <-> timecode, as SMPTE ST 12-1 counts: HH:MM:SS:FF, at any rate, with drop-frame where a rate has it.

At 30000/1001 frames a second and its multiples the labels of frames fall behind the clock by 3.6 s an hour.
Drop-frame timecode leaves out labels, never frames: the first 2 (at 59.94: 4) of each minute but every tenth. It is
written with a semicolon before the frames. Timecode begins anew after 24 hours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from avloc.errors import FormatError

_TIMECODE = re.compile(r"(\d{1,2})[:;.](\d\d)[:;.](\d\d)([:;.,])(\d{2,3})")
_FRACTION = re.compile(r"-?\d{1,18}(?:\.\d{1,9}|/[1-9]\d{0,17})?")
_NTSC = (24, 30, 48, 60, 120, 240)
_OFF = 0.005  # 23.98 is meant to be 24000/1001


@dataclass(frozen=True, slots=True)
class Timecode:
    """How the frames of a video are labelled.

    rate: Frames a second. drop: whether labels are left out; the rate must be 30000/1001 or a multiple of it.

    Raises:
        FormatError: the rate is none, or has no drop-frame timecode.
    """

    rate: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise FormatError(f"a frame rate of {self.rate} is none; a number above 0 is needed")
        if self.drop and not can_drop(self.rate):
            raise FormatError(
                f"{float(self.rate):.5g} frames a second have no drop-frame timecode; "
                "29.97 and 59.94 have: write the timecode with a colon before the frames"
            )

    @property
    def base(self) -> int:
        """Frames that a second of timecode counts: 30 at 29.97."""
        return max(1, round(self.rate))

    @property
    def _dropped(self) -> int:
        """Labels left out in a minute."""
        return self.base // 15 if self.drop else 0

    @property
    def day(self) -> int:
        """Frames until timecode begins anew."""
        return 24 * 6 * (600 * self.base - 9 * self._dropped)

    def text(self, frame: int, *, semicolons: bool = False) -> str:
        """The label of a frame; with semicolons all signs of drop-frame timecode are those, as Adobe writes it."""
        label = frame % self.day
        if self.drop:
            tens, rest = divmod(label, 600 * self.base - 9 * self._dropped)
            minutes = max(0, rest - self._dropped) // (60 * self.base - self._dropped)
            label += self._dropped * (9 * tens + minutes)
        seconds, frames = divmod(label, self.base)
        last = ";" if self.drop else ":"
        sign = last if semicolons else ":"
        parts = f"{seconds // 3600:02}{sign}{seconds // 60 % 60:02}{sign}{seconds % 60:02}"
        return f"{parts}{last}{frames:0{len(str(self.base - 1)) if self.base > 100 else 2}}"

    def frame(self, text: str, where: str) -> int:
        """The frame of a label.

        Raises:
            FormatError: it is none, or has more frames than a second has; the message begins with `where`.
        """
        found = _TIMECODE.fullmatch(text.strip())
        if not found:
            raise FormatError(f"{where} is {text[:40]!r}; a timecode such as 01:00:02:12 is needed")
        hours, minutes, seconds, frames = (int(found[i]) for i in (1, 2, 3, 5))
        if frames >= self.base or seconds > 59 or minutes > 59:
            raise FormatError(
                f"{where} is {text!r}, and a second has {self.base} frames; name the right rate with --fps"
            )
        minute = 60 * hours + minutes
        if self.drop and minute % 10 and not seconds and frames < self._dropped:
            raise FormatError(f"{where} is {text!r}, which drop-frame timecode leaves out")
        return (60 * minute + seconds) * self.base + frames - self._dropped * (minute - minute // 10)


def is_drop(text: str) -> bool:
    """Whether a timecode is one of drop-frame, by the sign before its frames."""
    found = _TIMECODE.fullmatch(text.strip())
    return found is not None and found[4] in ";.,"


def can_drop(rate: Fraction) -> bool:
    """Whether a rate has drop-frame timecode."""
    return rate.denominator == 1001 and rate.numerator % 30000 == 0


def fraction_of(text: str) -> Fraction | None:
    """A number or a fraction of at most 18 digits, as files have it, such as 1001/30000; None where it is none."""
    return Fraction(text.strip()) if _FRACTION.fullmatch(text.strip()) else None


def exact_rate(fps: float) -> Fraction:
    """The rate that a rounded number means: 29.97 > 30000/1001, 23.98 > 24000/1001; others as they are."""
    for base in _NTSC:
        if abs(fps - base / 1.001) < _OFF:
            return Fraction(base * 1000, 1001)
    return Fraction(fps).limit_denominator(1001)
