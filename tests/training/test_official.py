"""Official checkpoints > our networks: every name and size, what is refused, and what a model folder keeps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from avloc import zoo
from avloc.checkpoints import read_checkpoint
from avloc.cli.import_model import _of_unav100
from avloc.cli.main import main
from avloc.config import ActionFormerConfig, ModelConfig, NetworkConfig, RunConfig, TriDetConfig, UniavConfig
from avloc.detector import Detector
from avloc.errors import AvlocError, ModelError
from avloc.features.sequence import FeatureSequence
from avloc.formats.class_names import read_labels
from avloc.models.build import build_network
from avloc.models.network import Network
from avloc.recipes.features import features_of
from avloc.recipes.table import RECIPES
from avloc.training.checkpoint import load_model
from avloc.training.export import export_model
from avloc.training.official import import_model, own_name, recipe_that_fits, take_official

KEYS = Path(__file__).parents[3] / "shared" / "methods" / "keys"
"""Names and sizes of the authors' full-width networks, where they lie."""
WHOLE = {
    "actionformer_unav": "actionformer-unav100-i3d-vggish",
    "actionformer_thumos": "actionformer-thumos14",
    "actionformer_anet": "actionformer-anet-i3d",
    "tridet_unav": "tridet-unav100-i3d-vggish",
    "tridet_thumos": "tridet-thumos14",
    "tridet_anet": "tridet-anet-tsp",
    "tridet_hacs": "tridet-hacs-i3d",
    "unav": "unav-unav100-i3d-vggish",
    "unav_onepeace": "unav-unav100-onepeace",
    "uniav_avel": "uniav-unav100-onepeace",
    "uniav": "uniav-at-onepeace",
    "ccnet": "ccnet-unav100-i3d-vggish",
    "ccnet_onepeace": "ccnet-unav100-onepeace",
}
SMALL: dict[str, NetworkConfig] = {
    "actionformer": ActionFormerConfig(
        classes=2, visual_width=5, audio_width=3, steps=32, width=16, levels=2, stem_blocks=1, head_width=8
    ),
    "tridet": TriDetConfig(
        classes=2,
        visual_width=5,
        audio_width=3,
        steps=32,
        width=16,
        levels=2,
        stem_blocks=1,
        head_width=8,
        hidden=24,
        bins=2,
    ),
}


def _head(name: str, out: int, last: str) -> dict[str, tuple[int, ...]]:
    sizes: dict[str, tuple[int, ...]] = {
        f"{name}.head.0.conv.weight": (8, 16, 3),
        f"{name}.head.1.conv.weight": (8, 8, 3),
    }
    sizes |= {f"{name}.norm.{i}.{part}": (1, 8, 1) for i in (0, 1) for part in ("weight", "bias")}
    return {**sizes, f"{name}.{last}.conv.weight": (out, 8, 3), f"{name}.{last}.conv.bias": (out,)}


def _shared(levels: int = 2) -> dict[str, tuple[int, ...]]:
    sizes: dict[str, tuple[int, ...]] = {
        "backbone.embd.0.conv.weight": (16, 8, 3),
        "backbone.embd.1.conv.weight": (16, 16, 3),
    }
    for i in (0, 1):
        for part in ("weight", "bias"):
            sizes[f"backbone.embd_norm.{i}.{part}"] = sizes[f"neck.fpn_norms.{i}.{part}"] = (1, 16, 1)
    return sizes | {f"reg_head.scale.{level}.scale": () for level in range(levels)} | _head("cls_head", 2, "cls_head")


def _attention(block: str) -> dict[str, tuple[int, ...]]:
    sizes: dict[str, tuple[int, ...]] = {}
    for part in ("weight", "bias"):
        norms = ("ln1", "ln2", "attn.query_norm", "attn.key_norm", "attn.value_norm")
        sizes |= {f"{block}.{norm}.{part}": (1, 16, 1) for norm in norms}
        shape = (16, 16, 1) if part == "weight" else (16,)
        sizes |= {f"{block}.attn.{name}.{part}": shape for name in ("query", "key", "value", "proj")}
    sizes |= {f"{block}.attn.{name}_conv.conv.weight": (16, 1, 3) for name in ("query", "key", "value")}
    sizes |= {f"{block}.mlp.0.weight": (64, 16, 1), f"{block}.mlp.0.bias": (64,)}
    sizes |= {f"{block}.mlp.3.weight": (16, 64, 1), f"{block}.mlp.3.bias": (16,)}
    return sizes | {f"{block}.drop_path_{name}.scale": (1, 16, 1) for name in ("attn", "mlp")}


