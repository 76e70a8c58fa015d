"""I3D against the public extractor: stages, features, logits; scaling, cropping and the quantised flow before it."""

from __future__ import annotations

import re

import pytest
import torch
from comparing import keep
from torch import Tensor

from avloc.features.extractors.pretrained.i3d import I3dNetwork
from avloc.features.extractors.pretrained.pictures import centre, quantised, scaled, to_unit, with_shorter_edge
from avloc.features.extractors.pretrained.senses_i3d import SIDE
from features import FeatureFixture, opened, parameters


@pytest.fixture(params=[*parameters("feat_i3d_rgb"), *parameters("feat_i3d_flow")], scope="module")
def fixture(request: pytest.FixtureRequest) -> FeatureFixture:
    return opened(request.param)


def small_input(fixture: FeatureFixture) -> Tensor:
    """(T, C, H, W) in [-1, 1], before each value is repeated."""
    if "in/frames_small" in fixture.tensors:
        return to_unit(fixture["in/frames_small"].permute(0, 3, 1, 2).float())
    return to_unit(quantised(fixture["in/flow_small"]))


@torch.no_grad()
def test_stages_features_and_logits(fixture: FeatureFixture) -> None:
    small = small_input(fixture).transpose(0, 1)[None]
    torch.testing.assert_close(small, fixture["network_input_small"], atol=1e-6, rtol=0)
    network = I3dNetwork(small.shape[1])
    left = network.load_state_dict(fixture.weights(), strict=False)
    assert not left.unexpected_keys and all(name.endswith("num_batches_tracked") for name in left.missing_keys)
    stages: dict[str, list[Tensor]] = {}
    names = [name.removeprefix("stage/") for name in fixture.tensors if name.startswith("stage/")]
    for name in names:
        keep(stages, name, network.get_submodule(name))
    whole = small.repeat_interleave(SIDE // small.shape[3], dim=3).repeat_interleave(SIDE // small.shape[4], dim=4)
    features = network.eval()(whole)
    for name in names:
        assert list(stages[name][0].shape) == fixture.about["stage_shapes"][name]
        fixture.assert_mean_and_rms(name, stages[name][0])
    torch.testing.assert_close(features, fixture["output"], atol=fixture.tolerance, rtol=0)
    torch.testing.assert_close(network.logits(features), fixture["logits"], atol=fixture.tolerance, rtol=0)


def test_pictures_are_scaled_as_pil_scales(fixture: FeatureFixture) -> None:
    picture = fixture["resize/image"].numpy()
    names = [name for name in fixture.named("resize/") if name != "image"]
    assert names
    for name in names:
        wanted = fixture[f"resize/{name}"].permute(2, 0, 1)
        found = with_shorter_edge(picture, int(name.strip("downup")))
        apart = (found.int() - wanted.int()).abs()
        assert found.shape == wanted.shape and int(apart.max()) <= 1 and float((apart > 0).float().mean()) < 0.02
    assert torch.equal(scaled(picture, picture.shape[:2]), fixture["resize/image"].permute(2, 0, 1))


def test_crop_and_quantised_flow(fixture: FeatureFixture) -> None:
    for name, wanted in fixture.named("crop/of_").items():
        height, width, side = map(int, re.findall(r"\d+", name))
        numbers = torch.arange(float(height * width)).view(1, height, width)
        assert torch.equal(centre(numbers, side), wanted)
    if "quantise/flow" in fixture.tensors:
        levels = quantised(fixture["quantise/flow"])
        assert torch.equal(levels, fixture["quantise/uint"])
        torch.testing.assert_close(to_unit(levels), fixture["quantise/scaled"], atol=1e-6, rtol=0)
