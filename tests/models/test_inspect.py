"""What is read out of a network for the figures."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import NETWORK, network

from avloc.config import AttentionConfig, RunConfig
from avloc.models.loco.cdp import WindowAdaptation, target_points
from avloc.models.loco.inspect import encode, target_windows, windows_of
from avloc.models.loco.network import Loco
from avloc.training.measure import measure

RNG = np.random.default_rng(0)
VISUAL, AUDIO = RNG.normal(size=(21, 8)).astype(np.float32), RNG.normal(size=(21, 6)).astype(np.float32)


def test_encodings_are_what_the_pyramid_gets() -> None:
    model = network()
    kept = []
    handle = model.pyramid.register_forward_hook(lambda module, inputs, output: kept.append(inputs))
    found = encode(model, VISUAL, AUDIO)
    model.eval()
    padded = [torch.from_numpy(np.pad(x, ((0, 3), (0, 0))))[None] for x in (VISUAL, AUDIO)]
    with torch.no_grad():
        outputs = model(*padded, torch.arange(24)[None] < 21)
    handle.remove()
    assert found.visual == pytest.approx(kept[0][0][0, :21].numpy(), abs=1e-5)
    assert found.audio == pytest.approx(kept[0][1][0, :21].numpy(), abs=1e-5)
    assert found.audio_common == pytest.approx(outputs.correspondence.audio[0, :21].numpy(), abs=1e-5)
    assert np.linalg.norm(found.visual_common, axis=1) == pytest.approx(np.ones(21), abs=1e-5)


def test_windows_of_an_untrained_network_are_the_base_windows() -> None:
    found = target_windows(network(), VISUAL, AUDIO)
    assert [(w.level, w.stream) for w in found] == [(n, s) for n in range(3) for s in ("audio", "visual")]
    for w in found:
        heads, windows = w.start.shape
        assert heads == NETWORK.heads and windows == -(-21 // (8 * 2**w.level))
        assert w.start == pytest.approx(np.broadcast_to(w.base_start, w.start.shape))
        assert w.end == pytest.approx(np.broadcast_to(w.base_end, w.end.shape))


def test_windows_follow_size_and_offset() -> None:
    model = network()
    adaptation = model.pyramid.visual[1].adaptation
    assert isinstance(adaptation, WindowAdaptation)
    with torch.no_grad():
        adaptation.conv.bias[: NETWORK.heads] = 1.0  # twice the size
        adaptation.conv.bias[NETWORK.heads :] = 0.5  # half a window later
    found = {(w.level, w.stream): w for w in target_windows(model, VISUAL, AUDIO)}
    moved, still = found[1, "visual"], found[1, "audio"]
    assert moved.start[0, 0] == pytest.approx((-0.5 + 4 - 4) * 2) and moved.end[0, 0] == pytest.approx(
        (7.5 + 4 + 4) * 2
    )
    assert still.start[0, 0] == pytest.approx(-0.5 * 2)


def test_sampling_points_lie_evenly_in_the_window() -> None:
    """The first and the last point that CDP samples lie half a point's share inside the window's edges."""
    rng = np.random.default_rng(1)
    size, offset = rng.normal(0, 0.4, (2, 3)), rng.normal(0, 0.4, (2, 3))
    window = windows_of(size, offset, 8, 0, "visual")
    points = target_points(torch.tensor(size)[None], torch.tensor(offset)[None], 8).numpy()[0].reshape(2, 3, 8)
    share = (window.end - window.start) / 8
    assert np.minimum(points[..., 0], points[..., -1]) == pytest.approx(window.start + share / 2)
    assert np.maximum(points[..., 0], points[..., -1]) == pytest.approx(window.end - share / 2)


@pytest.mark.parametrize("kind", ["none", "global", "fixed"])
def test_other_attention_has_no_target_windows(kind: str) -> None:
    config = replace(NETWORK, attention=AttentionConfig(kind=kind))  # type: ignore[arg-type]
    assert target_windows(Loco(config), VISUAL, AUDIO) == []


def test_a_pass_takes_time_and_memory() -> None:
    found = measure(RunConfig(network=NETWORK), 32)
    assert found.forward_ms > 0 and found.memory_mb > 0 and found.threads >= 1
