"""Settings of decoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from avloc.config.checks import Settings, number, share


@dataclass(frozen=True)
class DecodingConfig(Settings):
    """From scores and segments to events (paper, Section 3.5; values of the works it builds on)."""

    group: ClassVar[str] = "decoding"

    before_nms: int = number(2000, least=1, most=2**63 - 1)
    keep: int = number(100, least=1, most=2**63 - 1)
    min_score: float = share(0.001)
    min_length_steps: float = number(0.0, least=0)
    """Candidates that are not longer than this, in steps of the grid, are dropped."""
    clip: Literal["before", "after"] = "before"
    """When segments are cut to the video: before soft-NMS, or after it as in the codes of the rivals."""
    chain_from_s: float = number(0.0, least=0)
    """Candidates that last at least so long are pieces of longer events: those of a class that touch become one event
    before soft-NMS. As long as the longest events of training; 0 chains none."""
    chain_share: float = share(0.3)
    """Least share of the surest piece's score that a piece needs which touches it, or touches one that does."""
    chain_gap_s: float = number(2.0, least=0)
    """Long events of a class with at most so many seconds between them are one; a longer pause keeps them apart."""
    nms: Literal["gaussian", "linear", "hard"] = "gaussian"
    """Soft-NMS with gaussian or linear decay, or hard NMS."""
    nms_sigma: float = number(0.4, above=0)
    """Width of the gaussian decay."""
    nms_iou: float = share(0.1)
    """Least tIoU that linear and hard suppression answer to."""
    nms_classes: Literal["each", "all"] = "each"
    """Whether a segment suppresses those of its own class, or of all classes."""
    voting_iou: float = share(0.0)
    """Least tIoU of the candidates that move a kept segment to their mean; 0 leaves it where it is."""
    voting: Literal["score", "score-iou"] = "score"
    """What a candidate weighs in that mean: its score, or its score times its tIoU."""
    rivals: tuple[tuple[str, ...], ...] = ()
    """Groups of classes that are hard to tell apart: where two are found at once, the less sure one loses score."""
    rival_share: float = number(0.5, above=0, most=1)
    """Least share of its length with which an event lies on a surer rival to lose."""
    rival_factor: float = share(0.7)
    """What is left of its score."""
    other_factor: float = share(1.0)
    """The same for an event that lies on a surer one of any other class; 1 leaves it all."""
    explained: tuple[float, ...] = number((), least=-100, most=100)
    """Of a grounded network, the factors by which what else is heard and seen weighs in a score
    (avloc.evidence.explained); without them it does not."""

    def check(self) -> None:
        """There are all factors, or none."""
        self.require("explained", len(self.explained) in (0, 4), "4 factors, or none,")
