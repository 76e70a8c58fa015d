"""ComposeConfig: what composed scenes are drawn by lot from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from avloc.config.checks import Settings, number, share

_RANGE = "a range (least, most)"


@dataclass(frozen=True)
class ComposeConfig(Settings):
    """How scenes are drawn by lot. Pairs are ranges; numbers without unit are chances or shares of the frame."""

    group: ClassVar[str] = "scene"

    duration_s: tuple[float, float] = number((20.0, 60.0), above=0, most=7200)
    size: tuple[int, int] = number((640, 360), least=16, most=7680)
    """Width and height of the frame in pixels, even numbers."""
    fps: float = number(25.0, above=0, most=240)
    events: tuple[int, int] = number((1, 6), least=0)
    event_s: tuple[float, float] = number((1.5, 20.0), above=0)
    """Drawn log-uniformly, so that short and long events are both common."""
    overlap: float = share(0.3)
    """That an event may run beside another."""
    asynchronous: float = share(0.5)
    """That picture and sound of an event begin or end apart; the event is where both are on."""
    asynchrony_s: float = number(2.0, least=0)
    """By how much, at most."""
    lingering: float = share(0.15)
    """That the object is seen for long before and after."""
    interrupted: float = share(0.15)
    """That its sound (or picture) comes in two to four pieces, each an event."""
    repeat: float = share(0.35)
    """That an event is of a class already in the scene."""
    familiar: float = share(0.4)
    """The same for silent objects and off-screen sounds."""
    silent_objects: tuple[int, int] = number((0, 3), least=0)
    offscreen_sounds: tuple[int, int] = number((0, 3), least=0)
    extra_s: tuple[float, float] = number((1.5, 12.0), above=0)
    """How long these last."""
    gap_s: float = number(1.0, least=0)
    """Events of one class are at least so far apart."""
    full_frame: float = share(0.85)
    """That a photograph without transparent parts fills the frame as a shot of its own."""
    object_height: tuple[float, float] = number((0.5, 1.0), above=0)
    moving: float = share(0.7)
    flip: float = share(0.5)
    tilt_deg: float = number(15.0, least=0)
    colour: float = share(0.12)
    brightness: float = share(0.2)
    loudness_db: tuple[float, float] = number((-20.0, -3.0))
    reverb: float = share(0.3)
    ambient: float = share(0.6)
    ambient_db: tuple[float, float] = number((-50.0, -28.0))
    noise_db: tuple[float, float] = number((-80.0, -50.0))
    degraded: float = share(0.5)
    """That the picture has blur, grain and the blocks of strong compression."""

    def check(self) -> None:
        """Ranges are in order; a frame that a codec takes has even sides."""
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, tuple) and f.name != "size":
                self.require(f.name, len(value) == 2 and value[0] <= value[1], _RANGE)
        self.require("size", len(self.size) == 2 and not any(n % 2 for n in self.size), "two even numbers")
