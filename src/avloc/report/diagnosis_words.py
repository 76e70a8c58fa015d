"""The words of a diagnosis that page and terminal share."""

from __future__ import annotations

from avloc.evaluation.diagnosis import Diagnosis
from avloc.evaluation.kinds import Kind

NAMES = {
    Kind.TRUE: "True positive",
    Kind.DOUBLE: "Double detection",
    Kind.WRONG_LABEL: "Wrong label",
    Kind.LOCALIZATION: "Localization error",
    Kind.CONFUSION: "Confusion",
    Kind.BACKGROUND: "Background",
}


def headline(d: Diagnosis) -> str:
    """One line: what was compared with what."""
    left = f"; {counted(d.left_out, 'detection')} of classes without truth left out" if d.left_out else ""
    return (
        f"{counted(d.detections, 'detection')} against {counted(d.truths, 'event')} of "
        f"{counted(len(d.classes), 'class', 'classes')} in {counted(d.videos, 'video')}{left}"
    )


def percent(share: float, decimals: int = 1) -> str:
    """A share as per cent, without the sign."""
    return f"{100 * share:.{decimals}f}"


def counted(n: int, one: str, more: str = "") -> str:
    """A number with thousands apart and its noun."""
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def thresholds(d: Diagnosis) -> str:
    """The thresholds of mAP in words."""
    if len(d.thresholds) == 1:
        return f"at tIoU {d.thresholds[0]:g}"
    return f"mean over tIoU {d.thresholds[0]:g} to {d.thresholds[-1]:g}"
