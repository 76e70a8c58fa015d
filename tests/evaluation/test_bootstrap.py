"""The bootstrap against mAP of data sets in which videos really stand as often as they were drawn."""

from __future__ import annotations

import numpy as np
import pytest

from avloc.evaluation.bootstrap import bootstrap, interval
from avloc.evaluation.matching import match
from avloc.evaluation.mean_ap import mean_ap
from avloc.events import Events

Videos = dict[str, Events]
LIMITS = (0.3, 0.5, 0.8)


def data(seed: int, videos: int = 8, labels: str = "abc") -> tuple[Videos, Videos]:
    """Detections that hit now and then, with scores that differ; some videos without, one detection set unknown."""
    rng = np.random.default_rng(seed)
    truth, found = {}, {}
    for i in range(videos):
        count = int(rng.integers(0, 4))
        start = rng.uniform(0, 20, count)
        names = rng.choice(list(labels), count).tolist()
        truth[f"v{i}"] = Events(start, start + rng.uniform(1, 6, count), names)
        if i % 5 == 4:
            continue
        near = np.repeat(start, 3) + rng.normal(0, 1, 3 * count)
        found[f"v{i}"] = Events(
            near, near + rng.uniform(1, 6, 3 * count), np.repeat(names, 3).tolist(), rng.random(3 * count)
        )
    found["unknown"] = Events([0, 1], [3, 4], ["a", "b"], [0.5, 0.7])
    return found, truth


@pytest.mark.parametrize("seed", range(6))
def test_a_draw_is_map_of_the_drawn_videos(seed: int) -> None:
    found, truth = data(seed)
    names = list(truth)
    got = bootstrap(match(found, truth, LIMITS), draws=25, seed=seed)
    drawn = np.random.default_rng(seed).integers(0, len(names), (25, len(names)))
    for r, row in enumerate(drawn):
        copies = {f"{names[v]} {i}": names[v] for i, v in enumerate(row)}
        detections = {copy: found[v] for copy, v in copies.items() if v in found} | {"unknown": found["unknown"]}
        expected = mean_ap(detections, {copy: truth[v] for copy, v in copies.items()}, LIMITS)
        assert np.allclose(got.by_threshold[r], expected.by_threshold, rtol=0, atol=1e-12)
        of_class = dict(zip(expected.labels, expected.by_label, strict=True))
        for k, label in enumerate(got.labels):
            assert (
                np.isnan(got.by_label[r, k])
                if label not in of_class
                else got.by_label[r, k] == pytest.approx(of_class[label], abs=1e-12)
            )


def test_many_draws_come_in_blocks_that_differ() -> None:
    found, truth = data(0)
    got = bootstrap(match(found, truth, LIMITS), draws=450)
    assert got.by_threshold.shape == (450, 3) and got.average.shape == (450,)
    assert len(np.unique(got.average.round(12))) > 100


def test_the_same_seed_gives_the_same_draws() -> None:
    found, truth = data(1)
    matches = match(found, truth, LIMITS)
    first, again, other = (bootstrap(matches, 50, seed) for seed in (3, 3, 4))
    assert (first.by_threshold == again.by_threshold).all()
    assert not (first.by_threshold == other.by_threshold).all()


def test_a_perfect_detector_is_perfect_in_every_draw() -> None:
    _, truth = data(2, 40)
    got = bootstrap(match(truth, truth, LIMITS), 100)
    assert (got.by_threshold == 1).all()
    assert interval(got.average, 1.0).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("truth", [{}, {"u": Events()}])
def test_no_truth_is_zero(truth: Videos) -> None:
    got = bootstrap(match({"u": Events([0], [1], ["a"])}, truth, LIMITS), 10)
    assert (got.by_threshold == 0).all() and got.by_label.shape == (10, 0)


def test_the_interval_lies_around_the_measured_value_and_shrinks_with_more_videos() -> None:
    widths = []
    for videos in (10, 160):
        found, truth = data(5, videos)
        matches = match(found, truth, LIMITS)
        measured = mean_ap(found, truth, LIMITS)
        draws = bootstrap(matches, 300)
        low, high = interval(draws.by_threshold, measured.by_threshold)
        assert (low < measured.by_threshold).all() and (measured.by_threshold < high).all()
        assert (interval(draws.by_threshold, measured.by_threshold, 0.5)[0] > low).all()
        widths.append(float((high - low).mean()))
    assert widths[1] < widths[0] / 2


def test_odd_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="draws is 0"):
        bootstrap(match({}, {}), 0)
    with pytest.raises(ValueError, match="level is 95"):
        interval(np.zeros(3), 0.0, 95)
