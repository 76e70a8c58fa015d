"""A run's key follows what its result depends on: settings and data, not places."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avloc.config import RunConfig
from avloc.errors import FeatureError, FormatError
from avloc.experiments.grid import attention, divergence, objective, pooled_stream, window, without_lcc
from avloc.experiments.key import DataIdentity, identify, run_key

DATA = DataIdentity("a", "onepeace", "f", 2)
RUN = RunConfig()
KEY = run_key(RUN, DATA, "test")


def data_set(folder: Path) -> Path:
    folder.mkdir()
    for name in ("v_audio.npy", "v_video.npy"):
        np.save(folder / name, np.zeros((4, 8), np.float16))
    (folder / "annotations.json").write_text(json.dumps({"database": {}}))
    return folder


def test_known_settings_keep_their_key() -> None:
    """Fails when a setting was added: name it in config/later.py, with the value that means what was done before.
    Where the same settings give other results than before, raise its VERSION instead, and put the new key here."""
    assert KEY == "3984536b5a874e3f"


@pytest.mark.parametrize(
    "change",
    [
        lambda run: replace(run, data=replace(run.data, features="elsewhere", annotations="b.json", cache=False)),
        lambda run: replace(run, train=replace(run.train, save_every_minutes=1.0)),
    ],
)
def test_places_and_habits_are_no_part_of_it(change: Callable[[RunConfig], RunConfig]) -> None:
    assert run_key(change(RUN), DATA, "test") == KEY


@pytest.mark.parametrize(
    "change",
    [
        attention("fixed"),
        window(4),
        objective("diagonal"),
        divergence("kl"),
        pooled_stream("key"),
        without_lcc,
        lambda run: replace(run, train=replace(run.train, seed=1)),
        lambda run: replace(run, train=replace(run.train, learning_rate=2e-4)),
        lambda run: replace(run, decoding=replace(run.decoding, keep=200)),
        lambda run: replace(run, data=replace(run.data, validation_split="test")),
    ],
)
def test_a_changed_setting_is_another_run(change: Callable[[RunConfig], RunConfig]) -> None:
    assert run_key(change(RUN), DATA, "test") != KEY


def test_other_data_are_another_run() -> None:
    others = [
        replace(DATA, annotations="b"),
        replace(DATA, layout="avloc"),
        replace(DATA, features="g"),
    ]
    keys = {run_key(RUN, other, "test") for other in others} | {run_key(RUN, DATA, "validation"), KEY}
    assert len(keys) == 5


def test_data_keep_their_identity_where_they_are_moved(tmp_path: Path) -> None:
    here = data_set(tmp_path / "here")
    before = identify(here, here / "annotations.json", "onepeace")
    (here / "notes.txt").write_text("no feature file")
    assert identify(here, here / "annotations.json", "onepeace") == before
    there = here.rename(tmp_path / "there")
    assert identify(there, there / "annotations.json", "onepeace") == before and before.files == 2
    np.save(there / "v_audio.npy", np.zeros((5, 8), np.float16))
    longer = identify(there, there / "annotations.json", "onepeace")
    assert longer.features != before.features
    (there / "annotations.json").write_text(json.dumps({"database": {"v": {}}}))
    assert identify(there, there / "annotations.json", "onepeace").annotations != before.annotations


def test_missing_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="--annotations"):
        identify(tmp_path, tmp_path / "none.json", "onepeace")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(FeatureError, match="--data"):
        identify(tmp_path / "none", tmp_path / "a.json", "onepeace")
