"""Soft-NMS against the published algorithm, one segment after another, one class after another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from avloc.decoding import soft_nms as module
from avloc.decoding.soft_nms import Decay, soft_nms, vote

Row = tuple[float, float, float, int]  # start, end, score, class


def iou(a: Row, b: Row) -> float:
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - shared
    return shared / union if union > 0 else 0.0


def factor(overlap: float, decay: Decay, sigma: float, least: float) -> float:
    if decay == "gaussian":
        return float(np.exp(np.array([-(overlap**2) / sigma]))[0])
    if overlap < least:
        return 1.0
    return 1.0 - overlap if decay == "linear" else 0.0


def one_class(
    rows: list[Row], members: list[int], sigma: float, min_score: float, decay: Decay = "gaussian", least: float = 0.1
) -> list[tuple[int, float]]:
    """Take the best segment left, the first of equals; decay the others; drop what falls below min_score."""
    left = {i: rows[i][2] for i in members if rows[i][2] >= min_score}
    taken: list[tuple[int, float]] = []
    while left:
        best = max(left, key=lambda i: (left[i], -i))
        taken.append((best, left.pop(best)))
        for i in list(left):
            left[i] *= factor(iou(rows[i], rows[best]), decay, sigma, least)
            if left[i] < min_score:
                del left[i]
    return taken


def columns(
    rows: list[Row],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    table = np.array(rows, np.float64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(np.intp)


def run(rows: list[Row], sigma: float, min_score: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    return soft_nms(*columns(rows), sigma=sigma, min_score=min_score)


@st.composite
def segments(draw: st.DrawFn, classes: int) -> list[Row]:
    """Few starts, lengths and scores, so that ties, duplicates and segments of no length are common."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 6),
                st.integers(0, 5),
                st.sampled_from([0.0, 0.05, 0.25, 0.5, 0.5, 1.0]) | st.floats(0, 1),
            ),
            max_size=14,
        )
    )
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=len(rows), max_size=len(rows)))
    return [
        (float(start), float(start + length), score, label)
        for (start, length, score), label in zip(rows, labels, strict=True)
    ]


@pytest.mark.parametrize("classes", [1, 2, 9])
@settings(max_examples=150, deadline=None)
@given(
    data=st.data(), sigma=st.sampled_from([0.0005, 0.1, 0.4, 0.9, 10.0]), min_score=st.sampled_from([0.0, 0.001, 0.3])
)
def test_equals_the_algorithm_step_by_step(classes: int, data: st.DataObject, sigma: float, min_score: float) -> None:
    rows = data.draw(segments(classes))
    index, score = run(rows, sigma, min_score)
    assert index.shape == score.shape and index.dtype.kind == "i"
    assert (np.diff(score) <= 0).all()
    assert len(set(index.tolist())) == len(index)
    for label in range(classes):
        members = [i for i, row in enumerate(rows) if row[3] == label]
        expected = one_class(rows, members, sigma, min_score)
        got = [(int(i), s) for i, s in zip(index, score, strict=True) if rows[i][3] == label]
        assert [i for i, _ in got] == [i for i, _ in expected]
        assert np.allclose([s for _, s in got], [s for _, s in expected], rtol=1e-12, atol=0)


