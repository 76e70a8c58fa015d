"""From a library and a config to a Scene, by chance but without accidents.

Truth stays as planned because every span that is added is held against what is already seen and heard of the
same class and of classes that are alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from avloc.compose.compose_config import ComposeConfig
from avloc.compose.library import MediaLibrary, Picture, Sound
from avloc.compose.scene import Backdrop, Entry, Look, Motion, PictureLayer, Scene, SoundLayer
from avloc.errors import ConfigError

TRIES = 40
SAFETY_S = 0.1
ENTRIES: tuple[Entry, ...] = ("cut", "fade", "slide")
_Media = TypeVar("_Media", Picture, Sound)
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class _Span:
    label: str
    start_s: float
    end_s: float

    def meets(self, start_s: float, end_s: float, apart_s: float) -> bool:
        return self.start_s < end_s + apart_s and start_s < self.end_s + apart_s


def _together(first: PictureLayer, second: PictureLayer) -> bool:
    """Whether two objects in front of the background are seen at once."""
    apart = first.end_s <= second.start_s or second.end_s <= first.start_s
    return not (apart or first.full_frame or second.full_frame)


def plan(library: MediaLibrary, config: ComposeConfig, rng: np.random.Generator) -> Scene:
    """A scene drawn by lot; the same state of `rng` gives the same scene.

    Raises:
        ConfigError: the library has no class with both a picture and a sound.
    """
    if not library.classes and config.events[1] > 0:
        raise ConfigError("the media has no class with both a picture and a sound; add some, or plan 0 events")
    return _Planner(library, config, rng).scene()


class _Planner:
    """The state of one drawing: what is seen and heard so far."""

    def __init__(self, library: MediaLibrary, config: ComposeConfig, rng: np.random.Generator) -> None:
        self._library, self._config, self._rng = library, config, rng
        self._duration_s = float(rng.uniform(*config.duration_s))
        self._events: list[_Span] = []
        self._seen: list[_Span] = []
        self._heard: list[_Span] = []
        self._pictures: list[PictureLayer] = []
        self._sounds: list[SoundLayer] = []

    def scene(self) -> Scene:
        config = self._config
        for _ in range(self._count(config.events)):
            self._add_event()
        for _ in range(self._count(config.silent_objects)):
            self._add_silent_object()
        for _ in range(self._count(config.offscreen_sounds)):
            self._add_offscreen_sound()
        return Scene(
            self._duration_s,
            config.size,
            config.fps,
            self._apart(),
            tuple(sorted(self._sounds, key=lambda s: s.start_s)),
            self._backdrop(),
            self._look(),
            int(self._rng.integers(2**31)),
        )

    # What happens when

    def _add_event(self) -> None:
        old = sorted({e.label for e in self._events})
        again = bool(old) and self._chance(self._config.repeat)
        for _ in range(TRIES):
            label = self._pick(old if again else self._library.classes)
            start_s, end_s = self._stretch(self._config.event_s)
            beside = [e for e in self._events if e.meets(start_s, end_s, 0.0)]
            if len(beside) > 1 or (beside and not self._chance(self._config.overlap)):
                continue
            seen, heard = self._spans(label, start_s, end_s)
            apart_s = self._config.gap_s
            if self._accident(seen, self._heard, apart_s) or self._accident(heard, self._seen, apart_s):
                continue
            self._events.append(_Span(label, start_s, end_s))
            self._show(seen, self._familiar_picture(label))
            self._play(heard, self._familiar_sound(label))
            return

    def _add_silent_object(self) -> None:
        pictures = self._strangers(self._library.distractor_pictures, self._library.pictures)
        for _ in range(TRIES if pictures else 0):
            picture = self._pick(pictures)
            span = _Span(picture.label, *self._stretch(self._config.extra_s))
            crowd = sum(layer.start_s < span.end_s and span.start_s < layer.end_s for layer in self._pictures)
            if crowd < 3 and not self._accident([span], self._heard, SAFETY_S):
                self._show([span], picture)
                return

    def _add_offscreen_sound(self) -> None:
        sounds = self._strangers(self._library.distractor_sounds, self._library.sounds)
        for _ in range(TRIES if sounds else 0):
            sound = self._pick(sounds)
            span = _Span(sound.label, *self._stretch(self._config.extra_s))
            if not self._accident([span], self._seen, SAFETY_S):
                self._play([span], sound)
                return

    def _strangers(self, distractors: Sequence[_Media], known: Mapping[str, Sequence[_Media]]) -> list[_Media]:
        """What a silent object or off-screen sound is chosen from: classes of the scene's events, or any."""
        here = {e.label for e in self._events}
        if here and self._chance(self._config.familiar):
            return [item for label in sorted(here) for item in known[label]]
        if distractors and self._chance(0.5):
            return list(distractors)
        return [item for label in sorted(known) for item in known[label]]

    def _accident(self, spans: Iterable[_Span], others: Iterable[_Span], apart_s: float) -> bool:
        """Whether one of `spans` meets one of `others` that is of the same class or alike."""
        others = list(others)
        return any(
            span.meets(other.start_s, other.end_s, apart_s) and self._library.are_alike(span.label, other.label)
            for span in spans
            for other in others
        )

    def _stretch(self, range_s: tuple[float, float]) -> tuple[float, float]:
        length_s = min(math.exp(self._rng.uniform(*np.log(range_s))), self._duration_s)
        start_s = float(self._rng.uniform(0, self._duration_s - length_s))
        return start_s, start_s + length_s

    def _spans(self, label: str, start_s: float, end_s: float) -> tuple[list[_Span], list[_Span]]:
        """When an event is seen and when it is heard; both within [start_s, end_s] or that and a little more."""
        config = self._config
        seen, heard = [_Span(label, start_s, end_s)], [_Span(label, start_s, end_s)]
        if end_s - start_s > 4 * config.gap_s + 2 and self._chance(config.interrupted):
            pieces = self._pieces(seen[0])
            return (seen, pieces) if self._chance(0.7) else (pieces, heard)
        before = self._lead() * self._either()
        after = self._lead() * self._either()
        linger = self._rng.uniform(2, 12, 2) * self._chance(config.lingering)
        seen = [self._clipped(label, start_s - before[0] - linger[0], end_s + after[0] + linger[1])]
        heard = [self._clipped(label, start_s - before[1], end_s + after[1])]
        return seen, heard

    def _lead(self) -> float:
        """By how much one modality comes before the other; often not at all."""
        return float(self._rng.uniform(0, self._config.asynchrony_s)) * self._chance(self._config.asynchronous)

    def _either(self) -> NDArray[np.float64]:
        return np.asarray(np.eye(2)[self._rng.integers(2)])

    def _clipped(self, label: str, start_s: float, end_s: float) -> _Span:
        return _Span(label, max(0.0, float(start_s)), min(self._duration_s, float(end_s)))

    def _pieces(self, whole: _Span) -> list[_Span]:
        """Two to four stretches inside a span, at least gap_s apart and 1 s long where that fits."""
        gap_s, length_s = self._config.gap_s, whole.end_s - whole.start_s
        count = min(int(self._rng.integers(2, 5)), int(length_s // (gap_s + 1)))
        free_s = length_s - (count - 1) * gap_s - count
        shares = self._rng.dirichlet(np.ones(2 * count - 1)) * max(0.0, free_s)
        pieces, at_s = [], whole.start_s
        for i in range(count):
            end_s = min(whole.end_s, at_s + 1 + shares[2 * i])
            pieces.append(_Span(whole.label, float(at_s), float(end_s)))
            at_s = end_s + gap_s + (shares[2 * i + 1] if i < count - 1 else 0)
        return pieces

    # How it looks and sounds

    def _show(self, spans: list[_Span], picture: Picture) -> None:
        config, rng = self._config, self._rng
        full = self._chance(config.full_frame) and not any(
            layer.full_frame and span.meets(layer.start_s, layer.end_s, 0.0)
            for layer in self._pictures
            for span in spans
        )
        height, x, y = rng.uniform(*config.object_height), 0.5 + rng.normal(0, 0.1), 0.5 + rng.normal(0, 0.05)
        gains = 1 + rng.uniform(-1, 1, 3) * config.colour + rng.uniform(-1, 1) * config.brightness
        layer = PictureLayer(
            picture, 0.0, 0.0, 0.95, float(height), full and picture.opaque(), self._motion(float(x), float(y)),
            self._entry(), self._entry(), float(rng.uniform(0.1, 0.3)), self._chance(config.flip),
            float(rng.uniform(-1, 1) * config.tilt_deg) * self._chance(0.5),
            (float(gains[0]), float(gains[1]), float(gains[2])),
        )  # fmt: skip
        for span in spans:
            self._seen.append(span)
            self._pictures.append(replace(layer, start_s=span.start_s, end_s=span.end_s))

    def _apart(self) -> tuple[PictureLayer, ...]:
        """The pictures in order of start; objects seen at once stand side by side, each in half of the frame."""
        done: list[PictureLayer] = []
        layers = sorted(self._pictures, key=lambda p: p.start_s)
        for layer in layers:
            beside = [p for p in layers if p is not layer and _together(p, layer)]
            if not layer.full_frame and beside:
                taken = [p.motion.x for p in done if _together(p, layer)]
                left = float(np.mean(taken)) > 0.5 if taken else self._chance(0.5)
                x = float(self._rng.uniform(0.24, 0.3) if left else self._rng.uniform(0.7, 0.76))
                motion = replace(layer.motion, x=x, x_per_s=0.0, swing=min(0.03, layer.motion.swing), grow_per_s=0.0)
                layer = replace(layer, motion=motion, width=0.5, height=min(0.85, layer.height))
            done.append(layer)
        return tuple(done)

    def _motion(self, x: float, y: float) -> Motion:
        if not self._chance(self._config.moving):
            return Motion(x, y)
        rng = self._rng
        return Motion(
            x, y, float(rng.normal(0, 0.02)), float(rng.normal(0, 0.01)), float(rng.uniform(0, 0.08)),
            float(rng.uniform(0.1, 0.5)), float(rng.normal(0, 0.02)),
        )  # fmt: skip

    def _entry(self) -> Entry:
        return ENTRIES[self._rng.choice(3, p=(0.6, 0.25, 0.15))]

    def _play(self, spans: list[_Span], sound: Sound) -> None:
        config, rng = self._config, self._rng
        gain_db = float(rng.uniform(*config.loudness_db))
        pause_s = float(rng.uniform(0.05, 0.45)) * self._chance(0.6)
        reverb = float(rng.uniform(0.1, 0.5)) * self._chance(config.reverb)
        for span in spans:
            self._heard.append(span)
            seed = int(rng.integers(2**31))
            self._sounds.append(SoundLayer(sound, span.start_s, span.end_s, gain_db, pause_s, reverb, seed))

    def _familiar_picture(self, label: str) -> Picture:
        """Mostly the picture that the scene already has of a class."""
        known = [layer.picture for layer in self._pictures if layer.picture.label == label]
        return known[0] if known and self._chance(0.7) else self._pick(self._library.pictures[label])

    def _familiar_sound(self, label: str) -> Sound:
        known = [layer.sound for layer in self._sounds if layer.sound.label == label]
        return known[0] if known and self._chance(0.7) else self._pick(self._library.sounds[label])

    def _backdrop(self) -> Backdrop:
        config, rng = self._config, self._rng
        backgrounds, ambient = self._library.backgrounds, self._library.ambient
        return Backdrop(
            self._pick(backgrounds) if backgrounds else None,
            float(rng.uniform(1.05, 1.3)), float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1)),
            float(rng.normal(0, 0.003)),
            self._pick(ambient) if ambient and self._chance(config.ambient) else None,
            float(rng.uniform(*config.ambient_db)), float(rng.uniform(*config.noise_db)),
        )  # fmt: skip

    def _look(self) -> Look:
        rng, degraded = self._rng, self._chance(self._config.degraded)
        blur, grain, blocks = rng.uniform((1, 0, 0), (2.0, 8, 6)) * degraded
        brightness = rng.uniform(0, self._config.brightness / 2)
        return Look(
            float(brightness), float(rng.uniform(0.05, 0.3)), max(1.0, float(blur)), float(grain), float(blocks)
        )

    def _count(self, least_most: tuple[int, int]) -> int:
        return int(self._rng.integers(least_most[0], least_most[1] + 1))

    def _chance(self, chance: float) -> bool:
        return bool(self._rng.random() < chance)

    def _pick(self, items: Sequence[_Item]) -> _Item:
        return items[int(self._rng.integers(len(items)))]
