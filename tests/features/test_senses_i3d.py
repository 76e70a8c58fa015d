"""I3D's eyes on networks of official sizes with random weights: windows, and flow that is found once."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
import torch
from torch import Tensor

from avloc.features.extractors.base import Resources
from avloc.features.extractors.pretrained import senses_i3d
from avloc.features.extractors.pretrained.adding import add_weights
from avloc.features.extractors.pretrained.i3d import I3dNetwork
from avloc.features.extractors.pretrained.pictures import centre, quantised, to_unit, with_shorter_edge
from avloc.features.extractors.pretrained.raft import RaftNetwork, padded
from avloc.features.extractors.pretrained.senses import Frames


@pytest.fixture(scope="module")
def eyes(tmp_path_factory: pytest.TempPathFactory) -> senses_i3d.I3dEyes:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    for name, network in (("i3d-rgb", I3dNetwork(3)), ("i3d-flow", I3dNetwork(2)), ("raft", RaftNetwork())):
        torch.save(network.state_dict(), folder / "w.pt")
        record, left = add_weights(name, folder / "w.pt", folder)
        assert record.official and all(key.endswith("num_batches_tracked") for key in left)
    return senses_i3d.I3dEyes(Resources(threads=1, weights=folder), iterations=1)


def frames(height: int, width: int, count: int, seed: int = 0) -> tuple[Frames, Tensor]:
    made = np.random.default_rng(seed).integers(0, 255, (count, 3, height // 4, width // 4), np.uint8)
    pictures = torch.from_numpy(made.repeat(4, axis=2).repeat(4, axis=3))

    def one_by_one() -> Generator[Tensor]:
        yield from pictures

    return Frames(one_by_one(), 0), pictures


@torch.inference_mode()
def test_flow_of_a_pair_is_found_once(eyes: senses_i3d.I3dEyes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows that overlap, in two calls, and another video that begins at the same frame."""
    monkeypatch.setattr(senses_i3d, "SIDE", 32)
    pairs: list[int] = []
    eyes.raft.register_forward_hook(lambda _, given, __: pairs.append(len(given[0]) - 1))
    seen: list[Tensor] = []

    def look(network: object, shown: Tensor, places: list[int]) -> Tensor:
        seen.extend(shown[at : at + 24] for at in places)
        return torch.zeros(len(places), 1)

    monkeypatch.setattr(eyes, "_look", look)
    for seed in (0, 1):
        source, pictures = frames(64, 72, 41, seed)
        wanted = torch.cat([eyes.raft(padded(pictures[i : i + 2].float()), 1) for i in range(40)])
        whole = quantised(centre(wanted, 32)).to(torch.int16)
        pairs.clear()
        seen.clear()
        eyes.see(source, [0, 8])
        eyes.see(source, [16])
        assert sum(pairs) == 40
        for i, at in enumerate((0, 8, 16)):
            rgb, flow = seen[2 * i], seen[2 * i + 1]
            assert torch.equal(rgb, centre(pictures, 32)[at : at + 24])
            assert int((flow - whole[at : at + 24]).abs().max()) <= 1  # rounding of a batch's sums


@torch.inference_mode()
def test_a_window_goes_to_the_network_as_the_fixtures_have_it(eyes: senses_i3d.I3dEyes) -> None:
    _, pictures = frames(224, 224, 24)
    wanted = eyes.rgb(to_unit(pictures.float()).transpose(0, 1)[None])
    found = eyes._look(eyes.rgb, torch.cat([pictures[:8], pictures]), [8])
    assert found.shape == (1, 1024) and torch.allclose(found, wanted, atol=1e-5)


def test_of_a_very_long_picture_the_middle_is_kept() -> None:
    picture = np.zeros((10, 4000, 3), np.uint8)
    picture[:, 1980:2020] = 200
    for shown in (picture, picture.transpose(1, 0, 2)):
        kept = with_shorter_edge(shown, 20)
        assert sorted(kept.shape) == [3, 20, 80] and int(kept.min()) == 200
