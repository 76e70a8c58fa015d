"""`avloc paper`: the paper's tables and figures, each by one command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Union

import tyro

from avloc.cli.grammar import plainly
from avloc.cli.paper_figures import figure_csm, figure_parameters, figure_timeline, figure_windows
from avloc.cli.paper_methods import table1
from avloc.cli.paper_tables import list_runs, tables_command

_COMMANDS: dict[str, Callable[..., int]] = {
    "list": list_runs,
    "table1": table1,
    "modalities": tables_command(("modalities",), "Methods of one stream on both modalities, and on one alone."),
    "table2a": tables_command(("table2a",), "Table 2a: LCC and CDP, alone and together."),
    "table2b": tables_command(("table2b",), "Table 2b: four correspondence objectives R."),
    "table2c": tables_command(("table2c",), "Table 2c: global, fixed and dynamic cross-attention."),
    "table2d": tables_command(("table2d",), "Table 2d: five base windows."),
    "table3": tables_command(("table3",), "Table 3: what each part costs, at the recipe's and the paper's width."),
    "readings": tables_command(("readings",), "Other readings of the paper's text, one setting away."),
    "weights": tables_command(("weights",), "LCC's weight: 0.1, 0.03, 0.01, none."),
    "controls": tables_command(("controls",), "Controls: LCC's negatives and projections, residuals, fusion."),
    "all": tables_command(
        ("table2a", "table2b", "table2c", "table2d", "table3"), "Every table of the paper, and its claims."
    ),
    "figure-csm": figure_csm,
    "figure-timeline": figure_timeline,
    "figure-windows": figure_windows,
    "figure-parameters": figure_parameters,
}

_Command: Any = Union[  # noqa: UP007 - made of a tuple
    tuple(
        Annotated[Any, tyro.conf.subcommand(name=name, constructor=plainly(command))]
        for name, command in _COMMANDS.items()
    )
]


def paper(command: Annotated[_Command, tyro.conf.arg(name="")]) -> int:
    """The paper's tables and figures, each by one command: runs what is missing, then prints.

    Runs that are done are not made again: the key of a run is its resolved settings and the data. Stopped at any
    moment, the same command goes on. The tables stand in OUT/tables as Markdown and LaTeX too.

    examples:
      avloc paper list
      avloc paper table1 --data sim/ --seeds 3 --out results/
      avloc paper table2c --data sim/ --seeds 3 --out results/
      avloc paper all --recipe loco-small --data sim/ --seeds 3 --out results/ --docs docs/results.md
      avloc paper all --data sim/ --seeds-of table2a=5 table2c=5 controls=1 --also readings weights controls
      avloc paper list --data sim/ --out results/
      avloc paper figure-csm runs/loco --videos 20 --before runs/without-lcc
      avloc paper figure-timeline runs/loco --video ID --beside runs/global
      avloc paper figure-windows runs/loco
      avloc paper figure-parameters runs/loco runs/kl

    Args:
        command: What to make.
    """
    status: int = command
    return status
