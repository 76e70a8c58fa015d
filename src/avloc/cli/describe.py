"""`avloc describe`: what a recipe's network is made of, and what it costs."""

from __future__ import annotations

import json as json_text
from dataclasses import asdict
from typing import Annotated

import tyro
from rich.table import Table

from avloc.cli.console import screen_console
from avloc.cli.train import NetworkRecipe, with_training
from avloc.errors import AvlocError


def describe(
    recipe: Annotated[NetworkRecipe, tyro.conf.arg(name="")],
    length: int = 256,
    json: bool = False,
) -> int:
    """Count the parameters and multiply-accumulates of a recipe's network, part by part.

    examples:
      avloc describe loco-unav100-onepeace --length 256
      avloc describe loco-small --network.attention.kind global --json

    Args:
        recipe: Named settings to start from.
        length: Steps of the one video that is counted.
        json: Print JSON alone.
    """
    with_training()
    if length < 1:
        raise AvlocError(f"--length is {length}; 1 step or more is needed")
    from avloc.training.describe import describe as count

    found = count(recipe.network, length)
    if json:
        print(json_text.dumps(asdict(found), indent=1))
        return 0
    table = Table(title=f"one video of {found.length} steps", title_justify="left")
    for column in ("part", "parameters", "multiply-accumulates"):
        table.add_column(column, justify="left" if column == "part" else "right")
    for part in found.parts:
        table.add_row(part.name, f"{part.parameters / 1e6:.2f} M", f"{part.macs / 1e9:.3f} G")
    table.add_section()
    table.add_row("detection in all", f"{found.parameters / 1e6:.2f} M", f"{found.macs / 1e9:.3f} G")
    table.add_section()
    for part in found.details:
        table.add_row(f"of these: {part.name}", f"{part.parameters / 1e6:.3f} M", f"{part.macs / 1e9:.4f} G")
    screen = screen_console()
    screen.print(table)
    screen.print(f"weights in single precision: {found.weight_bytes / 1e6:.1f} MB")
    return 0
