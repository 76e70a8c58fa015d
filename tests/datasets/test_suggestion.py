"""Which pyramid suits a data set: by hand, at its limits, and on UnAV-100 the one that the field uses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.config import DenseLossConfig, LocoConfig, RunConfig, TrainConfig
from avloc.datasets.annotations import read_annotations
from avloc.datasets.lengths import expected_steps
from avloc.datasets.suggestion import Suggestion, suggest
from avloc.errors import ConfigError
from avloc.timegrid import TimeGrid

UNAV = Path(__file__).parents[3] / "shared" / "data" / "unav100_annotations.json"
GRID = TimeGrid(0.25, 1.0)


def test_by_hand() -> None:
    events = np.linspace(4, 80, 96)  # The tenth: 11.6. The longest: 76.2, half of it 38.1
    assert suggest(events, [100] * 20) == Suggestion(16.0, 3, 100)  # ranges up to 16, up to 32, from 32 on
    events = np.concatenate([np.full(20, 6), np.full(76, 40), np.full(4, 240)])
    # The tenth: 6. The longest: 40, half of it 20, so that the third level, from 16 on, is the last.
    assert suggest(events, [100] * 20) == Suggestion(8.0, 3, 100)
    assert suggest([*events, *[240.0] * 20], [1000] * 20) == Suggestion(
        8.0, 5, 1008
    )  # half: 120; from 64 on, in strides of 16


def test_limits() -> None:
    assert suggest([], [40]) is None and suggest([1.0], []) is None and suggest([0.0], [9]) is None
    assert suggest([400.0], [4]) == Suggestion(16.0, 2, 4)  # no level coarser than half of a video
    assert suggest([1e6], [10**7]).levels == 8  # type: ignore[union-attr]


@given(
    st.lists(st.floats(0.01, 1e4), min_size=1, max_size=20), st.lists(st.integers(1, 10**5), min_size=1, max_size=20)
)
def test_what_is_suggested_can_be_trained(event_steps: list[float], steps: list[int]) -> None:
    found = suggest(event_steps, steps)
    assert found is not None
    # Raises where lengths do not fit the levels.
    RunConfig(
        network=LocoConfig(levels=found.levels),
        loss=DenseLossConfig(first_reach=found.first_reach),
        train=TrainConfig(longest_steps=found.longest_steps),
    )
    assert found.longest_steps >= np.quantile(steps, 0.95)


@pytest.mark.skipif(not UNAV.exists(), reason="the annotations of UnAV-100 are not at hand")
def test_of_unav100_it_is_the_usual_one() -> None:
    """4 steps, 6 levels, 256 steps of ONE-PEACE's grid: what LoCo's paper takes."""
    videos = read_annotations(UNAV).videos.values()
    event_steps = [event.duration_s / GRID.stride_s for truth in videos for event in truth.events]
    assert suggest(event_steps, [expected_steps(GRID, t.duration_s)[0] for t in videos]) == Suggestion(4.0, 6, 256)


def test_flags() -> None:
    assert Suggestion(2.0, 5, 64).flags == "--loss.first-reach 2 --network.levels 5 --train.longest-steps 64"
    with pytest.raises(ConfigError, match=r"loss\.first_reach is nan; a finite number above 0"):
        DenseLossConfig(first_reach=float("nan"))
