"""`avloc paper table...`, `all` and `list`: the grid of runs and the tables that are made of it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table

from avloc.cli.console import screen_console
from avloc.cli.inputs import require_writable
from avloc.cli.paper_view import GridView
from avloc.cli.train import with_training
from avloc.errors import ConfigError
from avloc.recipes.table import RECIPES

if TYPE_CHECKING:
    from avloc.experiments.claims import Judged
    from avloc.experiments.runs import Run
    from avloc.experiments.session import GridSession
    from avloc.report.tables import ResultTable

RecipeName = Literal["loco-small", "loco-medium", "loco-unav100-onepeace", "loco-unav100-i3d-vggish"]


def tables_command(names: tuple[str, ...], words: str) -> Callable[..., int]:
    """The command that makes these tables."""

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
        docs: Path | None = None,
        also: tuple[Literal["readings", "weights", "controls", "modalities"], ...] = (),
        seeds_of: tuple[str, ...] = (),
        records: Path | None = None,
    ) -> int:
        with_training()
        from avloc.experiments.publish import judge_session, publish
        from avloc.experiments.session import make_tables, open_session

        require_writable(out)
        truth = annotations or data / "annotations.json"
        session = open_session(
            tuple(dict.fromkeys((*names, *also))),
            RECIPES[recipe](),
            recipe,
            data,
            truth,
            seeds,
            out,
            settings=set,
            test_split=test_split,
            records=records,
            seeds_of=seeds_of,
        )
        screen = screen_console()
        failed = 0 if show else execute_grid(session, jobs, screen)
        if failed is None:
            return 130
        results = session.results()
        made = make_tables(session, results, measure=not show)
        judged = judge_session(session, results) if len(names) > 1 or docs is not None else []
        show_tables(screen, session, made, judged)
        if docs is not None:
            words = ["paper", "all" if len(names) > 1 else names[0], "--recipe", recipe, "--data", f"{data.name}/"]
            words += ["--seeds", str(seeds), *(("--seeds-of", *seeds_of) if seeds_of else ())]
            words += [*(("--also", *also) if also else ()), *(("--set", *set) if set else ())]
            words += ["--out", f"{out.name}/", *(("--records", records.name) if records else ())]
            words += ["--docs", f"{docs.parent.name}/{docs.name}"]
            publish(session, results, made, judged, docs, shlex.join(["avloc", *words]))
            screen.print(f"page: {docs}", markup=False, soft_wrap=True)
        return 1 if failed else 0

    command.__doc__ = f"""{words}

    Args:
        data: Folder of features.
        recipe: Settings of the reference row; the other rows change them.
        annotations: Annotation file; without it annotations.json in the folder of features.
        seeds: Trainings of each row: seeds 0, 1, ...
        out: Folder of the runs and tables.
        jobs: Runs side by side, each in a process of its own; several GPUs are taken in turn.
        set: Settings of the recipe to change, KEY=VALUE, such as train.epochs=2.
        test_split: Subset that is reported; the validation split chooses the weights.
        show: Print what is there; run and measure nothing.
        docs: Write tables, claims, figures and how they were made to this Markdown file.
        also: Further tables: other readings of the text, LCC's weight, controls, one modality alone.
        seeds_of: Tables with another number of seeds, TABLE=SEEDS, such as table2a=5.
        records: Folder of the finished runs' records, small files from which a grid goes on elsewhere; without it
            OUT/records.
    """
    return command


def execute_grid(session: GridSession, jobs: int, screen: Console) -> int | None:
    """How many of the session's runs failed; None where it was stopped."""
    from avloc.devices import visible_devices

    try:
        with GridView(screen) as view:
            return len(session.execute(jobs, visible_devices(), view.on_progress))
    except KeyboardInterrupt:
        print("avloc: stopped; the same command goes on", file=sys.stderr)
        return None


def show_tables(
    screen: Console, session: GridSession, made: Sequence[tuple[str, ResultTable]], judged: Sequence[Judged]
) -> None:
    """Print tables and claims, and write the tables."""
    from avloc.experiments.page import claims_table
    from avloc.experiments.session import write_tables
    from avloc.report.tables import to_terminal

    for table in (*(table for _, table in made), *([claims_table(judged)] if judged else [])):
        _print(screen, to_terminal(table))
    write_tables(session, made)
    screen.print(f"tables as Markdown and LaTeX: {session.out / 'tables'}", markup=False, soft_wrap=True)


def list_runs(
    data: Path | None = None,
    recipe: RecipeName = "loco-small",
    annotations: Path | None = None,
    seeds: int = 3,
    out: Path = Path("results"),
    set: tuple[str, ...] = (),
    test_split: str = "test",
) -> int:
    """The rows of the tables; with --data, how far their runs are and where they lie.

    Args:
        data: Folder of features.
        recipe: Settings of the reference row.
        annotations: Annotation file; without it annotations.json in the folder of features.
        seeds: Trainings of each row.
        out: Folder of the runs.
        set: Settings of the recipe that were changed, KEY=VALUE.
        test_split: Subset that is reported.
    """
    with_training()
    from avloc.experiments.execute import state_of
    from avloc.experiments.grid import ROWS, TABLES
    from avloc.experiments.methods import TABLE, method_rows, method_table
    from avloc.experiments.session import open_session

    runs: tuple[Run, ...] = ()
    try:
        beside = method_rows(recipe, set)
        tables = {TABLE: method_table(beside, recipe), **TABLES}
    except ConfigError:  # settings of LoCo alone: Table 1 has no such rows
        beside, tables = (), dict(TABLES)
    if data is not None:
        truth = annotations or data / "annotations.json"
        runs = open_session(
            tuple(tables), RECIPES[recipe](), recipe, data, truth, seeds, out, settings=set, test_split=test_split
        ).runs
    table = Table(box=None, pad_edge=False)
    for head in ("row", "tables", *(("seed", "state", "folder") if runs else ())):
        table.add_column(head, no_wrap=head == "folder")
    for row in (*ROWS, *(row.name for row in beside)):
        used = ", ".join(name.removeprefix("table") for name, paper in tables.items() if row in paper.rows)
        mine = [run for run in runs if run.row == row]
        for run in mine:
            table.add_row(row, used, str(run.seed), state_of(run), str(run.folder))
        if not mine:
            table.add_row(row, used)
    _print(screen_console(), table)
    return 0


def _print(screen: Console, shown: RenderableType) -> None:
    """In its full width where nobody watches: a file has no edge."""
    widest = Measurement.get(screen, screen.options.update(max_width=500), shown).maximum
    (screen if screen.is_terminal else screen_console(width=max(80, widest))).print(shown)
