"""MediaLibrary: the pictures and sounds that labelled videos are composed of.

Pictures are RGBA, sounds 16 kHz mono; both are loaded when first needed and kept in a bounded cache.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from avloc.compose import procedural
from avloc.compose.manifest import Entry, read_manifest
from avloc.errors import MediaError
from avloc.media.whole import Rgba, Waveform, read_picture, read_sound

SAMPLE_RATE = 16_000
TRAIN, VALIDATION, TEST = "train", "validation", "test"
_VARIATIONS = {None: range(6), TRAIN: range(4), VALIDATION: range(4, 5), TEST: range(5, 6)}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: a file, or (`path` None) variation `variation` of the procedural class `label`."""

    name: str
    label: str
    path: Path | None = None
    variation: int = 0

    def rgba(self) -> Rgba:
        """(H, W, 4) uint8, read-only. Raises MediaError if the file cannot be read."""
        return _load_picture(self)

    def opaque(self) -> bool:
        """Whether it has no transparent part, as a photograph. Raises MediaError if the file cannot be read."""
        return _is_opaque(self)


@dataclass(frozen=True, slots=True)
class Sound:
    """One sound: a file, cut to [start_s, end_s], or a variation of the procedural class `label`."""

    name: str
    label: str
    path: Path | None = None
    variation: int = 0
    start_s: float = 0.0
    end_s: float | None = None
    gain_db: float = 0.0

    def waveform(self) -> Waveform:
        """(S,) float32 at 16 kHz, peak 1 (times `gain_db`), silent ends cut off, read-only.

        Raises:
            MediaError: the file cannot be read or holds no sound.
        """
        return _load_sound(self)


_Media = TypeVar("_Media", Picture, Sound)


@dataclass(frozen=True, slots=True, eq=False)
class MediaLibrary:
    """Pictures and sounds by class, and what surrounds them.

    `classes` have both pictures and sounds and can make events. Distractors (classes with pictures only or
    sounds only) can only be silent objects or off-screen sounds. `alike` lists classes that are hard to tell
    apart, as a trumpet from a cornet: the picture of one never meets the sound of another by accident.
    """

    pictures: Mapping[str, tuple[Picture, ...]]
    sounds: Mapping[str, tuple[Sound, ...]]
    backgrounds: tuple[Picture, ...] = ()
    ambient: tuple[Sound, ...] = ()
    distractor_pictures: tuple[Picture, ...] = ()
    distractor_sounds: tuple[Sound, ...] = ()
    alike: tuple[frozenset[str], ...] = ()
    classes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(sorted(set(self.pictures) & set(self.sounds))))

    def are_alike(self, label: str, other: str) -> bool:
        """Whether the two labels are the same or listed as alike."""
        return label == other or any(label in group and other in group for group in self.alike)

    @classmethod
    def procedural(cls, split: str | None = None) -> MediaLibrary:
        """The embedded set, drawn and synthesized by formulas: 10 classes with 6 variations.

        `split` "train" has the variations 0 to 3, "validation" 4, "test" 5, None all.

        Raises:
            MediaError: unknown split.
        """
        if split not in _VARIATIONS:
            raise MediaError(f"the procedural media has no split {split!r}; it has train, validation and test")
        numbers = _VARIATIONS[split]
        return cls(
            {c: tuple(Picture(f"{c} {i}", c, variation=i) for i in numbers) for c in procedural.CLASSES},
            {c: tuple(Sound(f"{c} {i}", c, variation=i) for i in numbers) for c in procedural.CLASSES},
            tuple(Picture(f"background {i}", "background", variation=i) for i in numbers),
            tuple(Sound(f"ambient {i}", "ambient", variation=i) for i in numbers),
            tuple(Picture(f"cross {i}", "cross", variation=i) for i in numbers),
            tuple(Sound(f"rattle {i}", "rattle", variation=i) for i in numbers),
        )

    @classmethod
    def from_folder(cls, path: str | Path, split: str | None = None) -> MediaLibrary:
        """Media named in `manifest.json` of a folder (docs/composing.md).

        With a `split`, its entries and those without one are taken. Of the split "test" sounds are left out whose
        `group` is in "train": a melody is not new where the instrument that plays it was heard in training.

        Raises:
            MediaError: no manifest, a manifest that is not as described, a file that is missing or lies
                outside the folder, or nothing in the split.
        """
        manifest = read_manifest(Path(path))
        chosen = manifest.entries if split is None else manifest.of_split(split)
        if not chosen:
            known = ", ".join(sorted({entry.split for entry in manifest.entries})) or "none"
            raise MediaError(f"{path}: the manifest has no entry of split {split!r}; the splits there are: {known}")
        heard = {e.group for e in manifest.of_split(TRAIN) if e.kind == "sound" and e.group}
        stale = heard if split == TEST else set()
        pictures = _by_label(Picture(e.file, e.label, e.path) for e in chosen if e.kind == "picture")
        sounds = _by_label(_sound(e) for e in chosen if e.kind == "sound")
        fresh = _by_label(_sound(e) for e in chosen if e.kind == "sound" and e.group not in stale)
        shared, both = set(pictures) & set(sounds), set(pictures) & set(fresh)
        return cls(
            {c: tuple(pictures[c]) for c in sorted(both)},
            {c: tuple(fresh[c]) for c in sorted(both)},
            tuple(Picture(e.file, "background", e.path) for e in chosen if e.kind == "background"),
            tuple(_sound(e) for e in chosen if e.kind == "ambient"),
            tuple(p for c in (*sorted(set(pictures) - shared), *sorted(shared - both)) for p in pictures[c]),
            tuple(s for c in sorted(set(sounds) - shared) for s in sounds[c]),
            manifest.alike,
        )


