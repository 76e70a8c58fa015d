"""The trainer's state in one safetensors file: weights, their average, optimizer, normalizer, place in the run.

Kept apart from the model folder, which holds what detection needs. Nothing in it executes when it is read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from avloc.errors import ModelError
from avloc.files import replace_file
from avloc.learning.criterion import Criterion
from avloc.models.loco import Loco

_FORMAT = "avloc-trainer/1"


@dataclass
class Place:
    """How far a run has come: whole epochs, steps of the epoch begun and sums of their losses, best validation."""

    epoch: int = 0
    step: int = 0
    best_map: float = -1.0
    best_epoch: int = 0
    losses: list[float] = field(default_factory=lambda: [0.0] * 4)
    """Total, classification, regression and correspondence, each summed over the steps of the epoch begun."""


def save_state(
    path: Path,
    network: Loco,
    average: Loco,
    optimizer: torch.optim.Optimizer,
    criterion: Criterion,
    place: Place,
    settings: str,
) -> None:
    """Write all that `load_state` needs to go on exactly; `settings` is the run's config as text.

    Raises:
        OutputError: the file cannot be written.
    """
    tensors: dict[str, Tensor] = {"criterion.normalizer": criterion.normalizer}
    tensors |= {f"network.{name}": t for name, t in network.state_dict().items()}
    tensors |= {f"average.{name}": t for name, t in average.state_dict().items()}
    for i, entry in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{name}": t for name, t in entry.items()}
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    header = {"format": _FORMAT, "place": json.dumps(vars(place)), "settings": settings}
    replace_file(path, save(tensors, header))


def read_place(path: Path) -> Place:
    """How far the run of a state file has come.

    Raises:
        ModelError: the file is broken.
    """
    try:
        with safe_open(path, framework="pt") as f:
            return Place(**json.loads((f.metadata() or {})["place"]))
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read as a trainer's state ({str(error).splitlines()[0]})") from None


def load_state(
    path: Path,
    network: Loco,
    average: Loco,
    optimizer: torch.optim.Optimizer,
    criterion: Criterion,
    settings: str,
) -> Place:
    """Put everything back and say where the run stands.

    Raises:
        ModelError: the file is broken, or was made with other settings.
    """
    try:
        with safe_open(path, framework="pt") as f:
            header = f.metadata() or {}
            if header.get("format") != _FORMAT:
                raise ModelError(f"{path}: is no trainer state; begin the run anew in another folder")
            if header["settings"] != settings:
                changed = _changed(json.loads(header["settings"]), json.loads(settings))
                raise ModelError(f"{path}: the run was begun with other settings ({changed}); resume with the same")
            tensors = {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118 - not a dict
            place = Place(**json.loads(header["place"]))
        network.load_state_dict(_part(tensors, "network."))
        average.load_state_dict(_part(tensors, "average."))
        criterion.normalizer.copy_(tensors["criterion.normalizer"])
        state = optimizer.state_dict()
        entries: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(tensors, "optimizer.").items():
            i, key = name.split(".", 1)
            entries.setdefault(int(i), {})[key] = tensor
        optimizer.load_state_dict({**state, "state": entries})
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read as a trainer's state ({str(error).splitlines()[0]})") from None
    return place


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _changed(before: object, now: object, where: str = "") -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = dict.fromkeys([*before, *now])
        parts = [_changed(before.get(k), now.get(k), f"{where}.{k}" if where else k) for k in keys]
        return ", ".join(p for p in parts if p)
    return "" if before == now else f"{where} was {before!r}, is {now!r}"
