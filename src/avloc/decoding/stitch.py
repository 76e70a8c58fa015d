"""Fixed windows over a long video, each speaking for its middle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Steps [first, first + size) are read; moments at steps [speak_from, speak_to) of the video are kept."""

    first: int
    size: int
    speak_from: int
    speak_to: int


def windows(length: int, size: int) -> Iterator[Window]:
    """Windows of `size` steps, each half a window on, that cover `length` steps.

    Every step is spoken for once, by the window whose middle is nearest; so a moment sees at least a quarter of
    a window to either side unless the video ends there.
    """
    first = 0
    while True:
        last = first + size >= length
        yield Window(
            first, size, first + size // 4 if first else 0, max(length, 1) if last else first + size // 2 + size // 4
        )
        if last:
            return
        first += size // 2
