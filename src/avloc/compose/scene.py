"""Scene: the complete description of a composed video, and the truth that follows from it.

Places and sizes are shares of the frame (0 to 1), times seconds, gains decibels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from avloc.compose.library import Picture, Sound
from avloc.events import Event, Events

Entry = Literal["cut", "fade", "slide"]
Spans = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Motion:
    """Centre of an object: a straight line plus a swing, kept inside the frame."""

    x: float = 0.5
    y: float = 0.5
    x_per_s: float = 0.0
    y_per_s: float = 0.0
    swing: float = 0.0
    swing_hz: float = 0.3
    grow_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PictureLayer:
    """A picture on screen from start_s to end_s, fitted into a box of `width` x `height` of the frame.

    With `full_frame` it covers the whole frame, cropped, as a shot of its own. `gains` multiply red, green, blue.
    """

    picture: Picture
    start_s: float
    end_s: float
    width: float = 0.95
    height: float = 0.8
    full_frame: bool = False
    motion: Motion = Motion()
    entry: Entry = "cut"
    leave: Entry = "cut"
    entry_s: float = 0.3
    flip: bool = False
    tilt_deg: float = 0.0
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class SoundLayer:
    """A sound heard from start_s to end_s, repeated if it is shorter, with pauses of about `pause_s`.

    `reverb` is the share of simple reverberation; `seed` fixes where a longer sound begins and the pauses.
    """

    sound: Sound
    start_s: float
    end_s: float
    gain_db: float = -6.0
    pause_s: float = 0.0
    reverb: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What is behind: a picture that is slowly panned and zoomed (None: grey), and sound around."""

    picture: Picture | None = None
    zoom: float = 1.15
    pan_x: float = 0.0
    pan_y: float = 0.0
    zoom_per_s: float = 0.0
    ambient: Sound | None = None
    ambient_db: float = -40.0
    noise_db: float = -70.0


@dataclass(frozen=True, slots=True)
class Look:
    """What the camera adds: a slow swing of brightness, blur, grain and blocks as of compression."""

    brightness: float = 0.0
    brightness_hz: float = 0.1
    blur: float = 1.0
    grain: float = 0.0
    blocks: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One labelled video: layers, later pictures in front of earlier ones (full-frame ones behind all)."""

    duration_s: float
    size: tuple[int, int]
    fps: float
    pictures: tuple[PictureLayer, ...]
    sounds: tuple[SoundLayer, ...]
    backdrop: Backdrop = Backdrop()
    look: Look = Look()
    seed: int = 0


def truth(scene: Scene, least_s: float = 0.05) -> Events:
    """The times at which a class is both seen and heard, in order; stretches under `least_s` do not count."""
    seen: dict[str, Spans] = defaultdict(list)
    heard: dict[str, Spans] = defaultdict(list)
    for picture in scene.pictures:
        seen[picture.picture.label].append((picture.start_s, picture.end_s))
    for sound in scene.sounds:
        heard[sound.sound.label].append((sound.start_s, sound.end_s))
    return Events.of(
        Event(start_s, end_s, label)
        for label in sorted(set(seen) & set(heard))
        for start_s, end_s in _both(_union(seen[label]), _union(heard[label]))
        if end_s - start_s >= least_s
    ).by_time()


def _union(spans: Iterable[tuple[float, float]]) -> Spans:
    merged: Spans = []
    for start_s, end_s in sorted(spans):
        if merged and start_s <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end_s))
        else:
            merged.append((start_s, end_s))
    return merged


def _both(first: Spans, second: Spans) -> Spans:
    return [(max(a, c), min(b, d)) for a, b in first for c, d in second if max(a, c) < min(b, d)]
