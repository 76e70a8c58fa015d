"""What was told outlives a kill, and nothing is told twice: neither in another run nor under another name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import OutputError
from avloc.events import Event, Events
from avloc.live.settled import Stamp
from avloc.live.told import STATE, Noted, Recorded, Told

STAMP = Stamp(10, 20, 30)
DOG, CAT = Event(1.0, 3.0, "dog", 0.9), Event(2.0, 4.0, "cat", 0.8)


def events(*some: Event) -> Events:
    return Events(
        [e.start_s for e in some], [e.end_s for e in some], [e.label for e in some], [e.score for e in some]
    )


def tell_all(told: Told) -> list[Noted]:
    waiting = told.pending()
    for noted in waiting:
        told.set_state(noted, "telling")
        told.set_state(noted, "told")
    return waiting


def test_events_are_told_once_over_runs(tmp_path: Path) -> None:
    told = Told(tmp_path / STATE)
    path = tmp_path / "a\udcff.mp4"  # a name that is no text
    assert told.is_new() and not told.is_known(path, STAMP)
    assert told.put_found(path, STAMP, Recorded("r", "2026-01-01T00:00:00+00:00"), events(DOG, CAT)) == 2
    told.close()
    told = Told(tmp_path / STATE)
    assert told.is_known(path, STAMP) and not told.is_known(path, Stamp(11, 20, 30)) and not told.is_new()
    first = tell_all(told)
    assert [(one.path, one.event, one.began) for one in first] == [
        (path, DOG, "2026-01-01T00:00:00+00:00"),
        (path, CAT, "2026-01-01T00:00:00+00:00"),
    ]
    assert told.pending() == [] and told.counts() == {"told": 2}


def test_one_that_was_being_told_at_a_kill_is_uncertain(tmp_path: Path) -> None:
    told = Told(tmp_path / STATE)
    told.put_found(tmp_path / "a.mp4", STAMP, Recorded("r"), events(DOG, CAT))
    told.set_state(told.pending()[0], "telling")
    told.close()
    told = Told(tmp_path / STATE)
    assert [one.event for one in told.cut_off()] == [DOG]
    assert [one.event for one in told.pending()] == [CAT] and told.cut_off() == []
    assert told.counts() == {"uncertain": 1, "pending": 1}


def test_what_was_told_in_vain_comes_behind_the_others(tmp_path: Path) -> None:
    told = Told(tmp_path / STATE)
    told.put_found(tmp_path / "a.mp4", STAMP, Recorded("r"), events(DOG, CAT))
    first = told.pending()[0]
    told.set_state(first, "telling")
    told.set_state(replace(first, tries=1), "pending")
    assert [(one.event, one.tries) for one in told.pending()] == [(CAT, 0), (DOG, 1)]


def test_what_is_passed_over_is_known_until_it_changes(tmp_path: Path) -> None:
    told = Told(tmp_path / STATE)
    told.put_begun({tmp_path / "a.mp4": STAMP, tmp_path / "b.mp4": STAMP})
    assert told.is_known(tmp_path / "b.mp4", STAMP) and not told.is_known(tmp_path / "b.mp4", Stamp(10, 21, 30))
    assert told.pending() == [] and not told.is_new()


def test_a_recording_is_the_same_by_another_name_and_when_it_grows(tmp_path: Path) -> None:
    told = Told(tmp_path / STATE)
    told.put_found(tmp_path / "a.mp4", STAMP, Recorded("r"), events(DOG))
    moved = Event(1.1, 3.4, "dog", 0.5)
    cut = Event(1.0, 1.6, "dog", 0.5)
    later = Event(5.0, 6.0, "dog", 0.5)
    assert told.put_found(tmp_path / "b.mp4", STAMP, Recorded("r"), events(moved, later)) == 1
    assert told.put_found(tmp_path / "a.mp4", Stamp(5, 21, 30), Recorded("r"), events(cut)) == 0
    assert told.put_found(tmp_path / "a.mp4", Stamp(9, 22, 30), Recorded("other"), events(DOG)) == 1
    assert [one.event for one in told.pending()] == [DOG, later, DOG]
    ids = [one.id for one in told.pending()]
    assert len(set(ids)) == 3


spans = st.tuples(st.integers(0, 40), st.integers(1, 10), st.sampled_from("ab"))


Spans = list[tuple[int, int, str]]


@settings(max_examples=20)
@given(st.lists(st.lists(spans, max_size=5), max_size=4))
def test_the_same_found_again_is_never_new(tmp_path_factory: pytest.TempPathFactory, searches: list[Spans]) -> None:
    told = Told(tmp_path_factory.mktemp("told") / STATE)
    for number, found in enumerate(searches):
        some = events(*(Event(float(s), float(s + d), label) for s, d, label in found))
        told.put_found(Path("a.mp4"), Stamp(number, 0, 0), Recorded("r"), some)
        assert told.put_found(Path("a.mp4"), Stamp(number, 0, 0), Recorded("r"), some) == 0
    told.close()


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / STATE).write_text("no data base" * 100)
    with pytest.raises(OutputError, match="cannot be used"):
        Told(tmp_path / STATE)
