"""What the default model's recipe reaches on real clips that it was not fitted to: cross-validation over clips.

    python tools/real_clips.py clips/ more_clips/ --media media/ --work work/ [--model default]

The line of explanations, which alone is fitted to real clips, is fitted to four fifths of them and tried on the last
fifth, five times; the folds are those of tools/real_clips_folds.json. Classes shown per clip, silence of clips in
which no class is both seen and heard, and the events of clips with known times (`level` of annotations.json is
`times`, or not given), with intervals over draws of clips.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from avloc import load
from avloc.compose.folder import SEED_OF, Part
from avloc.compose.library import VALIDATION
from avloc.datasets.labelled import LabelledVideo
from avloc.datasets.real_clips import ANNOTATIONS
from avloc.detector import Detector
from avloc.events import Event, Events
from avloc.recipes.default import GroundedRun
from avloc.recipes.default_run import QUIET_SEED, TIOU, GroundedTraining, GroundedWatch
from avloc.recipes.weighing import Clip, Trials, clips_of, fit_line, of_clip, of_composed
from real_dev import MERGED, overlap

FOLDS = Path(__file__).with_name("real_clips_folds.json")
DRAWS = 2000


@dataclass(frozen=True)
class Settings:
    folders: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Folders of clips, each with annotations.json."""
    media: Path
    """Media folder of tools/build_media.py."""
    work: Path
    """Folder of features, as `avloc train grounded-composed --work` has them."""
    model: str = "default"


@dataclass(frozen=True)
class Counts:
    """Right, shown and true classes of a clip; whether it is empty, and silent; right, shown, true events by tIoU."""

    classes: tuple[int, int, int]
    empty: bool
    silent: bool
    events: dict[float, tuple[int, int, int]]


def main(settings: Settings) -> None:
    """Print the figures before and after."""
    detector = with_line(load(settings.model), ())
    rows = {name: row for folder in settings.folders for name, row in database(folder).items()}
    clips = list(clips_of(settings.folders, detector, settings.work / "clips", lambda done, count: None))
    trials = [of_clip(detector, clip) for clip in clips]
    composed = Trials.join(of_composed(detector, video, TIOU) for video in composed_videos(settings))
    folds = json.loads(FOLDS.read_text(encoding="utf-8"))
    fold = np.array([folds[clip.truth.name] for clip in clips])
    shown: list[Events] = [Events()] * len(clips)
    for i in sorted(set(fold.tolist())):
        line = fit_line(Trials.join([composed, *(t for t, f in zip(trials, fold.tolist(), strict=True) if f != i)]))
        fitted = with_line(detector, tuple(line.tolist()))
        print(f"fold {i}: line {np.round(line, 2).tolist()}")
        for j in np.flatnonzero(fold == i).tolist():
            shown[j] = fitted.detect_features(clips[j].features).all_events
    plain = [detector.detect_features(clip.features).all_events for clip in clips]
    for title, found, least in (
        *(("without what else explains it", plain, s) for s in (0.5, 0.56, 0.6)),
        *(("cross-validated", shown, s) for s in (0.35, 0.4, 0.45, 0.5, 0.55)),
    ):
        events = [e.above(least) for e in found]
        print(f"\n{title}, shown from {least:g} on")
        counts = [count(clip, rows[clip.truth.name], e) for clip, e in zip(clips, events, strict=True)]
        for folder in (None, *settings.folders):
            of_folder = [c for c, clip in zip(counts, clips, strict=True) if folder in (None, clip.truth.path.parent)]
            print(f"  {'all' if folder is None else folder.name}: " + told(of_folder))


def database(folder: Path) -> dict[str, dict[str, Any]]:
    """Rows of annotations.json by clip."""
    return dict(json.loads((folder / ANNOTATIONS).read_text(encoding="utf-8"))["database"])


