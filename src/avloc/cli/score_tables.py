"""What verbs that score print: tables that fit the terminal, shares as percent, JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from avloc.cli.console import is_unicode


def score_table(title: str, *columns: str, least: int = 8) -> Table:
    """A table with a column of names, which is folded down to `least` signs, and of numbers as wide as they are."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, name in enumerate(columns):
        if i:
            table.add_column(name, justify="right", no_wrap=True)
        else:
            table.add_column(name, overflow="fold", min_width=least if name else 1)
    return table


def fitting(screen: Console, tables: Sequence[Table]) -> Table:
    """The first table that the terminal has room for, else the last."""
    for column in (column for table in tables for column in table.columns if column.no_wrap):
        # rich would reckon with the longest word of a cell only, and cut the column then.
        column.min_width = max(cell_len(str(cell)) for cell in (column.header, *column.cells))
    roomy = screen.options.update_width(10_000)
    return next((t for t in tables if screen.measure(t, options=roomy).minimum <= screen.width), tables[-1])


def tiou_name(threshold: float) -> str:
    """A threshold as columns and keys have it: 0.5."""
    return f"{threshold:.6g}"


def percent(share: float) -> str:
    """A share of one as percent, to one decimal."""
    return f"{100 * share:.1f}"


def print_json(content: dict[str, Any]) -> None:
    """JSON alone on standard output, whatever that can hold."""
    print(json.dumps(content, indent=1, ensure_ascii=not is_unicode()))
