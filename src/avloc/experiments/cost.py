"""What each row's network costs (paper, Table 3), beside the counts of the official code of other works."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from avloc.config import NetworkConfig, RunConfig, from_dict, to_dict
from avloc.errors import ConfigError
from avloc.experiments.grid import ROWS, TABLES
from avloc.experiments.key import VERSION
from avloc.files import replace_file
from avloc.training.describe import Description, describe
from avloc.training.measure import Measured, measure


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one video of `length` steps. Where the row trains with LCC, its head and loss are counted, as in the paper;
    detection does without them."""

    row: str
    length: int
    parameters: int
    macs: int
    lcc_parameters: int
    lcc_macs: int
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """A model of another work: parameters and multiply-accumulates of its official code, counted with torch's
    FlopCounterMode at batch 1."""

    name: str
    features: str
    length: int
    parameters: float
    macs: float


PEERS = (
    Peer("UnAV", "ONE-PEACE", 256, 140.9e6, 64.3e9),
    Peer("UnAV", "I3D + VGGish", 224, 139.5e6, 55.6e9),
    Peer("UnAV without its dependency block", "I3D + VGGish", 224, 62.1e6, 11.1e9),
    Peer("UniAV, all tasks' weights", "ONE-PEACE", 256, 130.8e6, 11.5e9),
    Peer("UniAV, this task's weights", "ONE-PEACE", 256, 63.5e6, 11.5e9),
    Peer("CCNet", "ONE-PEACE", 256, 239.1e6, 76.5e9),
)

_LIKE = ("UnAV", "UniAV, this task's weights")


def costs(recipe: RunConfig, kept: Path | None, *, run: bool) -> dict[str, Cost]:
    """Of every row of Table 3. Time and memory are measured once and kept in the folder `kept`.

    run: whether what is not measured yet is measured now.
    """
    return {row: _cost(row, ROWS[row].of(recipe, 0), kept, run) for row in TABLES["table3"].rows}


def _cost(row: str, config: RunConfig, kept: Path | None, run: bool) -> Cost:
    found = _described(config.network, config.train.longest_steps)
    head = found.detail("LCC")
    lcc = head if getattr(config.loss, "lcc_weight", 0) else None
    return Cost(
        row,
        found.length,
        found.parameters - (0 if lcc else head.parameters),
        found.macs + (lcc.macs if lcc else 0),
        lcc.parameters if lcc else 0,
        lcc.macs if lcc else 0,
        _measured(config.network, found.length, kept, run),
    )


@cache
def _described(network: NetworkConfig, length: int) -> Description:
    return describe(network, length)


def _measured(network: NetworkConfig, length: int, kept: Path | None, run: bool) -> Measured | None:
    body = json.dumps({"version": VERSION, "network": to_dict(network), "length": length}, sort_keys=True)
    path = None if kept is None else kept / f"{hashlib.sha256(body.encode()).hexdigest()[:16]}.json"
    if path is not None and path.is_file():
        try:
            return from_dict(Measured, json.loads(path.read_bytes()), where=path.name)
        except (ValueError, ConfigError):
            pass  # measured anew
    if not run:
        return None
    measured = measure(network, length)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, (json.dumps(asdict(measured)) + "\n").encode())
    return measured


def peers_like_ours() -> Sequence[Peer]:
    """The two works of the paper's Table 3 on ONE-PEACE features, UniAV at its smaller count."""
    return [peer for peer in PEERS if peer.name in _LIKE and peer.features == "ONE-PEACE"]
