"""Events of a result and the verdicts on them > the events as they should have been found."""

from __future__ import annotations

from dataclasses import replace

from avloc.events import Event, Events
from avloc.formats.verdicts import Reviewed, key_of
from avloc.review.joined import judged


def corrected(events: Events, reviewed: Reviewed) -> Events:
    """Wrong ones are gone, corrected ones stand as corrected with their score, added ones have score 1.

    What nobody looked at stays as it was found.
    """
    told = judged(reviewed.verdicts)
    kept: list[Event] = []
    for event in events:
        verdict = told.get(key_of(event))
        if verdict is None or verdict.kind == "yes":
            kept.append(event)
        elif verdict.kind == "corrected":
            kept.append(replace(verdict.event, score=event.score))
    kept += [replace(v.event, score=1.0) for v in reviewed.verdicts if v.kind == "added"]
    return Events.of(kept).by_time()
