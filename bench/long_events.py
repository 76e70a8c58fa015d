"""One event of any length: how much of it is shown, in how many pieces; and two with a pause between them.

    python bench/long_events.py                          # the events of the sample video, over and over
    python bench/long_events.py CLIPS CLIPS2             # folders of real clips with annotations.json
    python bench/long_events.py --lengths 20 60 3600     # other lengths in seconds
    python bench/long_events.py --unchained              # as if long events were not chained, for comparison

An event that the model shows from its first to its last moment (at least 90 %) in the clip itself is repeated without
a click; of each class the clip that shows it the surest. Of long videos three turns and what is left over are made,
and features of the second repeated (bench/looped.py); --whole makes all of it. A row tells by length how much of the
event is shown as its class, in percent, in how many events if not one, and in brackets how many of other classes;
then the same for half a minute, a pause, half a minute, where two are right. Figures: docs/batch.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from avloc.detector import Detector
from avloc.events import Events
from avloc.features.sequence import FeatureSequence
from avloc.features.store import load_features, save_features
from looped import Loop, chain, prolonged

SAMPLE = Path(__file__).parents[1] / "demo" / "sample.mp4"
LENGTHS_S = (20.0, 30.0, 40.0, 60.0, 80.0, 120.0, 180.0, 600.0)
PAUSES_S = (3.0,)
HALF_S = 30.0
LEAST_S = 3.0  # of a clip's event
LEAST_SHOWN = 0.9  # of it in the clip
TURNS = 3  # that are made; the second is repeated


@dataclass(frozen=True)
class Clip:
    """A true event of a video."""

    path: Path
    label: str
    start_s: float
    end_s: float


class Bench:
    """Events of one clip, made as long as wanted; features lie in `cache` once made."""

    def __init__(self, detector: Detector, clip: Clip, cache: Path, work: Path, *, whole: bool) -> None:
        self.detector, self.clip, self.cache, self.work, self.whole = detector, clip, cache, work, whole

    @cached_property
    def loop(self) -> Loop:
        clip = self.clip
        return Loop(clip.path, self.work, clip.start_s, clip.end_s, self.detector.grid)

    def features(self, length_s: float, pause_s: float | None = None) -> FeatureSequence:
        """Of the event `length_s` long; with a pause twice so long, the pause between."""
        name = f"{self.clip.label}-{self.clip.path.stem}-{length_s:g}" + ("" if pause_s is None else f"-{pause_s:g}")
        kept = self.cache / f"{name}.features.safetensors"
        if kept.is_file():
            return load_features(kept)
        turn_s = self.loop.turn.seconds
        times = 0 if self.whole or pause_s is not None else max(0, int(length_s / turn_s) - TURNS)
        turns = self.loop.lasting(length_s - times * turn_s)
        if pause_s is not None:
            turns = [*turns, self.loop.still(pause_s), *turns]
        video = chain(turns, self.work / "long.mkv")
        features = prolonged(self.detector.extractor.extract(video, self.detector.grid), self.loop.steps, times)
        self.cache.mkdir(parents=True, exist_ok=True)
        save_features(features, kept)
        return features

    def row(self, lengths_s: list[float], pauses_s: list[float]) -> Iterator[str]:
        for length_s in lengths_s:
            shown = self.detector.detect_features(self.features(length_s)).events
            yield told(shown, self.clip.label, [(0.0, length_s)])
        for pause_s in pauses_s:
            shown = self.detector.detect_features(self.features(HALF_S, pause_s)).events
            again_s = HALF_S + pause_s
            yield told(shown, self.clip.label, [(0.0, HALF_S), (again_s, again_s + HALF_S)])


def told(shown: Events, label: str, spans: list[tuple[float, float]]) -> str:
    mine = shown.where(label=label)
    others = len(shown) - len(mine)
    count = "" if len(mine) == len(spans) else f" in {len(mine)}"
    return f"{100 * covered(mine, spans):.1f}{count}" + (f" ({others})" if others else "")


def covered(events: Events, spans: list[tuple[float, float]]) -> float:
    """Share of the spans that lies in an event, counted in hundredths of a second."""
    said = total = 0
    for start_s, end_s in spans:
        times_s = np.arange(start_s, end_s, 0.01)
        inside = (times_s[:, None] >= events.start_s) & (times_s[:, None] < events.end_s)
        said, total = said + int(inside.any(axis=1).sum()), total + len(times_s)
    return said / total


def clips_of(folders: list[Path]) -> Iterator[Clip]:
    """Events of annotations in UnAV-100's schema with `file`, or of the sample video."""
    if not folders:
        rows = json.loads(SAMPLE.with_suffix(".truth.json").read_text(encoding="utf-8"))["database"]
        yield from _events(SAMPLE.parent, {name: {**row, "file": SAMPLE.name} for name, row in rows.items()})
    for folder in folders:
        yield from _events(folder, json.loads((folder / "annotations.json").read_text(encoding="utf-8"))["database"])


def _events(folder: Path, rows: dict[str, dict[str, object]]) -> Iterator[Clip]:
    for row in rows.values():
        for a in row["annotations"]:  # type: ignore[attr-defined]
            start_s, end_s = a["segment"]
            if end_s - start_s >= LEAST_S and a.get("certainty") != "low":
                yield Clip(folder / str(row["file"]), a["label"], start_s, end_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--lengths", type=float, nargs="*", default=list(LENGTHS_S))
    parser.add_argument("--pauses", type=float, nargs="*", default=list(PAUSES_S))
    parser.add_argument("--classes", nargs="*", help="these alone")
    parser.add_argument("--model", default="default")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--unchained", action="store_true")
    parser.add_argument("--cache", type=Path, help="folder to keep features in")
    options = parser.parse_args()
    detector = Detector.load(options.model, threads=1)
    if options.unchained:
        detector.config = replace(detector.config, decoding=replace(detector.config.decoding, chain_from_s=0.0))
    print("class", *(f"{s:g} s" for s in options.lengths), *(f"pause {s:g} s" for s in options.pauses), sep=" | ")
    with tempfile.TemporaryDirectory() as folder:
        for clip in surest(detector, clips_of(options.folders), options.classes or detector.labels):
            bench = Bench(detector, clip, options.cache or Path(folder), Path(folder), whole=options.whole)
            print(clip.label, *bench.row(options.lengths, options.pauses), sep=" | ", flush=True)


def surest(detector: Detector, clips: Iterable[Clip], labels: Collection[str]) -> list[Clip]:
    """Of each class the clip whose event is shown from end to end with the highest score."""
    best: dict[str, tuple[float, Clip]] = {}
    for clip in clips:
        if clip.label in labels and clip.label in detector.labels:
            shown = detector.detect(clip.path).where(label=clip.label)
            score = float(shown.score.max(initial=0.0))
            if (
                covered(shown, [(clip.start_s, clip.end_s)]) >= LEAST_SHOWN
                and score > best.get(clip.label, (0.0,))[0]
            ):
                best[clip.label] = score, clip
    return [clip for _, (_, clip) in sorted(best.items())]


if __name__ == "__main__":
    main()
