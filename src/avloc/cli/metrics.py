"""The measures of other benchmarks than mAP: of seconds, of modalities, of sound events; as tables and as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from avloc.cli.against import Against
from avloc.cli.score_tables import percent, score_table
from avloc.errors import AvlocError
from avloc.evaluation.parsing import ParsingF, parsing
from avloc.evaluation.psds import SCENARIOS, psds
from avloc.evaluation.segment_accuracy import segment_accuracy
from avloc.evaluation.sound_events import event_based, intersection_based, segment_based

Metric = Literal["segment-accuracy", "by-modality", "psds", "sound-events"]
"""Of AVE and OV-AVEBench; of LLP; of DESED, over all thresholds, and at one."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one metric found: its key and content in JSON, and its table."""

    key: str
    title: str
    plain: dict[str, Any]
    table: Table

    def show(self, screen: Console) -> None:
        """The table, in percent."""
        screen.print(self.title, style="italic", markup=False, soft_wrap=True)
        screen.print(self.table)


def measured(names: Sequence[Metric], held: Against, least: float | None) -> tuple[Measured, ...]:
    """The metrics of these names, each once, of detections with a score of `least` or more (None: of all).

    Raises:
        AvlocError: a video's length is not known, or the truth has nothing to measure.
    """
    try:
        return tuple(_METRICS[name](held, -math.inf if least is None else least) for name in dict.fromkeys(names))
    except ValueError as error:
        raise AvlocError(f"{error}") from None


def shown_from(least: float) -> str:
    """Which detections count, in words."""
    return "all predictions" if math.isinf(least) else f"a score of {least:.3g} or more"


def _table(*columns: str) -> Table:
    table = score_table("", *columns)
    table.title = None
    return table


def _finite(least: float) -> float | None:
    return None if math.isinf(least) else least


def _segment_accuracy(held: Against, least: float) -> Measured:
    score = segment_accuracy(held.detections, held.truth, held.durations_s, min_score=least)
    title = f"segments of {score.segment_s:g} s, {shown_from(least)}"
    table = _table("", "right", "of", "%")
    rows = (
        ("all", score.right, score.segments),
        ("an event there", score.right - score.background_right, score.segments - score.background),
        ("no event there", score.background_right, score.background),
    )
    for name, right, count in rows:
        table.add_row(name, f"{right:,}", f"{count:,}", percent(right / count) if count else "-")
    content = asdict(score) | {"accuracy": score.accuracy, "min_score": _finite(least)}
    return Measured("segment_accuracy", title, content, table)


def _by_modality(held: Against, least: float) -> Measured:
    score = parsing(held.detections, held.truth, held.durations_s, min_score=least)
    table = _table("", "A", "V", "AV", "Type@AV", "Event@AV")

    def plain(f: ParsingF) -> dict[str, float]:
        values = (f.audio, f.visual, f.audio_visual, f.by_type, f.by_event)
        return dict(zip(("A", "V", "AV", "Type@AV", "Event@AV"), values, strict=True))

    for name, part in (("segments", score.segment), ("events", score.event)):
        table.add_row(name, *map(percent, plain(part).values()))
    content = {"segment": plain(score.segment), "event": plain(score.event), "min_score": _finite(least)}
    return Measured("by_modality", f"F by modality, %, {shown_from(least)}", content, table)


def _psds(held: Against, least: float) -> Measured:
    found = {name: psds(held.detections, held.truth, held.durations_s, s) for name, s in SCENARIOS.items()}
    table = _table("", *found)
    table.add_row("all classes", *(percent(score.value) for score in found.values()))
    labels = next(iter(found.values())).labels
    for k, label in enumerate(labels):
        table.add_row(label, *(percent(float(score.by_label[k])) for score in found.values()))
    content = {
        name: {"value": score.value, "by_class": dict(zip(labels, score.by_label.tolist(), strict=True))}
        for name, score in found.items()
    }
    return Measured("psds", "PSDS, %, over all thresholds", content, table)


def _sound_events(held: Against, least: float) -> Measured:
    scores = {
        "segments of 1 s": segment_based(held.detections, held.truth, min_score=least),
        "events, collars of 0.2 s": event_based(held.detections, held.truth, min_score=least),
        "intersection, 0.5 and 0.5": intersection_based(held.detections, held.truth, min_score=least),
    }
    table = _table("", "macro", "micro")
    for name, score in scores.items():
        table.add_row(name, percent(score.macro), percent(score.micro))
    content = {name: {"macro": score.macro, "micro": score.micro} for name, score in scores.items()}
    return Measured("sound_events", f"F1 of sound events, %, {shown_from(least)}", content, table)


_METRICS: Mapping[Metric, Callable[[Against, float], Measured]] = {
    "segment-accuracy": _segment_accuracy,
    "by-modality": _by_modality,
    "psds": _psds,
    "sound-events": _sound_events,
}