def open_library(media: Path | None, split: str) -> MediaLibrary:
    """A split of a media folder; without a folder, of the procedural media.

    Raises:
        MediaError: as `MediaLibrary.from_folder`.
    """
    return MediaLibrary.procedural(split) if media is None else MediaLibrary.from_folder(media, split)


def _sound(entry: Entry) -> Sound:
    return Sound(entry.file, entry.label, entry.path, 0, entry.start_s, entry.end_s, entry.gain_db)


def _by_label(items: Iterable[_Media]) -> dict[str, list[_Media]]:
    groups: dict[str, list[_Media]] = defaultdict(list)
    for item in items:
        groups[item.label].append(item)
    return groups


@lru_cache(maxsize=4096)
def _is_opaque(picture: Picture) -> bool:
    return bool(_load_picture(picture)[..., 3].min() == 255)


@lru_cache(maxsize=192)
def _load_picture(picture: Picture) -> Rgba:
    if picture.path is None:
        rgba = procedural.picture(picture.label, picture.variation)
    else:
        rgba = read_picture(picture.path)
    rgba.setflags(write=False)
    return rgba


@lru_cache(maxsize=256)
def _load_sound(sound: Sound) -> Waveform:
    if sound.path is None:
        wave = procedural.sound(sound.label, sound.variation)
    else:
        wave = read_sound(sound.path, SAMPLE_RATE)
        stop = None if sound.end_s is None else round(sound.end_s * SAMPLE_RATE)
        wave = wave[round(sound.start_s * SAMPLE_RATE) : stop]
    peak = float(np.abs(wave).max(initial=0.0))
    if peak < 1e-4:
        raise MediaError(f"{sound.name}: nothing is heard in this sound; take it out of the manifest")
    loud = np.flatnonzero(np.abs(wave) > 0.005 * peak)
    wave = (wave[loud[0] : loud[-1] + 1] * (10 ** (sound.gain_db / 20) / peak)).astype(np.float32)
    wave.setflags(write=False)
    return wave
