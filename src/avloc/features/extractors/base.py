"""Extractor: what makes features of a video file, whichever encoders it has.

    path, grid > stretches of FeatureSequence, in the order of time

Whoever needs features asks an Extractor for them; which ones there are, `avloc.features.extractors.build` alone says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from avloc.errors import FeatureError, NothingToDoError
from avloc.features.sequence import FeatureSequence
from avloc.files import file_hash
from avloc.media.probe import MediaInfo
from avloc.streams import Streams
from avloc.timegrid import WHOLE, Stretch, TimeGrid

OnBlock = Callable[[NDArray[np.float32], int], object]
"""Is given each block of the waveform, mono, and its sample rate."""
OnSeconds = Callable[[float], object]
"""Is told how many seconds of the video are done."""
OnNote = Callable[[str], object]
"""Is told of a choice made in reading the file that a user should know of, in a few words."""

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Resources:
    """What an extractor may use; the encoders that ship with avloc heed `threads` alone.

    threads: of the CPU, 0 for all cores. weights: folder of weights that the user brought, None for the usual one.
    precision: auto is half the width on a GPU. batch: windows at a time, 0 for as many as suit the device.
    """

    threads: int = 0
    weights: Path | None = None
    device: Device = "auto"
    precision: Precision = "auto"
    batch: int = 0


class Extractor(Protocol):
    """Video file > FeatureSequence.

    An object is light and goes to other processes by pickle until it is first used: networks are loaded then.
    """

    @property
    def name(self) -> str:
        """By which it is asked for."""

    @property
    def streams(self) -> Streams:
        """Identity of each stream that it makes; "" where it makes none."""

    @property
    def widths(self) -> Mapping[str, int]:
        """Width of each stream, 0 where it makes none."""

    @property
    def grid(self) -> TimeGrid:
        """The grid that it works on unless another is asked for."""

    @property
    def layouts(self) -> tuple[str, ...]:
        """Names of released layouts whose features it makes anew."""
        return ()

    def whole_windows(self, grid: TimeGrid, duration_s: float) -> int:
        """Windows that lie within a video: as many rows have features as they are released."""
        return grid.length(duration_s)

    def for_streams(self, streams: Streams) -> Extractor | None:
        """What makes these streams of it, itself or one of its settings; None where it does not make them.

        Raises:
            FeatureError: it would, but lacks what it needs.
        """
        return None if streams.unlike(self.streams) else self

    def load(self) -> None:
        """Look for what it needs; what takes long waits for the first use.

        Raises:
            FeatureError: something is missing.
        """
        return

    def works_on(self, grid: TimeGrid) -> bool:
        """Whether it can make features on this grid."""
        return grid == self.grid

    def require(self, grid: TimeGrid) -> None:
        """Raise FeatureError unless it works on the grid."""
        if not self.works_on(grid):
            raise FeatureError(f"{self.name} works on {self.grid}, not on {grid}")

    def stream(
        self,
        path: str | Path,
        grid: TimeGrid,
        *,
        on_sound: OnBlock | None = None,
        on_seconds: OnSeconds | None = None,
        on_note: OnNote | None = None,
        stretch: Stretch = WHOLE,
    ) -> Iterator[FeatureSequence]:
        """Consecutive stretches of the video, each on the grid shifted to its first step.

        Of a `stretch` of the video only its steps are made, and no more is read than they need; `on_sound` then hears
        from `stretch.sound_from_s` on.
        `on_sound(block, sample_rate)` gets every block of the waveform once, `on_seconds(t)` the time done,
        `on_note(text)` what was chosen in reading.

        Raises:
            MediaError: the file cannot be read, has no picture or no sound, or ends before the stretch.
            FeatureError: it does not work on this grid.
        """

    def extract(self, path: str | Path, grid: TimeGrid, *, on_seconds: OnSeconds | None = None) -> FeatureSequence:
        """All features of one video, with the hash of its file.

        Raises:
            MediaError, FeatureError: as `stream`.
        """
        return FeatureSequence.joined(list(self.stream(path, grid, on_seconds=on_seconds)), file_hash(path))


def steps_of(info: MediaInfo, grid: TimeGrid, stretch: Stretch) -> range:
    """The steps of a file that lie in a stretch. Raises NothingToDoError where the file ends before it."""
    steps = stretch.steps(grid, info.duration_s)
    if not steps:
        raise NothingToDoError(
            f"{info.path}: ends at {info.duration_s:.2f} s, and what is asked for begins at {stretch.start_s:.2f} s"
        )
    return steps


def require_both(info: MediaInfo) -> None:
    """Raise NothingToDoError where a file has no picture or no sound."""
    for what, stream in (("picture", info.video), ("sound", info.audio)):
        if stream is None:
            raise NothingToDoError(
                f"{info.path}: has no {what}, so no event can be both seen and heard; give a video with both"
            )
