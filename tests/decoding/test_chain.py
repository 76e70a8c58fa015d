"""Chains: an event of any length is one, whatever its pieces score; what is apart, or short, stays so."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.config import DecodingConfig
from avloc.decoding.candidates import Candidates, decode
from avloc.decoding.chain import Chaining, chain

BY = Chaining(piece=20.0, share=0.3, gap=1.0)
CONFIG = DecodingConfig(chain_from_s=20.0, chain_share=0.3, chain_gap_s=1.0)
UNCHAINED = replace(CONFIG, chain_from_s=0.0)
LABELS = ("siren", "rain")
REACH_S, EVERY_S, SHOWN = 15.0, 5.0, 0.56
Row = tuple[float, float, float, int]


def said_of(start_s: float, end_s: float, label: int = 0) -> list[Row]:
    """What a network of bounded reach says of one event: of its ends surely, of its middle less so."""
    rows = []
    for t in np.arange(start_s + EVERY_S / 2, end_s, EVERY_S):
        first, last = max(start_s, t - REACH_S), min(end_s, t + REACH_S)
        sees_both = first == start_s and last == end_s
        sure = 0.9 if sees_both else 0.8 if EVERY_S < min(t - start_s, end_s - t) <= REACH_S else 0.4
        rows.append((float(first), float(last), sure, label))
    return rows


def columns(rows: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    start, end, score, label = map(list, zip(*rows, strict=True)) if rows else ([], [], [], [])
    return np.array(start, float), np.array(end, float), np.array(score, float), np.array(label, np.intp)


def chained(rows: list[Row], by: Chaining = BY) -> list[Row]:
    return sorted(zip(*(c.tolist() for c in chain(*columns(rows), by)), strict=True))


def shown(rows: list[Row], duration_s: float, config: DecodingConfig = CONFIG) -> list[tuple[float, float, str]]:
    found = decode(Candidates(*columns(rows)), LABELS, duration_s, config, keep=10_000).above(SHOWN).by_time()
    return [(e.start_s, e.end_s, e.label) for e in found]


@pytest.mark.parametrize("length_s", [20.0, 30.0, 40.0, 80.0, 180.0, 3600.0])
def test_an_event_of_any_length_is_one_from_its_first_to_its_last_moment(length_s: float) -> None:
    assert shown(said_of(10.0, 10.0 + length_s), length_s + 20.0) == [(10.0, 10.0 + length_s, "siren")]


@pytest.mark.parametrize("length_s", [80.0, 180.0])
def test_without_chaining_its_middle_is_lost(length_s: float) -> None:
    events = shown(said_of(10.0, 10.0 + length_s), length_s + 20.0, UNCHAINED)
    assert len(events) > 1 and sum(e - s for s, e, _ in events) < 0.85 * length_s


@pytest.mark.parametrize(("gap_s", "count"), [(0.0, 2), (1.0, 2), (3.0, 1), (10.0, 1)])
def test_a_pause_keeps_two_apart_unless_it_is_within_the_gap(gap_s: float, count: int) -> None:
    rows = said_of(0.0, 60.0) + said_of(63.0, 120.0)
    events = shown(rows, 120.0, replace(CONFIG, chain_gap_s=gap_s))
    assert len(events) == count and events[0][0] == 0 and events[-1][1] == 120


def test_short_events_that_repeat_are_not_glued() -> None:
    """Nor by pieces that lie over them, as long as they are surer than those."""
    short = [(3.0 * i, 3.0 * i + 1.8, 0.8, 0) for i in range(30)]
    over = [(5.0 * i, 5.0 * i + 30.0, 0.35, 0) for i in range(12)]
    assert chained(short) == sorted(short)
    assert chained(short + over) == sorted(short + over)
    assert [(s, e) for s, e, _ in shown(short + over, 90.0)] == [(s, e) for s, e, _, _ in short]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([(0, 19, 0.9, 0), (10, 29, 0.9, 0)], [(0, 19, 0.9, 0), (10, 29, 0.9, 0)]),  # not pieces
        ([(0, 20, 0.9, 0), (20, 40, 0.3, 0)], [(0, 40, 0.9, 0)]),  # they touch
        ([(0, 20, 0.9, 0), (20, 40, 0.2, 0)], [(0, 20, 0.9, 0), (20, 40, 0.2, 0)]),  # too little score
        ([(0, 20, 0.9, 0), (20, 40, 0.9, 1)], [(0, 20, 0.9, 0), (20, 40, 0.9, 1)]),  # classes of their own
        ([(0, 20, 0.9, 0), (20.9, 41, 0.9, 0)], [(0, 41, 0.9, 0)]),  # within the gap
        ([(0, 20, 0.9, 0), (21.1, 42, 0.9, 0)], [(0, 20, 0.9, 0), (21.1, 42, 0.9, 0)]),
        ([(0, 20, 0.9, 0), (19, 24, 0.4, 0)], [(0, 24, 0.9, 0)]),  # a short one that touches
        ([(0, 20, 0.9, 0), (5, 9, 0.2, 0), (18, 24, 0.2, 0)], [(0, 20, 0.9, 0), (18, 24, 0.2, 0)]),  # a part; none
        # Two parts end at 30 and one, as short as they are, at 27; the long one is less exact.
        ([(0, 28, 0.9, 0), (20, 30, 0.02, 0), (21, 30, 0.02, 0), (17, 27, 0.02, 0)], [(0, 30, 0.9, 0)]),
        ([(0, 28, 0.9, 0), (20, 30, 0.001, 0)], [(0, 28, 0.9, 0)]),  # too little score to tell
    ],
)  # fmt: skip
def test_what_becomes_of_pieces(rows: list[Row], expected: list[Row]) -> None:
    assert chained(rows) == expected


def test_of_two_long_rivals_the_one_that_is_surer_in_the_mean_leads() -> None:
    """Though the other's end is the surest piece of all; a whole that lies elsewhere is left alone."""
    siren = [(s, e, 0.95 if e == 180 and s == 150 else p, k) for s, e, p, k in said_of(0.0, 180.0)]
    rain = [(s, e, 0.3 if p == 0.4 else 0.96, 1) for s, e, p, _ in said_of(0.0, 180.0)]
    wholes = {k: p for _, _, p, k in chained(siren + rain)}
    assert wholes[1] < wholes[0] < 0.96
    apart = {k: p for _, _, p, k in chained(siren + [(s + 200, e + 200, p, k) for s, e, p, k in rain])}
    assert apart[1] == 0.96


