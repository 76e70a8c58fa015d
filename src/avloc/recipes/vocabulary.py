"""A vocabulary: which of the encoders' own classes mean a class of ours > the constants of a grounded network.

vocabulary.toml is the default model's and says how such a file is written; docs/vocabulary.md shows it as a table.
Legend: K classes of ours, S sound classes of one class (padded), Dv and Da the encoders' own classes.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.config import from_dict
from avloc.errors import ConfigError
from avloc.features.extractors.efficientnet_lite0 import EfficientNetLite0
from avloc.features.extractors.yamnet import YamNet
from avloc.features.extractors.yolov3_tiny import YoloV3Tiny

FACE = "@face"
HEARD = YamNet.classes
SEEN = (*EfficientNetLite0.classes, FACE, *(f"#{name}" for name in YoloV3Tiny.classes))
SURROUNDINGS = ("Silence", "Speech", "Music")
SHIPPED, PROCEDURAL = (Path(__file__).with_name(name) for name in ("vocabulary.toml", "procedural.toml"))
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Voice:
    """Whose voice a class has: mean and spread of its pitch in octaves above 100 Hz, its share of its group."""

    kind: str
    group: str
    octaves: float
    spread: float
    share: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.octaves) and 0 < self.spread < math.inf and 0 < self.share < math.inf):
            raise ConfigError(f"the voice {self} has a number that is none; spread and share are above 0")


@dataclass(frozen=True)
class Word:
    """What a class is by ear and by eye: terms of the encoders. `extra`: it is no class of UnAV-100."""

    ear: tuple[str, ...]
    eye: tuple[str, ...]
    voice: Voice | None = None
    extra: bool = False


@dataclass(frozen=True)
class Vocabulary:
    """Classes by name in the order of the file; groups of classes that are alike; sounds that no class means; sounds
    and sights that go with anything and speak against no class."""

    classes: Mapping[str, Word]
    alike: tuple[tuple[str, ...], ...] = ()
    foreign: tuple[str, ...] = ()
    generic_sounds: tuple[str, ...] = ()
    generic_sights: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in the alphabet's order, as a network numbers them."""
        return tuple(sorted(self.classes))

    def require(self, classes: Sequence[str], path: Path) -> None:
        """Refuse media of classes that the vocabulary, read from `path`, does not have. Raises ConfigError."""
        unknown = [name for name in classes if name not in self.classes]
        if unknown:
            raise ConfigError(
                f"{path}: lacks {unknown[0]!r}, a class of the media ({len(unknown)} are lacking); say there what it "
                "is by ear and by eye, or take it out of the media"
            )

    def audio_matrix(self, labels: Sequence[str]) -> Matrix:
        """Weights (K, Da) of AudioSet's classes."""
        return np.stack([_weights(self.terms(self.classes[label].ear), HEARD, label) for label in labels])

    def visual_matrix(self, labels: Sequence[str]) -> Matrix:
        """Weights (K, Dv) of ImageNet's classes, of a face, and of COCO's classes."""
        return np.stack([_weights(self.terms(self.classes[label].eye), SEEN, label) for label in labels])

    def constants(self) -> dict[str, NDArray[Any]]:
        """The buffers of avloc.models.grounded.Grounding, but for the noise, which is measured."""
        labels = self.labels
        sounds, sights = self.audio_matrix(labels), self.visual_matrix(labels)
        most = int((sounds > 0).sum(axis=1).max())
        order = np.argsort(-sounds, axis=1, kind="stable")[:, :most]
        return {
            "seen": sights,
            "sound_index": order.astype(np.int64),
            "sound_weight": np.take_along_axis(sounds, order, axis=1),
            "voice": self._voices(labels),
            "alike": self._alike(labels),
            "foreign": _weights(self.terms(self.foreign), HEARD, "foreign") * (sounds.max(axis=0) == 0),
            **self._explanations(sounds, sights),
            "context": np.array([HEARD.index(name) for name in SURROUNDINGS], np.int64),
        }

    def _explanations(self, sounds: Matrix, sights: Matrix) -> dict[str, Matrix]:
        """1 for what speaks against no class, and for what no class means and speaks against all."""
        found: dict[str, Matrix] = {}
        for name, terms, known, meant in (
            ("sound", self.generic_sounds, HEARD, sounds),
            ("sight", self.generic_sights, SEEN, sights),
        ):
            generic = np.zeros(len(known), np.float32)
            if terms:
                generic = (_weights(self.terms(terms), known, f"generic_{name}s") > 0).astype(np.float32)
            found[f"generic_{name}"] = generic
            found[f"unmeant_{name}"] = ((meant.max(axis=0) == 0) & (generic == 0)).astype(np.float32)
        return found

    def terms(self, terms: Sequence[str]) -> Iterator[str]:
        """The same terms, groups told term by term. Raises ConfigError where there is no such group."""
        for term in terms:
            if not term.startswith("$"):
                yield term
            elif term[1:] in self.groups:
                yield from self.groups[term[1:]]
            else:
                raise ConfigError(f"the vocabulary has no group {term!r}; {_nearest(term[1:], list(self.groups))}")

    def _voices(self, labels: Sequence[str]) -> Matrix:
        """(K, 4): mean, spread, logarithm of the share, number of the group; classes without a voice have group 0."""
        voices = [word.voice for word in self.classes.values() if word.voice is not None]
        groups = list(dict.fromkeys(voice.group for voice in voices))
        rows = np.zeros((len(labels), 4), np.float32)
        rows[:, 1] = 1
        for row, label in zip(rows, labels, strict=True):
            if (voice := self.classes[label].voice) is not None:
                total = sum(other.share for other in voices if other.group == voice.group)
                share = math.log(voice.share / total)
                row[:] = voice.octaves, voice.spread, share, 1 + groups.index(voice.group)
        return rows

    def _alike(self, labels: Sequence[str]) -> Matrix:
        """(K, K): 1 for two classes that are alike."""
        alike = np.zeros((len(labels), len(labels)), np.float32)
        for group in self.alike:
            rows = [labels.index(name) for name in group]
            alike[np.ix_(rows, rows)] = 1
        np.fill_diagonal(alike, 0)
        return alike


