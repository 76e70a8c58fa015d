"""Sets of composed videos as features and truth, made once and kept in a folder.

Scenes are rendered straight to pictures and waveform, without a video codec. Each video is a function of the
media, the settings, the seed and its number; a set that was interrupted continues.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from avloc.media.compose import sample_frames, waveform
from avloc.media.library import MediaLibrary
from avloc.media.planner import ComposeConfig, plan
from avloc.media.scene import truth

from avloc.config import FeatureConfig
from avloc.datasets.labelled import LabelledVideo
from avloc.features.extractors.embedded import EmbeddedExtractor
from avloc.features.store import load_features, save_features
from avloc.files import replace_file
from avloc.formats.activitynet import Truth, read_truth, write_truth
from avloc.timegrid import TimeGrid

WORKERS = int(os.environ.get("AVLOC_WORKERS", "2"))
_extractor: EmbeddedExtractor | None = None


def library_of(media: Path | None, split: str) -> MediaLibrary:
    """A split of a media folder (None: the procedural media).

    "test" has the held-out pictures and sounds alone: nothing is borrowed from training, and a melody whose
    instrument of the soundfont is heard in training is left out, though its notes are others.
    """
    if media is None:
        return MediaLibrary.procedural("heldout" if split == "test" else split)
    if split != "test":
        return MediaLibrary.from_folder(media, split)
    program = re.compile(r"soundfont-(\d+)-")
    train = MediaLibrary.from_folder(media, "train")
    heard = {m[1] for sounds in train.sounds.values() for s in sounds if (m := program.search(s.name))}
    held = MediaLibrary.from_folder(media, "heldout", borrow=False)
    fresh = {
        label: tuple(s for s in sounds if not ((m := program.search(s.name)) and m[1] in heard))
        for label, sounds in held.sounds.items()
    }
    both = {label for label, sounds in fresh.items() if sounds}
    lonely = tuple(p for label in sorted(set(held.pictures) - both) for p in held.pictures[label])
    return MediaLibrary(
        {label: held.pictures[label] for label in sorted(both)},
        {label: fresh[label] for label in sorted(both)},
        held.backgrounds,
        held.ambient,
        held.distractor_pictures + lonely,
        held.distractor_sounds,
        held.alike,
    )


def grid_of(features: FeatureConfig) -> TimeGrid:
    """The grid of a feature recipe."""
    return TimeGrid(features.stride_s, features.window_s, features.offset_s)


def make_set(
    media: Path | None,
    split: str,
    config: ComposeConfig,
    features: FeatureConfig,
    folder: Path,
    count: int,
    seed: int,
) -> list[LabelledVideo]:
    """`count` videos of a media folder's split (None: the procedural media), made where they are missing.

    Raises:
        SystemExit: the folder holds a set of other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = json.dumps(
        {"split": split, "seed": seed, "compose": asdict(config), "features": asdict(features)},
        indent=1,
    )
    note = folder / "set.json"
    if note.is_file() and note.read_text() != about:
        raise SystemExit(f"{folder} holds a set of other settings; remove it or name another folder")
    replace_file(note, about.encode())
    names = [f"{i:05d}" for i in range(count)]
    missing = [n for n in names if not _truth_path(folder, n).is_file()]
    jobs = [(media, split, config, features, folder, n, seed) for n in missing]
    began = time.perf_counter()
    # Each worker has one core; the matrix library must not start threads of its own beside it.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if missing:
        with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
            for done, _ in enumerate(pool.imap_unordered(_make, jobs, chunksize=4), 1):
                if done % 50 == 0 or done == len(jobs):
                    left_s = (time.perf_counter() - began) / done * (len(jobs) - done)
                    print(f"{folder.name}: {done} of {len(jobs)} videos made, {left_s:.0f} s left", flush=True)
    return [_load(folder, n) for n in names]


def _make(job: tuple[Path | None, str, ComposeConfig, FeatureConfig, Path, str, int]) -> None:
    global _extractor
    media, split, config, features, folder, name, seed = job
    if _extractor is None:
        _extractor = EmbeddedExtractor(threads=1)
    library = library_of(media, split)
    scene = plan(library, config, np.random.default_rng([seed, int(name)]))
    grid = grid_of(features)
    sound = waveform(scene)
    times_s = grid.to_seconds(np.arange(grid.length(scene.duration_s)))
    height, (w, h) = _extractor.see.size, config.size
    pictures = sample_frames(scene, times_s, (round(height * w / h), height))
    extracted = _extractor.embed(pictures, sound, grid)
    save_features(extracted, folder / f"{name}.safetensors")
    # The truth comes last: where it stands, the features stand too.
    write_truth(_truth_path(folder, name), {name: Truth(extracted.duration_s, split, truth(scene))})


def _truth_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.truth.json"


def _load(folder: Path, name: str) -> LabelledVideo:
    truth_of = read_truth(_truth_path(folder, name))
    return LabelledVideo(name, load_features(folder / f"{name}.safetensors"), truth_of[name].events)
