"""`avloc export`: a model's weights > the ONNX file that detection runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from avloc.cli.inputs import require_writable
from avloc.errors import AvlocError
from avloc.zoo import find_model


def export(model: Annotated[Path, tyro.conf.Positional], task: str = "", out: Path | None = None) -> int:
    """Write model.onnx beside the weights of a model folder, and compare the two.

    Of a model of several tasks --task and --out make a model folder of one of them that holds nothing of the others.

    examples:
      avloc export my_model/
      avloc export runs/at --task avel --out models/at-avel

    Args:
        model: A model folder with config.json and model.safetensors.
        task: The task of a model of several: tal, avel or sed.
        out: The folder of that task's model.
    """
    folder = find_model(model)
    if bool(task) != (out is not None):
        raise AvlocError("--task and --out belong together: a task of a model, and the folder of its own model")
    try:
        from avloc.training.export import export_model, take_task
    except ModuleNotFoundError as error:
        raise AvlocError(
            f"export needs {error.name}; install avloc with its extra, in its checkout: pip install '.[train]'"
        ) from None
    if out is not None:
        require_writable(out)
        take_task(folder, task, out)
    exported = export_model(folder if out is None else out)
    print(
        f"{exported.path}: at most {exported.score_difference:.1e} (scores) and {exported.segment_difference:.1e} "
        "(segments) from the weights' own outputs"
    )
    return 0
