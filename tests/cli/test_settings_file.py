"""Settings from a file over a recipe, flags over both; what is wrong in the file is one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avloc.cli.settings_file import laid_over, named_file
from avloc.config import ActionFormerConfig, DenseLossConfig, RunConfig, to_dict
from avloc.errors import ConfigError
from avloc.recipes.loco import loco_small

pytest.importorskip("yaml", reason="PyYAML is not installed")


def written(folder: Path, text: str) -> Path:
    path = folder / "my.yaml"
    path.write_text(text)
    return path


def test_the_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    text = "# mine\ntrain: {learning_rate: 1e-4, crop_share: [0.5, 1]}\nnetwork:\n  attention:\n    kind: fixed\n"
    got, small = to_dict(laid_over(loco_small(), written(tmp_path, text))), to_dict(loco_small())
    small["train"] |= {"learning_rate": 1e-4, "crop_share": (0.5, 1.0)}
    small["network"]["attention"]["kind"] = "fixed"
    assert got == small


def test_settings_of_a_former_run_are_such_a_file(tmp_path: Path) -> None:
    text = json.dumps(to_dict(RunConfig()), indent=1)
    assert laid_over(loco_small(), written(tmp_path, text)) == RunConfig()
    assert laid_over(loco_small(), written(tmp_path, "# empty\n")) == loco_small()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("network: {widht: 3}", r"^my.yaml.network of loco has no setting 'widht'; did you mean 'width'\?"),
        ("netwrok: {width: 3}", r"^my.yaml has no setting 'netwrok'; did you mean 'network'\?"),
        ("train: {learning_rate: high}", r"^my.yaml.train.learning_rate is 'high'; float is needed"),
        ("train: 3", r"^my.yaml.train is int; a group of settings is needed"),
        ("[1, 2]", r"^my.yaml is list; a group of settings is needed"),
        ("train: {epochs: 0}", r"^train.epochs is 0; at least 1 is needed"),
        ("train: [", r"my.yaml: cannot be read as settings .*; YAML or JSON is needed"),
        ("a: !!python/object/apply:os.getcwd []", r"cannot be read as settings"),
    ],
)
def test_what_is_wrong_is_one_line(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        laid_over(loco_small(), written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.yaml: cannot be read as settings"):
        laid_over(loco_small(), tmp_path / "none.yaml")


def test_the_file_is_found_on_the_command_line() -> None:
    assert named_file(["train", "loco-small", "--config", "a.yaml"], "--config") == Path("a.yaml")
    assert named_file(["train", "--config=b.json", "loco-small"], "--config") == Path("b.json")
    assert named_file(["train", "loco-small", "--configs", "a"], "--config") is None
    assert named_file(["train", "--config"], "--config") is None


def test_another_method_begins_with_its_own_settings(tmp_path: Path) -> None:
    text = "network: {method: actionformer, heads: 2}\nloss: {method: dense}\n"
    changed = laid_over(loco_small(), written(tmp_path, text))
    assert changed.network == ActionFormerConfig(heads=2) and changed.loss == DenseLossConfig()
    assert changed.train == loco_small().train
