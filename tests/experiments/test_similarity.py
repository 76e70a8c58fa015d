"""The statistic of cross-similarity matrices on features where it is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.experiments.similarity import cross_similarity, mean_of_std


@pytest.mark.parametrize("T", [1, 2, 7, 32])
def test_each_step_like_its_own_alone(T: int) -> None:
    """The matrix is the unit matrix: T ones of T^2 entries, so that the variance is 1/T - 1/T^2."""
    features = np.eye(T)
    csm = cross_similarity(features, 3 * features)
    assert csm == pytest.approx(np.eye(T))
    assert mean_of_std([csm]) == pytest.approx(np.sqrt(T - 1) / T)


def test_features_that_stand_still_have_no_spread() -> None:
    still = np.tile([1.0, 2.0, -1.0], (9, 1))
    assert cross_similarity(still, still) == pytest.approx(np.ones((9, 9)))
    assert mean_of_std([cross_similarity(still, still)]) == pytest.approx(0.0)


def test_two_halves() -> None:
    """Alike inside each half, opposite across: half of the entries 1, half -1."""
    halves = np.array([[1.0, 0.0]] * 4 + [[-1.0, 0.0]] * 4)
    csm = cross_similarity(halves, halves)
    assert mean_of_std([csm]) == pytest.approx(1.0)
    assert mean_of_std([csm, np.zeros((3, 3))]) == pytest.approx(0.5)


def test_a_step_of_zeros_is_like_nothing() -> None:
    csm = cross_similarity(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[2.0, 0.0]]))
    assert csm == pytest.approx(np.array([[0.0], [1.0]]))


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**31))
def test_as_loops_would_have_it_and_whatever_the_lengths_of_vectors(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    visual, audio = rng.normal(size=(rows, 5)), rng.normal(size=(columns, 5))
    csm = cross_similarity(visual, audio * rng.uniform(0.1, 10, (columns, 1)))
    for i in range(rows):
        for j in range(columns):
            cosine = visual[i] @ audio[j] / np.sqrt((visual[i] ** 2).sum() * (audio[j] ** 2).sum())
            assert csm[i, j] == pytest.approx(cosine)
    values = [csm[i, j] for i in range(rows) for j in range(columns)]
    mean = sum(values) / len(values)
    assert mean_of_std([csm]) == pytest.approx((sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5)


def test_no_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="one video"):
        mean_of_std([])
