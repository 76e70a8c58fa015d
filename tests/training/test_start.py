"""A network for other classes: what does not depend on the class is copied, known classes keep their rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny import NETWORK

from avloc.config import FeatureConfig, ModelConfig
from avloc.errors import ModelError
from avloc.models.loco.network import Loco
from avloc.models.network import Network
from avloc.training.checkpoint import load_model, save_model
from avloc.training.start import start_network, take_weights
from avloc.zoo import find_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    save_model(tmp_path, Loco(NETWORK), ModelConfig("s", ("cat", "dog", "owl"), FeatureConfig(), NETWORK))
    return tmp_path


def test_rows_of_classes(folder: Path) -> None:
    source, _ = load_model(folder)
    network, config = start_network(folder, ("dog", "frog", "rain", "cat"), seed=0)
    assert config.labels == ("dog", "frog", "rain", "cat") and config.network == replace(NETWORK, classes=4)
    old, new = source.state_dict(), network.state_dict()
    by_class = {name for name in old if ".last." in name}
    assert by_class and all(torch.equal(old[n], new[n]) for n in old if n not in by_class)
    for name in by_class:
        rows = len(old[name]) // 3
        before, after = old[name].unflatten(0, (3, rows)), new[name].unflatten(0, (4, rows))
        assert torch.equal(after[0], before[1]) and torch.equal(after[3], before[0])
        assert torch.equal(after[1], before.mean(0)) and torch.equal(after[2], before.mean(0))


def test_a_known_class_is_found_as_before(folder: Path) -> None:
    source, _ = load_model(folder)
    network = start_network(folder, ("owl", "new"), seed=0)[0].eval()
    visual, audio, mask = torch.randn(1, 16, 8), torch.randn(1, 16, 6), torch.ones(1, 16, dtype=torch.bool)
    with torch.no_grad():
        before, after = source(visual, audio, mask), network(visual, audio, mask)
    torch.testing.assert_close(after.logits[..., 0], before.logits[..., 2])
    torch.testing.assert_close(after.offsets[..., 0, :], before.offsets[..., 2, :])


def test_from_scratch_takes_no_weight_and_the_seed_makes_all(folder: Path) -> None:
    source, _ = load_model(folder)
    one, other, third = (
        start_network(folder, ("cat", "dog", "owl"), seed=s, from_scratch=True)[0].state_dict() for s in (0, 0, 1)
    )
    name = "visual.convs.0.conv.weight"
    assert all(torch.equal(one[n], other[n]) for n in one)
    assert not torch.equal(one[name], third[name]) and not torch.equal(one[name], source.state_dict()[name])


def test_what_does_not_fit_is_listed(folder: Path) -> None:
    source, _ = load_model(folder)
    wider = Loco(replace(NETWORK, classes=2, visual_width=9))
    before = {name: t.clone() for name, t in wider.state_dict().items()}
    taken = take_weights(wider, ("owl", "new"), folder)
    assert taken.left == ("visual.convs.0.conv.weight",) and taken.known == ("owl",)
    assert set(taken.taken) == set(before) - set(taken.left)
    after = wider.state_dict()
    assert torch.equal(after["visual.convs.0.conv.weight"], before["visual.convs.0.conv.weight"])
    assert torch.equal(after["audio.convs.0.conv.weight"], source.state_dict()["audio.convs.0.conv.weight"])


def test_nothing_fits_or_nothing_can_be_learned(folder: Path) -> None:
    class Other(Network):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)

    with pytest.raises(ModelError, match="none of its weights fits"):
        take_weights(Other(), ("cat",), folder)
    with pytest.raises(ModelError, match="are not learned from labels; start from loco"):
        start_network(find_model("default"), ("cat",), seed=0)
