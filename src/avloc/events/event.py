"""Event and Events: the one result type that detector, truth, formats and evaluation speak.

Times are seconds from the start of the video.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas
    import polars
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its class, its start and end in seconds, and the score of a detection (truth has 1.0)."""

    start_s: float
    end_s: float
    label: str
    score: float = 1.0

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


class Events(Sequence[Event]):
    """The events of one video, in columns: `start_s`, `end_s`, `score` of shape (N,) and `labels`.

    Immutable and validated; no event at all is valid. Order is kept as given.

    Raises:
        ValueError: columns differ in length, a number is not finite, an end lies before its start,
            or a label is empty.
    """

    __slots__ = ("end_s", "labels", "score", "start_s")

    start_s: FloatArray
    end_s: FloatArray
    score: FloatArray
    labels: tuple[str, ...]

    def __init__(
        self,
        start_s: ArrayLike = (),
        end_s: ArrayLike = (),
        labels: Iterable[str] = (),
        score: ArrayLike | None = None,
    ) -> None:
        names = tuple(labels)
        columns = {
            "start_s": _column(start_s),
            "end_s": _column(end_s),
            "score": _column(np.ones(len(names)) if score is None else score),
        }
        for name, column in columns.items():
            if len(column) != len(names):
                raise ValueError(f"{name} has {len(column)} entries for {len(names)} labels; give one per event")
            wrong = np.flatnonzero(~np.isfinite(column))
            if wrong.size:
                raise ValueError(f"{name} of event {wrong[0]} is {column[wrong[0]]}; a finite number is needed")
            object.__setattr__(self, name, column)
        reversed_ = np.flatnonzero(columns["end_s"] < columns["start_s"])
        if reversed_.size:
            i = int(reversed_[0])
            raise ValueError(
                f"event {i} ({names[i]}) ends at {columns['end_s'][i]:g} s, "
                f"before its start at {columns['start_s'][i]:g} s"
            )
        for i, label in enumerate(names):
            if not isinstance(label, str) or not label:
                raise ValueError(f"label of event {i} is {label!r}; a non-empty text is needed")
        object.__setattr__(self, "labels", names)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Events:
        """Columns from single events."""
        rows = list(events)
        return cls(
            [e.start_s for e in rows],
            [e.end_s for e in rows],
            [e.label for e in rows],
            [e.score for e in rows],
        )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Events is immutable: cannot set {name}")

    def __reduce__(self) -> tuple[type[Events], tuple[object, ...]]:
        return Events, (self.start_s, self.end_s, self.labels, self.score)

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Event]:
        for i in range(len(self)):
            yield self._event(i)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Events: ...
    def __getitem__(self, index: int | slice) -> Event | Events:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        if not -len(self) <= index < len(self):
            raise IndexError(f"event {index} of {len(self)}")
        return self._event(index)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Events):
            return NotImplemented
        return self.labels == other.labels and all(
            np.array_equal(getattr(self, c), getattr(other, c)) for c in ("start_s", "end_s", "score")
        )

    def __hash__(self) -> int:
        return hash((self.labels, self.start_s.tobytes(), self.end_s.tobytes(), self.score.tobytes()))

    def __repr__(self) -> str:
        rows = "".join(f"\n  {e.start_s:8.2f} - {e.end_s:8.2f} s  {e.score:.3f}  {e.label}" for e in self[:20])
        more = f"\n  ... {len(self) - 20} more" if len(self) > 20 else ""
        return f"Events({len(self)}){rows}{more}"

    def _repr_html_(self) -> str:
        """How notebooks show it."""
        from avloc.events.view import as_html

        return as_html(self)

    def take(self, index: ArrayLike) -> Events:
        """The events at `index` (integers or a boolean mask), in that order."""
        chosen = np.asarray(index)
        rows = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.intp)
        return Events(self.start_s[rows], self.end_s[rows], [self.labels[i] for i in rows], self.score[rows])

    def above(self, score: float) -> Events:
        """The events whose score is at least `score`."""
        return self.take(self.score >= score)

    def where(
        self,
        *,
        label: str | Iterable[str] | None = None,
        not_label: str | Iterable[str] | None = None,
        score: float | Mapping[str, float] | None = None,
        length_s: float = 0.0,
        start_s: float = -math.inf,
        end_s: float = math.inf,
        merge_gap_s: float | None = None,
    ) -> Events:
        """The events of some classes, of at least a score (of all classes, or by class) and a length in seconds.

        start_s, end_s: a stretch of the video, at which events are cut. merge_gap_s: events of one class with at most
        so many seconds between them become one. More in `avloc.events.filter`.

        Raises:
            ConfigError: a number is out of its range.
        """
        from avloc.events.filter import filter_of

        by_class = score if isinstance(score, Mapping) else {}
        least = -math.inf if score is None or isinstance(score, Mapping) else score
        return filter_of(label, not_label, least, by_class, length_s, merge_gap_s, start_s, end_s)(self)

    def by_time(self) -> Events:
        """Ordered by start, then end, then label."""
        order = sorted(range(len(self)), key=lambda i: (self.start_s[i], self.end_s[i], self.labels[i]))
        return self.take(order)

    def to_pandas(self) -> pandas.DataFrame:
        """A data frame: columns start_s, end_s, label, score.

        Raises:
            AvlocError: pandas is not installed.
        """
        from avloc.events import view

        return view.to_pandas(self)

    def to_polars(self) -> polars.DataFrame:
        """A data frame: columns start_s, end_s, label, score.

        Raises:
            AvlocError: polars is not installed.
        """
        from avloc.events import view

        return view.to_polars(self)

    def plot(self, axes: Axes | None = None) -> Axes:
        """A timeline with matplotlib: a row a class, a bar an event; on `axes`, or on a new figure.

        Raises:
            AvlocError: matplotlib is not installed.
        """
        from avloc.events.plot import plot

        return plot(self, axes)

    def _event(self, i: int) -> Event:
        return Event(float(self.start_s[i]), float(self.end_s[i]), self.labels[i], float(self.score[i]))


def _column(values: ArrayLike) -> FloatArray:
    column = np.array(values, dtype=np.float64)
    if column.ndim != 1:
        raise ValueError(f"a column of shape {column.shape} was given; one number per event is needed")
    column.setflags(write=False)
    return column
