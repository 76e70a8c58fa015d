"""Rivals: who loses, by how much, and who does not."""

from __future__ import annotations

import numpy as np
import pytest

from avloc.config import DecodingConfig
from avloc.decoding.candidates import Candidates, decode
from avloc.decoding.rivals import settle
from avloc.events import Events

GROUPS = (("drum", "snare"), ("snare", "cymbal"))


def settled(*rows: tuple[float, float, str, float]) -> list[tuple[str, float]]:
    given = Events(*map(list, zip(*rows, strict=True))) if rows else Events()
    return [(e.label, round(e.score, 6)) for e in settle(given, GROUPS, share=0.5, factor=0.5)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([(0, 4, "drum", 0.9)], [("drum", 0.9)]),
        ([(0, 4, "drum", 0.9), (0, 4, "snare", 0.8)], [("drum", 0.9), ("snare", 0.4)]),
        ([(0, 4, "snare", 0.8), (0, 4, "drum", 0.9)], [("drum", 0.9), ("snare", 0.4)]),
        ([(0, 4, "drum", 0.9), (2, 6, "snare", 0.8)], [("drum", 0.9), ("snare", 0.4)]),  # half of it: enough
        ([(0, 4, "drum", 0.9), (2.1, 6.1, "snare", 0.8)], [("drum", 0.9), ("snare", 0.8)]),
        ([(0, 1, "drum", 0.9), (0, 9, "snare", 0.8)], [("drum", 0.9), ("snare", 0.8)]),  # the long one stays
        ([(0, 4, "drum", 0.9), (0, 4, "cymbal", 0.8)], [("drum", 0.9), ("cymbal", 0.8)]),  # no group of these two
        ([(0, 4, "drum", 0.9), (0, 4, "dog", 0.8)], [("drum", 0.9), ("dog", 0.8)]),
        ([(0, 4, "drum", 0.9), (0, 4, "drum", 0.8)], [("drum", 0.9), ("drum", 0.8)]),  # left to soft-NMS
        # A loser still counts as surer, and loses once however many rivals there are; the order is by what is left.
        (
            [(0, 4, "drum", 0.9), (0, 4, "snare", 0.8), (0, 4, "cymbal", 0.7), (0, 4, "drum", 0.6)],
            [("drum", 0.9), ("snare", 0.4), ("cymbal", 0.35), ("drum", 0.3)],
        ),
    ],
)
def test_the_less_sure_loses(rows: list[tuple[float, float, str, float]], expected: list[tuple[str, float]]) -> None:
    assert settled(*rows) == expected


def test_on_a_surer_event_of_any_other_class_a_share_of_its_own_is_kept() -> None:
    rows = [(0.0, 4.0, "drum", 0.9), (0.0, 4.0, "snare", 0.8), (1.0, 2.0, "dog", 0.7), (3.0, 9.0, "cat", 0.6)]
    given = Events(*map(list, zip(*rows, strict=True)))
    found = settle(given, GROUPS, share=0.5, factor=0.5, other_factor=0.75)
    assert found.labels == ("drum", "cat", "dog", "snare")
    assert found.score.tolist() == pytest.approx([0.9, 0.6, 0.7 * 0.75, 0.4])
    assert settle(given, (), share=0.5, factor=0.5) is given


def test_decoding_settles_rivals_where_the_config_names_them() -> None:
    found = Candidates(np.zeros(2), np.full(2, 4.0), np.array([0.9, 0.8]), np.array([0, 1]))
    plain = decode(found, ["drum", "snare"], 10.0, DecodingConfig())
    assert plain.score.tolist() == [0.9, 0.8]
    events = decode(found, ["drum", "snare"], 10.0, DecodingConfig(rivals=GROUPS, rival_factor=0.25))
    assert events.labels == plain.labels and events.score.tolist() == pytest.approx([0.9, 0.2])