@pytest.mark.parametrize("decay", ["gaussian", "linear", "hard"])
@pytest.mark.parametrize("table", [0, 400_000], ids=["pairs by the round", "pairs beforehand"])
@settings(max_examples=100, deadline=None)
@given(data=st.data(), least=st.sampled_from([0.1, 1 / 3, 0.5, 1.0]), min_score=st.sampled_from([0.0, 0.001, 0.3]))
def test_every_decay_and_either_way_equal_the_algorithm(
    decay: Decay, table: int, data: st.DataObject, least: float, min_score: float
) -> None:
    """All classes together: by score, then class, then as taken. The best few are the first of all."""
    rows = data.draw(segments(3))
    expected = []
    for label in range(3):
        members = [i for i, row in enumerate(rows) if row[3] == label]
        expected += one_class(rows, members, 0.4, min_score, decay, least)
    expected.sort(key=lambda item: -item[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_TABLE", table)
        for cost in (0, 3, 1000):  # side by side, as it comes, best first
            patch.setattr(module, "_ROUND", cost)
            for keep in (None, 0, 1, 4):
                index, score = soft_nms(
                    *columns(rows), sigma=0.4, min_score=min_score, decay=decay, iou=least, keep=keep
                )
                assert index.tolist() == [i for i, _ in expected[:keep]]
                assert np.allclose(score, [s for _, s in expected[:keep]], rtol=1e-12, atol=0)


@pytest.mark.parametrize("shares", [np.full(40, 1 / 40), np.arange(1, 41) ** -2.0 / np.sum(np.arange(1, 41) ** -2.0)])
def test_equals_the_algorithm_at_the_size_of_real_work(shares: NDArray[np.float64]) -> None:
    """Forty classes, of one size or of very different ones, with starts on a grid."""
    rng = np.random.default_rng(0)
    start = rng.integers(0, 200, 600) * 0.32
    rows = [
        (s, s + d, v, int(k))
        for s, d, v, k in zip(
            start.tolist(),
            rng.exponential(6, 600).tolist(),
            rng.beta(0.5, 4, 600).round(3).tolist(),
            rng.choice(40, 600, p=shares),
            strict=True,
        )
    ]
    expected = []
    for label in range(40):
        expected += one_class(rows, [i for i, row in enumerate(rows) if row[3] == label], 0.4, 0.001)
    expected.sort(key=lambda item: -item[1])
    for keep in (None, 50):
        index, score = soft_nms(*columns(rows), sigma=0.4, min_score=0.001, keep=keep)
        assert index.tolist() == [i for i, _ in expected[:keep]]
        assert np.allclose(score, [s for _, s in expected[:keep]], rtol=1e-12, atol=0)


@settings(max_examples=150, deadline=None)
@given(rows=segments(3), least=st.sampled_from([0.1, 0.5, 0.9]), by_iou=st.booleans())
def test_voting_equals_the_mean_of_those_around(rows: list[Row], least: float, by_iou: bool) -> None:
    kept, _ = run(rows, 0.4, 0.2)
    start, end = vote(*columns(rows), kept, iou=least, weight="score-iou" if by_iou else "score")
    for j, i in enumerate(kept.tolist()):
        around = [r for r in rows if r[3] == rows[i][3] and iou(r, rows[i]) >= least]
        weight = [r[2] * (iou(r, rows[i]) if by_iou else 1.0) for r in around]
        total = sum(weight)
        expected = rows[i][:2]
        if total:
            expected = tuple(sum(r[c] * w for r, w in zip(around, weight, strict=True)) / total for c in (0, 1))  # type: ignore[assignment]
        assert (start[j], end[j]) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(rows=segments(3), min_score=st.sampled_from([0.001, 0.3, 0.9]), keep=st.sampled_from([None, 0, 1, 3]))
def test_the_best_of_each_class_may_be_spared(rows: list[Row], min_score: float, keep: int | None) -> None:
    """The first of a class is taken without a look at the least score, which decides about the rest alone."""
    expected = []
    for label in range(3):
        members = [i for i, row in enumerate(rows) if row[3] == label]
        found = one_class(rows, members, 0.4, min_score)
        if members and not found:
            best = max(members, key=lambda i: (rows[i][2], -i))
            found = [(best, rows[best][2])]
        expected += found
    expected.sort(key=lambda item: -item[1])
    index, score = soft_nms(*columns(rows), sigma=0.4, min_score=min_score, keep=keep, spare_best=True)
    assert index.tolist() == [i for i, _ in expected[:keep]]
    assert np.allclose(score, [s for _, s in expected[:keep]], rtol=1e-12, atol=0)


@pytest.mark.parametrize("score", [-0.1, float("nan")])
def test_odd_scores_are_refused(score: float) -> None:
    with pytest.raises(ValueError, match="negative or not a number"):
        run([(0, 1, score, 0)], 0.4, 0.001)


def test_odd_columns_and_widths_are_refused() -> None:
    start, end, score, label = columns([(0, 1, 0.5, 0), (1, 2, 0.5, 0)])
    with pytest.raises(ValueError, match="2, 2, 1 and 2 entries"):
        soft_nms(start, end, score[:1], label, sigma=0.4, min_score=0.001)
    with pytest.raises(ValueError, match="sigma is 0"):
        soft_nms(start, end, score, label, sigma=0, min_score=0.001)


def test_nothing_in_nothing_out() -> None:
    index, score = run([], 0.4, 0.001)
    assert index.shape == score.shape == (0,)


def test_nothing_reaches_the_least_score() -> None:
    assert len(run([(0, 1, 0.1, 0), (0, 1, 0.2, 3)], 0.4, 0.5)[0]) == 0


def test_a_known_case() -> None:
    """IoU of the two is 1/3, so the second keeps 0.8 exp(-(1/9) / 0.4); the other class keeps its score."""
    index, score = run([(0, 2, 0.8, 0), (1, 3, 0.9, 0), (1, 3, 0.85, 1)], 0.4, 0.001)
    assert index.tolist() == [1, 2, 0]
    assert score.tolist() == pytest.approx([0.9, 0.85, 0.8 * np.exp(-1 / 3.6)])


def test_class_numbers_need_not_be_dense() -> None:
    index, _ = run([(0, 2, 0.8, 900), (0, 2, 0.9, 7)], 0.4, 0.001)
    assert index.tolist() == [1, 0]