def _sgp(block: str, has_scales: bool) -> dict[str, tuple[int, ...]]:
    sizes: dict[str, tuple[int, ...]] = {f"{block}.ln.{part}": (1, 16, 1) for part in ("weight", "bias")}
    sizes |= {f"{block}.gn.{part}": (16,) for part in ("weight", "bias")}
    for name, kernel in (("psi", 1), ("fc", 1), ("convw", 1), ("convkw", 11), ("global_fc", 1)):
        sizes |= {f"{block}.{name}.weight": (16, 1, kernel), f"{block}.{name}.bias": (16,)}
    sizes |= {f"{block}.mlp.0.weight": (24, 16, 1), f"{block}.mlp.0.bias": (24,)}
    sizes |= {f"{block}.mlp.2.weight": (16, 24, 1), f"{block}.mlp.2.bias": (16,)}
    return sizes | ({f"{block}.drop_path_{name}.scale": (1, 16, 1) for name in ("out", "mlp")} if has_scales else {})


NAMES: dict[str, dict[str, tuple[int, ...]]] = {
    "actionformer": {
        **_shared(),
        **_head("reg_head", 2, "offset_head"),
        **_attention("backbone.stem.0"),
        **_attention("backbone.branch.0"),
    },
    "tridet": {
        **_shared(),
        **_head("reg_head", 6, "offset_head"),
        **_head("start_head", 2, "cls_head"),
        **_head("end_head", 2, "cls_head"),
        **_sgp("backbone.stem.0", False),
        **_sgp("backbone.branch.0", True),
    },
}
"""Small networks as the authors' code would save them."""
methods = pytest.mark.parametrize("method", NAMES)


def state_of(method: str) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(size, generator=generator) for name, size in NAMES[method].items()}


@pytest.mark.parametrize("keys", WHOLE)
def test_every_name_and_size_of_the_authors_networks(keys: str) -> None:
    path = KEYS / f"{keys}.json"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    about = json.loads(path.read_text())
    config = RECIPES[WHOLE[keys]]().network
    if isinstance(config, UniavConfig):  # their embeddings of classes are no part of a checkpoint
        others = tuple((task, classes, "given", steps) for task, classes, _, steps in config.others)
        config = replace(config, class_embeddings="given", others=others)
    with torch.device("meta"):
        network = build_network(config)
    take_official(network, {name: torch.zeros(size, device="meta") for name, size in about["keys"].items()}, keys)
    assert sum(p.numel() for p in network.parameters()) == about["parameters"]


@methods
def test_values_come_to_their_place(method: str) -> None:
    network, state = build_network(SMALL[method]), state_of(method)
    take_official(network, state, method)
    own = network.state_dict()
    for official, tensor in state.items():
        name, entry = own_name(official, network)
        found = own[name] if entry is None else own[name][entry]
        assert torch.equal(found.flatten(), tensor.flatten()), official
    assert sum(t.numel() for t in own.values()) == sum(t.numel() for t in state.values())


@methods
def test_leftovers_on_either_side_are_refused(method: str) -> None:
    network, state = build_network(SMALL[method]), state_of(method)
    with pytest.raises(ModelError, match=r"x: backbone\.posE is unknown to"):
        take_official(network, {**state, "backbone.posE": torch.zeros(1)}, "x")
    short = {name: tensor for name, tensor in state.items() if "neck" not in name}
    with pytest.raises(ModelError, match=r"x: neck\.norms\.0\.weight, .* \(and 1 more\) is needed by"):
        take_official(network, short, "x")
    with pytest.raises(ModelError, match=r"x: regress\.scales has 1 entries; 2 are needed"):
        take_official(network, {n: t for n, t in state.items() if n != "reg_head.scale.1.scale"}, "x")
    with pytest.raises(ModelError, match=r"x: classify\.convs\.last\.conv\.bias is \(3,\); \(2,\) is needed"):
        take_official(network, {**state, "cls_head.cls_head.conv.bias": torch.zeros(3)}, "x")
    twice = {**state, "classify.convs.last.conv.bias": torch.zeros(2)}
    with pytest.raises(ModelError, match="is unknown to"):
        take_official(network, twice, "x")


