"""What each row's network costs (paper, Table 3), and what other methods cost."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from avloc.config import NetworkConfig, RunConfig, from_dict, to_dict
from avloc.errors import ConfigError
from avloc.experiments.grid import ROWS, TABLES
from avloc.experiments.key import VERSION
from avloc.experiments.of_loco import network_of
from avloc.files import replace_file
from avloc.recipes.table import RECIPES
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


OTHERS = {
    "UnAV, I3D + VGGish": "unav-unav100-i3d-vggish",
    "UnAV, ONE-PEACE": "unav-unav100-onepeace",
    "UniAV, ONE-PEACE": "uniav-unav100-onepeace",
    "CCNet, ONE-PEACE": "ccnet-unav100-onepeace",
}
"""Recipes of the methods that Table 3 has beside LoCo."""
LIKE = ("UnAV, ONE-PEACE", "UniAV, ONE-PEACE")
"""Those that the paper compares costs with, on the same features."""


PUBLIC = "loco, widths of the public codes"


def public_widths(recipe: RunConfig) -> Cost:
    """LoCo with the widths of the public codes, where the paper says none: feed-forward ratio, fusion blocks."""
    network = replace(network_of(recipe), ffn_ratio=4.0, fusion_ffn_ratio=None, fusion_attention_width=None)
    return cost_of(PUBLIC, replace(recipe, network=network), None, run=False)


def other_methods(kept: Path | None, *, run: bool) -> dict[str, Cost]:
    """Costs of other methods at the width of their papers, by name."""
    return {name: cost_of(name, RECIPES[recipe](), kept, run=run) for name, recipe in OTHERS.items()}


def costs(recipe: RunConfig, kept: Path | None, *, run: bool) -> dict[str, Cost]:
    """Of every row of Table 3. Time and memory are measured once and kept in the folder `kept`.

    run: whether what is not measured yet is measured now.
    """
    return {row: cost_of(row, ROWS[row].of(recipe, 0), kept, run=run) for row in TABLES["table3"].rows}


def cost_of(row: str, config: RunConfig, kept: Path | None, *, run: bool, step: bool = False) -> Cost:
    """Of one row; `step`: the time of a training step as well, where it is measured."""
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
        _measured(config, found.length, kept, run, step),
    )


@cache
def _described(network: NetworkConfig, length: int) -> Description:
    return describe(network, length)


def _measured(config: RunConfig, length: int, kept: Path | None, run: bool, step: bool) -> Measured | None:
    told = {"version": VERSION, "network": to_dict(config.network), "length": length}
    if step:
        told["loss"] = to_dict(config.loss)
    body = json.dumps(told, sort_keys=True)
    path = None if kept is None else kept / f"{hashlib.sha256(body.encode()).hexdigest()[:16]}.json"
    if path is not None and path.is_file():
        try:
            return from_dict(Measured, json.loads(path.read_bytes()), where=path.name)
        except (ValueError, ConfigError):
            pass  # measured anew
    if not run:
        return None
    measured = measure(config, length, step=step)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, (json.dumps(asdict(measured)) + "\n").encode())
    return measured
