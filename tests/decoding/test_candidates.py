"""From scores and segments to events: which pairs speak, where their segments lie, what is cut."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.config import DecodingConfig
from avloc.decoding.candidates import Candidates, decode, find_candidates
from avloc.timegrid import TimeGrid

GRID = TimeGrid(0.5, 1.0, -0.25)
P, K = 14, 3
ALL = np.ones(P, bool)


def outputs(*said: tuple[int, int, float, tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Scores and segments that are zero but for (point, class, score, segment)."""
    scores, segments = np.zeros((P, K), np.float32), np.zeros((P, K, 2), np.float32)
    for point, label, score, ends in said:
        scores[point, label], segments[point, label] = score, ends
    return scores, segments


def columns(*rows: tuple[float, float, float, int]) -> Candidates:
    table = np.array(rows, np.float64).reshape(-1, 4)
    return Candidates(table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(np.intp))


def test_a_segment_lies_where_its_steps_say() -> None:
    found = find_candidates(*outputs((9, 2, 0.75, (1.0, 6.0))), GRID, ALL, DecodingConfig())
    assert len(found) == 1
    assert (found.start_s[0], found.end_s[0]) == (GRID.to_seconds(1), GRID.to_seconds(6))
    assert (found.score[0], found.label[0]) == (0.75, 2)


def test_every_pair_above_the_least_score_speaks_unless_its_point_must_not() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random((P, K), np.float32)
    segments = np.sort(8 * rng.random((P, K, 2), np.float32), axis=2)
    keep = rng.random(P) < 0.6
    found = find_candidates(scores, segments, GRID, keep, DecodingConfig(min_score=0.3))
    expected = sorted(
        (
            float(GRID.to_seconds(float(segments[p, k, 0]))),
            float(GRID.to_seconds(float(segments[p, k, 1]))),
            float(scores[p, k]),
            k,
        )
        for p in range(P)
        for k in range(K)
        if keep[p] and scores[p, k] >= 0.3
    )
    got = sorted(zip(found.start_s, found.end_s, found.score, found.label.tolist(), strict=True))
    assert np.allclose(got, expected, rtol=0, atol=1e-12)


def test_one_segment_may_serve_all_classes() -> None:
    scores = np.linspace(0.1, 0.9, P * K, dtype=np.float32).reshape(P, K)
    segments = np.stack([np.arange(P), np.arange(P) + 2], axis=1)[:, None].astype(np.float32)
    shared = find_candidates(scores, segments, GRID, ALL, DecodingConfig())
    own = find_candidates(scores, np.repeat(segments, K, axis=1), GRID, ALL, DecodingConfig())
    for name in ("start_s", "end_s", "score", "label"):
        assert np.array_equal(getattr(shared, name), getattr(own, name))


def test_what_is_too_short_is_no_candidate() -> None:
    said = outputs((0, 0, 0.9, (1.0, 1.05)), (1, 1, 0.8, (1.0, 1.1)), (2, 2, 0.7, (3.0, 2.0)))
    found = find_candidates(*said, GRID, ALL, DecodingConfig(min_length_steps=0.06))
    assert found.label.tolist() == [1]


@given(st.integers(1, P * K + 5))
def test_only_the_best_go_on_to_soft_nms(before_nms: int) -> None:
    order = np.random.default_rng(1).permutation(P * K).reshape(P, K)
    scores = (order / (P * K) + 0.01).astype(np.float32)
    config = DecodingConfig(before_nms=before_nms)
    found = find_candidates(scores, np.zeros((P, K, 2), np.float32), GRID, ALL, config)
    best = np.sort(scores.ravel())[::-1][:before_nms]
    assert sorted(found.score.tolist(), reverse=True) == best.astype(np.float64).tolist()


@pytest.mark.parametrize("keep", [ALL, ~ALL])
def test_silence_gives_no_candidate_and_no_event(keep: np.ndarray) -> None:
    found = find_candidates(*outputs(), GRID, keep, DecodingConfig())
    assert len(found) == 0
    assert len(decode(found, ["a", "b", "c"], 4.0, DecodingConfig())) == 0


def test_no_stretch_at_all_is_no_event() -> None:
    joined = Candidates.join([])
    assert len(joined) == 0 and len(decode(joined, ["a"], 4.0, DecodingConfig())) == 0


def test_join_keeps_all_in_order() -> None:
    joined = Candidates.join([columns((0, 1, 0.5, 0)), columns(), columns((2, 3, 0.6, 1), (4, 5, 0.7, 2))])
    assert joined.start_s.tolist() == [0, 2, 4] and joined.end_s.tolist() == [1, 3, 5]
    assert joined.score.tolist() == [0.5, 0.6, 0.7] and joined.label.tolist() == [0, 1, 2]


