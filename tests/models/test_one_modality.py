"""Networks of one stream see alone, or hear alone; those with a stream for each modality say that they cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch

from avloc.config import AnyNetworkConfig, NetworkConfig
from avloc.errors import ConfigError
from avloc.models.build import build_network
from avloc.recipes.table import RECIPES

SMALL = {name: RECIPES[f"{name}-small"]().network for name in ("actionformer", "tridet", "tadtr", "vsgn")}


@pytest.mark.parametrize("method", SMALL)
@pytest.mark.parametrize("widths", [(6, 0), (0, 5)])
def test_one_alone_is_as_good_as_both(method: str, widths: tuple[int, int]) -> None:
    config = replace(SMALL[method], classes=3, visual_width=widths[0], audio_width=widths[1])
    torch.manual_seed(0)
    network = build_network(config).eval()
    visual, audio = (torch.randn(1, 64, width) for width in widths)
    mask = torch.ones(1, 64, dtype=torch.bool)
    with torch.no_grad():
        one = network(visual, audio, mask)
        other = network(2 * visual, 2 * audio, mask)
    assert one.scores.shape[-1] == 3 and torch.isfinite(one.scores).all() and torch.isfinite(one.segments).all()
    assert not torch.equal(one.scores, other.scores)


def test_the_others_ask_for_both() -> None:
    kinds: tuple[type[NetworkConfig], ...] = get_args(AnyNetworkConfig)
    assert {kind.method for kind in kinds if not kind.needs_both} == set(SMALL)
    for kind in kinds:
        if kind.needs_both:
            with pytest.raises(ConfigError, match="audio_width is 0"):
                kind(audio_width=0)
            with pytest.raises(ConfigError, match="visual_width is 0"):
                kind(visual_width=0)
