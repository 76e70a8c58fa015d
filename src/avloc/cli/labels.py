"""`avloc labels`: the classes of a model, and what is known of how surely it finds each."""

from __future__ import annotations

import csv as csv_text
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import tyro
from rich.console import Console

from avloc import zoo
from avloc.cli.console import screen_console
from avloc.cli.score_tables import fitting, percent, print_json, score_table
from avloc.config import ClassFigure, ClassFigures, ModelConfig
from avloc.errors import AvlocError, one_line
from avloc.events.filter import nearest_class

COLUMNS = ("label", "trained", "events", "average_map", "low", "high", "shown", "right")
FEW = 10
"""Events from which on a figure is worth something."""

Words = Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[WORD ...]")]


def labels(words: Words = (), model: str = "default", json: bool = False, csv: bool = False) -> int:
    """List the classes of a model, and what is known of how surely it finds each.

    "right" is how many of the events that the model shows of a class are right (tIoU 0.3), "mAP" the average over
    tIoU 0.1 to 0.9 in percent with its 95 % interval, both on the videos that the last lines name. A class without
    figures has never been measured. "trained" says whether training had examples of it.

    examples:
      avloc labels
      avloc labels dog bird
      avloc labels --model my_model/ --csv > classes.csv

    Args:
        words: Show classes whose names hold one of these words.
        model: Name of a shipped model, or a model folder.
        json: Print JSON alone.
        csv: Print a table as CSV alone.
    """
    if json and csv:
        raise AvlocError("--json and --csv are two forms of the same; give one of them")
    folder = zoo.find_model(model)
    config, figures = zoo.read_config(folder), zoo.read_figures(folder)
    chosen = _with(config.labels, words)
    rows = [_row(label, figures) for label in chosen]
    if json:
        about = {"model": config.name, "threshold": config.show_score}
        known = {} if figures is None else {"measured_on": figures.measured_on, "reliability": figures.reliability}
        print_json({**about, **known, "classes": rows})
    elif csv:
        writer = csv_text.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        _show(screen_console(), config, figures, rows)
    return 0


def _with(known: Sequence[str], words: Sequence[str]) -> list[str]:
    """Those that hold one of the words, capitals apart; all where there is none."""
    chosen = [label for label in known if not words or any(word.casefold() in label.casefold() for word in words)]
    if not chosen:
        raise AvlocError(f"no class holds {' or '.join(map(repr, words))}; {nearest_class(words[0], known)}")
    return chosen


def _row(label: str, figures: ClassFigures | None) -> dict[str, Any]:
    known = figures.classes.get(label, ClassFigure()) if figures else ClassFigure()
    trained = None if figures is None or not figures.trained else label in figures.trained
    return {"label": label, "trained": trained, **asdict(known)}


def _show(screen: Console, config: ModelConfig, figures: ClassFigures | None, rows: Sequence[dict[str, Any]]) -> None:
    if figures is None:
        for row in rows:
            screen.print(one_line(row["label"]), markup=False)
        screen.print(f"{len(rows)} of {len(config.labels)} classes. Nothing is known of how good this model is.")
        return
    tables = [score_table("", *titles) for titles in (("class", "right", "mAP", "trained"), ("class", "right"))]
    for row in rows:
        cells = (one_line(row["label"]).replace("[", r"\["), _right(row), _average(row), _yes_no(row["trained"]))
        for table in tables:
            table.add_row(*cells[: len(table.columns)])
    screen.print(fitting(screen, tables))
    measured = sum(1 for row in rows if row["average_map"] is not None)
    screen.print(
        f"{len(rows)} of {len(config.labels)} classes; {measured} of them measured, on {figures.measured_on}; "
        f"figures of fewer than {FEW} events say little. Of the others nothing is known.",
        markup=False,
        soft_wrap=True,
    )
    if figures.reliability:
        said = ", ".join(f"{score:.2f}: {percent(right)} %" for score, _, right in figures.reliability)
        screen.print(f"Right there, by score, of all classes together: {said}", markup=False, soft_wrap=True)
    screen.print(f"Events are shown from {config.show_score:g} on; --min-score changes that, also by class.")


def _right(row: dict[str, Any]) -> str:
    return "" if not row["shown"] else f"{row['right']} of {row['shown']}"


def _average(row: dict[str, Any]) -> str:
    if row["average_map"] is None:
        return ""
    return f"{percent(row['average_map'])}" + (
        "" if row["low"] is None else f" ({percent(row['low'])} to {percent(row['high'])})"
    )


def _yes_no(trained: bool | None) -> str:
    return {None: "", True: "yes", False: "no"}[trained]
