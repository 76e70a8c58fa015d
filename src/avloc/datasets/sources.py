"""How features of any encoders lie in files: what is said on a command line, or in a few lines of YAML."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avloc.errors import FeatureError
from avloc.features.arrays import read_array
from avloc.features.npy import read_npy_header
from avloc.features.resize import rescaled_grid
from avloc.features.sequence import Array
from avloc.timegrid import TimeGrid

ID = "{id}"
"""Where the name of a video stands in the name of its file."""


@dataclass(frozen=True)
class Source:
    """Files of one encoder, one a video.

    files: their path with {id} for the video's name. name: of the encoder; without it made from the path.
    stride_s, window_s, offset_s: step i saw offset_s + i * stride_s and the window_s seconds after it; a window that
    is not said is as long as the stride. rescaled: a video has the same number of steps whatever its length.
    transposed: the arrays are (width, steps). array: which one, of files that hold several.

    Raises:
        FeatureError: a part of it cannot be.
    """

    files: str
    name: str = ""
    stride_s: float | None = None
    window_s: float | None = None
    offset_s: float = 0.0
    rescaled: bool = False
    transposed: bool = False
    array: str = ""

    def __post_init__(self) -> None:
        if ID not in self.files:
            raise FeatureError(f"{self.files}: has no {ID}, the place of a video's name, as in 'clip/{ID}.npy'")
        if not self.name:
            object.__setattr__(self, "name", _name_of(self.files))
        if not re.fullmatch(r"[\w.\-]+", self.name) or self.name in ("visual", "audio"):
            raise FeatureError(f"{self.name!r} is no name of an encoder: letters, digits, '-', '_' and '.' make one")
        if self.rescaled != (self.stride_s is None):
            needed = "leave the stride out" if self.rescaled else "say it, or that the features are rescaled"
            raise FeatureError(f"{self.name}: the stride is {_seconds(self.stride_s)}; {needed}")
        if self.rescaled and (self.window_s is not None or self.offset_s):
            raise FeatureError(f"{self.name}: rescaled features share out a whole video; leave window and offset out")
        for name, value in (("stride", self.stride_s), ("window", self.window_s)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise FeatureError(f"{self.name}: the {name} is {value:g} s; a length above 0 is needed")
        if not math.isfinite(self.offset_s):
            raise FeatureError(f"{self.name}: the offset is {self.offset_s:g} s; a finite number is needed")

    def path(self, video: str) -> Path:
        """Where the file of a video lies."""
        return Path(self.files.replace(ID, video))

    def grid(self, duration_s: float, steps: int) -> TimeGrid:
        """The grid of a video's steps."""
        if self.stride_s is None:
            return rescaled_grid(duration_s, steps)
        return TimeGrid(self.stride_s, self.window_s or self.stride_s, self.offset_s)

    def steps(self, video: str) -> int:
        """How many a video has.

        Raises:
            FeatureError: the file is missing or odd.
        """
        path = self.path(video)
        if path.suffix != ".npy":
            return len(self.read(video))
        header = read_npy_header(path)
        return header.width if self.transposed else header.steps

    def read(self, video: str) -> Array:
        """(steps, width) of a video.

        Raises:
            FeatureError: as `read_array`.
        """
        return read_array(self.path(video), self.array, transposed=self.transposed)


@dataclass(frozen=True)
class GridConfig:
    """A grid that is asked for. Of a stride alone it is that of the first encoder that has this stride; else windows
    are as long as the encoders' longest, or the stride, and moments the middles of cells of `stride_s` from 0 s."""

    stride_s: float
    window_s: float | None = None
    offset_s: float | None = None

    def made(self, encoders: Sequence[TimeGrid]) -> TimeGrid:
        """The grid, beside those of the encoders.

        Raises:
            FeatureError: a number is no length.
        """
        same = next((grid for grid in encoders if grid.stride_s == self.stride_s), None)
        if same is not None and self.window_s is None and self.offset_s is None:
            return same
        try:
            windows_s = [self.stride_s, *(grid.window_s for grid in encoders)]
            window_s = max(windows_s) if self.window_s is None else self.window_s
            if self.offset_s is None:
                return TimeGrid.centred(self.stride_s, window_s)
            return TimeGrid(self.stride_s, window_s, self.offset_s)
        except ValueError as error:
            raise FeatureError(f"the grid: {error}") from None


@dataclass(frozen=True)
class ImportConfig:
    """Encoders of each side, and what is made of them: a grid, or so many `steps` for every video; without either
    the finest grid of the encoders. durations: annotations that say how long videos are.

    Raises:
        FeatureError: there is no encoder, two have one name, or both a grid and steps are asked for.
    """

    visual: tuple[Source, ...] = ()
    audio: tuple[Source, ...] = ()
    grid: GridConfig | None = None
    steps: int | None = None
    durations: str = ""

    def __post_init__(self) -> None:
        names = [source.name for source in (*self.visual, *self.audio)]
        if not names:
            raise FeatureError("no features are named; give --visual, --audio, or a layout with one of them")
        if len(set(names)) < len(names):
            object.__setattr__(self, "visual", tuple(_with_side(s, "visual", names) for s in self.visual))
            object.__setattr__(self, "audio", tuple(_with_side(s, "audio", names) for s in self.audio))
            names = [source.name for source in (*self.visual, *self.audio)]
        if len(set(names)) < len(names):
            raise FeatureError(f"encoders are called {', '.join(names)}; give each its own `name` in a layout")
        if self.steps is not None and (self.steps < 1 or self.grid is not None):
            raise FeatureError(f"steps are {self.steps}; 1 or more are needed, and no grid beside them")


def _with_side(source: Source, side: str, names: list[str]) -> Source:
    return replace(source, name=f"{source.name}-{side}") if names.count(source.name) > 1 else source


def _name_of(files: str) -> str:
    """clip/{id}.npy > clip; {id}_rgb.npy > rgb."""
    path = Path(files)
    own = re.sub(r"[^\w.\-]", "", path.name.replace(ID, "").removesuffix(path.suffix)).strip("_-.")
    folders = [part for part in path.parent.parts if ID not in part and part not in ("/", ".", "..")]
    name = own if len(own) > 1 else re.sub(r"[^\w.\-]", "", folders[-1]) if folders else ""
    return f"{name}-features" if name in ("visual", "audio") else name or "features"


def _seconds(value: float | None) -> str:
    return "not said" if value is None else f"{value:g} s"
