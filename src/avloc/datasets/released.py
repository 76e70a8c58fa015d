"""Data sets that others released: their subsets, and the layout of their features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Released:
    """Subsets that must be there, and the usual layout; `forgiving` where annotations were released with events past
    the end of their video, or of no length."""

    subsets: tuple[str, ...]
    layout: str = "onepeace"
    forgiving: bool = False


RELEASED: Mapping[str, Released] = {
    "unav100": Released(("train", "validation", "test")),
    "activitynet": Released(("training", "validation"), "onepeace-activitynet", forgiving=True),
    "thumos14": Released(("Validation", "Test"), "i3d-thumos14", forgiving=True),
    "desed": Released(("validation",)),
    "ave": Released(("train", "val", "test"), forgiving=True),
    "llp": Released(("train", "val", "test"), forgiving=True),
    "epic-sounds": Released(("train", "validation"), "avloc"),
    "ov-ave": Released(("train", "val", "test")),
    "own": Released(("train",)),
}
"""By the name that `avloc check-data` calls them; `own` is any other."""
