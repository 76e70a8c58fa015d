"""The default model beside yardsticks that train nothing, on composed videos of unseen pictures and unseen sounds.

    python tools/compare_default.py MEDIA --work work/

The videos are of the media's split `test`: no picture and no sound of it is in training, nor another melody of its
instruments. The yardsticks' smoothing and threshold are the best ones on these very videos, which flatters them.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from avloc import load, zoo
from avloc.compose.compose_config import ComposeConfig
from avloc.compose.folder import SEED_OF, Composed, Part, compose_folder
from avloc.compose.library import TEST, TRAIN, open_library
from avloc.config import ClassFigure, ClassFigures
from avloc.datasets.labelled import LabelledVideo
from avloc.detector import Detector
from avloc.evaluation.bootstrap import Bootstrap, bootstrap, interval
from avloc.evaluation.matching import match
from avloc.evaluation.mean_ap import MeanAp, mean_ap
from avloc.evaluation.operating_point import judge
from avloc.events import Event, Events
from avloc.recipes.default import GroundedRun
from avloc.recipes.default_run import detect_all
from avloc.recipes.vocabulary import read_vocabulary

Scores = NDArray[np.float32]
SMOOTHINGS = (1, 5, 9, 15)
THRESHOLDS = tuple(float(t) for t in np.geomspace(1e-6, 0.7, 16))
COLUMNS = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Settings:
    media: Annotated[Path, tyro.conf.Positional]
    """Media folder of tools/build_media.py."""
    work: Path = Path("work")
    """Folder for composed features."""
    model: str = "default"
    beside: str = "loco"
    """Another model, to compare; empty for none."""
    videos: int = 200
    negatives: int = 40
    """Videos in which nothing is seen and heard at once."""
    seed: int = SEED_OF[TEST]
    workers: int = 2


def main(settings: Settings) -> None:
    """Compose the videos where they are missing, run everything, print the tables, keep them as JSON."""
    detector = load(settings.model)
    work, media = settings.work, settings.media
    part = Part(TEST, settings.videos, settings.seed, ComposeConfig())
    quiet = Part(TEST, settings.negatives, settings.seed + 1_000_000, GroundedRun().quiet_scene)
    composed, empty = (
        compose_folder(work / name, media, [p], "features", settings.workers)
        for name, p in (("test", part), ("negative", quiet))
    )
    videos = [LabelledVideo(name, composed.features(name), t.events) for name, t in composed.truth.items()]
    truth = {v.name: v.truth for v in videos}
    labels = tuple(sorted({name for events in truth.values() for name in events.labels}))
    by_ear, by_eye = grounded(labels, videos)
    product = {name: by_ear[name] * by_eye[name] for name in by_ear}
    found = detect_all(detector, composed)
    rows: dict[str, tuple[MeanAp, str]] = {settings.model: (mean_ap(found, truth), "")}
    if settings.beside:
        rows[settings.beside] = (mean_ap(detect_all(load(settings.beside), composed), truth), "")
    rows["product of mapped scores"] = best_of(product, videos, truth, labels, detector)
    rows["heard alone"] = best_of(by_ear, videos, truth, labels, detector)
    rows["seen alone"] = best_of(by_eye, videos, truth, labels, detector)
    result = rows[settings.model][0]
    draws = bootstrap(match(found, truth))
    low, high = interval(draws.average, result.average).tolist()
    shown = {v: e.above(detector.config.show_score) for v, e in found.items()}
    table = {
        name: {"average": r.average, **{f"{t:.1f}": r.at(t) for t in COLUMNS}, "chosen": chosen}
        for name, (r, chosen) in rows.items()
    }
    summary = {
        "videos": len(videos),
        "events": sum(map(len, truth.values())),
        "classes": len(labels),
        "seed": settings.seed,
        "rows": table,
        "interval_95": [low, high],
        "shown": {
            "threshold": detector.config.show_score,
            **{f"right_shown_true_at_{t}": counts(shown, truth, t) for t in (0.3, 0.5)},
        },
        "reliability": reliability(found, truth),
        "false_by_cause": causes(shown, truth, media, part),
        "negative": negative(detector, empty),
        "ap_by_class": by_class(result, draws),
    }
    (work / f"{Path(settings.model).name}-test.json").write_text(json.dumps(summary, indent=1))
    trained = trained_classes(media, detector.labels)
    zoo.write_figures(work, class_figures(result, draws, shown, truth, summary["reliability"], trained))
    shape = Table(title=f"mAP on {len(videos)} videos, {summary['events']} events of {len(labels)} classes")
    for column in ("", *(f"{t:.1f}" for t in COLUMNS), "0.1:0.9", "chosen"):
        shape.add_column(column)
    for label, (r, chosen) in rows.items():
        shape.add_row(label, *(f"{100 * r.at(t):.1f}" for t in COLUMNS), f"{100 * r.average:.1f}", chosen)
    Console().print(shape)
    print(f"{settings.model}: {100 * low:.1f} to {100 * high:.1f} in 95 % of 1,000 draws of videos")
    print(
        json.dumps(
            {k: summary[k] for k in ("shown", "reliability", "false_by_cause", "negative", "ap_by_class")}, indent=1
        )
    )


def grounded(labels: tuple[str, ...], videos: list[LabelledVideo]) -> tuple[dict[str, Scores], dict[str, Scores]]:
    """Scores of classes by ear and by eye, (T, K) each, by video."""
    vocabulary = read_vocabulary()
    heard, seen = vocabulary.audio_matrix(labels), vocabulary.visual_matrix(labels)
    by_ear, by_eye = {}, {}
    for v in videos:
        f = v.features
        p = np.exp(f.visual_scores)
        pictures = np.concatenate([p / p.sum(axis=1, keepdims=True), f.cues[:, :1], f.cues[:, 1:-2] ** 2], axis=1)
        by_eye[v.name] = np.minimum(pictures @ seen.T, 1)
        by_ear[v.name] = (f.audio_scores[:, None, :] * heard[None]).max(axis=2)
    return by_ear, by_eye


def reliability(found: Mapping[str, Events], truth: Mapping[str, Events]) -> list[tuple[float, int, float]]:
    """Of the detections in each tenth of score: mean score, how many, and which share is right at tIoU 0.3."""
    rows, judged = [], judge(found, truth, 0.3)
    for low in np.arange(0.1, 0.95, 0.1):
        own = (judged.score >= low) & (judged.score < low + 0.1)
        if count := int(own.sum()):
            rows.append((round(float(judged.score[own].mean()), 3), count, round(float(judged.right[own].mean()), 3)))
    return rows


def counts(found: Mapping[str, Events], truth: Mapping[str, Events], tiou: float) -> tuple[int, int, int]:
    """Detections that are right, all detections, and all true events."""
    judged = judge(found, truth, tiou)
    return int(judged.right.sum()), len(judged.right), judged.truths


def by_class(result: MeanAp, draws: Bootstrap) -> dict[str, list[float]]:
    """Average AP of each class with the ends of its 95 % interval, best first."""
    mean = result.ap.mean(axis=0)
    low, high = interval(draws.by_label, mean)
    rows = sorted(zip(result.labels, mean, low, high, strict=True), key=lambda row: -row[1])
    return {name: [round(float(v), 3) for v in values] for name, *values in rows}


def class_figures(
    result: MeanAp,
    draws: Bootstrap,
    shown: Mapping[str, Events],
    truth: Mapping[str, Events],
    reliable: list[tuple[float, int, float]],
    trained: tuple[str, ...],
) -> ClassFigures:
    """What `avloc labels` tells of a model: to be laid into its folder as classes.json."""
    average, found = by_class(result, draws), {}
    labels = {name for events in (*shown.values(), *truth.values()) for name in events.labels}
    for label in sorted(labels):
        own, goal = ({v: e.where(label=label) for v, e in videos.items()} for videos in (shown, truth))
        right, count, events = counts(own, goal, 0.3)
        mean, low, high = average.get(label, (None, None, None))
        found[label] = ClassFigure(events, mean, low, high, count, right)
    minutes = f"{len(truth)} composed videos of pictures and sounds that training never saw"
    return ClassFigures(minutes, found, trained, tuple(reliable))


def trained_classes(media: Path, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Classes that have both pictures and sounds for training."""
    library = open_library(media, TRAIN)
    return tuple(label for label in labels if label in library.classes)


