"""What `avloc detect` shows on a folder of real clips with known events: precision, recall, F1, every error.

    python tools/real_dev.py FOLDER [--model default] [--cache features/]

FOLDER holds videos and `annotations.json` in UnAV-100's schema, with `file` and, for each event, `certainty`. Clips
with an event of low certainty stand apart. Events of classes that the vocabulary lacks do not count. The clips are
for looking and for validation; nothing is ever trained on them. The second row of figures is a yardstick that trains
nothing: the product of mapped scores, smoothed, from a threshold on (its threshold is the best one on these clips).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from avloc import load
from avloc.detector import Detector
from avloc.events import Event, Events
from avloc.features.sequence import FeatureSequence
from avloc.features.store import load_features, save_features
from avloc.recipes.vocabulary import read_vocabulary

# YAMNet's classes have no gender, so both ways of counting are given.
MERGED = {
    "woman speaking": "man speaking",
    "female singing": "male singing",
}
SMOOTHING_STEPS = 9  # 2.9 s; the yardstick's five half seconds
EAR = 0.6  # power of what is heard; the rest is what is seen


@dataclass(frozen=True)
class Settings:
    folder: Annotated[Path, tyro.conf.Positional]
    """Folder of the clips."""
    model: str = "default"
    cache: Path | None = None
    """Folder to keep features in."""
    score: float | None = None
    """Least score of what is shown; without it the model's own."""


@dataclass(frozen=True)
class Count:
    right: int
    shown: int
    true: int

    def __str__(self) -> str:
        precision, recall = self.right / max(1, self.shown), self.right / max(1, self.true)
        return (
            f"precision {precision:.2f}, recall {recall:.2f}, F1 {self.f1:.2f} ({self.right} of {self.shown} right)"
        )

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, self.shown + self.true)


def main(settings: Settings) -> None:
    """Print figures and the table of errors."""
    database = json.loads((settings.folder / "annotations.json").read_text(encoding="utf-8"))["database"]
    detector = load(settings.model)
    features = {n: features_of(settings, detector, n, row["file"]) for n, row in database.items()}
    least = detector.config.show_score if settings.score is None else settings.score
    found = {n: detector.detect_features(f).all_events.above(least) for n, f in features.items()}
    truth = {n: truth_of(row, detector.labels) for n, row in database.items()}
    sure = {n: t for n, t in truth.items() if not doubtful(database[n])}
    print(
        f"{len(sure)} clips with {sum(map(len, sure.values()))} events; {len(truth) - len(sure)} doubtful ones apart"
    )
    for name, merged in (("classes as they are", {}), ("man's and woman's voices as one", MERGED)):
        lines = [f"tIoU {t}: {count(found, sure, t, merged)}" for t in (0.3, 0.5)]
        print(f"{name}, shown from {least:g} on:", *lines, sep="\n  ")
        f1, at = yardstick(features, sure, merged)
        print(f"  yardstick without training: F1 at tIoU 0.3 {f1:.2f} (threshold {at:g}, the best one here)")
    Console(width=150).print(errors(database, found, truth))


def features_of(settings: Settings, detector: Detector, name: str, file: str) -> FeatureSequence:
    """From the cache where they lie there."""
    path = None if settings.cache is None else settings.cache / f"{name}.safetensors"
    if path is not None and path.is_file():
        return load_features(path)
    features = detector.extractor.extract(settings.folder / file, detector.grid)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_features(features, path)
    return features


def truth_of(row: Mapping[str, Any], labels: tuple[str, ...]) -> Events:
    rows = [(*a["segment"], a["label"], 1.0) for a in row["annotations"] if a["label"] in labels]
    return Events(*map(list, zip(*rows, strict=True))) if rows else Events()


def doubtful(row: Mapping[str, Any]) -> bool:
    return any(a["certainty"] == "low" for a in row["annotations"])


def count(found: Mapping[str, Events], truth: Mapping[str, Events], tiou: float, merged: Mapping[str, str]) -> Count:
    """Detections matched with truth, each true event once, the surest first."""
    right = shown = 0
    for name, events in truth.items():
        detections = renamed(found[name], merged)
        hit, _ = match(detections, list(events), tiou, merged)
        right, shown = right + len(hit), shown + len(detections)
    return Count(right, shown, sum(map(len, truth.values())))


