"""The stretches of videos in which every event is known: what is trained on and measured.

A video with labels is known whole. Of one whose events a person judged in part (docs/review.md) it is what was looked
at; what lies between may hold anything, and so it is neither background nor event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from avloc.events import Events
from avloc.formats.truth import Truth
from avloc.own.check import cut
from avloc.timegrid import TimeGrid

LEAST_STEPS = 4


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps [first, first + count) of a video, and its events in seconds from `start_s`, where the stretch begins."""

    video: str
    first: int
    count: int
    start_s: float
    events: Events


def stretches(truth: Mapping[str, Truth], steps: Mapping[str, int], grid: TimeGrid) -> dict[str, Stretch]:
    """By name: that of the video where it is known whole, else with the seconds behind it.

    steps: of the features of each video.
    """
    found: dict[str, Stretch] = {}
    for name, told in truth.items():
        if told.known is None:
            found[name] = Stretch(name, 0, steps[name], 0.0, told.events)
            continue
        for low_s, high_s in told.known:
            first = max(0, int(np.ceil(grid.to_steps(low_s))))
            count = min(steps[name], int(np.floor(grid.to_steps(high_s))) + 1) - first
            if count >= LEAST_STEPS:
                start_s = first * grid.stride_s
                events = moved(told.events, -start_s)
                whole = Stretch(name, first, count, start_s, cut(events, length_s(count, grid)))
                found[f"{name} {low_s:.2f}-{high_s:.2f} s"] = whole
    return found


def length_s(count: int, grid: TimeGrid) -> float:
    """Length in seconds of a stretch of so many steps."""
    return float(grid.to_seconds(count - 0.5))


def moved(events: Events, seconds: float) -> Events:
    """The same events so much later."""
    return Events(events.start_s + seconds, events.end_s + seconds, events.labels, events.score)


def by_video(found: Mapping[str, Events], parts: Mapping[str, Stretch]) -> dict[str, Events]:
    """Events of stretches, as those of their videos."""
    joined: dict[str, list[Events]] = {}
    for name, events in found.items():
        joined.setdefault(parts[name].video, []).append(moved(events, parts[name].start_s))
    return {video: Events.of(event for one in several for event in one) for video, several in joined.items()}


def told_of(truth: Mapping[str, Truth], parts: Mapping[str, Stretch]) -> str:
    """A line on videos that were looked at in part; "" where there is none."""
    partly = {name: told for name, told in truth.items() if told.known is not None}
    if not partly:
        return ""
    known_s = sum(high_s - low_s for told in partly.values() for low_s, high_s in told.known or ())
    all_s = sum(told.duration_s for told in partly.values())
    lost = sum(not any(part.video == name for part in parts.values()) for name in partly)
    left_out = f"; {lost} of them have none and are left out" if lost else ""
    return (
        f"{len(partly)} of {len(truth)} videos were looked at in part: {known_s:.0f} of their {all_s:.0f} s, where "
        f"every event is known, are trained on{left_out}"
    )
