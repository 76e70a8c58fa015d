"""What `avloc plot` draws, from folders of runs and files of detections: methods with their seeds, scored once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.cli.against import Against, hold_against, read_goal
from avloc.errors import AvlocError, FormatError
from avloc.evaluation.diagnosis import diagnose
from avloc.evaluation.matching import THRESHOLDS, Matches, match
from avloc.evaluation.mean_ap import MeanAp, mean_ap_of
from avloc.evaluation.reliability import Reliability, reliability
from avloc.evaluation.sensitivity import Characteristic
from avloc.events import Events
from avloc.report.telling import surest, telling_video

Float64 = NDArray[np.float64]
METRICS, SETTINGS, EXPERIMENT = "metrics.jsonl", "run.json", "experiment.json"
TEST = "test"
_MOST_METHODS = 12


@dataclass
class Method:
    """One method, and what it is called in figures: for each seed the curves of its training, where there are any,
    and the file of its detections."""

    name: str
    title: str = ""
    folders: list[Path] = field(default_factory=list)
    curves: list[Mapping[str, tuple[Float64, Float64]]] = field(default_factory=list)
    detections: list[Path] = field(default_factory=list)
    split: str = ""
    """That of the detections, where a run tells it."""

    @property
    def annotations(self) -> Path | None:
        """Those of the first of its runs that tells them."""
        return next((place for folder in self.folders if (place := _annotations(folder))), None)


def gathered(
    runs: Sequence[Path], split: str | None, names: Sequence[str], on_left_out: Callable[[str], None]
) -> list[Method]:
    """The methods of these folders and files; runs of a grid's row that differ by their seeds alone are one method.

    split: of the detections; without it what a run's data set calls its test split.
    on_left_out: is told of each folder that is no run, as one among others may be.

    Raises:
        AvlocError: none is named, or none is a run or detections, there are too many methods, or another number of
            names.
    """
    if not runs:
        raise AvlocError("no run was named; name folders of avloc train, or files of detections")
    methods: dict[tuple[str, str], Method] = {}
    odd = []
    for path in runs:
        own_split = split or _test_split(path)
        tested = path / f"{own_split}.predictions.json"
        if not any(place.is_file() for place in (path, path / METRICS, tested)):
            odd.append(f"{path}: is neither a run of avloc train nor a file of detections")
            continue
        method = methods.setdefault((_name(path), _settings(path)), Method(_name(path)))
        if path.is_file():
            method.detections.append(path)
            continue
        method.folders.append(path)
        if (curves := _curves(path)) is not None:
            method.curves.append(curves)
        if tested.is_file():
            method.detections.append(tested)
            method.split = own_split
    if not methods:
        raise AvlocError(odd[0])
    for line in odd:
        on_left_out(line)
    if len(methods) > _MOST_METHODS:
        raise AvlocError(f"{len(methods)} methods are more than a figure holds; name {_MOST_METHODS} at most")
    if names and len(names) != len(methods):
        told = ", ".join(method.name for method in methods.values())
        raise AvlocError(f"--names has {len(names)} names for {len(methods)} methods ({told})")
    found = list(methods.values())
    for k, method in enumerate(found):
        same = sum(other.name == method.name for other in found[:k])
        method.title = names[k] if names else f"{method.name} ({same + 1})" if same else method.name
    return found


@dataclass(frozen=True)
class Scored:
    """Detections of every method and seed, held against the same truth."""

    found: Mapping[str, Sequence[Against]]

    @property
    def thresholds(self) -> tuple[float, ...]:
        return THRESHOLDS

    @cached_property
    def matches(self) -> Mapping[str, Sequence[Matches]]:
        return {name: [match(one.detections, one.truth) for one in each] for name, each in self.found.items()}

    @cached_property
    def precision(self) -> Mapping[str, Sequence[MeanAp]]:
        return {name: [mean_ap_of(one) for one in each] for name, each in self.matches.items()}

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes that have truth."""
        return next(iter(self.precision.values()))[0].labels

    def by_threshold(self) -> dict[str, Float64]:
        """mAP of each seed at each threshold (S, T)."""
        return {name: np.stack([one.by_threshold for one in each]) for name, each in self.precision.items()}

    def by_label(self) -> dict[str, Float64]:
        """Average precision by class (K,), mean over thresholds and seeds."""
        return {name: np.mean([one.by_label for one in each], axis=0) for name, each in self.precision.items()}

    def sensitivity(self) -> dict[str, tuple[Sequence[Characteristic], float]]:
        """Of the first seed of each method: what mAP is on groups of truth, and on all of it."""
        found: dict[str, tuple[Sequence[Characteristic], float]] = {}
        for name, each in self.found.items():
            told = diagnose(each[0].detections, each[0].truth, each[0].durations_s)
            found[name] = (told.characteristics, told.normalized)
        return found

    def reliability(self, threshold: float) -> dict[str, Reliability]:
        """Of all seeds' detections together, those of classes that have truth."""
        at = int(np.argmin(np.abs(np.array(THRESHOLDS) - threshold)))
        return {
            name: reliability(
                np.concatenate([one.detections.score for one in each]),
                np.concatenate([one.hit[at] for one in each]),
            )
            for name, each in self.matches.items()
        }

    def timeline(self, video: str | None) -> tuple[str, Events, list[tuple[str, Events]], float]:
        """A video, its truth, the surest detections of each method's first seed, as many as there are true events,
        and its length.

        Raises:
            FormatError: no video has this name.
        """
        first = next(iter(self.found.values()))[0]
        name = video or telling_video(first.truth)
        if name not in first.truth:
            raise FormatError(
                f"no video {name!r} is of the truth; the first of its videos is {next(iter(first.truth))!r}"
            )
        truth = first.truth[name]
        shown = [
            (one, surest(each[0].detections.get(name, Events.of([])), len(truth))) for one, each in self.found.items()
        ]
        ends = [float(events.end_s.max()) for events in (truth, *(e for _, e in shown)) if len(events)]
        duration_s = first.durations_s.get(name, math.inf)
        return name, truth, shown, duration_s if math.isfinite(duration_s) else max(ends, default=1.0)


