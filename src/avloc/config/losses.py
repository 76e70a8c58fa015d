"""Settings of the losses: for points of a pyramid, and what LoCo adds. `method` tags them as it does networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from avloc.config.checks import Settings, number, share


@dataclass(frozen=True)
class DenseLossConfig(Settings):
    """Which points are positive, and the losses of classification and regression (Zhang, Wu and Li 2022)."""

    group: ClassVar[str] = "loss"
    method: ClassVar[str] = "dense"

    assignment: Literal["class-aware", "class-agnostic"] = "class-agnostic"
    """class-aware: each class of a point has a segment of its own (Geng et al. 2023); class-agnostic: the shortest
    event of a point is its segment, whatever its class."""
    centre_radius: float | None = number(1.5, above=0)
    """A point is positive only this many strides around an event's centre; None takes the whole event."""
    ranges: tuple[tuple[float, float], ...] = ()
    """Least and largest distance to an event's ends, in steps, that each level answers for, finest first; none: 0 to
    4, 4 to 8, 8 to 16 and so on, the last without end."""
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


AnyLossConfig = LocoLossConfig | DenseLossConfig
"""Losses of any kind; the tag `method` says which."""
