"""The recipe of `loco` is that of the weights that ship: the same network, but for its classes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avloc import zoo
from avloc.recipes.loco import loco_composed
from avloc.recipes.table import RECIPES


def test_the_network_is_the_shipped_one() -> None:
    shipped, run = zoo.read_config(zoo.find_model("loco")), loco_composed()
    assert replace(run.network, classes=len(shipped.labels)) == shipped.network
    assert run.train.longest_steps == shipped.window_steps and run.data.layout == "avloc" and run.data.scores
    assert RECIPES["loco-composed"] is loco_composed


def test_shipped_weights_fit_what_the_recipe_builds() -> None:
    pytest.importorskip("torch")
    from avloc.models.build import build_network
    from avloc.training.start import take_weights

    run, folder = loco_composed(), zoo.find_model("loco")
    labels = zoo.read_config(folder).labels
    taken = take_weights(build_network(replace(run.network, classes=len(labels))), labels, folder)
    assert not taken.left and taken.known == labels
