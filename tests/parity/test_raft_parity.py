"""RAFT against the public extractor: maps, first correlations, every step of the flow, and the flow."""

from __future__ import annotations

import pytest
import torch
from comparing import keep
from torch import Tensor

from avloc.features.extractors.pretrained.raft import RaftNetwork, padded
from features import FeatureFixture, opened, parameters

FLOW_NOISE = 5e-3  # pixels: rounding grows over 20 steps


@pytest.fixture(params=parameters("feat_raft"), scope="module")
def fixture(request: pytest.FixtureRequest) -> FeatureFixture:
    return opened(request.param)


@torch.no_grad()
def test_maps_steps_and_flow(fixture: FeatureFixture) -> None:
    network = RaftNetwork().eval()
    weights = {k: t for k, t in fixture.weights().items() if ".norm3." not in k}  # the same as downsample.1
    left = network.load_state_dict(weights, strict=False)
    assert not left.unexpected_keys and all(name.endswith("num_batches_tracked") for name in left.missing_keys)
    pictures = padded(fixture["in/frames"].permute(0, 3, 1, 2).float())
    assert list(pictures.shape[2:]) == fixture["padded_shape"].tolist()
    left_, right, top, bottom = fixture.about["pad_left_right_top_bottom"]
    height, width = fixture["in/frames"].shape[1:3]
    assert torch.equal(
        pictures[:, :, top : top + height, left_ : left_ + width], fixture["in/frames"].permute(0, 3, 1, 2)
    )
    assert pictures.shape[3] - width - left_ == right and pictures.shape[2] - height - top == bottom

    stages: dict[str, list[Tensor]] = {}
    keep(stages, "fmap", network.fnet)
    keep(stages, "cnet", network.cnet)
    keep(stages, "delta_flow", network.update_block.flow_head)
    seen: list[Tensor] = []
    network.update_block.register_forward_hook(lambda _, given, __: seen.append(given[2]))
    flow = network(pictures, len(fixture["stage/delta_flow"]))
    fixture.assert_mean_and_rms("fmap", stages["fmap"][0])
    fixture.assert_mean_and_rms("cnet", stages["cnet"][0])
    torch.testing.assert_close(seen[0], fixture["stage/corr_0"], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        torch.cat(stages["delta_flow"]), fixture["stage/delta_flow"], atol=FLOW_NOISE, rtol=1e-3
    )
    torch.testing.assert_close(flow, fixture["output_padded"], atol=FLOW_NOISE, rtol=0)
    print("flow differs by at most", float((flow - fixture["output_padded"]).abs().max()))


@torch.no_grad()
def test_pairs_side_by_side_are_pairs_alone(fixture: FeatureFixture) -> None:
    network = RaftNetwork().eval()
    pictures = padded(fixture["in/frames"][:, :64, :72].permute(0, 3, 1, 2).float())
    both = network(torch.cat([pictures, pictures[:1]]), iterations=2)
    torch.testing.assert_close(both[:1], network(pictures, iterations=2), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(both[1:], network(pictures.flip(0), iterations=2), atol=1e-4, rtol=1e-4)