def causes(shown: Mapping[str, Events], truth: Mapping[str, Events], media: Path, part: Part) -> dict[str, int]:
    """What there is at the time of false events: the first of these that fits."""
    library, count, matches = open_library(media, TEST), Counter[str](), match(shown, truth, [0.3])
    hit = matches.detections.take(np.flatnonzero(matches.hit[0]))
    right = {(matches.videos[v], r) for v, r in zip(hit.video.tolist(), hit.row.tolist(), strict=True)}
    for number, (video, events) in enumerate(truth.items()):
        scene = part.plan(library, number)
        lonely = {
            "an object that is silent": [(p.picture.label, p.start_s, p.end_s) for p in scene.pictures],
            "a sound from off screen": [(q.sound.label, q.start_s, q.end_s) for q in scene.sounds],
        }
        for event in (e for row, e in enumerate(shown[video]) if (video, row) not in right):
            beside = [t for t in events if shared_s(event, t.start_s, t.end_s) > 0.3 * event.duration_s]
            here = {
                cause: {name for name, a, b in spans if shared_s(event, a, b) > 0.3 * event.duration_s}
                - {t.label for t in beside}
                for cause, spans in lonely.items()
            }
            same = any(t.label == event.label for t in beside)
            fitting = [
                *(["an event of the class, of other extent"] if same else []),
                *(f"{cause}, of the class" for cause, names in here.items() if event.label in names),
                *(["an event of another class"] if beside else []),
                *(f"{cause}, of another class" for cause, names in here.items() if names),
            ]
            count[fitting[0] if fitting else "surroundings alone"] += 1
    return dict(count.most_common())


