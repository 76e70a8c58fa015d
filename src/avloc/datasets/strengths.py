"""How strong each difficulty of a simulation is, and the two editions: sets of strengths that stay as they are."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from avloc.errors import ConfigError

Edition = Literal[1, 2]


@dataclass(frozen=True)
class SimulationConfig:
    """Strengths of the difficulties. Sizes are lengths of latent vectors where a class prototype has length 1.

    The defaults are those of the second edition; `strengths_of` gives the first.
    """

    latent: int = 64
    """Dimensions in which everything happens, before a fixed rotation into the features' width."""
    confusable: int = 4
    """Classes that look alike; as many that look different sound alike."""
    similarity: float = 0.85
    """Cosine between the prototypes of classes that look, or sound, alike."""
    level: float = 0.3
    """Spread of an object's strength in each modality (standard deviation of its logarithm)."""
    instance: float = 0.6
    """How far an object lies from its class's prototype."""
    wander: float = 0.5
    """How far an object wanders from where it lies, and in what time (`wander_s`)."""
    wander_s: float = 2.0
    background: float = 0.8
    """The scene's drift, in each modality by itself, in `background_s`."""
    background_s: float = 6.0
    noise: float = 0.6
    """What is new at every step."""
    sensor: float = 0.05
    """White noise of every feature, as a share of the size that a prototype gives it."""
    ramp_s: tuple[float, float] = (0.1, 1.0)
    """An object takes this long to come and to go, never more than a third of its length."""
    gain: float = 0.4
    """Spread of the gain within an object (standard deviation of its logarithm), changing in `gain_s`."""
    gain_s: float = 1.5
    dropouts_per_10_s: float = 1.0
    """Stretches of `dropout_s`, in each modality apart, in which an object all but goes: down to `dropout_gain`."""
    dropout_s: tuple[float, float] = (0.5, 2.0)
    dropout_gain: float = 0.1
    distractors_per_event: float = 1.0
    """Objects of other classes that are seen only, or heard only."""
    asynchrony_s: float = 0.5
    """The sound of an event comes earlier or later than its sight by this at most."""
    scene: tuple[float, float] = (3.8, 1.6)
    """The scene of a video, constant in it: as it is seen and as it is heard."""
    shared: float = 0.3
    """Share of the scene's variance that both modalities see, each its own mixture of `shared_directions`."""
    shared_directions: int = 8
    belonging: float = 0.27
    """Share of a scene's variance that the video's classes settle: those that come together have near scenes."""
    company: float = 0.92
    """Share of distractors whose class is one that comes with the video's; the others are drawn by class shares."""
    overlap: float = 0.7
    """Noise that is new at every moment and seen through the steps' windows, so that near steps share it."""
    modalities: Literal["apart", "together"] = "apart"
    """together, a control: drift, strength, gain and drop-outs are the same in both modalities, moment by moment."""

    @property
    def edition(self) -> Edition:
        """1 where nothing is set that came with the second edition."""
        return 1 if all(getattr(self, name) == off for name, off in _LATER.items()) else 2

    def recorded(self) -> dict[str, Any]:
        """The settings as a folder's record has them, those of the second edition only where it is used."""
        return {name: value for name, value in asdict(self).items() if self.edition == 2 or name not in _LATER}

    def name(self) -> str:
        """The edition, and a hash of the strengths where these are not the edition's own."""
        if self == strengths_of(self.edition):
            return f"{self.edition}"
        digest = hashlib.sha256(json.dumps(self.recorded(), sort_keys=True).encode()).hexdigest()
        return f"{self.edition}, strengths {digest[:12]}"

    def __post_init__(self) -> None:
        for name in ("latent", "confusable", "shared_directions"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; 1 or more is needed")
        if self.shared_directions > self.latent:
            raise ConfigError(f"shared_directions is {self.shared_directions}; latent, {self.latent}, is the most")
        for name in ("similarity", "shared", "belonging", "company"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is {getattr(self, name):g}; 0 to 1 is needed")
        for name in ("level", "instance", "wander", "background", "noise", "sensor", "gain", "dropouts_per_10_s",
                     "dropout_gain", "distractors_per_event", "asynchrony_s", "overlap"):  # fmt: skip
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ConfigError(f"{name} is {getattr(self, name)}; 0 or more is needed")
        for name in ("wander_s", "background_s", "gain_s"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ConfigError(f"{name} is {getattr(self, name)}; more than 0 s is needed")
        for name in ("ramp_s", "dropout_s"):
            low, high = getattr(self, name)
            if not 0 < low <= high < math.inf:
                raise ConfigError(f"{name} is {low:g} to {high:g}; a range above 0 s is needed")
        if not all(math.isfinite(size) and size >= 0 for size in self.scene):
            raise ConfigError(f"scene is {self.scene[0]:g}, {self.scene[1]:g}; two sizes of 0 or more are needed")


_LATER: Mapping[str, object] = {
    "scene": (0.0, 0.0),
    "shared": 0.0,
    "shared_directions": 1,
    "belonging": 0.0,
    "company": 0.0,
    "overlap": 0.0,
    "modalities": "apart",
}
"""What came with the second edition, with the value that does nothing."""


def strengths_of(edition: Edition, changed: SimulationConfig | None = None) -> SimulationConfig:
    """The edition's strengths. Of `changed`, what differs from the second edition's defaults replaces them.

    Raises:
        ConfigError: the edition is unknown.
    """
    if edition not in (1, 2):
        raise ConfigError(f"there is no edition {edition}; known are 1 and 2")
    default = SimulationConfig()
    made = replace(default, **_LATER) if edition == 1 else default  # type: ignore[arg-type]
    if changed is None:
        return made
    given = {f.name: getattr(changed, f.name) for f in fields(changed)}
    return replace(made, **{name: value for name, value in given.items() if value != getattr(default, name)})