def composed_videos(settings: Settings) -> list[LabelledVideo]:
    """Those that weigh beside the clips."""
    run = GroundedRun(media=str(settings.media), work=str(settings.work))
    training = GroundedTraining(run, settings.work / "none", "cpu", GroundedWatch())
    parts = {
        "validation": Part(VALIDATION, run.validation_videos, SEED_OF[VALIDATION], run.scene),
        "quiet": Part(VALIDATION, run.quiet_videos, QUIET_SEED, run.quiet_scene),
    }
    composed = [training.compose(name, part) for name, part in parts.items()]
    return [LabelledVideo(n, c.features(n), t.events) for c in composed for n, t in c.truth.items()]


def with_line(detector: Detector, line: tuple[float, ...]) -> Detector:
    """The same detector, its scores weighed by the line, or not at all."""
    return detector.with_decoding(replace(detector.config.decoding, explained=line))


def count(clip: Clip, row: dict[str, Any], events: Events) -> Counts:
    """With men's and women's voices as one class."""
    truth, merged = clip.truth, lambda names: {MERGED.get(n, n) for n in names}
    present = merged(truth.present)
    ignored = merged(truth.ignored) - present
    classes = merged(events.labels) - ignored
    timed = {t: timed_counts(row, events, present, ignored, t) for t in (0.3, 0.5)}
    found = (len(classes & present), len(classes), len(present))
    return Counts(found, not present, not classes, timed if row.get("level", "times") == "times" else {})


def timed_counts(
    row: dict[str, Any], events: Events, present: set[str], ignored: set[str], tiou: float
) -> tuple[int, int, int]:
    """The surest first, each true event once; of classes that count neither way only what is right."""
    named = [(a, MERGED.get(a["label"], a["label"])) for a in row["annotations"] if a.get("certainty") != "low"]
    free = [Event(*a["segment"], name) for a, name in named if name in present]
    right = shown = 0
    total = len(free)
    for event in sorted(events, key=lambda e: -e.score):
        name = MERGED.get(event.label, event.label)
        best = max((t for t in free if t.label == name), key=lambda t: overlap(event, t), default=None)
        if best is not None and overlap(event, best) >= tiou:
            free.remove(best)
            right, shown = right + 1, shown + 1
        elif name not in ignored:
            shown += 1
    return right, shown, total


def told(counts: Sequence[Counts]) -> str:
    """Figures with 95 % intervals over draws of clips."""

    def classes(some: Sequence[Counts]) -> float:
        return f1([c.classes for c in some])

    def silence(some: Sequence[Counts]) -> float:
        empty = [c for c in some if c.empty]
        return sum(c.silent for c in empty) / max(1, len(empty))

    figures = [("F1 of classes per clip", classes), ("silent clips without events", silence)]
    figures += [(f"F1 of timed events at {t}", timed_f1(t)) for t in (0.3, 0.5)]
    right, shown, true = (sum(c.classes[i] for c in counts) for i in range(3))
    head = f"precision {right / max(1, shown):.2f}, recall {right / max(1, true):.2f} of classes"
    return "; ".join([f"{len(counts)} clips, {head}", *(f"{name} {interval(counts, f)}" for name, f in figures)])


def timed_f1(tiou: float) -> Callable[[Sequence[Counts]], float]:
    return lambda some: f1([c.events[tiou] for c in some if c.events])


def f1(rows: Sequence[tuple[int, int, int]]) -> float:
    right, shown, true = (sum(row[i] for row in rows) for i in range(3))
    return 2 * right / max(1, shown + true)


def interval(counts: Sequence[Counts], figure: Callable[[Sequence[Counts]], float]) -> str:
    rng = np.random.default_rng(0)
    draws = [figure([counts[i] for i in rng.integers(len(counts), size=len(counts))]) for _ in range(DRAWS)]
    low, high = np.quantile(draws, (0.025, 0.975)).tolist()
    return f"{figure(counts):.3f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main(tyro.cli(Settings))
