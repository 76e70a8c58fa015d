"""A diagnosis on a terminal: four short tables, as rich renderables."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from avloc.evaluation.diagnosis import Diagnosis
from avloc.evaluation.kinds import ERRORS, Kind
from avloc.evaluation.modality import ModalityProfile
from avloc.evaluation.sound_events import F1Scores
from avloc.report.diagnosis_words import NAMES, percent, thresholds


def diagnosis_tables(d: Diagnosis) -> Iterator[Table]:
    """Kinds of detections with their cost, groups of events, and, where known, which modality misled."""
    yield _kinds(d)
    if d.truths:
        yield _groups(d)
    if d.modality is not None:
        yield _modality(d.modality)


def f1_table(scores: dict[str, F1Scores], min_score: float) -> Table:
    """Sound-event F1 scores, one row each, in per cent."""
    table = _table(f"Sound-event F1 at scores from {min_score:g}, %", "", "macro", "micro")
    for name, score in scores.items():
        table.add_row(name, percent(score.macro), percent(score.micro))
    return table


def _kinds(d: Diagnosis) -> Table:
    title = f"What the detections are at tIoU {d.threshold:g}, %"
    table = _table(title, "", "surest G", "10 G", "gain in mAP")
    first, total = int(d.profile[0].sum()), d.considered
    for kind in Kind:
        gain = f"+{percent(float(d.mean_gain[ERRORS.index(kind)]), 2)}" if kind in ERRORS else ""
        table.add_row(NAMES[kind], _share(int(d.profile[0, kind]), first), _share(int(d.kinds[kind]), total), gain)
    table.caption = (
        "surest G: of each class, as many as it has events\n"
        f"gain: by how much mAP ({thresholds(d)}) grows without them"
    )
    return table


def _groups(d: Diagnosis) -> Table:
    table = _table("Which events are hard", "", "", "events", "mAP, %", f"missed at {d.threshold:g}, %")
    for c in d.characteristics:
        for i, g in enumerate(c.groups):
            values = ("", "") if g.normalized is None else (percent(g.normalized), percent(g.missed_share))
            table.add_row(c.name if i == 0 else "", g.span, f"{g.truths:,}", *values, end_section=g is c.groups[-1])
    table.add_row("All", "", f"{d.truths:,}", percent(d.normalized), percent(d.missed.total / d.truths))
    table.caption = "mAP as if every class had equally many events"
    return table


def _modality(m: ModalityProfile) -> Table:
    first, total = int(m.false_positives[0]), int(m.false_positives.sum())
    table = _table("Where false positives lie, %", "", "surest G", "10 G", "gain in mAP")
    for name, misled in (("seen only", m.seen_only), ("heard only", m.heard_only)):
        for words, counts, gain in (
            ("same class", misled.same_label, misled.same_gain),
            ("another class", misled.other_label, misled.other_gain),
        ):
            shares = _share(int(counts[0]), first), _share(int(counts.sum()), total)
            table.add_row(f"{name}, {words}", *shares, f"+{percent(gain, 2)}")
    table.add_row("neither", _share(int(m.neither[0]), first), _share(int(m.neither.sum()), total), "")
    return table


def _table(title: str, *names: str) -> Table:
    table = Table(
        title=Text(title),
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for name in names:
        table.add_column(name, justify="right" if name else "left")
    return table


def _share(part: int, whole: int) -> str:
    return percent(part / whole) if whole else ""
