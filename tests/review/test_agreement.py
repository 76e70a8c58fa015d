"""Verdicts laid on results, merged between people, and applied."""

from __future__ import annotations

import pytest

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.verdicts import Kind, Reviewed, Verdict
from avloc.review.agreement import merge
from avloc.review.corrected import corrected
from avloc.review.joined import join

FOUND = Events([0, 2, 4, 6], [1, 3, 5, 7], ["dog", "dog", "cat", "cat"], [0.9, 0.8, 0.7, 0.6])


def told(*kinds: Kind, by: str = "", changed: dict[int, Event] | None = None, whole: bool = False) -> Reviewed:
    verdicts = [
        Verdict(kind, (changed or {}).get(i, event), event, by)
        for i, (kind, event) in enumerate(zip(kinds, FOUND, strict=False))
    ]
    return Reviewed(tuple(verdicts), 10.0, whole)


def test_an_event_is_right_as_it_stands_or_with_near_ends() -> None:
    mended = {1: Event(2.1, 3.1, "dog"), 2: Event(4, 5, "dog"), 3: Event(6.8, 9, "cat")}
    joined = join({"v": FOUND}, {"v": told("yes", "corrected", "corrected", "corrected", changed=mended)})
    assert [f.right for f in joined.found] == [True, True, False, False]


def test_verdicts_of_other_results_are_counted() -> None:
    gone = Event(8, 9, "dog", 0.5)
    joined = join({"v": FOUND}, {"v": Reviewed((Verdict("yes", gone, gone),)), "w": told("yes", "")})
    assert joined.strange == 2 and not joined.looked
    with pytest.raises(FormatError, match="no video in common: the verdicts are of 'w' and the like"):
        join({"v": FOUND}, {"w": told("yes")})


def test_people_who_agree_are_merged_and_others_listed() -> None:
    mended = {1: Event(2.1, 3.0, "dog")}
    ann = told("yes", "corrected", "no", "yes", by="Ann", changed=mended)
    ben = told("yes", "yes", "no", "no", by="Ben", whole=True)
    both = merge({"a": {"v": ann}, "b": {"v": ben}})
    merged = both.videos["v"]
    assert [v.kind for v in merged.verdicts] == ["yes", "corrected", "no", ""] and merged.whole
    (conflict,) = both.conflicts
    assert conflict.event == FOUND[3] and {p: v.kind for p, v in conflict.verdicts.items()} == {
        "Ann": "yes",
        "Ben": "no",
    }
    (agreement,) = both.agreements
    assert (agreement.one, agreement.other, agreement.both, agreement.agreed) == ("Ann", "Ben", 4, 3)
    assert agreement.kappa == pytest.approx(0.5)  # 3/4 seen; (3/4 2/4 + 1/4 2/4) by chance


def test_files_stand_for_people_and_the_later_verdict_counts() -> None:
    one, again = told("yes", "no"), told("no", "no")
    merged = merge({"ann": {"v": one}, "ben": {"v": again}})
    assert [c.event for c in merged.conflicts] == [FOUND[0]]
    old, new = (
        Verdict("yes", FOUND[0], FOUND[0], "Ann", "2026-01-01"),
        Verdict("no", FOUND[0], FOUND[0], "Ann", "2026-01-02"),
    )
    mine = merge({"new": {"v": Reviewed((new,))}, "old": {"v": Reviewed((old,))}})
    assert [v.kind for v in mine.videos["v"].verdicts] == ["no"] and not mine.conflicts


def test_one_event_that_two_people_add_is_one() -> None:
    added = [Verdict("added", Event(8, 9 + k / 10, label), None) for k, label in enumerate(("dog", "dog", "cat"))]
    both = merge({str(k): {"v": Reviewed((v,))} for k, v in enumerate(added)})
    assert [v.event.label for v in both.videos["v"].verdicts] == ["dog", "cat"]


def test_corrected_results_are_what_the_verdicts_say() -> None:
    reviewed = told("no", "corrected", "yes", changed={1: Event(2.5, 3.5, "cat")})
    reviewed = Reviewed((*reviewed.verdicts, Verdict("added", Event(8, 9, "cow"), None)))
    assert corrected(FOUND, reviewed) == Events(
        [2.5, 4, 6, 8], [3.5, 5, 7, 9], ["cat", "cat", "cat", "cow"], [0.8, 0.7, 0.6, 1.0]
    )
    assert corrected(FOUND, Reviewed()) == FOUND
