"""Truth that says the same event twice, as the field's evaluators read it: once.

The evaluators of ActionFormer (Zhang, Wu and Li 2022) and its kin, UnAV's among them, drop an event of the truth
whose start and end both lie within a thousandth of a second of those of an event of its class and video before it.
UnAV-100 has no such events.
"""

from __future__ import annotations

from collections.abc import Mapping

from avloc.events import Events

TOLERANCE_S = 1e-3


def without_duplicates(
    truth: Mapping[str, Events], tolerance_s: float = TOLERANCE_S
) -> tuple[dict[str, Events], dict[str, int]]:
    """Truth by video without the events that stand there twice, and how many were dropped, of videos that had some.

    An event is dropped where an earlier one of its video and class, itself not dropped, has start and end within
    `tolerance_s` seconds of its own, the tolerance itself included.

    Raises:
        ValueError: the tolerance is negative.
    """
    if not tolerance_s >= 0:
        raise ValueError(f"tolerance_s is {tolerance_s}; 0 s or more is needed")
    kept = {video: _kept(events, tolerance_s) for video, events in truth.items()}
    dropped = {video: len(events) - len(kept[video]) for video, events in truth.items()}
    return (
        {video: events.take(kept[video]) if dropped[video] else events for video, events in truth.items()},
        {video: count for video, count in dropped.items() if count},
    )


def _kept(events: Events, tolerance_s: float) -> list[int]:
    rows: list[int] = []
    spans: dict[str, list[tuple[float, float]]] = {}
    times = zip(events.start_s.tolist(), events.end_s.tolist(), events.labels, strict=True)
    for i, (start_s, end_s, label) in enumerate(times):
        earlier = spans.setdefault(label, [])
        if any(abs(start_s - a) <= tolerance_s and abs(end_s - b) <= tolerance_s for a, b in earlier):
            continue
        earlier.append((start_s, end_s))
        rows.append(i)
    return rows
