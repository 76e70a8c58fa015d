"""`avloc paper`: the paper's tables and figures, each by one command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Union

import tyro
from rich.console import Console
from rich.measure import Measurement

from avloc.cli.inputs import require_writable
from avloc.cli.paper_view import GridView
from avloc.cli.train import RECIPES, with_training

RecipeName = Literal["loco-small", "loco-unav100-onepeace", "loco-unav100-i3d-vggish"]


def _tables(names: tuple[str, ...], words: str) -> Callable[..., int]:
    def command(
        data: Path,
        recipe: RecipeName = "loco-small",
        annotations: Path | None = None,
        seeds: int = 3,
        out: Path = Path("results"),
        jobs: int = 1,
        set: tuple[str, ...] = (),
        test_split: str = "test",
        show: bool = False,
    ) -> int:
        with_training()
        from avloc.experiments.session import make_tables, open_session, write_tables
        from avloc.report.tables import to_terminal
        from avloc.training.devices import visible_devices

        require_writable(out)
        truth = annotations or data / "annotations.json"
        session = open_session(
            names, RECIPES[recipe](), recipe, data, truth, seeds, out, settings=set, test_split=test_split
        )
        screen = Console(highlight=False)
        failed = 0
        if not show:
            try:
                with GridView(screen) as view:
                    failed = len(session.execute(jobs, visible_devices(), view.on_progress))
            except KeyboardInterrupt:
                print("avloc: stopped; the same command goes on", file=sys.stderr)
                return 130
        made = make_tables(session, session.results())
        for _, table in made:
            shown = to_terminal(table)
            widest = max(screen.width, Measurement.get(screen, screen.options.update(max_width=500), shown).maximum)
            screen.print(shown, width=widest, crop=False, soft_wrap=not screen.is_terminal)
        write_tables(session, made)
        screen.print(f"tables as Markdown and LaTeX: {out / 'tables'}", markup=False, soft_wrap=True)
        return 1 if failed else 0

    command.__doc__ = f"""{words}

    Runs that are done are not made again: the key of a run is its resolved settings and the data. Stopped at any
    moment, the same command goes on. The tables stand in OUT/tables as Markdown and LaTeX too.

    Args:
        data: Folder of features.
        recipe: Settings of the reference row; the other rows change them.
        annotations: Annotation file; without it annotations.json in the folder of features.
        seeds: Trainings of each row: seeds 0, 1, ...
        out: Folder of the runs and tables.
        jobs: Runs side by side, each in a process of its own; several GPUs are taken in turn.
        set: Settings of the recipe to change, KEY=VALUE, such as train.epochs=2.
        test_split: Subset that is reported; the validation split chooses the weights.
        show: Print what is there; run nothing.
    """
    return command


_COMMANDS: dict[str, Callable[..., int]] = {
    "table2a": _tables(("table2a",), "Table 2a: LCC and CDP, alone and together."),
    "table2b": _tables(("table2b",), "Table 2b: four correspondence objectives R."),
    "table2c": _tables(("table2c",), "Table 2c: global, fixed and dynamic cross-attention."),
    "table2d": _tables(("table2d",), "Table 2d: five base windows."),
    "table3": _tables(("table3",), "Table 3: what each part costs."),
    "readings": _tables(("readings",), "Other readings of the paper's text, one setting away."),
    "all": _tables(("table2a", "table2b", "table2c", "table2d", "table3"), "Every table of the paper."),
}

_Command: Any = Union[  # noqa: UP007 - made of a tuple
    tuple(Annotated[Any, tyro.conf.subcommand(name=name, constructor=command)] for name, command in _COMMANDS.items())
]


def paper(command: Annotated[_Command, tyro.conf.arg(name="")]) -> int:
    """The paper's tables and figures, each by one command: runs what is missing, then prints.

    examples:
      avloc paper list
      avloc paper table2c --data sim/ --seeds 3 --out results/
      avloc paper all --recipe loco-small --data sim/ --seeds 3 --out results/

    Args:
        command: What to make.
    """
    status: int = command
    return status
