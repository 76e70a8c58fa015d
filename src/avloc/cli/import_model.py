"""`avloc import`: a checkpoint of a method's authors > a model folder."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated

import tyro

from avloc import zoo
from avloc.cli.settings_file import laid_over
from avloc.cli.train import with_training
from avloc.config import JointRunConfig, RunConfig
from avloc.datasets.annotations import read_annotations
from avloc.errors import AvlocError
from avloc.formats.class_names import read_labels
from avloc.recipes.features import features_in, features_of
from avloc.recipes.table import FINE_TUNING, RECIPES

_MOST_SHOWN = 3


def import_model(
    method: Annotated[str, tyro.conf.Positional],
    file: Annotated[Path, tyro.conf.Positional],
    out: Path,
    like: str | None = None,
    labels: Path | None = None,
    config: Path | None = None,
) -> int:
    """Make a model folder from a checkpoint that a method's authors released.

    Weights keep single precision. Nothing in the file is executed; a checkpoint that does not fit the recipe, tensor
    by tensor, is refused. `avloc export` then writes the file that detection runs on.

    examples:
      avloc import unav UNAV.pth.tar --out models/unav
      avloc import uniav epoch_006.pth.tar --like uniav-at-onepeace --config at.yaml --out models/at
      avloc import actionformer epoch_034.pth.tar --like actionformer-thumos14 --labels thumos.txt --out models/af

    Args:
        method: The method whose authors' names the checkpoint has, such as actionformer or tridet.
        file: Their checkpoint.
        out: Folder to write the model to.
        like: The recipe whose network it holds; avloc recipes lists them. Without it, the method's one that fits.
        labels: Text file with the names of the classes, one a line, in the order of the outputs, or the data
            set's annotations (their order counts). Without it, UnAV-100's classes, where the recipe is for them.
        config: YAML or JSON file of settings, laid over the recipe.
    """
    with_training()
    from avloc.checkpoints import read_checkpoint
    from avloc.training import official
    from avloc.training.run import RUN

    for name in (zoo.CONFIG, RUN):
        if (out / name).exists():
            raise AvlocError(f"{out}: holds a model already; name another folder, or delete it first")
    runs = _runs(method, like, config)
    state = read_checkpoint(file)
    name = official.recipe_that_fits(state, runs, str(file)) if like is None else like
    run = runs[name]
    if isinstance(run, JointRunConfig):
        if labels is not None:
            raise AvlocError(
                "--labels is of one task; a --config file names annotations of each (sets.tal.annotations)"
            )
        named = _labels_of_sets(run)
        about = {key: features_in(run.sets[key]) for key in named}
        network, made = official.import_tasks(state, str(file), run, about, named, out, on_left=_tell_left)
    else:
        names = _labels(labels) if labels is not None else _of_unav100(name)
        own = features_of(RECIPES[name])
        network, made = official.import_model(state, str(file), run, own, names, out, on_left=_tell_left)
    count = sum(p.numel() for p in network.parameters())
    classes = len(made.labels) + sum(len(other.labels) for other in made.others)
    print(
        f"{out}: {method} as {name}, {count / 1e6:.2f} M parameters, {classes} class{'es' if classes > 1 else ''}, "
        f"on features of {made.features.streams.visual}"
    )
    return 0


def _runs(method: str, like: str | None, config: Path | None) -> dict[str, RunConfig]:
    """The recipe that is meant, or all of the method."""
    if like is not None and like not in RECIPES:
        raise AvlocError(f"there is no recipe {like!r}; {_meant(like, RECIPES)}")
    runs = {
        name: make()
        for name, make in RECIPES.items()
        if name == like or (like is None and FINE_TUNING not in name and not isinstance(make(), JointRunConfig))
    }
    of_method = {name: run for name, run in runs.items() if run.network.method == method}
    if not of_method and like is not None:
        raise AvlocError(f"--like {like} is a recipe of {runs[like].network.method}, not of {method}")
    if not of_method:
        known = {run.network.method for run in runs.values()}
        raise AvlocError(f"there is no method {method!r}; {_meant(method, known)}")
    return of_method if config is None else {name: laid_over(run, config) for name, run in of_method.items()}


def _labels_of_sets(run: JointRunConfig) -> dict[str, Sequence[str]]:
    """Classes of each task, from the annotations of its set, in their order."""
    tasks: tuple[str, ...] = run.tasks
    for name in tasks:
        if not run.sets[name].annotations:
            raise AvlocError(
                f"sets.{name}.annotations is not set: a --config file names the annotations of each task, whose "
                "classes they tell, and its class_embeddings"
            )
    return {name: read_annotations(run.sets[name].annotations, strict=False).labels for name in tasks}


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else "see avloc recipes"


def _tell_left(names: tuple[str, ...]) -> None:
    shown = ", ".join(names[:_MOST_SHOWN])
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    print(f"left out {len(names)} tensors that this network has no use for: {shown}{more}")


def _labels(path: Path) -> Sequence[str]:
    if path.suffix == ".json":
        return read_labels(path)
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AvlocError(f"{path}: cannot be read as text ({error}); give a file with a label a line") from None
    return [line.strip() for line in lines if line.strip()]


def _of_unav100(recipe: str) -> list[str]:
    if "-unav100-" not in recipe:
        raise AvlocError(f"{recipe} is not for UnAV-100; name its classes with --labels FILE, one a line")
    return resources.files("avloc.recipes").joinpath("unav100.txt").read_text("utf-8").splitlines()
