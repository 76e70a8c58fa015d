"""The exported network against torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avloc import load, zoo
from avloc.config import AttentionConfig, FeatureConfig, LocoConfig, ModelConfig
from avloc.errors import ModelError
from avloc.models.loco.network import Loco
from avloc.runner import OnnxRunner
from avloc.training.checkpoint import load_model, save_model
from avloc.training.export import export_model
from avloc.training.runner import TorchRunner

T = 32


def test_every_length_gives_what_torch_gives(tmp_path: Path) -> None:
    """Windows that differ from step to step: window adaptation, which begins at zero, is given weights of its own."""
    network = LocoConfig(
        classes=3,
        visual_width=7,
        audio_width=5,
        width=16,
        heads=2,
        ffn_ratio=2.0,
        unimodal_blocks=1,
        levels=4,
        attention=AttentionConfig(window=4),
    )
    torch.manual_seed(0)
    model = Loco(network)
    adaptation = [p for name, p in model.named_parameters() if "adaptation" in name]
    assert adaptation
    for parameter in adaptation:
        torch.nn.init.normal_(parameter, std=0.3)
    save_model(tmp_path, model, ModelConfig("tiny", ("a", "b", "c"), FeatureConfig(), network, window_steps=T))

    exported = export_model(tmp_path)
    assert exported.path == tmp_path / zoo.ONNX
    assert max(exported.score_difference, exported.segment_difference) <= 1e-4

    halved, _ = load_model(tmp_path)
    onnx, plain = OnnxRunner(exported.path, threads=1), TorchRunner(halved)
    assert onnx.window_steps == T and onnx.widths == (7, 5)
    rng = np.random.default_rng(0)
    spread = []
    for length in range(1, T + 1):
        mask = np.arange(T) < length
        visual, audio = (3 * rng.standard_normal((T, w)).astype(np.float32) for w in (7, 5))
        with torch.no_grad():
            inside = halved(*(torch.from_numpy(x)[None] for x in (visual, audio, mask))).mask[0].numpy()
        got, expected = onnx(visual, audio, mask), plain(visual, audio, mask)
        assert np.array_equal(got[2], expected[2])
        for a, b in zip(got, expected, strict=True):
            assert (np.abs(a - b) / np.maximum(1, np.abs(b)))[inside].max() <= 1e-4, length
        spread.append(float(expected[1][inside].std()))
    assert max(spread) > 1e-2  # there was something to compare

    assert load(tmp_path, threads=1).labels == ("a", "b", "c")
    content = exported.path.read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in content  # nothing of the machine that exported


def test_a_folder_without_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        export_model(tmp_path)
    assert list(tmp_path.iterdir()) == []