def renamed(events: Events, merged: Mapping[str, str]) -> list[Event]:
    """Highest score first; of two that became one class and lie on one another the surer one."""
    kept: list[Event] = []
    for e in sorted(events, key=lambda e: -e.score):
        event = Event(e.start_s, e.end_s, merged.get(e.label, e.label), e.score)
        twice = event.label in merged.values() and any(
            k.label == event.label and overlap(k, event) > 0.3 for k in kept
        )
        if not twice:
            kept.append(event)
    return kept


def match(
    detections: list[Event], events: list[Event], tiou: float, merged: Mapping[str, str]
) -> tuple[list[Event], list[Event]]:
    """Detections that are right, and events that nobody found."""
    right = []
    for d in detections:
        for t in events:
            if merged.get(t.label, t.label) == d.label and overlap(d, t) >= tiou:
                events.remove(t)
                right.append(d)
                break
    return right, events


def overlap(a: Event, b: Event) -> float:
    shared = max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))
    return shared / (a.duration_s + b.duration_s - shared)


def yardstick(
    features: Mapping[str, FeatureSequence], truth: Mapping[str, Events], merged: Mapping[str, str]
) -> tuple[float, float]:
    """Best F1 at tIoU 0.3 of the smoothed product of mapped scores, and its threshold."""
    vocabulary = read_vocabulary()
    heard, seen = vocabulary.audio_matrix(vocabulary.labels), vocabulary.visual_matrix(vocabulary.labels)
    curves = {}
    for name in truth:
        f = features[name]
        p = np.exp(f.visual_scores)
        pictures = np.concatenate([p / p.sum(axis=1, keepdims=True), f.cues[:, :1], f.cues[:, 1:-2] ** 2], axis=1)
        by_eye = np.minimum(pictures @ seen.T, 1)
        by_ear = (f.audio_scores[:, None, :] * heard[None]).max(axis=2)
        curves[name] = smoothed(by_ear**EAR * by_eye ** (1 - EAR))
    best = (0.0, 0.0)
    for threshold in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5):
        found = {name: runs(curves[name], features[name], vocabulary.labels, threshold) for name in truth}
        best = max(best, (count(found, truth, 0.3, merged).f1, threshold))
    return best


def smoothed(curve: np.ndarray) -> np.ndarray:
    kernel = np.ones(SMOOTHING_STEPS)
    share = np.convolve(np.ones(len(curve)), kernel, "same")[: len(curve), None]
    total = np.apply_along_axis(np.convolve, 0, curve, kernel, "same")
    return np.asarray(total[: len(curve)] / share)


def runs(curve: np.ndarray, features: FeatureSequence, labels: tuple[str, ...], threshold: float) -> Events:
    """Stretches of a curve (T, K) above a threshold, scored with their mean."""
    rows = []
    half_s = features.grid.stride_s / 2
    for k, label in enumerate(labels):
        edges = np.flatnonzero(np.diff(np.pad(curve[:, k] >= threshold, 1).astype(np.int8)))
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            start_s, end_s = features.grid.to_seconds([first, last - 1]).tolist()
            rows.append((max(0.0, start_s - half_s), end_s + half_s, label, float(curve[first:last, k].mean())))
    return Events(*map(list, zip(*rows, strict=True))) if rows else Events()


def errors(database: Mapping[str, Any], found: Mapping[str, Events], truth: Mapping[str, Events]) -> Table:
    """Every event that is shown though it is none, or is not shown though it is one; at tIoU 0.3."""
    table = Table(title="errors at tIoU 0.3, classes as they are (? doubtful truth)")
    for column in ("clip", "error", "class", "time", "score", "what else the truth says then"):
        table.add_column(column)
    for name, row in database.items():
        mark = "?" if doubtful(row) else ""
        detections = renamed(found[name], {})
        right, missed = match(detections, list(truth[name]), 0.3, {})
        for d in detections:
            if d not in right:
                others = [*row["annotations"], *row["other_events"]]
                said = [f"{o.get('label', o.get('what'))}" for o in others if _meets(d, o["segment"])]
                table.add_row(name[:24] + mark, "false", d.label, _time(d), f"{d.score:.2f}", "; ".join(said))
        for t in missed:
            table.add_row(name[:24] + mark, "missed", t.label, _time(t), "", "")
    return table


def _meets(event: Event, segment: list[float]) -> bool:
    return min(event.end_s, segment[1]) > max(event.start_s, segment[0])


def _time(event: Event) -> str:
    return f"{event.start_s:.1f} to {event.end_s:.1f}"


if __name__ == "__main__":
    main(tyro.cli(Settings))
