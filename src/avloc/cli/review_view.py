"""What `avloc review` shows: a row for each class, what to look at next, and where people do not agree."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from avloc.cli.predictions import counted
from avloc.cli.results import Result
from avloc.cli.score_tables import score_table
from avloc.errors import one_line
from avloc.files import replace_file
from avloc.formats.text import encoded
from avloc.formats.verdicts import Reviewed, Verdict, mark_of
from avloc.report.timeline import clock
from avloc.review.agreement import Conflict, Merged
from avloc.review.joined import Found, Joined, by_label
from avloc.review.precision import FEW, Precision, Threshold, precision_of, threshold_for

ALL = "all classes"
_MOST_CONFLICTS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A class, its precision, the score for the wished one, and how many events of it people added."""

    label: str
    precision: Precision
    threshold: Threshold | None
    added: int

    def plain(self) -> dict[str, Any]:
        """Plain data for JSON and tables."""
        p, t = self.precision, self.threshold
        return {
            "label": self.label,
            "events": p.events,
            "looked_at": p.looked,
            "right": p.right,
            "added": self.added,
            "precision": p.share,
            "low": p.low,
            "high": p.high,
            "min_score": None if t is None else t.score,
            "events_left": None if t is None else t.left.events,
            "precision_left": None if t is None else t.left.share,
            "low_left": None if t is None else t.left.low,
            "high_left": None if t is None else t.left.high,
        }


def rows_of(joined: Joined, wished: float) -> list[Row]:
    """A row for all classes, then one for each, the commonest first."""
    groups = {ALL: list(joined.found)} | by_label(joined.found)
    missed = [event.label for _, event in joined.added]
    rows = [
        Row(label, precision_of(found), threshold_for(found, wished), len(missed) if i == 0 else missed.count(label))
        for i, (label, found) in enumerate(groups.items())
    ]
    never = dict.fromkeys(label for label in missed if label not in groups)
    return rows + [Row(label, precision_of([]), None, missed.count(label)) for label in never]


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """A table with a row a class.

    Raises:
        OutputError: it cannot be written.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0].plain()), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.plain() for row in rows)
    replace_file(path, encoded(out.getvalue()))


def next_rows(chosen: Sequence[Found]) -> list[dict[str, Any]]:
    """What to look at next, for JSON."""
    return [
        {
            "video": f.video,
            "segment": [f.event.start_s, f.event.end_s],
            "label": f.event.label,
            "score": f.event.score,
        }
        for f in chosen
    ]


def next_verdicts(chosen: Sequence[Found], results: Mapping[str, Result]) -> dict[str, Reviewed]:
    """A file of verdicts that asks for these."""
    asked: dict[str, list[Verdict]] = {}
    for f in chosen:
        asked.setdefault(f.video, []).append(Verdict("", f.event, f.event, asked=True))
    return {
        video: Reviewed(tuple(verdicts), result=mark_of(video, results[video].events))
        for video, verdicts in asked.items()
    }


def show(
    screen: Console, rows: Sequence[Row], joined: Joined, together: Merged, chosen: Sequence[Found], wished: float
) -> None:
    """Print it all."""
    looked = len(joined.looked)
    screen.print(
        f"{looked} of {counted(len(joined.found), 'event')} looked at; {len(joined.added)} added by people",
        markup=False,
    )
    goal = f"for {100 * wished:g} %"
    table = score_table("", "class", "events", "looked", "right", "added", "precision, %", goal, "left")
    for row in rows:
        p = row.precision
        counts = map(str, (p.events, p.looked, p.right, row.added))
        table.add_row(escape(one_line(row.label)), *counts, _share(p), *_from(row))
    screen.print(table)
    said = (
        f"{goal}: the least score from which that share is right, and how many events are left then; -: there is none"
    )
    screen.print(f"{said}, or fewer than {FEW} looks", markup=False, soft_wrap=True)
    for a in together.agreements:
        chance = "has no value" if a.kappa is None else f"{a.kappa:.2f}"
        line = f"{a.one} and {a.other}: agree on {a.agreed} of {a.both} that both looked at; Cohen's kappa {chance}"
        screen.print(one_line(line), markup=False, soft_wrap=True)
    _show_conflicts(screen, together.conflicts)
    if chosen:
        screen.print("to look at next:", markup=False)
        for f in chosen:
            e = f.event
            line = f"  {f.video}  {clock(e.start_s, 2)} - {clock(e.end_s, 2)}  {e.score:.2f}  {e.label}"
            screen.print(one_line(line), markup=False, soft_wrap=True)
    flags = [f'--min-score "{row.label}={row.threshold.score:.3g}"' for row in rows[1:] if row.threshold]
    if flags:
        screen.print(one_line(f"flags for that: {' '.join(flags)}"), markup=False, soft_wrap=True)


def _share(p: Precision) -> str:
    return "-" if p.share is None else f"{100 * p.share:.0f} [{100 * p.low:.0f}, {100 * p.high:.0f}]"


def _from(row: Row) -> tuple[str, str]:
    return ("-", "-") if row.threshold is None else (f"{row.threshold.score:.3g}", str(row.threshold.left.events))


def _show_conflicts(screen: Console, conflicts: Sequence[Conflict]) -> None:
    if conflicts:
        screen.print(f"{counted(len(conflicts), 'event')} on which people do not agree:", markup=False)
    for c in conflicts[:_MOST_CONFLICTS]:
        said = ", ".join(f"{person}: {_said(v)}" for person, v in c.verdicts.items())
        times = f"{clock(c.event.start_s, 2)} - {clock(c.event.end_s, 2)}"
        screen.print(one_line(f"  {c.video}  {times}  {c.event.label}  ({said})"), markup=False, soft_wrap=True)
    if len(conflicts) > _MOST_CONFLICTS:
        screen.print(f"  and {len(conflicts) - _MOST_CONFLICTS} more; --json lists all", markup=False)


def _said(v: Verdict) -> str:
    e = v.event
    return f"{v.kind} to {e.label}, {clock(e.start_s, 2)} - {clock(e.end_s, 2)}" if v.kind == "corrected" else v.kind
