"""What a timeline shows: a video that says much, and of each method what it is surest of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from avloc.events import Events


def telling_video(truth: Mapping[str, Events]) -> str:
    """The video that a timeline says most with, chosen by the truth alone: of those with 5 events at most, the one
    with the most classes, then the most events, then the first by name."""
    few = {name: events for name, events in truth.items() if len(events) <= 5} or truth
    return min(few, key=lambda name: (-len(set(few[name].labels)), -len(few[name]), name))


def surest(events: Events, count: int) -> Events:
    """The `count` events of the highest scores, the surest first."""
    return events.take(np.argsort(-events.score, kind="stable")[:count])
