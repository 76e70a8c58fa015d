"""ComposeConfig: what composed scenes are drawn by lot from."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from avloc.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ComposeConfig:
    """How scenes are drawn by lot. Pairs are ranges, numbers without unit are chances or shares of the frame.

    event_s is drawn log-uniformly, so short and long events are both common. `overlap` is the chance that an
    event may run beside another. Within an event picture and sound begin and end up to `asynchrony_s` apart
    with the chance `asynchronous`; the event is where both are on. `lingering` is the chance that the object is
    seen for long before and after, `interrupted` that its sound (or picture) comes in two to four pieces, each an
    event. `repeat` is the chance that an event is of a class already in the scene, and
    `familiar` the same for silent objects and off-screen sounds. Events of one class keep `gap_s` apart.
    `full_frame` is the chance that a photograph without transparent parts fills the frame as a shot of its own.

    Raises:
        ConfigError: a range is reversed or a value is outside its bounds.
    """

    duration_s: tuple[float, float] = (20.0, 60.0)
    size: tuple[int, int] = (640, 360)
    fps: float = 25.0
    events: tuple[int, int] = (1, 6)
    event_s: tuple[float, float] = (1.5, 20.0)
    overlap: float = 0.3
    asynchronous: float = 0.5
    asynchrony_s: float = 2.0
    lingering: float = 0.15
    interrupted: float = 0.15
    repeat: float = 0.35
    familiar: float = 0.4
    silent_objects: tuple[int, int] = (0, 3)
    offscreen_sounds: tuple[int, int] = (0, 3)
    extra_s: tuple[float, float] = (1.5, 12.0)
    gap_s: float = 1.0
    full_frame: float = 0.85
    object_height: tuple[float, float] = (0.5, 1.0)
    moving: float = 0.7
    flip: float = 0.5
    tilt_deg: float = 15.0
    colour: float = 0.12
    brightness: float = 0.2
    loudness_db: tuple[float, float] = (-20.0, -3.0)
    reverb: float = 0.3
    ambient: float = 0.6
    ambient_db: tuple[float, float] = (-50.0, -28.0)
    noise_db: tuple[float, float] = (-80.0, -50.0)
    degraded: float = 0.5

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            numbers = value if isinstance(value, tuple) else (value,)
            if not all(math.isfinite(n) for n in numbers):
                raise ConfigError(f"{f.name} is {value}; finite numbers are needed")
            if isinstance(value, tuple) and f.name != "size" and (len(value) != 2 or value[0] > value[1]):
                raise ConfigError(f"{f.name} is {value}; a range (least, most) is needed")
            if not f.name.endswith("_db") and min(numbers) < 0:
                raise ConfigError(f"{f.name} is {value}; it cannot be negative")
        if (
            min(*self.size, self.fps, self.duration_s[0], self.event_s[0], self.extra_s[0], self.object_height[0])
            <= 0
        ):
            raise ConfigError("size, fps, duration_s, event_s, extra_s and object_height must be above 0")
