"""`avloc recipes`: every recipe of `avloc train`: method, features, size, where its settings come from."""

from __future__ import annotations

import inspect
import json as json_text
from importlib.util import find_spec
from typing import Any

from rich.padding import Padding

from avloc.cli.console import screen_console
from avloc.cli.grounded import GROUNDED, GROUNDED_WORDS
from avloc.cli.train import OWN, OWN_WORDS
from avloc.config import JointRunConfig, NetworkConfig, RunConfig
from avloc.recipes.table import RECIPES


def recipes(json: bool = False) -> int:
    """List the recipes of `avloc train`: method, features, size, and where the settings come from.

    examples:
      avloc recipes
      avloc recipes --json

    Args:
        json: Print JSON alone.
    """
    rows = [_row(name) for name in RECIPES]
    others = ((OWN, OWN_WORDS), (GROUNDED, GROUNDED_WORDS))
    if json:
        print(json_text.dumps([*rows, *({"recipe": name, "about": words} for name, words in others)], indent=1))
        return 0
    screen = screen_console()
    for row in rows:
        size = "" if row["parameters"] is None else f", {row['parameters'] / 1e6:.2f} M parameters"
        facts = f"{row['method']}{size}, {row['features']} wide, {row['steps']} steps"
        screen.print(f"[bold]{row['recipe']}[/bold]  {facts}", soft_wrap=True)
        screen.print(Padding(row["about"], (0, 0, 0, 4)))
    for name, words in others:
        screen.print(f"[bold]{name}[/bold]", soft_wrap=True)
        screen.print(Padding(words, (0, 0, 0, 4)))
    return 0


def _row(name: str) -> dict[str, Any]:
    run = RECIPES[name]()
    network = run.network
    widths = f"{network.visual_width} + {network.audio_width}"
    return {
        "recipe": name,
        "method": network.method,
        "features": f"{' and '.join(_layouts(run))}, {widths}",
        "steps": run.train.longest_steps,
        "parameters": _parameters(network),
        "about": " ".join((inspect.getdoc(RECIPES[name]) or "").split()),
    }


def _layouts(run: RunConfig) -> list[str]:
    sets = list(run.sets.values()) if isinstance(run, JointRunConfig) else [run.data]
    return list(dict.fromkeys(data.layout for data in sets))


def _parameters(network: NetworkConfig) -> int | None:
    """Counted on a network without memory; None where torch is not installed."""
    if find_spec("torch") is None:
        return None
    from avloc.training.describe import count_parameters

    return count_parameters(network)
