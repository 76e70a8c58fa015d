"""A folder of composed videos with their labels: videos to look at, or features without a codec in between.

    NAME.mp4 or NAME.features.safetensors   one a video, NAME such as train_00012
    annotations.json                        truth of all, in UnAV-100's schema; written last
    composition.json                        what the folder was made of

Each video is a function of the media, the settings, the seed and its number: a stopped run goes on where it was, and
more videos can be added later.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from avloc.compose import manifest
from avloc.compose.compose_config import ComposeConfig
from avloc.compose.library import TEST, TRAIN, VALIDATION, MediaLibrary, open_library
from avloc.compose.planner import plan
from avloc.compose.render import compose_video, sample_frames, waveform
from avloc.compose.scene import Scene, truth
from avloc.errors import MediaError, OutputError
from avloc.features.extractors.embedded import EmbeddedExtractor
from avloc.features.sequence import FeatureSequence
from avloc.features.store import load_features, save_features
from avloc.files import replace_file
from avloc.formats.activitynet import Truth, write_truth
from avloc.timegrid import TimeGrid

VERSION = 1
"""Of the way scenes are drawn: videos of another version are not mixed with ours."""

ANNOTATIONS, RECORD = "annotations.json", "composition.json"
SEED_OF = {TRAIN: 0, VALIDATION: 1_000_000, TEST: 3_000_000}
"""What is added to the seed for each split, so that none has the scenes of another."""
GRID = TimeGrid.centred(0.32, 0.96)
Kind = Literal["videos", "features"]
_ENDINGS = {"videos": ".mp4", "features": ".features.safetensors"}


@dataclass(frozen=True, slots=True)
class Part:
    """Videos of one split of the media."""

    split: str
    videos: int
    seed: int
    scene: ComposeConfig

    def names(self) -> list[str]:
        """Names of its videos, in order of their numbers."""
        return [f"{self.split}_{number:05d}" for number in range(self.videos)]

    def plan(self, library: MediaLibrary, number: int) -> Scene:
        """The scene of one video."""
        return plan(library, self.scene, np.random.default_rng([self.seed, number]))


@dataclass(frozen=True, slots=True)
class Composed:
    """What a run came to: videos made now and found whole, and the truth of all by name."""

    folder: Path
    annotations: Path
    made: int
    kept: int
    truth: dict[str, Truth]

    def features(self, name: str) -> FeatureSequence:
        """Features of a video, where these were made. Raises FeatureError if they cannot be read."""
        return load_features(self.folder / (name + _ENDINGS["features"]))


def compose_folder(
    out: str | Path,
    media: Path | None,
    parts: Sequence[Part],
    kind: Kind = "videos",
    workers: int = 1,
    on_progress: Callable[[int, int], None] = lambda done, count: None,
) -> Composed:
    """Make the videos of `parts`, each of a split of its own, where they are missing, and their annotations.

    Without `media` the procedural media are taken. The result does not depend on `workers`; `on_progress` gets
    videos done and in all.

    Raises:
        MediaError: the media cannot be read, or lack a split.
        ConfigError: events are asked for, and no class has both a picture and a sound.
        OutputError: `out` cannot be written, or holds videos of other media or settings.
    """
    folder = Path(out)
    known = {p.split: _truth_of(media, p) for p in parts if p.videos}  # before the first video: what is wrong shows
    _begin(folder, media, parts, kind)
    jobs = [
        _Job(folder / (name + _ENDINGS[kind]), media, part, number)
        for part in parts
        for number, name in enumerate(part.names())
    ]
    missing = [job for job in jobs if not job.path.is_file()]
    kept = len(jobs) - len(missing)
    on_progress(kept, len(jobs))
    for done, _ in enumerate(_run(missing, workers), 1):
        on_progress(kept + done, len(jobs))
    found = {name: one for of_part in known.values() for name, one in of_part.items()}
    labels = sorted({event.label for one in found.values() for event in one.events})
    write_truth(folder / ANNOTATIONS, found, labels)
    return Composed(folder, folder / ANNOTATIONS, len(missing), kept, found)


@dataclass(frozen=True, slots=True)
class _Job:
    path: Path
    media: Path | None
    part: Part
    number: int


def _truth_of(media: Path | None, part: Part) -> dict[str, Truth]:
    library = open_library(media, part.split)
    scenes = (part.plan(library, number) for number in range(part.videos))
    return {
        name: Truth(scene.duration_s, part.split, truth(scene))
        for name, scene in zip(part.names(), scenes, strict=True)
    }


def _begin(folder: Path, media: Path | None, parts: Sequence[Part], kind: Kind) -> None:
    """Make the folder and its record, or see that the record there is ours."""
    ours: dict[str, Any] = {"version": VERSION, "media": _digest(media), "kind": kind}
    if kind == "features":
        ours["streams"] = dataclasses.asdict(EmbeddedExtractor.streams)
    for part in parts:
        ours[part.split] = {"seed": part.seed, **dataclasses.asdict(part.scene)}
    ours, path = json.loads(json.dumps(ours)), folder / RECORD
    try:
        folder.mkdir(parents=True, exist_ok=True)
        theirs = json.loads(path.read_bytes()) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be used ({error}); name a new folder") from None
    if not isinstance(theirs, dict):
        raise OutputError(f"{path}: is no record of a composition; name a new folder")
    differ = [key for key in theirs if key in ours and theirs[key] != ours[key]]
    if differ:
        raise OutputError(f"{folder}: holds videos composed with other {', '.join(differ)}; name a new folder")
    replace_file(path, (json.dumps({**theirs, **ours}, indent=1) + "\n").encode())


def _digest(media: Path | None) -> str:
    """What tells one folder of media from another: its manifest, and the sizes of its files."""
    if media is None:
        return "procedural"
    sizes = [entry.path.stat().st_size for entry in manifest.read_manifest(media).entries]
    content = (media / manifest.NAME).read_bytes() + json.dumps(sizes).encode()
    return hashlib.sha256(content).hexdigest()


def _run(jobs: Sequence[_Job], workers: int) -> Iterator[None]:
    if workers <= 1:
        yield from map(_make, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with _one_thread_each():
        pool = ProcessPoolExecutor(min(workers, max(1, len(jobs))), context, _ignore_interrupt)
        try:
            for future in as_completed([pool.submit(_make, job) for job in jobs]):
                yield future.result()
        except BrokenProcessPool:
            raise MediaError("a process that composes was killed, maybe for memory; take fewer --workers") from None
        finally:
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Each worker has one core; the matrix library must not start threads of its own beside it."""
    name = "OPENBLAS_NUM_THREADS"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _ignore_interrupt() -> None:
    # Ctrl-C reaches every process of a terminal; the one that began the work ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _make(job: _Job) -> None:
    scene = job.part.plan(_library(job.media, job.part.split), job.number)
    if job.path.suffix == ".mp4":
        compose_video(job.path, scene)
        return
    extractor = _extractor()
    times_s = GRID.to_seconds(np.arange(GRID.length(scene.duration_s)))
    height, (w, h) = extractor.see.size, scene.size
    pictures = sample_frames(scene, times_s, (round(height * w / h), height))
    save_features(extractor.embed(pictures, waveform(scene), GRID), job.path)


@lru_cache(maxsize=4)
def _library(media: Path | None, split: str) -> MediaLibrary:
    return open_library(media, split)


@lru_cache(maxsize=1)
def _extractor() -> EmbeddedExtractor:
    return EmbeddedExtractor(threads=1)
