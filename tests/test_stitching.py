"""Stitched windows against the network over the whole video: the same where the network's reach is bounded."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from avloc.config import AttentionConfig, DecodingConfig, FeatureConfig, LocoConfig, ModelConfig
from avloc.detector import Detection, Detector
from avloc.events import Event
from avloc.features.sequence import FeatureSequence
from avloc.timegrid import TimeGrid

torch = pytest.importorskip("torch")

from avloc.models.loco.network import Loco  # noqa: E402
from avloc.training.runner import TorchRunner  # noqa: E402

GRID = TimeGrid(0.32, 0.96, -0.32)
# Steps that a moment of the coarsest level depends on, to either side: 4 of the encoder, (4, 8, 16) of the pyramid's
# layers, (1, 2) of its pooling, 8 of fusion, 12 of the heads: 55, less than a quarter of a window.
T = 256
LOCAL = LocoConfig(
    classes=3, visual_width=6, audio_width=5, width=8, heads=2, ffn_ratio=1.0, unimodal_blocks=1, levels=3,
    class_prior=0.4, self_window=4, position=False, attention=AttentionConfig(kind="fixed", window=4),
)  # fmt: skip


def detector(network: LocoConfig, window_steps: int) -> Detector:
    torch.manual_seed(0)
    decoding = DecodingConfig(min_score=0.01, keep=10**6, before_nms=10**9)
    config = ModelConfig("tiny", ("a", "b", "c"), FeatureConfig(scores=False), network, decoding, window_steps)
    return Detector(config, TorchRunner(Loco(network).eval()))


def features(steps: int) -> FeatureSequence:
    rng = np.random.default_rng(steps)
    visual, audio = (rng.standard_normal((steps, w)).astype(np.float32) for w in (6, 5))
    nothing = np.zeros((steps, 0), np.float32)
    return FeatureSequence(GRID, steps * 0.32, visual, audio, nothing, nothing, FeatureConfig.streams)


def by_place(found: Detection) -> list[Event]:
    return sorted(found.all_events, key=lambda e: (e.label, e.start_s, e.end_s))


@pytest.mark.parametrize("steps", [300, 1003])
def test_a_network_of_bounded_reach_gives_the_very_same_events(steps: int) -> None:
    given = features(steps)
    stitched = by_place(detector(LOCAL, T).detect_features(given))
    whole = by_place(detector(LOCAL, -(-steps // 4) * 4).detect_features(given))
    assert len(stitched) == len(whole) > 100
    for a, b in zip(stitched, whole, strict=True):
        assert a.label == b.label
        assert (a.start_s, a.end_s, a.score) == pytest.approx((b.start_s, b.end_s, b.score), abs=1e-3)


def test_global_attention_does_not() -> None:
    """That the test above can fail: what a global network says depends on the window."""
    given = features(1003)
    far = replace(LOCAL, self_window=0, position=True)
    stitched, whole = (by_place(detector(far, steps).detect_features(given)) for steps in (T, 1004))
    pairs = itertools.zip_longest(stitched, whole)
    assert any(a is None or b is None or abs(a.score - b.score) > 1e-3 for a, b in pairs)


def test_an_event_longer_than_a_window_comes_out_once() -> None:
    """A network that knows how far every moment is from the ends of one event of 1.7 windows."""
    plain = detector(LOCAL, T)
    first, last, steps = 100, 100 + 435, 900
    given = features(steps)
    given.visual[:, 0] = np.arange(steps)  # each step knows its own place

    def run(visual: np.ndarray, audio: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, ...]:
        place = np.arange(0, T, 4, dtype=np.float32)
        step = place + visual[0, 0]
        scores = np.zeros((len(place), 3), np.float32)
        scores[:, 1] = 0.9 * ((step >= first) & (step <= last))
        ends = np.array([first, last], np.float32) - visual[0, 0]
        return scores, np.broadcast_to(ends, (len(place), 1, 2)), place

    found = Detector(plain.config, run).detect_features(given)
    clear = [e for e in found.all_events if e.score > 0.3]
    assert len(clear) == 1 and clear[0].label == "b"
    assert clear[0].start_s == pytest.approx(float(GRID.to_seconds(first)), abs=0.05)
    assert clear[0].end_s == pytest.approx(float(GRID.to_seconds(last)), abs=0.05)