def scored(
    methods: Sequence[Method],
    truth: Path | None,
    split: str | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Scored | None:
    """The methods that have detections against the truth, else the first run's; None without any.

    Runs on other annotations than the first's are left out where no truth is named. on_note: is told of them, and
    of how detections fit the truth.

    Raises:
        AvlocError: no truth is known, or a file cannot be read.
    """
    able = [method for method in methods if method.detections]
    if not able:
        return None
    place = truth or next((m.annotations for m in (*able, *methods) if m.annotations), None)
    if place is None:
        raise AvlocError("detections need a truth to be held against; name it with --truth")
    goal = read_goal(place, split or next((m.split for m in able if m.split), TEST))
    found, notes = {}, []
    for method in able:
        if truth is None and method.annotations not in (None, place):
            notes.append(f"{method.title}: is of other annotations than {place}; in the curves alone")
            continue
        found[method.title] = [hold_against(path, goal) for path in method.detections]
        notes += [f"{method.title}: {note}" for held in found[method.title] for note in held.notes]
    for note in dict.fromkeys(notes):
        if on_note is not None:
            on_note(note)
    return Scored(found)


def _name(path: Path) -> str:
    """The row of a grid's run; else the folder's or file's own name."""
    told = _read(path / EXPERIMENT)
    if isinstance(told.get("row"), str):
        return str(told["row"])
    return path.resolve().name if path.is_dir() else path.stem.removesuffix(".predictions")


def _settings(path: Path) -> str:
    """What runs of one method have in common: all settings but the seed and where the data lie."""
    told = _read(path / SETTINGS)
    for group, names in (("train", ("seed",)), ("data", ("features", "annotations", "cache"))):
        if isinstance(told.get(group), dict):
            told[group] = {name: value for name, value in told[group].items() if name not in names}
    return json.dumps(told, sort_keys=True)


def _annotations(folder: Path) -> Path | None:
    data = _read(folder / SETTINGS).get("data")
    place = data.get("annotations") if isinstance(data, dict) else None
    return Path(place) if isinstance(place, str) and place else None


def _test_split(folder: Path) -> str:
    data = _read(folder / SETTINGS).get("data")
    told = data.get("test_split") if isinstance(data, dict) else None
    return told if isinstance(told, str) and told else TEST


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _curves(folder: Path) -> Mapping[str, tuple[Float64, Float64]] | None:
    """Validation mAP in percent and losses over the epochs; None of a run without an epoch."""
    path = folder / METRICS
    if not path.is_file():
        return None
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        points: dict[str, list[tuple[float, float]]] = {}
        for line in lines:
            epoch = float(line["number"])
            if line.get("validation_map") is not None:
                points.setdefault("validation mAP (%)", []).append((epoch, 100 * float(line["validation_map"])))
            points.setdefault("loss", []).append((epoch, float(line["total"])))
            for name, value in line["losses"].items():
                points.setdefault(f"{name} loss", []).append((epoch, float(value)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise FormatError(f"{path}: a line of it is no metrics of an epoch; mend or delete the file") from None
    first = ("validation mAP (%)",) if "validation mAP (%)" in points else ()
    columns = {words: np.array(points[words], np.float64).T for words in dict.fromkeys((*first, *points))}
    return {words: (each[0], each[1]) for words, each in columns.items()} or None
