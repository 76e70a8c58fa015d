"""The page of results in Markdown: every table, every claim with its verdict, and how all was made. Never by hand."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from avloc.datasets.strengths import Edition, strengths_of
from avloc.experiments.claims import Judged
from avloc.experiments.session import Session
from avloc.experiments.tables import Results
from avloc.features.layout import RECORD
from avloc.report.tables import Cell, ResultTable, to_markdown

FINDINGS = "findings.md"
"""A page beside this one, written by a person: what was found where a claim does not hold."""


def results_page(
    session: Session,
    results: Results,
    tables: Sequence[ResultTable],
    judged: Sequence[Judged],
    command: str,
    figures: Sequence[tuple[str, str]],
    *,
    with_findings: bool,
) -> str:
    """The whole page. `figures` are paths relative to the page, and their captions."""
    parts = [
        "# Results\n",
        f"Made by `{command}`; do not edit.\n",
        _origin(session, results),
        "## Claims\n",
        _RULE,
        to_markdown(claims_table(judged), level=3),
    ]
    if with_findings:
        parts.append(f"What was looked into where a claim does not hold: [{FINDINGS}]({FINDINGS}).\n")
    parts.append("## Tables\n")
    parts.append(_COLUMNS)
    parts += [to_markdown(table, level=3) for table in tables]
    if figures:
        parts.append("## Figures\n")
        parts += [f"![{caption}]({path})\n\n{caption}\n" for path, caption in figures]
    return "\n".join(parts)


def claims_table(judged: Sequence[Judged]) -> ResultTable:
    """Claims side by side with what was found."""
    counts = Counter(one.verdict for one in judged)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    lines = tuple(
        (
            *(Cell(text) for text in (one.source, one.words, one.paper, one.evidence)),
            Cell(one.verdict, one.verdict == "reproduced"),
        )
        for one in judged
    )
    heads = ("paper", "claim", "its figure", "here", "verdict")
    return ResultTable(f"Claims: {summary}", heads, lines, words=5)


def spread_table(results: Results, rows: Sequence[str]) -> ResultTable:
    """Mean over videos of the standard deviation of the CSM, by row: mean over seeds."""
    lines: list[tuple[Cell, ...]] = []
    for row in rows:
        spreads = list(results.spreads(row).values())
        if not spreads:
            lines.append((Cell(row), Cell("missing"), Cell("")))
            continue
        means = [
            [sum(values.values()) / len(values) for values in kind]
            for kind in ([s.encoded for s in spreads], [s.common for s in spreads])
        ]
        lines.append((Cell(row), *(Cell(f"{sum(kind) / len(kind):.4f}") for kind in means)))
    return ResultTable(
        "Section 4.5: mean over test videos of the standard deviation of the cross-similarity matrix",
        ("row", "encoders' features", "LCC's common space"),
        tuple(lines),
        notes=(
            "Cosine of the audio and visual features that leave the unimodal encoders, as the paper's text has it; "
            "the projections that LCC acts on beside (without LCC these were never trained).",
        ),
    )


def _origin(session: Session, results: Results) -> str:
    made = list({summary.key: summary for summary in results.summaries.values()}.values())
    keys = {run.key for run in session.runs}
    commits = sorted({summary.commit for summary in made}) or ["none"]
    devices = sorted({summary.device for summary in made}) or ["none"]
    hours = sum(summary.seconds for summary in made) / 3600
    done = sum(one.key in keys for one in made)
    settings = " ".join(session.settings) or "none"
    videos = ", ".join(f"{count} {subset}" for subset, count in session.videos.items())
    lines = [
        "| | |",
        "| :--- | :--- |",
        f"| runs | {done} of {len(keys)} done; {hours:.1f} h of training and testing in all, summed over runs |",
        f"| recipe | `{session.recipe_name}`, settings changed: {settings} |",
        f"| network | width {session.recipe.network.width}, {session.recipe.train.epochs} epochs, batch "
        f"{session.recipe.train.batch} |",
        f"| seeds | {', '.join(map(str, results.seeds))} |",
        f"| data | {_data_words(session)}; videos: {videos} |",
        f"| annotations | SHA-256 `{session.data.annotations[:16]}`, {session.data.files} feature files |",
        f"| commit of the runs | {', '.join(f'`{commit}`' for commit in commits)} |",
        f"| machine | {', '.join(devices)}, {os.cpu_count()} cores |",
        "",
        _SPLITS,
        "",
    ]
    return "\n".join(lines)


def _data_words(session: Session) -> str:
    record = Path(session.recipe.data.features) / RECORD
    if not record.is_file():
        return f"features in the layout {session.data.layout}"
    told = json.loads(record.read_bytes())
    widths = sorted(set(told.get("widths", {}).values()))
    return (
        f"**simulated** features in the layout {session.data.layout} (edition {_simulation(told)}, seed "
        f"{told.get('seed')}, width {', '.join(map(str, widths))}; [simulation.md](simulation.md)): they stand for "
        "no result on real videos"
    )


def _simulation(record: Mapping[str, Any]) -> str:
    """The edition, and the strengths that are not its own."""
    edition: Edition = 1 if record.get("version") == 1 else 2
    own = strengths_of(edition).recorded()
    changed = {name: value for name, value in record.get("config", {}).items() if _plain(own.get(name)) != value}
    return f"{edition}" + "".join(f", {name} {value}" for name, value in changed.items())


def _plain(value: object) -> object:
    """As JSON has it."""
    return list(value) if isinstance(value, tuple) else value


_RULE = """\
A claim says that one row is better than another. Its evidence is the difference of their mean mAP in points, with a
95 % interval over draws of test videos and of seeds, each row's seeds drawn by themselves; beside it the interval
over draws of videos alone (paired bootstrap, 1,000 draws). **Reproduced**: the interval lies above 0. **Not
reproduced**: it lies below 0. **Undecided**: it holds 0. **Not tried**: runs are missing, or a row has learned
nothing: its mAP is below 1 %, or, for claims on R and on the cross-similarity matrix, LCC knows a moment no better
than guessing. With one seed the interval is over videos alone; with three, the spread between trainings is known only
roughly. Claims on counts hold or do not.
"""

_COLUMNS = """\
mAP at tIoU 0.5 to 0.9, and the mean over 0.1, 0.2, ... 0.9. The last column is the difference of the average to that
of LoCo, with the interval over draws of videos and seeds. The base model has neither LCC nor cross-attention; its
modalities meet in the fusion blocks. The window "full" is global attention.
"""

_SPLITS = (
    'Weights are chosen on the validation split, figures are of the test split. "+" behind a commit: changed code.'
)