def test_a_method_without_a_table() -> None:
    with pytest.raises(ModelError, match="no table of official names for loco"):
        take_official(build_network(RECIPES["loco-small"]().network), {}, "x")


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("executed",)


def test_checkpoints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The average is preferred, a wrapper's prefix goes, single precision comes of halves; nothing is executed."""
    path = tmp_path / "a.pth.tar"
    weights = {"module.a": torch.ones(2, dtype=torch.float16)}
    torch.save({"epoch": 3, "state_dict": {"b": torch.zeros(1)}, "state_dict_ema": weights, "optimizer": {}}, path)
    assert list(read_checkpoint(path)) == ["a"]
    torch.save({"b": torch.zeros(1)}, path)
    assert list(read_checkpoint(path)) == ["b"]
    for held in ({"epoch": 3}, [1, 2], {}, {"state_dict": {}}):
        torch.save(held, path)
        with pytest.raises(ModelError, match="holds no weights"):
            read_checkpoint(path)
    torch.save({"state_dict": {"a": _Evil()}}, path)
    with pytest.raises(ModelError, match="no checkpoint of tensors alone"):
        read_checkpoint(path)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ModelError, match="no checkpoint of tensors alone"):
        read_checkpoint(path)
    with pytest.raises(ModelError, match="cannot be read"):
        read_checkpoint(tmp_path / "missing")
    assert "executed" not in capsys.readouterr().out


def imported(method: str, folder: Path) -> tuple[Network, ModelConfig]:
    recipe = RECIPES[f"{method}-unav100-i3d-vggish"]
    whole = recipe()
    run: RunConfig = replace(whole, network=SMALL[method], train=replace(whole.train, longest_steps=32))
    path = folder / "a.pth.tar"
    state = {name: 0.1 * tensor for name, tensor in state_of(method).items()}
    reaching = ("reg_head.scale.", "reg_head.offset_head.conv.bias")  # segments that are not empty
    state = {name: torch.ones_like(t) if name.startswith(reaching) else t for name, t in state.items()}
    torch.save({"state_dict_ema": {f"module.{name}": tensor for name, tensor in state.items()}}, path)
    return import_model(read_checkpoint(path), str(path), run, features_of(recipe), ["a", "b"], folder / "model")


@methods
def test_a_model_folder_keeps_single_precision(method: str, tmp_path: Path) -> None:
    network, config = imported(method, tmp_path)
    loaded, again = load_model(tmp_path / "model")
    assert again == config and config.features.streams.visual == "i3d-vggish" and config.features.stride_s == 0.32
    for (name, own), kept in zip(network.state_dict().items(), loaded.state_dict().values(), strict=True):
        assert kept.dtype == torch.float32 and torch.equal(own, kept), name


def test_an_imported_model_is_exported_and_detects(tmp_path: Path) -> None:
    _, config = imported("actionformer", tmp_path)
    out = tmp_path / "model"
    export_model(out)
    assert {p.name for p in out.iterdir()} == {zoo.CONFIG, zoo.WEIGHTS, zoo.ONNX}
    rng, steps = np.random.default_rng(0), 50
    detector = Detector.load(out, threads=1)
    visual, audio = (rng.standard_normal((steps, width)).astype(np.float32) for width in (5, 3))
    none = np.zeros((steps, 0), np.float32)
    duration_s = float(detector.grid.to_seconds(steps - 0.5))
    features = FeatureSequence(detector.grid, duration_s, visual, audio, none, none, config.features.streams)
    assert len(detector.detect_features(features).all_events) > 0


