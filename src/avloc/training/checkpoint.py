"""Model folders from the torch side: weights as safetensors in 16-bit floats; reading them executes nothing."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from avloc import zoo
from avloc.config import ModelConfig
from avloc.errors import ModelError
from avloc.files import replace_file
from avloc.models.loco import Loco


def save_model(folder: Path, model: Loco, config: ModelConfig) -> None:
    """Write config and weights of a model; each file whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: tensor.detach().to("cpu", torch.float16).contiguous() for name, tensor in model.state_dict().items()
    }
    replace_file(folder / zoo.WEIGHTS, save(state))
    zoo.write_config(folder, config)


def load_model(folder: Path) -> tuple[Loco, ModelConfig]:
    """The network of a model folder, in evaluation mode.

    Raises:
        ModelError: config or weights are missing, broken, or do not fit one another.
    """
    config = zoo.read_config(folder)
    path = folder / zoo.WEIGHTS
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: cannot be read as weights ({error})") from None
    model = Loco(config.network)
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    except RuntimeError as error:
        raise ModelError(f"{path}: does not fit its config ({str(error).splitlines()[-1].strip()})") from None
    return model.eval(), config
