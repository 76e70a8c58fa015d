"""The trainer's state in one safetensors file: weights, their average, optimizer, criterion, place in the run.

Kept apart from the model folder, which holds what detection needs. Nothing in it executes when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from avloc.config import TrainConfig, came_later
from avloc.errors import ModelError
from avloc.files import replace_file
from avloc.learning.losses import Criterion
from avloc.models.network import Network

_FORMAT = "avloc-trainer/2"
_BROKEN = (OSError, SafetensorError, KeyError, ValueError, RuntimeError, TypeError)


@dataclass
class Place:
    """How far a run has come: whole epochs, steps of the epoch begun and sums of their losses, best validation."""

    epoch: int = 0
    step: int = 0
    best_map: float = -1.0
    best_epoch: int = 0
    losses: dict[str, float] = field(default_factory=dict)
    """By name, each summed over the steps of the epoch begun."""
    counts: dict[str, int] = field(default_factory=dict)
    """How many steps each of these sums is over."""
    validations: list[dict[str, float]] = field(default_factory=list)
    """mAP by task at every validation so far, of tasks in turn."""


@dataclass(frozen=True)
class Trainer:
    """What changes while a run goes on, beside its place."""

    network: Network
    average: Network
    optimizer: torch.optim.Optimizer
    criterion: Criterion

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What has weights or buffers, by the name under which it is kept."""
        return {"criterion": self.criterion, "network": self.network, "average": self.average}


def save_state(path: Path, trainer: Trainer, place: Place, settings: str) -> None:
    """Write all that `load_state` needs to go on exactly; `settings` is the run's config as text.

    Raises:
        OutputError: the file cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    for name, module in trainer.modules.items():
        tensors |= {f"{name}.{key}": t for key, t in module.state_dict().items()}
    for i, entry in trainer.optimizer.state_dict()["state"].items():
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
        return Place(**json.loads(_header(path)["place"]))
    except _BROKEN as error:
        raise _broken(path, error) from None


def require_same(path: Path, settings: str, config: TrainConfig) -> None:
    """Raise ModelError unless the run of a state file may go on with these settings."""
    header = _header(path)
    if header["settings"] == settings:
        return
    changed = dict(_changes(json.loads(header["settings"]), json.loads(settings)))
    changed = {name: two for name, two in changed.items() if two[0] is not None or not came_later(name, two[1])}
    if not changed:
        return
    epochs = next((name for name in changed if name.split(".")[-2:] == ["train", "epochs"]), None)
    if len(changed) == 1 and epochs is not None and changed[epochs][1] > changed[epochs][0]:
        if config.schedule != "cosine":
            return
        raise ModelError(
            f"{path}: the run was begun for {changed[epochs][0]} epochs, and a cosine schedule ends with them; train "
            "anew from its weights with --init, or begin runs that are to grow with --train.schedule constant"
        )
    told = ", ".join(f"{name} was {before!r}, is {now!r}" for name, (before, now) in changed.items())
    raise ModelError(f"{path}: the run was begun with other settings ({told}); resume with the same")


def load_state(path: Path, trainer: Trainer, settings: str, config: TrainConfig) -> Place:
    """Put everything back and say where the run stands.

    Raises:
        ModelError: the file is broken, or was made with other settings.
    """
    try:
        require_same(path, settings, config)
        with safe_open(path, framework="pt") as f:
            place = Place(**json.loads(f.metadata()["place"]))
            tensors = {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118 - not a dict
        for name, module in trainer.modules.items():
            module.load_state_dict(_part(tensors, f"{name}."))
        state = trainer.optimizer.state_dict()
        entries: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(tensors, "optimizer.").items():
            i, key = name.split(".", 1)
            entries.setdefault(int(i), {})[key] = tensor
        trainer.optimizer.load_state_dict({**state, "state": entries})
    except _BROKEN as error:
        raise _broken(path, error) from None
    return place


def _header(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="pt") as f:
            header = dict(f.metadata() or {})
    except _BROKEN as error:
        raise _broken(path, error) from None
    if header.get("format", "").startswith("avloc-trainer/") and header["format"] != _FORMAT:
        raise ModelError(f"{path}: was begun by an older avloc, whose runs cannot go on here; begin the run anew")
    if header.get("format") != _FORMAT or not {"settings", "place"} <= set(header):
        raise ModelError(f"{path}: is no trainer state; begin the run anew in another folder")
    return header


def _broken(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path}: cannot be read as a trainer's state ({str(error).splitlines()[0]})")


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _changes(before: object, now: object, where: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            yield from _changes(before.get(key), now.get(key), f"{where}.{key}" if where else key)
    elif before != now:
        yield where, (before, now)
