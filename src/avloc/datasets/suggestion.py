"""Settings of a pyramid that suit a data set: first regression range, levels, and length, from its events and videos.

lengths of events and videos in steps > suggest > Suggestion

Legend: E events, V videos, L levels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

_SHORT, _LONG = 0.1, 0.95
"""Shares of the events that are shorter than those for which the finest and the coarsest level are."""
_VIDEOS = 0.95
_REACHES = (1.0, 2.0, 4.0, 8.0, 16.0)
_MOST_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A first regression range in steps, a number of levels, and a longest crop that nearly all videos fit into."""

    first_reach: float
    levels: int
    longest_steps: int

    @property
    def flags(self) -> str:
        """As one types them behind `avloc train`."""
        return (
            f"--loss.first-reach {self.first_reach:g} --network.levels {self.levels} "
            f"--train.longest-steps {self.longest_steps}"
        )


def suggest(event_steps: ArrayLike, video_steps: ArrayLike) -> Suggestion | None:
    """From the lengths of events (E,) and of videos (V,) in steps; None where there are none of either.

    A moment of an event of n steps is n / 2 to n steps from its farther end. So the finest level answers for the
    shortest tenth of the events where its range is as wide as they are long; each level doubles it, and the last,
    which has no end, begins at half of the longest events, or before. No level is coarser than half of a usual video.
    """
    events = np.asarray(event_steps, np.float64)
    events = events[events > 0]
    videos = np.asarray(video_steps, np.float64)
    videos = videos[videos > 0]
    if not len(events) or not len(videos):
        return None
    short, long = (float(np.quantile(events, share)) for share in (_SHORT, _LONG))
    reach = next((reach for reach in _REACHES if reach >= short), _REACHES[-1])
    # The last of L levels begins at reach * 2 ** (L - 2) steps.
    wanted = 2 + int(math.log2(max(long / 2, reach) / reach))
    coarsest = 1 + int(math.log2(max(1.0, float(np.median(videos)) / 2)))
    levels = max(1, min(wanted, coarsest, _MOST_LEVELS))
    multiple = 1 << (levels - 1)
    return Suggestion(reach, levels, multiple * math.ceil(float(np.quantile(videos, _VIDEOS)) / multiple))
