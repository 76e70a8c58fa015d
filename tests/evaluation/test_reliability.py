"""How often detections of a score are right, against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.evaluation.reliability import reliability


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=40), st.integers(1, 12))
def test_as_a_loop_counts(pairs: list[tuple[int, bool]], bins: int) -> None:
    score, right = [s / 100 for s, _ in pairs], [hit for _, hit in pairs]
    found = reliability(score, right, bins)
    error = 0.0
    for k in range(bins):
        mine = [i for i, s in enumerate(score) if (k == 0 or s * bins > k) and s * bins <= k + 1]
        assert found.count[k] == len(mine)
        if mine:
            mean, share = sum(score[i] for i in mine) / len(mine), sum(right[i] for i in mine) / len(mine)
            assert found.score[k] == pytest.approx(mean) and found.right[k] == pytest.approx(share)
            error += abs(share - mean) * len(mine) / len(pairs)
        else:
            assert np.isnan(found.score[k]) and np.isnan(found.right[k])
    assert found.error == pytest.approx(error)


def test_no_bin_is_refused() -> None:
    with pytest.raises(ValueError, match="0 bins"):
        reliability([0.5], [True], 0)
