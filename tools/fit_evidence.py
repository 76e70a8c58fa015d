"""The curves of avloc.evidence.apart: fitted on composed videos of the split validation, tried on those of test.

    python tools/fit_evidence.py MEDIA --work work/

Prints the numbers that stand in the module, and what its rows can be trusted for. MEDIA is that of
tools/build_media.py; the videos are those of `avloc train grounded-composed` and of tools/compare_default.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from numpy.typing import NDArray

from avloc import load
from avloc.compose.compose_config import ComposeConfig
from avloc.compose.folder import SEED_OF, Part, compose_folder
from avloc.compose.library import TEST, VALIDATION, open_library
from avloc.compose.scene import Scene
from avloc.events import Event, Events
from avloc.events.filter import merge_near
from avloc.evidence.apart import (
    EAR,
    EYE,
    LEAST_EVIDENCE,
    ClassEvidence,
    Curve,
    Sense,
    apart,
    mean_of,
    perceived,
    stretches,
)
from avloc.recipes.default import GroundedRun

FROM_SCORE = 0.1  # of detections that the curve of events is fitted on
FROM_EVIDENCE = 0.03  # of stretches that the curve of a sense by itself is fitted on
HALF = 0.5


@dataclass(frozen=True)
class Row:
    """Mean evidence in a stretch, the score of a detection, and whether the class is truly there."""

    evidence: float
    score: float
    there: bool


@dataclass(frozen=True)
class Settings:
    media: Annotated[Path, tyro.conf.Positional]
    """Media folder of tools/build_media.py."""
    work: Path = Path("work")
    """Folder for composed features."""
    workers: int = 2


@dataclass(frozen=True)
class Seen:
    """A video: its evidence, all candidates, what is shown of them, and what is truly heard and seen, merged."""

    evidence: ClassEvidence
    candidates: Events
    shown: Events
    heard: Events
    seen: Events


def main(settings: Settings) -> None:
    """Fit on one part, try on the other."""
    run = GroundedRun()
    for name, part in (
        ("validation", Part(VALIDATION, run.validation_videos, SEED_OF[VALIDATION], run.scene)),
        ("test", Part(TEST, 200, SEED_OF[TEST], ComposeConfig())),
    ):
        videos = read(settings, name, part)
        print(f"\n{name}: {len(videos)} videos")
        for sense, what in ((EAR, "heard"), (EYE, "seen")):
            other = EYE if sense is EAR else EAR
            of_events = [row for v in videos for row in rows_of(v, sense, v.candidates.above(FROM_SCORE))]
            alone = [row for v in videos for row in rows_of(v, sense, everywhere(v.evidence, sense, other))]
            for kind, rows, curve in (("events", of_events, sense.of_events), ("by itself", alone, sense.by_itself)):
                now = reliability([(curve(row.evidence, row.score), row.there) for row in rows])
                print(f"{what}, {kind}: {fitted(rows)}; {len(rows)} rows, {now}")
        tried(videos)


def read(settings: Settings, name: str, part: Part) -> list[Seen]:
    """Videos of a part, detected in."""
    detector = load("default")
    composed = compose_folder(settings.work / name, settings.media, [part], "features", settings.workers)
    library, found = open_library(settings.media, part.split), []
    for number, video in enumerate(composed.truth):
        scene = part.plan(library, number)
        detection = detector.detect_features(composed.features(video), evidence=True)
        assert detection.evidence is not None
        found.append(Seen(detection.evidence, detection.all_events, detection.events, heard(scene), seen(scene)))
    return found


def heard(scene: Scene) -> Events:
    """What is heard of classes, in one piece where sounds overlap."""
    return merge_near(Events.of(Event(s.start_s, s.end_s, s.sound.label) for s in scene.sounds if s.sound.label), 0.0)


def seen(scene: Scene) -> Events:
    """What is seen of classes."""
    return merge_near(
        Events.of(Event(p.start_s, p.end_s, p.picture.label) for p in scene.pictures if p.picture.label), 0.0
    )


def everywhere(evidence: ClassEvidence, sense: Sense, other: Sense) -> Events:
    """Stretches with the least evidence by a sense, be the class there by the other or not."""
    return stretches(evidence, sense, replace(other, absent_below=2.0), FROM_EVIDENCE)


def rows_of(video: Seen, sense: Sense, events: Events) -> list[Row]:
    """Of each event: mean evidence in it, its score, and whether its class is truly there for half of it."""
    truth = video.heard if sense is EAR else video.seen
    return [Row(mean_of(video.evidence, sense.alone, e), e.score, share(e, truth) >= HALF) for e in events]


def share(event: Event, truth: Events) -> float:
    """Which share of an event its class is truly there."""
    spans = [(t.start_s, t.end_s) for t in truth if t.label == event.label]
    inside = sum(max(0.0, min(event.end_s, b) - max(event.start_s, a)) for a, b in spans)
    return inside / max(event.duration_s, 1e-9)


def fitted(rows: Sequence[Row]) -> Curve:
    """The logistic curve, by Newton's method; over evidence alone where all scores are 1."""
    x = np.log(np.maximum([row.evidence for row in rows], LEAST_EVIDENCE))
    y = np.array([row.there for row in rows], float)
    p = np.clip([row.score for row in rows], LEAST_EVIDENCE, 1 - LEAST_EVIDENCE)
    odds = np.log(p / (1 - p)) if p.min() < p.max() else np.zeros(len(x))
    X, w = np.stack([x, np.ones(len(x)), odds], axis=1), np.zeros(3)
    for _ in range(50):
        p = 1 / (1 + np.exp(-X @ w))
        w += np.linalg.solve((X.T * (p * (1 - p))) @ X + 1e-6 * np.eye(3), X.T @ (y - p))
    return Curve(*(round(float(value), 2) for value in w))


def reliability(rows: Sequence[tuple[float, bool]]) -> str:
    """Of certainties in each fifth: how many, their mean, and which share is right."""
    said, there = (np.array(column, float) for column in zip(*rows, strict=True))
    parts = []
    for low in np.arange(0, 1, 0.2):
        inside: NDArray[np.bool_] = (said >= low) & (said < low + 0.2)
        if inside.any():
            parts.append(f"{said[inside].mean():.2f}: {there[inside].mean():.2f} ({inside.sum()})")
    return "certainty: share that is there (rows) " + ", ".join(parts)


def tried(videos: Sequence[Seen]) -> None:
    """What the rows of a file of evidence come to."""
    for modality in ("audio", "visual"):
        there = only = count = 0
        for video in videos:
            own, other = (video.heard, video.seen) if modality == "audio" else (video.seen, video.heard)
            for row in apart(video.evidence, video.shown):
                if row.modality == modality:
                    count += 1
                    there += (is_there := share(row.event, own) >= HALF)
                    only += is_there and share(row.event, other) < HALF
        print(f"{modality}: {count} rows, {there / count:.2f} of them there, {only / count:.2f} and not by the other")
    rows = [(v, row) for v in videos for row in perceived(v.evidence, v.shown)]
    for name in ("heard", "seen"):
        sure = [(getattr(row, name), share(row.event, getattr(v, name)) >= HALF) for v, row in rows]
        print(f"shown events, {name}: {reliability(sure)}")


if __name__ == "__main__":
    main(tyro.cli(Settings))
