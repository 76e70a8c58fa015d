"""ActivityNet's forms <-> videos: beside the events, what our own files say of length, place and time of day."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from avloc.errors import FormatError
from avloc.formats import activitynet
from avloc.formats.csv_truth import DEFAULT_SUBSET
from avloc.formats.media_names import from_file, seen_from
from avloc.formats.text import PathLike
from avloc.formats.truth import Choices, Truth, clock_at


def read_results(path: PathLike, _: Choices) -> dict[str, Truth]:
    results, told = activitynet.read_detections(path)
    alone = len(results) == 1
    lengths, places = told.get("durations"), told.get("videos")
    if not isinstance(lengths, dict):
        lengths = dict.fromkeys(results, told.get("duration")) if alone else {}
    if not isinstance(places, dict):
        places = dict.fromkeys(results, told.get("video")) if alone else {}
    return {
        video: Truth.of(events, _length(lengths.get(video)), _media(places.get(video), path))
        for video, events in results.items()
    }


def _length(told: object) -> float:
    return float(told) if type(told) in (int, float) and 0 <= told < math.inf else math.inf  # type: ignore[operator, arg-type]


def _media(told: object, path: PathLike) -> str:
    return from_file(told, path) if isinstance(told, str) else ""


def write_results(path: PathLike, videos: Mapping[str, Truth]) -> None:
    known = {video: round(truth.duration_s, 3) for video, truth in videos.items() if math.isfinite(truth.duration_s)}
    places = {video: seen_from(truth.media, path) for video, truth in videos.items() if truth.media}
    told: dict[str, Any] = {}
    began = {video: clock_at(truth, 0.0) for video, truth in videos.items() if truth.began is not None}
    named_twice = (("video", "videos", places), ("duration", "durations", known), ("began", "begins", began))
    for one, many, found in named_twice:
        if found:
            told |= {one: next(iter(found.values()))} if len(videos) == 1 else {many: found}
    activitynet.write_results(path, {video: truth.events for video, truth in videos.items()}, told)


def write_annotations(path: PathLike, videos: Mapping[str, Truth]) -> None:
    for video, truth in videos.items():
        if math.isinf(truth.duration_s):
            raise FormatError(
                f"{path}: ActivityNet's annotations need the length of each video, and that of {video!r} "
                "is not known; use csv-truth"
            )
    named = {v: Truth(t.duration_s, t.subset or DEFAULT_SUBSET, t.events) for v, t in videos.items()}
    activitynet.write_truth(path, named)
