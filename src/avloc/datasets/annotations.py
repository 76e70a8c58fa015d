"""Annotations: the truth of a whole data set and the order of its classes, read strictly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import FormatError
from avloc.formats.activitynet import Truth, read_truth
from avloc.formats.class_names import read_labels
from avloc.formats.csv_truth import read_csv_truth
from avloc.formats.desed import read_desed
from avloc.formats.published import read_published
from avloc.formats.truth import of_subset, subset_names

PAST_END_S = 0.1
"""An event may end this much after its video, as rounding of durations makes it."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """Truth of every video by its id, and the classes in the order that a network numbers them.

    The duration of a video is infinite where the file says none (CSV alone).
    """

    path: str
    labels: tuple[str, ...]
    videos: Mapping[str, Truth]

    @property
    def subsets(self) -> tuple[str, ...]:
        """Names of the splits, in the order of their first videos."""
        return subset_names(self.videos)

    def split(self, subset: str) -> dict[str, Truth]:
        """The videos of one split; capitals do not count.

        Raises:
            FormatError: there is none.
        """
        chosen = of_subset(self.videos, subset)
        if not chosen:
            known = ", ".join(self.subsets) or "none, for it has no video"
            raise FormatError(f"{self.path}: no video is of subset {subset!r}; the subsets there are: {known}")
        return chosen


@dataclass(frozen=True, slots=True)
class OddEntry:
    """An annotation that no training should meet; `harmless` if it teaches nothing wrong where it stays."""

    video: str
    message: str
    harmless: bool = False
    event: int | None = None
    """Which event of the video it is; None: the video itself."""


def read_annotations(
    path: str | Path, labels: Sequence[str] | None = None, *, strict: bool = True, forgiving: bool = False
) -> Annotations:
    """Read JSON in the form of ActivityNet, CSV (by the ending .csv), DESED's tables (.tsv, or a folder of them), or
    a file or folder in the form of another release (`avloc.formats.published`).

    `labels` fixes classes and order; without it they are the file's own, by label_id where it is given, else by
    alphabet. Without `strict` odd entries are left for `odd_entries` to tell; `forgiving` lets harmless ones stay.

    Raises:
        FormatError: the file is not in its form, or an entry is odd: a label that is not among the classes, an event
            of no length, before the start or past the end of its video.
    """
    videos, own = _read(path)
    annotations = Annotations(str(path), own if labels is None else tuple(labels), videos)
    if strict:
        for odd in (odd for odd in odd_entries(annotations) if not (forgiving and odd.harmless)):
            raise FormatError(f"{path}: video {odd.video!r}, {odd.message}")
    return annotations


def _read(path: str | Path) -> tuple[Mapping[str, Truth], tuple[str, ...]]:
    """Videos, and the classes in their own order."""
    published = read_published(path)
    if published is not None:
        return published.videos, published.labels
    suffix = Path(path).suffix.lower()
    if suffix in (".csv", ".tsv") or Path(path).is_dir():
        videos = read_csv_truth(path) if suffix == ".csv" else read_desed(path)
        return videos, tuple(sorted({label for truth in videos.values() for label in truth.events.labels}))
    return read_truth(path), read_labels(path)


def odd_entries(annotations: Annotations) -> Iterator[OddEntry]:
    """All that is odd, in the order of the file."""
    known = set(annotations.labels)
    for video, truth in annotations.videos.items():
        if truth.duration_s <= 0:
            yield OddEntry(video, f"the duration is {truth.duration_s:g} s; a video has a length")
        for i, event in enumerate(truth.events):
            where = f"entry {i} ({event.label}, {event.start_s:g} to {event.end_s:g} s)"
            if event.label not in known:
                yield OddEntry(video, f"{where}: the label is not among the {len(known)} classes", event=i)
            if event.duration_s <= 0:
                yield OddEntry(video, f"{where}: the event has no length", harmless=True, event=i)
            if event.start_s < 0:
                yield OddEntry(video, f"{where}: the event starts before the video", event=i)
            if event.end_s > truth.duration_s + PAST_END_S:
                told = f"{where}: the event ends after the video, which has {truth.duration_s:g} s"
                yield OddEntry(video, told, harmless=event.start_s < truth.duration_s, event=i)