@st.composite
def candidates(draw: st.DrawFn) -> list[Row]:
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 80), st.integers(1, 40), st.integers(0, 100), st.integers(0, 1)), max_size=15
        )
    )
    return [(float(s), float(s + n), p / 100, k) for s, n, p, k in rows]


@given(candidates(), st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([0.0, 3.0]))
def test_wholes_are_made_of_their_class_alone_and_nothing_else_changes(
    rows: list[Row], share: float, gap: float
) -> None:
    by = Chaining(20.0, share, gap)
    found = chained(rows, by)
    for row in set(found) - set(rows):
        start, end, score, label = row
        mine = [r for r in rows if r[3] == label]
        assert end - start >= 10 and score <= max(r[2] for r in mine)
        assert start in {r[0] for r in mine} and end in {r[1] for r in mine}
    for row in set(rows) - set(found):
        hosts = [f for f in found if f[3] == row[3] and min(f[1], row[1]) - max(f[0], row[0]) > 0]
        assert hosts or row[1] - row[0] < 5
    for label in (0, 1):
        wholes = [f for f in found if f[3] == label and f not in rows]
        assert all(b[0] - a[1] > gap for a, b in itertools.pairwise(wholes))


@given(candidates())
def test_a_class_changes_nothing_but_the_scores_of_another(rows: list[Row]) -> None:
    alone = [f[:2] for label in (0, 1) for f in chained([r for r in rows if r[3] == label])]
    assert sorted(alone) == sorted(f[:2] for f in chained(rows))


def test_many_candidates_of_one_class_are_not_too_many() -> None:
    """More than an hour gives, at random places, so that chains are many."""
    rng = np.random.default_rng(0)
    start, length, score = rng.uniform(0, 3600, 5000), rng.uniform(0.5, 40, 5000), rng.random(5000) ** 4
    found = chain(start, start + length, score, np.zeros(5000, np.intp), BY)
    assert 0 < len(found[0]) < 5000
