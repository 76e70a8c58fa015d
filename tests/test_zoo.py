"""Model folders: found by name or path, and one clear line where they are broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avloc import load, zoo
from avloc.config import FeatureConfig, LocoConfig, ModelConfig, to_dict
from avloc.errors import ModelError, OutputError

CONFIG = ModelConfig("tiny", ("a", "b"), FeatureConfig(), LocoConfig(classes=2))


def line(caught: pytest.ExceptionInfo[ModelError]) -> str:
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_there_and_back(tmp_path: Path) -> None:
    zoo.write_config(tmp_path, CONFIG)
    assert zoo.read_config(tmp_path) == CONFIG
    assert zoo.find_model(tmp_path) == zoo.find_model(str(tmp_path)) == tmp_path


def test_shipped_models_are_found_by_name() -> None:
    for name in zoo.shipped_names():
        folder = zoo.find_model(name)
        assert zoo.read_config(folder).labels
        assert (folder / zoo.ONNX).is_file()


@pytest.mark.parametrize("given", ["no-such-model", "", "a/b/c", "zero\0byte", "n" * 5000])
def test_no_model_of_that_name(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError) as caught:
        zoo.find_model(given)
    assert "give a model folder or a shipped model" in line(caught)


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        zoo.find_model(tmp_path)
    assert "a folder without a readable config.json" in line(caught)


def broken(**changes: Any) -> bytes:
    return json.dumps({**to_dict(CONFIG), **changes}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"name": 1' + b"0" * 5000 + b"}",
        broken(labels=None),
        broken(netwrk={}),
        broken(network={"width": "wide"}),
        broken(show_score=10**400),
    ],
    ids=range(11),
)
def test_a_config_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / zoo.CONFIG).write_bytes(content)
    with pytest.raises(ModelError) as caught:
        zoo.read_config(tmp_path)
    assert "cannot be read as a model's config" in line(caught)


def test_a_config_too_large_to_be_one(tmp_path: Path) -> None:
    with (tmp_path / zoo.CONFIG).open("wb") as f:
        f.truncate(20_000_000)
    with pytest.raises(ModelError) as caught:
        zoo.read_config(tmp_path)
    assert "larger than" in line(caught)


def test_a_config_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        zoo.read_config(tmp_path)
    assert zoo.CONFIG in line(caught)


def test_a_folder_without_network_names_the_way_to_one(tmp_path: Path) -> None:
    zoo.write_config(tmp_path, CONFIG)
    with pytest.raises(ModelError) as caught:
        load(tmp_path)
    assert f"avloc export {tmp_path}" in line(caught)


def test_nowhere_to_write(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        zoo.write_config(tmp_path / "missing", CONFIG)