def shared_s(event: Event, start_s: float, end_s: float) -> float:
    """Seconds of an event that lie in a span; negative where they are apart."""
    return min(event.end_s, end_s) - max(event.start_s, start_s)


def negative(detector: Detector, composed: Composed) -> dict[str, float]:
    """Events shown where there is none."""
    found = detect_all(detector, composed)
    shown = sum(len(e.above(detector.config.show_score)) for e in found.values())
    minutes = sum(t.duration_s for t in composed.truth.values()) / 60
    return {"minutes": round(minutes, 1), "false_events": shown, "per_5_minutes": round(5 * shown / minutes, 2)}


def best_of(
    scores: Mapping[str, Scores],
    videos: list[LabelledVideo],
    truth: Mapping[str, Events],
    labels: tuple[str, ...],
    detector: Detector,
) -> tuple[MeanAp, str]:
    """The best smoothing and threshold of a score curve."""
    best: tuple[MeanAp, str] | None = None
    for width, threshold in itertools.product(SMOOTHINGS, THRESHOLDS):
        found = {v.name: runs(scores[v.name], labels, detector, width, threshold) for v in videos}
        result = mean_ap(found, truth)
        if best is None or result.average > best[0].average:
            best = result, f"{width} steps, threshold {threshold:.1e}"
    assert best is not None
    return best


def runs(scores: Scores, names: tuple[str, ...], detector: Detector, width: int, threshold: float) -> Events:
    """Stretches of the smoothed curve above the threshold, scored with their mean."""
    kernel = np.ones(width) / width
    smooth = np.apply_along_axis(np.convolve, 0, scores, kernel, "same")[: len(scores)]
    above = np.pad(smooth >= threshold, ((1, 1), (0, 0)))
    half_s = detector.grid.stride_s / 2
    start_s, end_s, labels, score = [], [], [], []
    for k in np.flatnonzero(above.any(axis=0)):
        edges = np.flatnonzero(np.diff(above[:, k].astype(np.int8)))
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            start_s.append(float(detector.grid.to_seconds(first)) - half_s)
            end_s.append(float(detector.grid.to_seconds(last - 1)) + half_s)
            labels.append(names[k])
            score.append(float(smooth[first:last, k].mean()))
    return Events(start_s, end_s, labels, score)


if __name__ == "__main__":
    main(tyro.cli(Settings))
