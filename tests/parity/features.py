"""Numbers of the public feature extractors (AVLOC_PARITY, else shared/parity beside the checkout), their weights."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from published import FOLDER, parameters
from safetensors.torch import load_file
from torch import Tensor

__all__ = ["FOLDER", "FeatureFixture", "opened", "parameters"]


@cache
def opened(path: Path) -> FeatureFixture:
    """The fixture of a file, read once."""
    return FeatureFixture(path)


class FeatureFixture:
    """What an extractor was given and what it said."""

    def __init__(self, path: Path) -> None:
        self.about: dict[str, Any] = json.loads(path.read_text())
        self.tensors = load_file(path.with_suffix(".safetensors"))

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def named(self, beginning: str) -> dict[str, Tensor]:
        """All tensors whose names begin so, by the rest of the name."""
        return {k.removeprefix(beginning): t for k, t in self.tensors.items() if k.startswith(beginning)}

    @property
    def tolerance(self) -> float:
        """Thrice how far the same code in double precision is off, on its output.

        Twice is what two programs in single precision may differ by; other machines add in another order.
        """
        return 3 * float(self.about["noise"]["float32 against float64"]["output"]["max_abs_diff"])

    def weights(self) -> dict[str, Tensor]:
        """Under official names: stored ones, or drawn anew by the fixture's own rule."""
        stored = self.named("weights/")
        return {k: t.float() for k, t in stored.items()} if stored else drawn(self.about["weights_recipe"])

    def assert_mean_and_rms(self, name: str, found: Tensor, channels: int = 1) -> None:
        """The stage's mean and root mean square by channel."""
        by_channel = found.detach().double().transpose(0, channels).flatten(1)
        own = torch.stack([by_channel.mean(1), by_channel.square().mean(1).sqrt()])
        torch.testing.assert_close(own.float(), self[f"stage/{name}"], atol=2e-5, rtol=1e-4)


def drawn(recipe: dict[str, Any]) -> dict[str, Tensor]:
    """Random weights by the rule that the fixture's file words; its checksums hold."""
    rng = np.random.Generator(np.random.PCG64(recipe["seed"]))
    weights: dict[str, Tensor] = {}
    for name in sorted(recipe["recipe_names"], key=str.encode):
        shape = recipe["recipe_names"][name]
        z = rng.standard_normal(size=shape)
        if name.endswith("running_var"):
            value = 0.75 + 0.25 * np.abs(z)
        elif name.endswith("running_mean"):
            value = 0.1 * z
        elif name.endswith("bias"):
            value = recipe["bias_std"] * z
        elif len(shape) == 1:
            value = 1 + 0.1 * z
        else:
            gains = recipe["gains"]
            gain = next((gains[key] for key in gains if key != "default" and key in name), gains["default"])
            value = gain * z / np.sqrt(np.prod(shape[1:]))
        weights[name] = torch.from_numpy(np.asarray(value, np.float32))
    weights |= {name: weights[source] for name, source in recipe["copies"].items()}
    for name, (total, squares) in recipe.get("checksums", {}).items():
        tensor = weights[name].double()
        assert float(tensor.sum()) == pytest.approx(total, rel=1e-6), name
        assert float(tensor.abs().sum()) == pytest.approx(squares, rel=1e-6) or float(
            tensor.square().sum()
        ) == pytest.approx(squares, rel=1e-6), name
    return weights
