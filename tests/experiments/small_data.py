"""A small simulated data set and a recipe whose training takes a second."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from avloc.config import RunConfig
from avloc.datasets.annotations import read_annotations
from avloc.datasets.simulate import simulate
from avloc.recipes.loco import loco_small

SPLITS = {"train": 8, "validation": 3, "test": 4}

SETTINGS = (
    "network.width=16",
    "network.heads=2",
    "network.levels=3",
    "network.ffn_ratio=1",
    "train.epochs=2",
    "train.warmup_epochs=1",
    "train.batch=4",
    "train.validate_every=1",
)


def make_data(folder: Path) -> Path:
    """Fifteen videos of three classes; the folder of features, with annotations.json in it."""
    rng = np.random.default_rng(0)
    database = {}
    for subset, count in SPLITS.items():
        for i in range(count):
            start = float(rng.uniform(0, 8))
            segment = [round(start, 2), round(start + float(rng.uniform(1.5, 6)), 2)]
            label = ("bark", "horn", "clap")[i % 3]
            database[f"{subset}{i:02d}"] = {
                "duration": 15.0,
                "subset": subset,
                "annotations": [{"segment": segment, "label": label}],
            }
    truth = folder / "truth.json"
    truth.write_text(json.dumps({"database": database}))
    simulate(read_annotations(truth), folder / "sim", "onepeace", SPLITS, width=64, workers=1)
    return folder / "sim"


def recipe_on(data: Path) -> RunConfig:
    recipe = loco_small()
    place = replace(recipe.data, features=str(data), annotations=str(data / "annotations.json"))
    return replace(recipe, data=place)
