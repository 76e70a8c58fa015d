"""Networks, losses and detection give what they gave before methods had one word for it: values stored then.

On the machine and the build that stored them they were the same to the last bit; elsewhere sums round otherwise.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import avloc

torch = pytest.importorskip("torch")

from avloc import zoo  # noqa: E402
from avloc.config import LocoConfig, LocoLossConfig  # noqa: E402
from avloc.learning.build import build_criterion  # noqa: E402
from avloc.learning.losses import Truth  # noqa: E402
from avloc.models.build import build_network  # noqa: E402
from avloc.training.checkpoint import load_model  # noqa: E402

CLOSE = {"rel": 2e-6}


def test_loco_and_its_losses() -> None:
    config = LocoConfig(
        classes=5, visual_width=7, audio_width=6, width=16, heads=2, ffn_ratio=2.0, unimodal_blocks=1, levels=4,
        drop_path=0.0,
    )  # fmt: skip
    torch.manual_seed(3)
    network = build_network(config).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(torch.randn(p.shape, generator=generator) * 0.05)
    visual, audio = (torch.randn(2, 32, width, generator=generator) for width in (7, 6))
    mask = torch.arange(32)[None] < torch.tensor([[32], [19]])
    segments = torch.tensor([[[2.0, 9.0], [4.5, 30.0], [10.0, 12.0]], [[0.0, 18.0], [3.0, 5.0], [0.0, 0.0]]])
    outputs = network(visual, audio, mask)
    losses = build_criterion(LocoLossConfig(), config)(
        outputs, Truth(segments, torch.tensor([[1, 4, 1], [0, 2, -1]]))
    )
    losses.total.backward()
    assert outputs.logits.double().sum().item() == pytest.approx(-2316.0502803325653, **CLOSE)
    assert outputs.offsets.double().sum().item() == pytest.approx(789.7244085860439, **CLOSE)
    assert losses.total.item() == pytest.approx(0.9025688171386719, **CLOSE)
    parts = {"classification": 0.07320426404476166, "regression": 0.03201733157038689, "correspondence": 7.973472595}
    assert {name: losses.parts[name].item() for name in parts} == pytest.approx(parts, **CLOSE)
    gradient = sum(float(p.grad.double().norm()) for p in network.parameters() if p.grad is not None)
    assert gradient == pytest.approx(19.19520672392005, **CLOSE)


def test_the_default_model_s_network() -> None:
    network, config = load_model(zoo.find_model("default"))
    generator = torch.Generator().manual_seed(5)
    visual, audio = (
        torch.rand(1, 64, width, generator=generator)
        for width in (config.network.visual_width, config.network.audio_width)
    )
    with torch.no_grad():
        outputs = network(visual, audio, torch.arange(64)[None] < 50)
    assert outputs.logits.double().sum().item() == pytest.approx(-84790.57238870859, **CLOSE)
    assert outputs.offsets.double().sum().item() == pytest.approx(56965.88687735051, **CLOSE)


def test_the_sample_s_events() -> None:
    events = avloc.load(threads=1).detect(Path(__file__).parents[1] / "demo" / "sample.mp4")
    found = [(e.label, round(e.start_s, 3), round(e.end_s, 3), round(e.score, 3)) for e in events]
    assert found == [
        ("sheep bleating", *near(1.188, 4.959, 0.845)),
        ("playing violin", *near(7.433, 11.543, 0.533)),
        ("dog barking", *near(11.213, 15.708, 0.86)),
        ("playing trumpet", *near(18.963, 23.687, 0.74)),
        ("rooster crowing", *near(24.66, 28.753, 0.854)),
    ]


def near(start_s: float, end_s: float, score: float) -> tuple[object, object, object]:
    return (*(pytest.approx(t, abs=0.01) for t in (start_s, end_s)), pytest.approx(score, abs=0.005))
