"""Settings of the losses: for points of a pyramid and what LoCo adds, for queries; tagged as networks are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from avloc.config.checks import Settings, number, share


@dataclass(frozen=True)
class DenseLossConfig(Settings):
    """Which points are positive, and the losses of classification and regression (Zhang, Wu and Li 2022)."""

    group: ClassVar[str] = "loss"
    method: ClassVar[str] = "dense"
    judges: ClassVar[Literal["points", "queries", "anchors"]] = "points"

    assignment: Literal["class-aware", "class-agnostic"] = "class-agnostic"
    """class-aware: each class of a point has a segment of its own (Geng et al. 2023); class-agnostic: the shortest
    event of a point is its segment, whatever its class."""
    centre_radius: float | None = number(1.5, above=0)
    """A point is positive only this many strides around an event's centre; None takes the whole event."""
    first_reach: float = number(4.0, above=0)
    """Largest distance to an event's ends, in steps, that the finest level answers for; each coarser one reaches
    twice as far, the last without end."""
    ranges: tuple[tuple[float, float], ...] = ()
    """Least and largest distance that each level answers for, finest first, instead of `first_reach`."""
    inclusive: bool = True
    """Whether a regression range has its upper end, as in the codes of these works."""
    same_class: Literal["shortest", "last"] = "shortest"
    """Class-aware, which of several events of one class at a point is its segment: the shortest, or the one that is
    named last, as in the codes of these works."""
    count: Literal["points", "pairs"] = "points"
    """What the normaliser counts: points with any positive class, or pairs of point and class."""
    iou: Literal["giou", "diou"] = "diou"
    iou_weight_power: float | None = number(None, above=0)
    """Weigh the class loss of positives by their IoU to this power (Shi et al. 2023); None does not."""
    smoothing: float = share(0.0, below=1)
    """Label smoothing."""
    regression_weight: float = number(1.0, least=0)
    focal_alpha: float = number(0.25, above=0, below=1)
    focal_gamma: float = number(2.0, least=0)
    normalizer_start: float = number(250.0, above=0)
    normalizer_momentum: float = share(0.9, below=1)

    def check(self) -> None:
        """Ranges are in order."""
        self.require(
            "ranges", all(0 <= low < high for low, high in self.ranges), "ranges of 0 or more, lower ends first,"
        )


@dataclass(frozen=True)
class LocoLossConfig(DenseLossConfig):
    """Weights and forms of Eq. 9."""

    method: ClassVar[str] = "loco"

    assignment: Literal["class-aware", "class-agnostic"] = "class-aware"
    centre_radius: float | None = number(None, above=0)
    inclusive: bool = False
    count: Literal["points", "pairs"] = "pairs"
    iou: Literal["giou", "diou"] = "giou"
    lcc_weight: float = number(0.1, least=0)
    lcc_after_warmup: bool = False
    """Whether LCC waits until the learning rate has risen."""


@dataclass(frozen=True)
class QueryLossConfig(Settings):
    """Which query learns which event, and the losses of a set of segments (Carion et al. 2020; Liu et al. 2022)."""

    group: ClassVar[str] = "loss"
    method: ClassVar[str] = "queries"
    judges: ClassVar[Literal["points", "queries", "anchors"]] = "queries"

    match_class: float = number(6.0, least=0)
    """Weights of the parts of a pair's cost: what it would add to the class loss, ..."""
    match_l1: float = number(5.0, least=0)
    """... the distance of centre and width, in shares of the video, ..."""
    match_iou: float = number(2.0, least=0)
    """... and the tIoU, which lowers it."""
    class_weight: float = number(2.0, least=0)
    l1_weight: float = number(5.0, least=0)
    iou_weight: float = number(2.0, least=0)
    actionness_weight: float = number(4.0, least=0)
    actionness_events: Literal["video", "batch"] = "video"
    """Whose events a query's actionness is held against: its own video's, or those of all videos of the batch, at
    their places in shares of their own videos, as in the authors' code."""
    focal_alpha: float = number(0.25, above=0, below=1)
    focal_gamma: float = number(2.0, least=0)


@dataclass(frozen=True)
class AnchorLossConfig(Settings):
    """Which anchors learn which events, and the losses of anchors and frames (Zhao, Thabet and Ghanem 2021)."""

    group: ClassVar[str] = "loss"
    method: ClassVar[str] = "anchors"
    judges: ClassVar[Literal["points", "queries", "anchors"]] = "anchors"

    match_box: float = number(0.5, above=0, most=1)
    """Least IoU of an anchor with the event that its box is drawn to."""
    match_class: float = number(0.5, above=0, most=1)
    """Least IoU of a box with the event whose class it learns."""
    match_boundary: float = number(0.7, above=0, most=1)
    """Least IoU of a box with the event to whose ends it is adjusted."""
    box_weight: float = number(1.0, least=0)
    boundary_weight: float = number(1.0, least=0)
    frame_weight: float = number(0.2, least=0)
    """Of the three losses of what frames are: inside an event, a start, an end."""


AnyLossConfig = LocoLossConfig | DenseLossConfig | QueryLossConfig | AnchorLossConfig
"""Losses of any kind; the tag `method` says which."""