def read_vocabulary(path: Path = SHIPPED) -> Vocabulary:
    """A vocabulary from a TOML file.

    Raises:
        ConfigError: the file cannot be read, is not of the form of vocabulary.toml, or names what no encoder knows.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = " ".join((getattr(error, "strerror", None) or str(error)).split())
        raise ConfigError(f"{path}: cannot be read as a vocabulary ({reason}); TOML is needed") from None
    known = ("classes", "alike", "foreign", "generic_sounds", "generic_sights", "left_out", "groups")
    for key in data:
        if key not in known:
            raise ConfigError(f"{path}: {key!r} is no part of a vocabulary; {_nearest(key, known)}")
    classes = _table(data.get("classes", {}), f"{path}: classes")
    if not classes:
        raise ConfigError(f"{path}: has no class; give [classes.NAME] with ear and eye")
    words = {name: from_dict(Word, row, f"{path}: classes.{name}") for name, row in classes.items()}
    listed = _table(data.get("groups", {}), f"{path}: groups")
    groups = {name: _texts(row, f"{path}: groups.{name}") for name, row in listed.items()}
    rows = data.get("alike", [])
    if not isinstance(rows, list):
        raise ConfigError(f"{path}: alike is {rows!r}; a list of lists of classes is needed")
    alike = tuple(_texts(row, f"{path}: alike") for row in rows)
    for name in (name for group in alike for name in group if name not in words):
        raise ConfigError(f"{path}: alike names {name!r}, which is no class; {_nearest(name, list(words))}")
    left_out = _table(data.get("left_out", {}), f"{path}: left_out")
    unlike = {name: _texts(data.get(name, []), f"{path}: {name}") for name in known[2:5]}
    found = Vocabulary(words, alike, left_out=left_out, groups=groups, **unlike)
    found.constants()  # what no encoder knows is refused at once
    return found


def _weights(terms: Iterator[str], known: Sequence[str], label: str) -> Matrix:
    """A row of weights; a class of the encoder that is named twice has the larger one."""
    row = np.zeros(len(known), np.float32)
    for term in terms:
        name, _, weight = term.partition("*")
        first, _, last = name.partition("..")
        for one in (first, *([last] if last else [])):
            if one not in known:
                raise ConfigError(f"{label}: no encoder knows {one!r}; {_nearest(one, known)}")
        low, high = known.index(first), known.index(last or first)
        try:
            value = float(weight or 1)
        except ValueError:
            value = math.nan
        if not 0 < value <= 1 or high < low:
            raise ConfigError(f"{label}: {term!r} is no term; give NAME, NAME*WEIGHT (up to 1) or FIRST..LAST")
        row[low : high + 1] = np.maximum(row[low : high + 1], value)
    if not row.any():
        raise ConfigError(f"{label}: names nothing that an encoder knows; give ear and eye at least a term each")
    return row


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is {value!r}; a table is needed")
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{where} is {value!r}; a list of texts is needed")
    return tuple(value)


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else "see vocabulary.toml for the names there are"
