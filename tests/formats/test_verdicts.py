"""Files of verdicts, and which truth they make in which stretches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.files import read_truth, sniff
from avloc.formats.verdict_files import read_reviewed, write_reviewed
from avloc.formats.verdicts import Reviewed, Verdict, mark_of, union, without

DOG, CAT = Event(5, 7, "dog", 0.9), Event(10, 12, "cat", 0.5)


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_what_is_written_is_read(ending: str, tmp_path: Path) -> None:
    verdicts = (
        Verdict("yes", DOG, DOG, "Ann", "2026-01-02T03:04:05Z"),
        Verdict("corrected", Event(9, 12.5, 'a "b", c'), CAT, "Ann"),
        Verdict("added", Event(14, 15, "=1+1"), None),
        Verdict("", CAT, CAT, asked=True),
        Verdict("no", CAT, CAT),
    )
    videos = {"north/a": Reviewed(verdicts, 20.0, True, "0" * 16), "b": Reviewed(), "c": Reviewed((), 3.0, True)}
    path = tmp_path / f"verdicts.{ending}"
    write_reviewed(path, videos)
    assert read_reviewed(path) == videos and sniff(path) == "verdicts"
    truth = read_truth(path)["north/a"]
    assert truth.events.labels == ("dog", 'a "b", c', "=1+1") and truth.duration_s == 20


def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("video;start;end;label;verdict\na;1;2;dog;yes\na;3;4;dog;NO\n", "utf-8")
    assert [v.kind for v in read_reviewed(path)["a"].verdicts] == ["yes", "no"]
    assert len(read_truth(path)["a"].events) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("video,start,end,label,verdict\na,1,2,dog,maybe\n", "line 2: the verdict 'maybe' is none"),
        ("video,start,end,label,verdict\na,2,1,dog,yes\n", "line 2: the event ends at 1 s, before its start"),
        ("video,start,end,label,verdict\na,x,1,dog,yes\n", "line 2, start is 'x'"),
        ("video,start,end,label,verdict\n,1,2,dog,yes\n", "line 2: names no video"),
        ("video,start,end\n", "names no column label, verdict"),
    ],
)
def test_an_odd_row_is_named(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(FormatError, match=said):
        read_reviewed(path)


def test_only_what_was_looked_at_is_known() -> None:
    partly = Reviewed((Verdict("yes", DOG, DOG), Verdict("", CAT, CAT)), 20.0)
    assert partly.truth().known == ((4.0, 8.0),)
    near = Event(7.5, 9, "cow", 0.5)  # nobody looked at it, so nothing is known where it may be
    assert Reviewed((Verdict("yes", DOG, DOG), Verdict("", near, near)), 20.0).truth().known == ((4.0, 7.5),)
    moved = Verdict("corrected", Event(2, 6, "dog"), DOG)
    assert Reviewed((moved,), 20.0).truth().known == ((1.0, 8.0),)
    assert Reviewed((Verdict("", CAT, CAT),), 20.0).truth().known == ()


def test_a_video_that_was_watched_is_known_but_for_what_nobody_judged() -> None:
    assert Reviewed((Verdict("no", DOG, DOG),), 20.0, whole=True).truth().known is None
    open_ = Reviewed((Verdict("no", DOG, DOG), Verdict("", CAT, CAT)), 20.0, whole=True)
    assert open_.truth().known == ((0.0, 10.0), (12.0, 20.0))


spans = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 10)).map(lambda p: (float(p[0]), float(sum(p)))), max_size=6
)


@given(spans, spans)
def test_stretches_are_what_one_covers_and_the_other_does_not(some: Spans, others: Spans) -> None:
    def covers(many: Iterable[tuple[float, float]], at: float) -> bool:
        return any(low < at < high for low, high in many)

    left = without(union(some), others)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(left))
    for at in (k + 0.5 for k in range(61)):
        assert covers(left, at) == (covers(some, at) and not covers(others, at))


def test_a_mark_changes_with_name_and_events() -> None:
    events = Events([1, 0], [2, 1], ["dog", "cat"], [0.5, 0.25])
    mark = mark_of("a", events)
    assert mark == mark_of("a", events.by_time()) and len(mark) == 16
    others = (events.above(0.4), Events([1, 0], [2, 1.001], ["dog", "cat"], [0.5, 0.25]))
    assert len({mark, mark_of("b", events), *(mark_of("a", other) for other in others)}) == 4