def verb(path: Path, labels: Path, out: Path, method: str = "tridet", like: str = "tridet-small") -> int:
    return main(["import", method, str(path), "--like", like, "--labels", str(labels), "--out", str(out)])


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path, labels, out = tmp_path / "a.pth.tar", tmp_path / "labels.txt", tmp_path / "model"
    monkeypatch.setitem(RECIPES, "tridet-small", lambda: RunConfig(network=SMALL["tridet"]))
    torch.save({"state_dict": state_of("tridet")}, path)
    labels.write_text("dog\n\ncat\n")
    assert verb(path, labels, out) == 0
    assert "2 classes" in capsys.readouterr().out and load_model(out)[1].labels == ("dog", "cat")


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("2 labels were given for the 100 classes", {}),
        ("did you mean tridet-small?", {"like": "tridet-smal"}),
        ("is a recipe of tridet, not of actionformer", {"method": "actionformer"}),
    ],
)
def test_what_the_verb_refuses(
    words: str, change: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, labels, out = tmp_path / "a.pth.tar", tmp_path / "labels.txt", tmp_path / "model"
    torch.save({"state_dict": state_of("tridet")}, path)
    labels.write_text("dog\ncat\n")
    assert verb(path, labels, out, **change) == 1
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1 and not out.exists()


def test_a_checkpoint_of_another_recipe_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, labels, out = tmp_path / "a.pth.tar", tmp_path / "labels.txt", tmp_path / "model"
    torch.save({"state_dict": state_of("tridet")}, path)
    labels.write_text("\n".join(map(str, range(100))))
    assert verb(path, labels, out) == 1
    said = capsys.readouterr().err
    assert "is another recipe" not in said and "of another recipe?" in said and not out.exists()
    assert verb(path, tmp_path / "none.txt", out) == 1 and "cannot be read as text" in capsys.readouterr().err


def test_networks_say_their_own_names() -> None:
    assert Network.official_names == ()


@pytest.mark.skipif(not KEYS.is_dir(), reason="needs the lists of official names")
@pytest.mark.parametrize("keys", [name for name in WHOLE if "uniav" not in name])
def test_the_recipe_that_fits_is_found(keys: str) -> None:
    sizes = json.loads((KEYS / f"{keys}.json").read_text())["keys"]
    state = {name: torch.zeros(size, device="meta") for name, size in sizes.items()}  # no memory
    method = WHOLE[keys].split("-", maxsplit=1)[0]
    runs = {name: make() for name, make in RECIPES.items() if name.startswith(f"{method}-")}
    assert recipe_that_fits(state, runs, "x") == WHOLE[keys]
    with pytest.raises(ModelError, match=r"x: fits none of .*; lay settings over one with --like"):
        recipe_that_fits({**state, "more": torch.zeros(1)}, runs, "x")
    with pytest.raises(ModelError, match=r"x: fits a, b; choose one with --like"):
        recipe_that_fits(state, dict.fromkeys("ab", runs[WHOLE[keys]]), "x")


def test_the_classes_of_unav100_are_known() -> None:
    path = KEYS.parents[1] / "data" / "unav100_annotations.json"
    if not path.is_file():
        pytest.skip("needs the official annotations")
    assert tuple(_of_unav100("unav-unav100-onepeace")) == read_labels(path)
    with pytest.raises(AvlocError, match=r"tadtr-thumos14 is not for UnAV-100; name its classes with --labels"):
        _of_unav100("tadtr-thumos14")


def test_what_is_no_plain_weight_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth.tar"
    for state, said in (
        ({"a": torch.zeros(1), "module.a": torch.ones(1)}, "holds a tensor twice"),
        ({"a": torch.zeros(2).to_sparse()}, "a is no tensor of plain numbers"),
        ({"a": torch.zeros(1, dtype=torch.complex64)}, "a is no tensor of plain numbers"),
    ):
        torch.save(state, path)
        with pytest.raises(ModelError, match=said):
            read_checkpoint(path)
    network, state = build_network(SMALL["tridet"]), state_of("tridet")
    first = "reg_head.scale.0.scale"
    for change, said in (
        ({"regress.scales": torch.full((2,), 9.0)}, "is there whole and in 2 entries"),
        ({first: torch.zeros(5)}, "has entries of several sizes"),
        ({first: torch.zeros(1, dtype=torch.int64)}, "holds whole numbers"),
    ):
        with pytest.raises(ModelError, match=said):
            take_official(network, {**state, **change}, "x")


def test_a_folder_with_a_model_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, labels, out = tmp_path / "a.pth.tar", tmp_path / "labels.txt", tmp_path / "model"
    monkeypatch.setitem(RECIPES, "tridet-small", lambda: RunConfig(network=SMALL["tridet"]))
    torch.save({"state_dict": state_of("tridet")}, path)
    labels.write_text("dog\ncat\n")
    assert verb(path, labels, out) == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    assert verb(path, labels, out) == 1 and "holds a model already" in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