def test_events_are_cut_to_the_video_and_what_lies_outside_is_none() -> None:
    found = columns((-2, 1.5, 0.9, 0), (3, 9, 0.8, 1), (-3, -1, 0.99, 2), (4, 6, 0.99, 2), (2, 2, 0.99, 2))
    events = decode(found, ["a", "b", "c"], 4.0, DecodingConfig())
    assert [(e.start_s, e.end_s, e.label, e.score) for e in events] == [(0, 1.5, "a", 0.9), (3, 4, "b", 0.8)]


def test_overlap_is_that_of_the_cut_segments() -> None:
    """Cut to the video the two are one and the same, so the weaker decays by exp(-1 / sigma)."""
    events = decode(columns((-9, 4, 0.9, 0), (0, 30, 0.8, 0)), ["a"], 4.0, DecodingConfig(nms_sigma=0.5))
    assert events.score.tolist() == pytest.approx([0.9, 0.8 * np.exp(-2)])


def test_cut_after_suppression_the_overlap_is_that_of_the_whole_segments() -> None:
    config = DecodingConfig(nms_sigma=0.5, clip="after")
    events = decode(columns((-9, 4, 0.9, 0), (0, 30, 0.8, 0), (4.5, 9, 0.7, 0)), ["a"], 4.0, config)
    assert [(e.start_s, e.end_s) for e in events] == [(0, 4), (0, 4)]
    assert events.score.tolist() == pytest.approx([0.9, 0.8 * np.exp(-((4 / 39) ** 2) / 0.5)], abs=1e-6)


@pytest.mark.parametrize(("keep", "count"), [(None, 2), (0, 0), (1, 1), (3, 3), (99, 4)])
def test_the_best_are_kept_highest_first(keep: int | None, count: int) -> None:
    found = columns((0, 1, 0.2, 0), (1, 2, 0.9, 1), (2, 3, 0.4, 0), (3, 4, 0.6, 1))
    events = decode(found, ["a", "b"], 4.0, DecodingConfig(keep=2), keep=keep)
    assert events.score.tolist() == [0.9, 0.6, 0.4, 0.2][:count]
    assert events.labels == ("b", "b", "a", "a")[:count]


def test_a_least_score_between_single_and_double_precision() -> None:
    """0.7 in single precision is below 0.7 in double: found, and then dropped, which leaves nothing to decode."""
    found = find_candidates(*outputs((0, 0, 0.7, (0.0, 1.0))), GRID, ALL, DecodingConfig(min_score=0.7))
    assert len(decode(found, ["a"], 4.0, DecodingConfig(min_score=0.7))) == 0


def test_hard_suppression_and_voting_are_settings() -> None:
    """The second overlaps the first by 0.8: gone, but it drew the first halfway towards itself."""
    candidates = columns((0, 8, 0.6, 1), (0, 10, 0.6, 1), (0, 9.5, 0.9, 0))
    hard = DecodingConfig(nms="hard", nms_iou=0.5)
    plain = decode(candidates, ["a", "b"], 20.0, hard)
    assert [(e.start_s, e.end_s, e.label) for e in plain] == [(0, 9.5, "a"), (0, 8, "b")]
    voted = decode(candidates, ["a", "b"], 20.0, dataclasses.replace(hard, voting_iou=0.75))
    assert [(e.start_s, e.end_s) for e in voted] == [(0, 9.5), (0, pytest.approx(9))]
    assert (voted.score == plain.score).all()


def test_suppression_and_voting_of_all_classes_together() -> None:
    """The second, of another class, is gone and drew the first towards itself, by score or by score and overlap."""
    candidates = columns((0, 10, 0.6, 0), (0, 8, 0.5, 1), (12, 13, 0.4, 1))
    config = DecodingConfig(nms="hard", nms_iou=0.5, nms_classes="all", voting_iou=0.75)
    voted = decode(candidates, ["a", "b"], 20.0, config)
    assert [(e.label, e.start_s, e.end_s) for e in voted] == [
        ("a", 0, pytest.approx((10 * 0.6 + 8 * 0.5) / 1.1)),
        ("b", 12, 13),
    ]
    weighed = decode(candidates, ["a", "b"], 20.0, dataclasses.replace(config, voting="score-iou"))
    assert weighed.end_s[0] == pytest.approx((10 * 0.6 + 8 * 0.4) / 1.0)
    apart = decode(candidates, ["a", "b"], 20.0, dataclasses.replace(config, nms_classes="each"))
    assert [(e.label, e.end_s) for e in apart] == [("a", 10), ("b", 8), ("b", 13)]
