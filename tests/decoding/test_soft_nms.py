"""Soft-NMS against the published algorithm, one segment after another, one class after another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from avloc.decoding.soft_nms import soft_nms

Row = tuple[float, float, float, int]  # start, end, score, class


def iou(a: Row, b: Row) -> float:
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - shared
    return shared / union if union > 0 else 0.0


def one_class(rows: list[Row], members: list[int], sigma: float, min_score: float) -> list[tuple[int, float]]:
    """Take the best segment left, the first of equals; decay the others; drop what falls below min_score."""
    left = {i: rows[i][2] for i in members if rows[i][2] >= min_score}
    taken: list[tuple[int, float]] = []
    while left:
        best = max(left, key=lambda i: (left[i], -i))
        taken.append((best, left.pop(best)))
        for i in list(left):
            left[i] *= float(np.exp(np.array([-(iou(rows[i], rows[best]) ** 2) / sigma]))[0])
            if left[i] < min_score:
                del left[i]
    return taken


def run(rows: list[Row], sigma: float, min_score: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    table = np.array(rows, np.float64).reshape(-1, 4)
    return soft_nms(
        table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(np.intp), sigma=sigma, min_score=min_score
    )


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
