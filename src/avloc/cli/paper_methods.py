"""`avloc paper table1`: LoCo beside the other methods, on one or several kinds of features."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

from avloc.cli.console import screen_console
from avloc.cli.inputs import require_writable
from avloc.cli.paper_tables import RecipeName, execute_grid, show_tables
from avloc.cli.train import with_training
from avloc.errors import AvlocError
from avloc.recipes.table import RECIPES


def table1(
    data: Path | None = None,
    recipe: RecipeName = "loco-small",
    features: tuple[str, ...] = (),
    annotations: Path | None = None,
    models: Path | None = None,
    seeds: int = 3,
    out: Path = Path("results"),
    jobs: int = 1,
    set: tuple[str, ...] = (),
    test_split: str = "test",
    show: bool = False,
) -> int:
    """Table 1: LoCo and the other methods, trained and tested alike, and what each costs.

    examples:
      avloc paper table1 --data sim/ --seeds 3
      avloc paper table1 --features i3d-vggish=I3D_DIR onepeace=ONEPEACE_DIR --annotations unav100_annotations.json \\
          --models models/ --seeds 1

    Args:
        data: Folder of features for the recipe.
        recipe: LoCo's recipe; each method has one of its own beside it, such as unav-small.
        features: Released features in place of --data, NAME=DIR: i3d-vggish, onepeace. A table for each.
        annotations: Annotation file; without it annotations.json in the folder of features.
        models: Folder of model folders that avloc import made of released weights; they are tested as they are.
        seeds: Trainings of each row: seeds 0, 1, ...
        out: Folder of the runs and tables.
        jobs: Runs side by side, each in a process of its own; several GPUs are taken in turn.
        set: Settings of all recipes to change, KEY=VALUE, such as train.epochs=2.
        test_split: Subset that is reported; the validation split chooses the weights.
        show: Print what is there; run and measure nothing.
    """
    with_training()
    from avloc.experiments.claims import judge_methods
    from avloc.experiments.methods import TABLE
    from avloc.experiments.session import make_tables, open_session

    require_writable(out)
    places = _places(data, recipe, features)
    sessions = [
        open_session(
            (TABLE,),
            RECIPES[name](),
            name,
            folder,
            annotations or folder / "annotations.json",
            seeds,
            out if len(places) == 1 else out / name.removeprefix("loco-"),
            settings=set,
            test_split=test_split,
            models=models,
        )
        for name, folder in places.items()
    ]
    screen, failed = screen_console(), 0
    for session in sessions:
        if len(sessions) > 1:
            screen.rule(session.recipe.data.layout)
        failures = 0 if show else execute_grid(session, jobs, screen)
        if failures is None:
            return 130
        failed += failures
        results = session.results()
        show_tables(screen, session, make_tables(session, results, measure=not show), judge_methods(results))
    return 1 if failed else 0


def _places(data: Path | None, recipe: RecipeName, features: tuple[str, ...]) -> dict[RecipeName, Path]:
    """Folders of features by LoCo's recipe for them."""
    if (data is None) == (not features):
        raise AvlocError("name one folder with --data, or released features with --features NAME=DIR ...")
    if data is not None:
        return {recipe: data}
    places: dict[RecipeName, Path] = {}
    for given in features:
        name, equals, folder = given.partition("=")
        whole = f"loco-unav100-{name}"
        if not equals or not folder or whole not in get_args(RecipeName):
            known = ", ".join(r.removeprefix("loco-unav100-") for r in get_args(RecipeName) if "unav100" in r)
            raise AvlocError(f"--features {given}: NAME=DIR is needed, with one of the names {known}")
        places[cast(RecipeName, whole)] = Path(folder)
    return places
