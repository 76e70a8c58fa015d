"""Which columns of a video's features are read: all, one modality alone, or some of what several encoders made.

names ("visual", "audio", or parts such as "rgb") > Columns > FeatureSequence of these columns alone
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from avloc.errors import FeatureError
from avloc.features.layout import Layout
from avloc.features.sequence import Array, FeatureSequence
from avloc.features.store import Part

SIDES = ("visual", "audio")
Ranges = tuple[tuple[int, int], ...]
"""Columns from one number up to another, several times."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What is read of each side: None is all of it with its class scores, () is nothing, else these columns."""

    visual: Ranges | None = None
    audio: Ranges | None = None

    @property
    def is_whole(self) -> bool:
        return self.visual is None and self.audio is None


def parts_of(layout: Layout) -> tuple[Part, ...]:
    """What each side is made of, by name; the files of a released layout by the words of their endings."""
    if layout.store:
        return layout.store.parts
    sides = zip(SIDES, (layout.visual, layout.audio), strict=True)
    return tuple(
        Part(side, part.ending.rpartition(".")[0].strip("_") or side, part.width) for side, files in sides
        for part in files
    )  # fmt: skip


def columns_of(layout: Layout, names: Sequence[str]) -> Columns:
    """The columns of these modalities and parts; of none named, all.

    Raises:
        FeatureError: a name is neither a modality nor a part, or is not there.
    """
    if not names:
        return Columns(None if layout.visual_width else (), None if layout.audio_width else ())
    parts = parts_of(layout)
    known = list(dict.fromkeys((*SIDES, *(part.name for part in parts))))
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"these features have {', '.join(known)}"
            raise FeatureError(f"data.modalities names {name!r}; {hint}")
    return Columns(*(_of_side(layout, parts, side, names) for side in SIDES))


def chosen(features: FeatureSequence, columns: Columns) -> FeatureSequence:
    """The features with these columns alone; a side of which but a part is read has no class scores."""
    if columns.is_whole:
        return features
    f, none = features, np.zeros((len(features), 0), np.float32)
    return replace(
        f,
        visual=_taken(f.visual, columns.visual),
        audio=_taken(f.audio, columns.audio),
        visual_scores=f.visual_scores if columns.visual is None else none,
        audio_scores=f.audio_scores if columns.audio is None else none,
    )


def width_of(whole: int, ranges: Ranges | None) -> int:
    """How many columns of `whole` are read."""
    return whole if ranges is None else sum(end - begin for begin, end in ranges)


def _of_side(layout: Layout, parts: Sequence[Part], side: str, names: Sequence[str]) -> Ranges | None:
    width = layout.visual_width if side == "visual" else layout.audio_width
    if side in names:
        if not width:
            raise FeatureError(f"data.modalities names {side!r}, and these features have nothing {_HOW[side]}")
        return None
    ranges, begin = [], 0
    for part in (part for part in parts if part.side == side):
        if part.name in names:
            ranges.append((begin, begin + part.width))
        begin += part.width
    return tuple(ranges)


_HOW = {"visual": "seen", "audio": "heard"}


def _taken(array: Array, ranges: Ranges | None) -> Array:
    if ranges is None:
        return array
    pieces = [array[:, begin:end] for begin, end in ranges]
    return np.concatenate(pieces, axis=1) if pieces else np.zeros((len(array), 0), np.float32)
