"""The recipe of the model that ships as `default`: a grounded network on composed videos. No torch.

The run itself is avloc.recipes.default_run; what the classes mean is a vocabulary (avloc.recipes.vocabulary).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from avloc.compose.compose_config import ComposeConfig
from avloc.config import DecodingConfig, DenseLossConfig, GroundedConfig, TrainConfig
from avloc.config.checks import Settings, number, share
from avloc.datasets.evidence import Mixture


@dataclass(frozen=True)
class GroundedRun(Settings):
    """A grounded network from pictures and sounds to weights; a class needs no labelled video, not even a picture."""

    group: ClassVar[str] = ""

    media: str = ""
    """Folder of pictures and sounds (docs/composing.md); without it the procedural media and their vocabulary."""
    vocabulary: str = ""
    """TOML file that says what the classes mean; without it the shipped one."""
    work: str = ""
    """Folder for the composed videos, as features; without it `composed` in --out."""
    workers: int = number(0, least=0)
    """Processes that compose; 0 takes all cores."""
    videos: int = number(600, least=1)
    """Composed training videos."""
    validation_videos: int = number(100, least=1)
    """Composed videos of media that training never sees; they calibrate the scores and choose the threshold."""
    quiet_videos: int = number(60, least=0)
    """Composed videos of the same media in which nothing is seen and heard at once; the threshold keeps them so."""
    quiet_s: float = number(300.0, above=0)
    """On these at most one event is shown in so many seconds."""
    clips: tuple[str, ...] = ()
    """Folders of real clips with known classes (docs/composing.md), that say how much what else is heard and seen
    speaks against a class; without them it does not. Nothing else is fitted to them but the threshold."""
    almost: float = share(0.02)
    """Of all thresholds with an F1 score at most this much below the best one the highest is taken."""
    show_score_by_clips: float = share(0.45)
    """Where there are clips a score is the chance on them, and events are shown from this one on. Their F1 is flat
    around it; to search for its best on so few clips costs more than it gains (docs/composing.md)."""
    compose_seed: int = number(0, least=0, most=2**32 - 1)
    """Of the composed videos; `train.seed` is that of starts and batches."""
    scene: ComposeConfig = field(default_factory=ComposeConfig)
    mixture: Mixture = field(default_factory=Mixture)
    network: GroundedConfig = field(default_factory=lambda: GroundedConfig(members=4))
    """Classes and their sounds are the vocabulary's."""
    loss: DenseLossConfig = field(
        default_factory=lambda: DenseLossConfig(
            assignment="class-aware",
            centre_radius=None,
            inclusive=False,
            count="pairs",
            iou="giou",
            focal_alpha=0.4,
            focal_gamma=1.0,
            normalizer_start=200.0,
            normalizer_momentum=0.95,
        )
    )
    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            epochs=15,
            warmup_epochs=0,
            warmup_steps=100,
            learning_rate=2e-3,
            least_rate=2e-5,
            weight_decay=0.01,
            decay="all",
            ema_decay=0.998,
            longest_steps=256,
        )
    )
    decoding: DecodingConfig = field(
        default_factory=lambda: DecodingConfig(
            chain_from_s=20.0, rival_share=0.6, rival_factor=0.5, other_factor=0.75
        )
    )
    """Without rivals of its own it takes the vocabulary's classes that are alike."""

    def check(self) -> None:
        """One process trains; a window can be halved by the levels."""
        one = self.train.devices == self.train.nodes == 1
        self.train.require("devices", one, "1 device of 1 node, for networks this small,")
        multiple = 2 ** (self.network.levels - 1)
        self.train.require("longest_steps", self.train.longest_steps % multiple == 0, f"a multiple of {multiple}")

    @property
    def quiet_scene(self) -> ComposeConfig:
        """Scenes in which nothing is seen and heard at once, full of silent objects and off-screen sounds."""
        duration_s = (min(30.0, self.scene.duration_s[1]), self.scene.duration_s[1])
        return replace(
            self.scene, events=(0, 0), silent_objects=(1, 4), offscreen_sounds=(1, 4), duration_s=duration_s
        )


def grounded_composed() -> GroundedRun:
    """The model that ships as default, made again: pictures and sounds > composed videos > evidence > the network."""
    return GroundedRun()
