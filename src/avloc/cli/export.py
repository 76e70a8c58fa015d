"""`avloc export`: a model's weights > the ONNX file that detection runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from avloc.errors import AvlocError
from avloc.zoo import find_model


def export(model: Annotated[Path, tyro.conf.Positional]) -> int:
    """Write model.onnx beside the weights of a model folder, and compare the two.

    examples:
      avloc export my_model/

    Args:
        model: A model folder with config.json and model.safetensors.
    """
    folder = find_model(model)
    try:
        from avloc.training.export import export_model
    except ModuleNotFoundError as error:
        raise AvlocError(
            f"export needs {error.name}; install avloc with its extra, in its checkout: pip install '.[train]'"
        ) from None
    exported = export_model(folder)
    print(
        f"{exported.path}: at most {exported.score_difference:.1e} (scores) and {exported.segment_difference:.1e} "
        "(segments) from the weights' own outputs"
    )
    return 0
