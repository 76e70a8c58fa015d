"""MediaLibrary: the pictures and sounds that labelled videos are composed of.

Pictures are RGBA, sounds 16 kHz mono; both are loaded when first needed and kept in a bounded cache.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from avloc.errors import MediaError
from avloc.media import procedural

SAMPLE_RATE = 16_000
KINDS = ("picture", "sound", "background", "ambient")
Rgba = NDArray[np.uint8]
Waveform = NDArray[np.float32]


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

        `split` "train" has the variations 0 to 3, "heldout" 4 and 5, None all.

        Raises:
            MediaError: unknown split.
        """
        ranges = {None: range(6), "train": range(4), "heldout": range(4, 6)}
        if split not in ranges:
            raise MediaError(f"the procedural media has no split {split!r}; use 'train', 'heldout' or None")
        numbers = ranges[split]
        return cls(
            {c: tuple(Picture(f"{c} {i}", c, variation=i) for i in numbers) for c in procedural.CLASSES},
            {c: tuple(Sound(f"{c} {i}", c, variation=i) for i in numbers) for c in procedural.CLASSES},
            tuple(Picture(f"background {i}", "background", variation=i) for i in numbers),
            tuple(Sound(f"ambient {i}", "ambient", variation=i) for i in numbers),
            tuple(Picture(f"cross {i}", "cross", variation=i) for i in numbers),
            tuple(Sound(f"rattle {i}", "rattle", variation=i) for i in numbers),
        )

    @classmethod
    def from_folder(cls, path: str | Path, split: str | None = None, *, borrow: bool = True) -> MediaLibrary:
        """Media named in `manifest.json` of a folder: {"alike": [[label, ...]], "entries": [{...}]}.

        An entry has `file` (relative to the folder), `kind` (picture, sound, background, ambient), `label`
        (null for backgrounds and ambient sounds), `split`, `source`, `licence`, and for sounds optionally
        `start_s`, `end_s`, `gain_db`. With a `split`, only its entries are taken; "heldout" borrows from
        "train" what a class has not held out, so that a class with one picture can still be tested on an
        unheard sound; unless `borrow` is off.

        Raises:
            MediaError: no manifest, a manifest that is not as described, a file that is missing or lies
                outside the folder, or nothing in the split.
        """
        folder = Path(path)
        manifest = _read_manifest(folder / "manifest.json")
        entries = [_Entry.read(folder, i, row) for i, row in enumerate(_rows(manifest, folder))]
        chosen = _of_split(entries, split, borrow)
        if not chosen:
            raise MediaError(f"{folder}: the manifest has no entry of split {split!r}; build the media first")
        pictures = _by_label(Picture(e.file, e.label, e.path) for e in chosen if e.kind == "picture")
        sounds = _by_label(e.sound() for e in chosen if e.kind == "sound")
        both = set(pictures) & set(sounds)
        return cls(
            {c: tuple(pictures[c]) for c in sorted(both)},
            {c: tuple(sounds[c]) for c in sorted(both)},
            tuple(Picture(e.file, "background", e.path) for e in chosen if e.kind == "background"),
            tuple(e.sound() for e in chosen if e.kind == "ambient"),
            tuple(p for c in sorted(set(pictures) - both) for p in pictures[c]),
            tuple(s for c in sorted(set(sounds) - both) for s in sounds[c]),
            _alike(manifest, folder),
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    file: str
    path: Path
    kind: str
    label: str
    split: str
    start_s: float
    end_s: float | None
    gain_db: float

    def sound(self) -> Sound:
        return Sound(self.file, self.label, self.path, 0, self.start_s, self.end_s, self.gain_db)

    @classmethod
    def read(cls, folder: Path, number: int, row: object) -> _Entry:
        where = f"{folder / 'manifest.json'}: entry {number}"
        if not isinstance(row, dict):
            raise MediaError(f"{where} is a {type(row).__name__}; an object with file, kind and label is needed")
        file, kind, label, split = (row.get(k) for k in ("file", "kind", "label", "split"))
        if kind not in KINDS:
            raise MediaError(f"{where} has kind {kind!r}; use one of {', '.join(KINDS)}")
        if not isinstance(file, str) or not file or "\0" in file:
            raise MediaError(f"{where} has file {file!r}; a path inside the folder is needed")
        if kind in ("picture", "sound") and not (isinstance(label, str) and label):
            raise MediaError(f"{where} ({file}) has label {label!r}; pictures and sounds need the name of a class")
        path = (folder / file).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise MediaError(f"{where} points outside the folder ({file}); only files within it may be used")
        if not path.is_file():
            raise MediaError(f"{where}: {file} does not exist; build the media folder again")
        start_s, end_s, gain_db = (_number(where, k, row.get(k)) for k in ("start_s", "end_s", "gain_db"))
        if end_s is not None and end_s <= (start_s or 0.0):
            raise MediaError(f"{where} ({file}) ends at {end_s:g} s, not after its start; give end_s > start_s")
        name = label if isinstance(label, str) else str(kind)
        return cls(file, path, str(kind), name, str(split or ""), start_s or 0.0, end_s, gain_db or 0.0)


def _number(where: str, key: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise MediaError(f"{where} has {key} {value!r}; a finite number is needed")
    return float(value)


def _read_manifest(path: Path) -> dict[str, object]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MediaError(f"{path} does not exist; a media folder needs a manifest.json") from None
    except (OSError, ValueError, RecursionError) as error:
        raise MediaError(f"{path} cannot be read as JSON ({str(error).splitlines()[0]})") from None
    if not isinstance(manifest, dict):
        raise MediaError(f'{path} holds a {type(manifest).__name__}; an object with "entries" is needed')
    return manifest


def _rows(manifest: dict[str, object], folder: Path) -> list[object]:
    rows = manifest.get("entries")
    if not isinstance(rows, list):
        raise MediaError(f'{folder / "manifest.json"} has no list "entries"; build the media folder again')
    return rows


def _alike(manifest: dict[str, object], folder: Path) -> tuple[frozenset[str], ...]:
    groups = manifest.get("alike", [])
    if not isinstance(groups, list) or not all(
        isinstance(g, list) and all(isinstance(x, str) for x in g) for g in groups
    ):
        raise MediaError(f'{folder / "manifest.json"}: "alike" must be a list of lists of labels')
    return tuple(frozenset(g) for g in groups)


def _of_split(entries: list[_Entry], split: str | None, borrow: bool) -> list[_Entry]:
    if split is None:
        return entries
    chosen = [e for e in entries if e.split == split]
    if split == "heldout" and chosen and borrow:
        have = {(e.kind, e.label) for e in chosen}
        chosen += [e for e in entries if e.split == "train" and (e.kind, e.label) not in have]
    return chosen


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
    rgba = procedural.picture(picture.label, picture.variation) if picture.path is None else _decode(picture.path)
    rgba.setflags(write=False)
    return rgba


def _decode(path: Path) -> Rgba:
    try:
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            return np.ascontiguousarray(frame.to_ndarray(format="rgba"))
    except (OSError, StopIteration, IndexError, ValueError, av.error.FFmpegError) as error:
        raise MediaError(f"{path} cannot be read as a picture ({error}); build the media folder again") from None


@lru_cache(maxsize=256)
def _load_sound(sound: Sound) -> Waveform:
    if sound.path is None:
        wave = procedural.sound(sound.label, sound.variation)
    else:
        wave = read_sound(sound.path)
        stop = None if sound.end_s is None else round(sound.end_s * SAMPLE_RATE)
        wave = wave[round(sound.start_s * SAMPLE_RATE) : stop]
    peak = float(np.abs(wave).max(initial=0.0))
    if peak < 1e-4:
        raise MediaError(f"{sound.name}: nothing is heard in this sound; take it out of the manifest")
    loud = np.flatnonzero(np.abs(wave) > 0.005 * peak)
    wave = (wave[loud[0] : loud[-1] + 1] * (10 ** (sound.gain_db / 20) / peak)).astype(np.float32)
    wave.setflags(write=False)
    return wave


def read_sound(path: str | Path) -> Waveform:
    """Any sound file as (S,) float32 mono at 16 kHz.

    Raises:
        MediaError: the file cannot be read as sound.
    """
    pieces: list[NDArray[np.float32]] = []
    try:
        with av.open(str(path)) as container:
            resampler = AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)
            for frame in container.decode(audio=0):
                pieces += [f.to_ndarray()[0] for f in resampler.resample(frame)]
            pieces += [f.to_ndarray()[0] for f in resampler.resample(None)]
    except (OSError, IndexError, ValueError, av.error.FFmpegError) as error:
        raise MediaError(f"{path} cannot be read as a sound ({error}); build the media folder again") from None
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
