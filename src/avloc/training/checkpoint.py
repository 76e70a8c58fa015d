"""Model folders from the torch side: weights as safetensors, 16-bit floats as a rule; reading executes nothing."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from avloc import zoo
from avloc.config import ModelConfig
from avloc.errors import ConfigError, ModelError, OutputError
from avloc.files import replace_file
from avloc.models.build import build_network
from avloc.models.network import Network


def save_model(folder: Path, model: Network, config: ModelConfig, *, dtype: torch.dtype = torch.float16) -> None:
    """Write config and weights of a model; each file whole or not at all. An older ONNX file is removed.

    Weights that were published in single precision keep it with `dtype` float32.

    Raises:
        ModelError: a weight is not finite, or too large for a 16-bit float.
        OutputError: the folder cannot be made or written to.
    """
    state = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in model.state_dict().items()}
    _require_finite(state, folder / zoo.WEIGHTS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); name another folder") from error
    # An exported network of older weights must not stay beside the new ones.
    (folder / zoo.ONNX).unlink(missing_ok=True)
    replace_file(folder / zoo.WEIGHTS, save(state))
    zoo.write_config(folder, config)


def load_model(folder: Path, task: str = "") -> tuple[Network, ModelConfig]:
    """The network of a model folder, in evaluation mode; with `task` as its own where it has several.

    Raises:
        ModelError: config or weights are missing, broken, or do not fit one another.
        ConfigError: there is no such task.
    """
    config = zoo.read_config(folder).of_task(task)
    path = folder / zoo.WEIGHTS
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: cannot be read as weights ({error})") from None
    _require_finite(state, path)
    try:
        model = build_network(config.network)
    except ConfigError as error:
        raise ModelError(f"{folder / zoo.CONFIG}: {error}") from None
    if len(config.labels) != config.network.classes:
        raise ModelError(
            f"{folder / zoo.CONFIG}: has {len(config.labels)} labels for {config.network.classes} classes"
        )
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    except RuntimeError as error:
        raise ModelError(f"{path}: does not fit its config ({str(error).splitlines()[-1].strip()})") from None
    return model.eval(), config


def _require_finite(state: dict[str, Tensor], path: Path) -> None:
    for name, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(f"{path}: {name} holds values that are not finite or beyond 16-bit floats")
