"""`avloc sweep`: rows of a file trained and tested alike, with tables and paired tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from avloc.cli.console import screen_console
from avloc.cli.inputs import require_writable
from avloc.cli.paper_tables import execute_grid, show_tables
from avloc.cli.settings_file import read_settings
from avloc.cli.train import with_training
from avloc.errors import AvlocError


def sweep(
    rows: Annotated[Path, tyro.conf.Positional],
    data: Path | None = None,
    annotations: Path | None = None,
    seeds: int = 3,
    out: Path = Path("sweep"),
    jobs: int = 1,
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE [KEY=VALUE ...]")] = (),
    test_split: str | None = None,
    show: bool = False,
    records: Path | None = None,
) -> int:
    """Train and test the rows of a file, any recipes with any settings, and hold them against one another.

    Rows stand in YAML or JSON (docs/sweeps.md). Runs that are done are not made again: the key of a run is its
    resolved settings and the data. Stopped at any moment, the same command goes on. The tables stand in OUT/tables as
    Markdown and LaTeX; validation says which row is best, the test split chooses nothing.

    examples:
      avloc sweep rows.yaml --data sim/ --seeds 3 --out grid/
      avloc sweep rows.yaml --data sim/ --seeds 3 --out grid/ --jobs 2 --set train.epochs=2
      avloc sweep rows.yaml --data sim/ --out grid/ --show

    Args:
        rows: File of the rows: recipe, settings of all, settings of each, values to vary.
        data: Folder of features, for rows that name none of their own.
        annotations: Annotation file; without it annotations.json in the folder of features.
        seeds: Trainings of each row: seeds 0, 1, ...
        out: Folder of the runs and tables.
        jobs: Runs side by side, each in a process of its own; several GPUs are taken in turn.
        set: Settings of all rows to change, such as train.epochs=2.
        test_split: Subset that is reported, without it what the recipes call their test split; the validation split
            chooses the weights and the best row.
        show: Print what is there; run nothing.
        records: Folder of the finished runs' records, small files from which a sweep goes on elsewhere; without it
            OUT/records.
    """
    with_training()
    from avloc.experiments.sweep import NAME, open_sweep, read_sweep
    from avloc.experiments.sweep_tables import choice_table
    from avloc.experiments.tables import result_table

    truth = annotations or (data / "annotations.json" if data is not None else None)
    if truth is None:
        raise AvlocError("no data are named; give --data, or --annotations where rows name features of their own")
    told = read_sweep(read_settings(rows), rows.name, set)
    require_writable(out)
    session = open_sweep(told, data, truth, seeds, out, test_split=test_split, records=records)
    screen = screen_console()
    failed = 0 if show else execute_grid(session, jobs, screen)
    if failed is None:
        return 130
    results = session.results()
    made = [(NAME, result_table(told.table, results)), (f"{NAME}-choice", choice_table(told.table, results))]
    show_tables(screen, session, made, [])
    return 1 if failed else 0
