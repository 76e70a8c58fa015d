"""Chapters as libav takes them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import Chapter

Span = tuple[int, int, str]
"""Start and end in milliseconds, and a title."""


def stated(spans: Iterable[Span], zero_ms: int = 0) -> list[Chapter]:
    """Chapters that begin at zero_ms on the file's own clock."""
    return [
        {
            "id": number,
            "start": start + zero_ms,
            "end": end + zero_ms,
            "time_base": Fraction(1, 1000),
            "metadata": {"title": title},
        }
        for number, (start, end, title) in enumerate(spans)
    ]
