"""What is known of how good a model is, class by class: the file classes.json of a model folder."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ClassFigure:
    """Of one class, on the videos that the model was measured on; shares of one.

    events: how many there truly are. average_map: over tIoU 0.1 to 0.9, with the ends of its 95 % interval, where
    these are known. shown, right: events that are shown at the model's own threshold, and how many of them are right
    at tIoU 0.3.
    """

    events: int | None = None
    average_map: float | None = None
    low: float | None = None
    high: float | None = None
    shown: int | None = None
    right: int | None = None


@dataclass(frozen=True)
class ClassFigures:
    """Of a model.

    measured_on: the videos, in a few words. classes: those that could be measured. trained: classes with examples in
    training; the others rest on what the encoders know, and on what was learned of these. reliability: mean score,
    number of detections, and share of them that is right at tIoU 0.3, for each tenth of score, all classes together.
    """

    measured_on: str
    classes: dict[str, ClassFigure] = field(default_factory=dict)
    trained: tuple[str, ...] = ()
    reliability: tuple[tuple[float, int, float], ...] = ()
