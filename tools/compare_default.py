"""The default model beside yardsticks that train nothing, on composed videos of held-out pictures and sounds.

    python tools/compare_default.py MEDIA --work work/

Where the media has only one picture or sound of a class, the held-out videos show the one of training. The
yardsticks' smoothing and threshold are the best ones on these very videos, which flatters them.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from avloc import load
from avloc.datasets.labelled import LabelledVideo
from avloc.detector import Detector
from avloc.evaluation.bootstrap import bootstrap, interval
from avloc.evaluation.matching import match
from avloc.evaluation.mean_ap import MeanAp, mean_ap
from avloc.events import Events
from avloc.media.planner import ComposeConfig
from composed import make_set
from grounding import mapped_scores
from train_default import detect_all, f1_score

Scores = NDArray[np.float32]
SMOOTHINGS = (1, 3, 5, 9, 15)
THRESHOLDS = tuple(float(t) for t in np.geomspace(1e-8, 0.7, 36))
COLUMNS = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Settings:
    media: Annotated[Path, tyro.conf.Positional]
    """Media folder of tools/build_media.py."""
    work: Path = Path("work")
    """Folder for composed features."""
    model: str = "default"
    split: str = "heldout"
    videos: int = 40
    seed: int = 2_000_000


def main(settings: Settings) -> None:
    """Compose the videos where they are missing, run everything, print the table, keep it as JSON."""
    detector = load(settings.model)
    name = f"{settings.split}-{settings.seed}"
    videos = make_set(
        settings.media,
        settings.split,
        ComposeConfig(),
        detector.config.features,
        settings.work / name,
        settings.videos,
        settings.seed,
    )
    truth = {v.name: v.truth for v in videos}
    by_ear, by_eye = grounded(detector, videos)
    product = {name: by_ear[name] * by_eye[name] for name in by_ear}
    found = detect_all(detector, videos)
    rows: dict[str, tuple[MeanAp, str]] = {
        "LoCo (default)": (mean_ap(found, truth), ""),
        "product of mapped scores": best_of(product, videos, truth, detector),
        "heard alone": best_of(by_ear, videos, truth, detector),
        "seen alone": best_of(by_eye, videos, truth, detector),
        "one segment over the video": (mean_ap(whole(product, videos, detector), truth), ""),
    }
    average = rows["LoCo (default)"][0].average
    low, high = interval(bootstrap(match(found, truth)).average, average).tolist()
    shown = {v: e.above(detector.config.show_score) for v, e in found.items()}
    result = {
        "videos": len(videos),
        "events": sum(map(len, truth.values())),
        "classes": len(next(iter(rows.values()))[0].labels),
        "seed": settings.seed,
        "rows": {
            name: {"average": r.average, **{f"{t:.1f}": r.at(t) for t in COLUMNS}, "chosen": chosen}
            for name, (r, chosen) in rows.items()
        },
        "interval_95": [low, high],
        "shown": {
            "threshold": detector.config.show_score,
            "events": sum(map(len, shown.values())),
            "f1_at_tiou_0.5": f1_score(shown, truth, 0.5),
        },
        "ap_by_class": dict(
            zip(
                rows["LoCo (default)"][0].labels,
                rows["LoCo (default)"][0].ap.mean(axis=0).round(4).tolist(),
                strict=True,
            )
        ),
    }
    (settings.work / f"{name}.json").write_text(json.dumps(result, indent=1))
    table = Table(title=f"mAP on {len(videos)} videos, {result['events']} events of {result['classes']} classes")
    for column in ("", *(f"{t:.1f}" for t in COLUMNS), "0.1:0.9", "chosen"):
        table.add_column(column)
    for label, (r, chosen) in rows.items():
        table.add_row(label, *(f"{100 * r.at(t):.1f}" for t in COLUMNS), f"{100 * r.average:.1f}", chosen)
    Console().print(table)
    print(f"LoCo: {100 * low:.1f} to {100 * high:.1f} in 95 % of 1,000 draws of videos")
    print(json.dumps(result["shown"]))


def grounded(detector: Detector, videos: list[LabelledVideo]) -> tuple[dict[str, Scores], dict[str, Scores]]:
    """Scores of the model's classes by ear and by eye, (T, K) each, by video."""
    hear, see = detector.extractor.hear.classes, detector.extractor.see.classes
    by_ear, by_eye = {}, {}
    for v in videos:
        by_ear[v.name], by_eye[v.name] = mapped_scores(
            detector.labels, hear, see, v.features.audio_scores, v.features.visual_scores
        )
    return by_ear, by_eye


def best_of(
    scores: Mapping[str, Scores], videos: list[LabelledVideo], truth: Mapping[str, Events], detector: Detector
) -> tuple[MeanAp, str]:
    """The best smoothing and threshold of a score curve."""
    best: tuple[MeanAp, str] | None = None
    for width, threshold in itertools.product(SMOOTHINGS, THRESHOLDS):
        found = {v.name: runs(scores[v.name], v, detector, width, threshold) for v in videos}
        result = mean_ap(found, truth)
        if best is None or result.average > best[0].average:
            best = result, f"{width} steps, threshold {threshold:.1e}"
    assert best is not None
    return best


def runs(scores: Scores, video: LabelledVideo, detector: Detector, width: int, threshold: float) -> Events:
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
            labels.append(detector.labels[k])
            score.append(float(smooth[first:last, k].mean()))
    return Events(start_s, end_s, labels, score)


def whole(scores: Mapping[str, Scores], videos: list[LabelledVideo], detector: Detector) -> dict[str, Events]:
    """Each class once over the whole video, scored with its largest value."""
    found = {}
    for v in videos:
        K = len(detector.labels)
        found[v.name] = Events(
            np.zeros(K), np.full(K, v.features.duration_s), detector.labels, scores[v.name].max(axis=0)
        )
    return found


if __name__ == "__main__":
    main(tyro.cli(Settings))
