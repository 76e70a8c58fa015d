"""Average recall against loops over truths, thresholds and proposals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.evaluation import recall
from avloc.evaluation.recall import RECALL_THRESHOLDS, average_recall
from avloc.events import Event, Events

Videos = dict[str, Events]


def videos(names: str) -> st.SearchStrategy[Videos]:
    event = st.builds(
        lambda start, length, label, score: Event(start, start + length, label, score),
        st.integers(0, 4).map(float) | st.floats(0, 4),
        st.sampled_from([0.0, 1.0, 1.5, 2.0]),
        st.sampled_from("ab"),
        st.sampled_from([0.1, 0.5, 0.9]),
    )
    return st.dictionaries(st.sampled_from(names), st.lists(event, max_size=6).map(Events.of), max_size=3)


def covered(goal: Event, proposals: list[Event], limit: float, same_label: bool) -> bool:
    for p in proposals:
        shared = max(0.0, min(p.end_s, goal.end_s) - max(p.start_s, goal.start_s))
        union = (p.end_s - p.start_s) + (goal.end_s - goal.start_s) - shared
        if union > 0 and shared / union >= limit and (p.label == goal.label or not same_label):
            return True
    return False


@pytest.mark.parametrize("same_label", [False, True])
@settings(max_examples=100, deadline=None)
@given(detections=videos("uvw"), truth=videos("uvx"))
def test_equals_the_loops(same_label: bool, detections: Videos, truth: Videos) -> None:
    got = average_recall(detections, truth, (1, 2, 5), same_label=same_label)
    goals = [(video, goal) for video, events in truth.items() for goal in events]
    for i, n in enumerate(got.proposals):
        for t, limit in enumerate(RECALL_THRESHOLDS):
            hits = 0
            for video, goal in goals:
                best = sorted(detections.get(video, Events()), key=lambda e: -e.score)[:n]
                hits += covered(goal, best, limit, same_label)
            assert got.recall[i, t] == pytest.approx(hits / max(len(goals), 1), abs=1e-12)
    assert got.average.tolist() == pytest.approx(got.recall.mean(axis=1).tolist())


def test_blocks_of_truths_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 20, 40)
    truth = {"u": Events(start, start + 3, ["a"] * 40)}
    found = {"u": Events(start[::2], start[::2] + 2, ["a"] * 20, rng.random(20))}
    whole = average_recall(found, truth)
    monkeypatch.setattr(recall, "_PAIRS", 50)
    assert (average_recall(found, truth).recall == whole.recall).all()
    assert 0 < whole.average[0] < whole.average[-1] < 1


@pytest.mark.parametrize(("proposals", "thresholds"), [([], [0.5]), ([0], [0.5]), ([1], []), ([1], [0.0])])
def test_odd_settings_are_refused(proposals: list[int], thresholds: list[float]) -> None:
    with pytest.raises(ValueError, match="are needed"):
        average_recall({}, {}, proposals, thresholds)
