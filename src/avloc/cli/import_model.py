"""`avloc import`: a checkpoint of a method's authors > a model folder."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

import tyro

from avloc.cli.settings_file import laid_over
from avloc.cli.train import RECIPES, with_training
from avloc.errors import AvlocError
from avloc.recipes.features import features_of

_MOST_SHOWN = 3


def import_model(
    method: Annotated[str, tyro.conf.Positional],
    file: Annotated[Path, tyro.conf.Positional],
    like: str,
    labels: Path,
    out: Path,
    config: Path | None = None,
) -> int:
    """Make a model folder from a checkpoint that a method's authors released.

    Weights keep single precision. Nothing in the file is executed; a checkpoint that does not fit the recipe, tensor
    by tensor, is refused. `avloc export` then writes the file that detection runs on.

    examples:
      avloc import actionformer epoch_034.pth.tar --like actionformer-thumos-i3d --labels thumos.txt --out models/af

    Args:
        method: The method whose authors' names the checkpoint has, such as actionformer or tridet.
        file: Their checkpoint.
        like: The recipe whose network it holds; avloc recipes lists them.
        labels: Text file with the names of the classes, one a line, in the order of the network's outputs.
        out: Folder to write the model to.
        config: YAML or JSON file of settings, laid over the recipe.
    """
    with_training()
    if like not in RECIPES:
        near = difflib.get_close_matches(like, RECIPES, n=1)
        meant = f"did you mean {near[0]}?" if near else "see avloc recipes"
        raise AvlocError(f"there is no recipe {like!r}; {meant}")
    run = RECIPES[like]() if config is None else laid_over(RECIPES[like](), config)
    if run.network.method != method:
        raise AvlocError(f"--like {like} is a recipe of {run.network.method}, not of {method}")
    names = _labels(labels)
    from avloc.training import official

    network, made = official.import_model(file, run, features_of(RECIPES[like]), names, out, on_left=_tell_left)
    count, classes = sum(p.numel() for p in network.parameters()), len(made.labels)
    print(
        f"{out}: {method}, {count / 1e6:.2f} M parameters, {classes} class{'es' if classes > 1 else ''}, "
        f"on features of {made.features.streams.visual}"
    )
    return 0


def _tell_left(names: tuple[str, ...]) -> None:
    shown = ", ".join(names[:_MOST_SHOWN])
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    print(f"left out {len(names)} tensors that this network has no use for: {shown}{more}")


def _labels(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AvlocError(f"{path}: cannot be read as text ({error}); give a file with a label a line") from None
    return [line.strip() for line in lines if line.strip()]
