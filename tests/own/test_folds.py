"""Cross-validation: every video once, copies together, classes spread."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from avloc.events import Events
from avloc.own.folds import assign_folds


def events(*labels: str) -> Events:
    return Events(range(len(labels)), [i + 1 for i in range(len(labels))], labels)


@given(
    st.lists(st.tuples(st.lists(st.sampled_from("abc"), max_size=4), st.integers(0, 5)), min_size=1, max_size=20),
    st.integers(2, 6),
    st.integers(0, 3),
)
def test_each_video_once_and_copies_together(videos: list[tuple[list[str], int]], folds: int, seed: int) -> None:
    truth = {f"v{i}": events(*labels) for i, (labels, _) in enumerate(videos)}
    groups = {f"v{i}": str(group) for i, (_, group) in enumerate(videos)}
    fold_of = assign_folds(truth, groups, folds, seed)
    assert list(fold_of) == list(truth)
    assert len({(groups[v], f) for v, f in fold_of.items()}) == len(set(groups.values()))
    assert set(fold_of.values()) == set(range(min(folds, len(set(groups.values())))))
    assert fold_of == assign_folds(truth, groups, folds, seed)


def test_a_rare_class_is_spread() -> None:
    truth = {f"v{i:02d}": events("common", "rare") if i < 5 else events("common") for i in range(20)}
    fold_of = assign_folds(truth, {v: v for v in truth}, 5, 0)
    assert sorted(fold_of[f"v{i:02d}"] for i in range(5)) == [0, 1, 2, 3, 4]
    assert sorted(list(fold_of.values()).count(f) for f in range(5)) == [4, 4, 4, 4, 4]
