"""Differences of rows and their intervals, against plain loops."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.evaluation.bootstrap import interval
from avloc.evaluation.matching import THRESHOLDS
from avloc.evaluation.mean_ap import mean_ap
from avloc.events import Event, Events
from avloc.experiments.compare import COLUMNS, columns, difference, draws_of, paired_mean
from avloc.experiments.runs import PREDICTIONS
from avloc.formats.activitynet import write_results


def truth() -> dict[str, Events]:
    return {f"v{i}": Events.of([Event(1.0, 4.0, "ab"[i % 2], 1.0)]) for i in range(8)}


def detections(good: int, shift_s: float = 0.0) -> dict[str, Events]:
    """Right in the first `good` videos, but for a shift; wrong in the others."""
    found = {}
    for i, (video, events) in enumerate(truth().items()):
        event = events[0]
        late = shift_s if i < good else 20.0
        found[video] = Events.of([Event(event.start_s + late, event.end_s + late, event.label, 0.5 + i / 100)])
    return found


def run(folder: Path, found: Mapping[str, Events]) -> Path:
    folder.mkdir(exist_ok=True)
    write_results(folder / PREDICTIONS, found)
    return folder


def test_columns_are_the_papers() -> None:
    by_threshold = np.arange(9.0) / 10
    assert columns(by_threshold) == pytest.approx([0.4, 0.5, 0.6, 0.7, 0.8, 0.4])
    assert columns(np.stack([by_threshold, by_threshold + 0.1])).shape == (2, 6)
    assert COLUMNS == ("0.5", "0.6", "0.7", "0.8", "0.9", "Avg.")


def test_draws_follow_the_detections(tmp_path: Path) -> None:
    good, bad = run(tmp_path / "good", detections(8)), run(tmp_path / "bad", detections(0))
    assert draws_of(good, truth(), 50) == pytest.approx(1.0)
    assert draws_of(bad, truth(), 50) == pytest.approx(0.0)
    run(good, detections(0))
    assert draws_of(good, truth(), 50) == pytest.approx(0.0)


def test_the_same_detections_differ_by_nothing_in_any_draw(tmp_path: Path) -> None:
    draws = draws_of(run(tmp_path / "a", detections(5)), truth(), 100)
    assert draws.std() > 0
    value = columns(mean_ap(detections(5), truth()).by_threshold)
    found = difference([value], [draws], [value], [draws_of(run(tmp_path / "b", detections(5)), truth(), 100)])
    for part in (found.measured, found.videos, found.seeded):
        assert part == pytest.approx(np.zeros_like(part))


def test_a_difference_is_that_of_means_over_seeds_and_its_intervals_those_of_plain_loops(tmp_path: Path) -> None:
    sets = {"a0": detections(7), "a1": detections(6), "b0": detections(4, 0.5), "b1": detections(5, 0.4)}
    values = {name: columns(mean_ap(found, truth()).by_threshold) for name, found in sets.items()}
    drawn = {name: draws_of(run(tmp_path / name, found), truth(), 200) for name, found in sets.items()}
    mine, other = ["a0", "a1"], ["b0", "b1"]
    found = difference(
        [values[n] for n in mine], [drawn[n] for n in mine], [values[n] for n in other], [drawn[n] for n in other]
    )
    chosen = np.random.default_rng(2).integers(0, 2, (2, 2, 200))
    for c in range(6):
        middle = sum(values[n][c] for n in mine) / 2 - sum(values[n][c] for n in other) / 2
        assert found.measured[c] == pytest.approx(middle)
        videos, seeded = np.zeros(200), np.zeros(200)
        for r in range(200):
            videos[r] = sum(drawn[n][r, c] for n in mine) / 2 - sum(drawn[n][r, c] for n in other) / 2
            for s in range(2):
                seeded[r] += drawn[mine[chosen[0, s, r]]][r, c] / 2 - drawn[other[chosen[1, s, r]]][r, c] / 2
        assert found.videos[:, c] == pytest.approx(interval(videos, middle))
        assert found.seeded[:, c] == pytest.approx(interval(seeded, middle))
    assert (found.videos[0] > 0).all()


def test_rows_without_the_same_seeds_are_refused() -> None:
    value, draws = np.zeros(6), np.zeros((10, 6))
    for mine, other in ([], []), ([value], []), ([value], [value, value]):
        with pytest.raises(ValueError, match="same seeds"):
            difference(mine, [draws] * len(mine), other, [draws] * len(other))


def test_thresholds_of_summaries_are_those_of_the_evaluation() -> None:
    assert len(THRESHOLDS) == 9


@given(st.floats(-5, 5), st.integers(1, 3), st.integers(2, 6))
def test_a_number_that_differs_everywhere_by_the_same_is_certain(shift: float, seeds: int, videos: int) -> None:
    other = np.tile(np.linspace(0, 1, videos), (seeds, 1))
    found = paired_mean((other + shift).tolist(), other.tolist(), draws=20)
    assert found.mine - found.other == pytest.approx(shift, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((shift, shift), abs=1e-9)


def test_paired_means_of_unlike_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="two alike"):
        paired_mean([[1.0, 2.0]], [[1.0]])
