"""Verdicts of several people > one, how far they agree, and where they do not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from avloc.events import Event
from avloc.formats.verdicts import Key, Reviewed, Verdict, key_of
from avloc.review.joined import is_right, is_same
from avloc.review.proportions import kappa


@dataclass(frozen=True, slots=True)
class Conflict:
    """An event on which people do not agree, with the verdict of each, by name."""

    video: str
    event: Event
    verdicts: Mapping[str, Verdict]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two people agree on which found events are right: kappa of the events that both looked at.

    kappa is None where it has no value: no such event, or one answer alone was given.
    """

    one: str
    other: str
    both: int
    agreed: int
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Merged:
    """One verdict an event; where people do not agree there is none, as if nobody had looked."""

    videos: Mapping[str, Reviewed]
    agreements: tuple[Agreement, ...]
    conflicts: tuple[Conflict, ...]


def merge(files: Mapping[str, Mapping[str, Reviewed]]) -> Merged:
    """Verdicts of several files, by name of the file, which stands for the person where rows name none.

    Two verdicts agree where both say that nothing is there, or both name one class with a tIoU of at least 0.5; then
    the corrected one counts. Of one person's two verdicts on an event the later counts, or that of the later file.
    """
    people = list(dict.fromkeys(v.by or file for file, videos in files.items() for v in _all(videos)))
    told: dict[tuple[str, Key], dict[str, Verdict]] = {}
    for file, videos in files.items():
        for video, reviewed in videos.items():
            for v in reviewed.verdicts:
                if v.found is not None and v.kind:
                    of_event = told.setdefault((video, key_of(v.found)), {})
                    before = of_event.get(v.by or file)
                    if before is None or v.at >= before.at:
                        of_event[v.by or file] = v
    conflicts = [
        Conflict(video, next(iter(said.values())).found or next(iter(said.values())).event, said)
        for (video, _), said in told.items()
        if not _agree(list(said.values()))
    ]
    names = dict.fromkeys(video for videos in files.values() for video in videos)
    merged = {video: _merged([f[video] for f in files.values() if video in f], video, told) for video in names}
    pairs = tuple(_agreement(one, other, told.values()) for one, other in itertools.combinations(people, 2))
    return Merged(merged, pairs, tuple(conflicts))


def _all(videos: Mapping[str, Reviewed]) -> Iterable[Verdict]:
    return (v for reviewed in videos.values() for v in reviewed.verdicts if v.kind)


def _agree(verdicts: Sequence[Verdict]) -> bool:
    first = verdicts[0]
    return all(
        v.is_true == first.is_true and (not first.is_true or is_same(v.event, first.event)) for v in verdicts[1:]
    )


def _merged(
    several: Sequence[Reviewed], video: str, told: Mapping[tuple[str, Key], Mapping[str, Verdict]]
) -> Reviewed:
    rows: dict[Key, Verdict] = {}
    added: list[Verdict] = []
    for reviewed in several:
        for v in reviewed.verdicts:
            if v.found is None:
                if not any(is_same(v.event, known.event) for known in added):
                    added.append(v)
                continue
            key = key_of(v.found)
            said = list(told.get((video, key), {}).values())
            if said and _agree(said):
                rows[key] = next((s for s in said if s.kind == "corrected"), said[0])
            elif said or key not in rows:
                rows[key] = replace(v, kind="", event=v.found, by="", at="")
    first = several[0]
    lengths = [reviewed.duration_s for reviewed in several]
    return replace(
        first,
        verdicts=(*rows.values(), *added),
        duration_s=min(lengths),
        whole=any(reviewed.whole for reviewed in several),
    )


def _agreement(one: str, other: str, told: Iterable[Mapping[str, Verdict]]) -> Agreement:
    both = [(said[one], said[other]) for said in told if one in said and other in said]
    answers = [(is_right(a), is_right(b)) for a, b in both]
    return Agreement(
        one,
        other,
        len(both),
        sum(a == b for a, b in answers),
        kappa([a for a, _ in answers], [b for _, b in answers]),
    )
