"""Checkpoints as other people's programs save them > tensors by name. Nothing in the file is executed."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from avloc.errors import ModelError

_STATES = ("state_dict_ema", "state_dict", "model")
"""Where a checkpoint holds its weights; the moving average is what authors evaluate."""


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The weights of a checkpoint by name, in single precision, without the prefix of a parallel wrapper.

    Raises:
        ModelError: the file is missing, is no checkpoint of tensors alone, or holds no weights.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it tells how to read the file unsafely
            mapped = zipfile.is_zipfile(path)  # not so in torch's first format
            held = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error}); give a checkpoint file") from None
    except Exception as error:  # what a file of another kind raises has no public base
        is_more = "global" in str(error).lower()
        why = "it holds objects that would run code" if is_more else type(error).__name__
        raise ModelError(f"{path}: is no checkpoint of tensors alone, the only kind that is opened ({why})") from None
    state = held
    if isinstance(held, Mapping):
        state = next((held[name] for name in _STATES if isinstance(held.get(name), Mapping)), held)
    if not isinstance(state, Mapping) or not state or not all(isinstance(t, Tensor) for t in state.values()):
        raise ModelError(f"{path}: holds no weights under {', '.join(_STATES)}")
    weights = {str(name).removeprefix("module."): tensor for name, tensor in state.items()}
    if len(weights) < len(state):
        raise ModelError(f"{path}: holds a tensor twice, with and without the prefix of a parallel wrapper")
    for name, tensor in weights.items():
        if tensor.layout != torch.strided or tensor.is_meta or tensor.is_complex():
            raise ModelError(f"{path}: {name} is no tensor of plain numbers")
        if tensor.nbytes > tensor.untyped_storage().nbytes():  # one value can stand for any number of them
            raise ModelError(f"{path}: {name} is {tuple(tensor.shape)}, of which the file holds but a part")
    return weights
