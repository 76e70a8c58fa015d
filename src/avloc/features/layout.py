"""Layouts: how the features of a whole data set lie in a folder > FeatureSequence of one video.

`onepeace` and `i3d-vggish` are the layouts released with UnAV-100 and UniAV (DESED's as well), `onepeace-activitynet`
that of UniAV's ActivityNet-1.3, `i3d-thumos14` that of THUMOS-14 for ActionFormer and its kin, which has no sound;
`avloc` is what `avloc extract` writes. Grids are those of the released features: ONE-PEACE at 16 frames a second with
windows of 16 and strides of 4 frames (ActivityNet: 8), I3D and VGGish at 25 frames a second with windows of 24 and
strides of 8 frames, THUMOS-14 at 30 frames a second with windows of 16 and strides of 4 frames.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from avloc.errors import FeatureError
from avloc.features.npy import read_npy, read_npy_header, write_npy
from avloc.features.sequence import Array, FeatureSequence
from avloc.features.store import ENDING, StoreHeader, load_features, read_store_header
from avloc.streams import Streams
from avloc.timegrid import TimeGrid

MOST_APART_S = 2.0
"""The modalities of a video, cut by different tools, may differ by this much; both are cut to the shorter."""

RECORD = "simulation.json"
_STORE_ENDINGS = (ENDING, ".safetensors")


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a video: its name is the video's followed by `ending`, its array is (steps, width)."""

    ending: str
    width: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Files, widths and grid. Several files of one modality are joined along the width, in order.

    `visual` and `audio` are empty for the layout `avloc`, whose one file a video says all of itself; the widths are
    then those of the first file in the folder. `audio` alone is empty where nothing was heard. `prefix` stands before
    the video's name in the names of its files.
    """

    name: str
    grid: TimeGrid
    visual: tuple[FilePart, ...] = ()
    audio: tuple[FilePart, ...] = ()
    store: StoreHeader | None = None
    prefix: str = ""

    def path(self, folder: Path, video: str, part: FilePart) -> Path:
        """Where a file of a video lies."""
        return folder / f"{self.prefix}{video}{part.ending}"

    @property
    def visual_width(self) -> int:
        return self.store.visual_width if self.store else sum(part.width for part in self.visual)

    @property
    def audio_width(self) -> int:
        return self.store.audio_width if self.store else sum(part.width for part in self.audio)

    @property
    def rescaled_steps(self) -> int | None:
        """Steps of every video where each is on a grid of its own; None where all are on one."""
        return self.store.steps if self.store and self.store.rescaled else None

    @property
    def streams(self) -> Streams:
        """Identity of each stream; features of a released layout go by its name."""
        return self.store.streams if self.store else Streams(visual=self.name, audio=self.name)

    def narrowed(self, width: int) -> Layout:
        """The same files, none wider than `width`."""
        visual, audio = (
            tuple(replace(part, width=min(part.width, width)) for part in side) for side in (self.visual, self.audio)
        )
        return replace(self, visual=visual, audio=audio)


ONEPEACE = Layout(
    "onepeace",
    TimeGrid(0.25, 1.0),
    (FilePart("_one_peace_video_finetune.npy", 1536),),
    (FilePart("_one_peace_audio.npy", 1536),),
)
I3D_VGGISH = Layout(
    "i3d-vggish",
    TimeGrid(0.32, 0.96),
    (FilePart("_rgb.npy", 1024), FilePart("_flow.npy", 1024)),
    (FilePart("_vggish.npy", 128),),
)
ONEPEACE_ACTIVITYNET = replace(ONEPEACE, name="onepeace-activitynet", grid=TimeGrid(0.5, 1.0), prefix="v_")
I3D_THUMOS14 = Layout("i3d-thumos14", TimeGrid(4 / 30, 16 / 30), (FilePart(".npy", 2048),))
AVLOC = Layout("avloc", TimeGrid.centred(0.32, 0.96))

LAYOUTS = (ONEPEACE, I3D_VGGISH, ONEPEACE_ACTIVITYNET, I3D_THUMOS14, AVLOC)


@dataclass(frozen=True, slots=True)
class Extent:
    """Steps that a video's files have by their headers; `steps` is what both modalities have."""

    visual_steps: int
    audio_steps: int

    @property
    def steps(self) -> int:
        return min(self.visual_steps, self.audio_steps)


def open_layout(folder: str | Path, name: str) -> Layout:
    """The layout `name` as it is in `folder`: with narrower widths where a simulation's record there says so.

    Raises:
        FeatureError: the folder is missing, the layout is unknown, or the record contradicts it.
    """
    folder = Path(folder)
    found = [layout for layout in LAYOUTS if layout.name == name]
    if not found:
        known = ", ".join(layout.name for layout in LAYOUTS)
        raise FeatureError(f"there is no layout {name!r} of features; known are {known}")
    if not folder.is_dir():
        raise FeatureError(f"{folder}: is not a folder; name the folder that holds the feature files")
    if name == AVLOC.name:
        return _stored_layout(folder)
    record = folder / RECORD
    return _recorded(found[0], record) if record.is_file() else found[0]


def released_layout(names: Sequence[str], grid: TimeGrid, of: str) -> Layout:
    """The released layout of these names whose features lie on the grid; `of` is who makes them.

    Raises:
        FeatureError: there is none.
    """
    named = [layout for layout in LAYOUTS if layout.name in names]
    found = next((layout for layout in named if layout.grid == grid), None)
    if found is None:
        strides = ", ".join(f"{layout.name} with steps of {layout.grid.stride_s:g} s" for layout in named)
        known = f"those released are {strides}" if strides else "its features were never released"
        raise FeatureError(f"{of} on steps of {grid.stride_s:g} s has no released layout; {known}; take layout avloc")
    return found


def write_layout(folder: Path, video: str, layout: Layout, features: FeatureSequence, steps: int) -> None:
    """The first `steps` rows in the files of a released layout, in 32-bit floats as released.

    Raises:
        FeatureError: a value is not finite.
        OutputError: a file cannot be written.
    """
    for side, array in ((layout.visual, features.visual), (layout.audio, features.audio)):
        begin = 0
        for part in side:
            path = layout.path(folder, video, part)
            write_npy(path, array[:steps, begin : begin + part.width], np.float32)
            begin += part.width


def read_extent(folder: str | Path, video: str, layout: Layout) -> Extent:
    """Steps of a video from the headers of its files alone.

    Raises:
        FeatureError: a file is missing or odd, has a wrong width, or the modalities differ by more than 2 s.
    """
    folder = Path(folder)
    if layout.name == AVLOC.name:
        header = read_store_header(_store_path(folder, video))
        _require_same(header, layout, _store_path(folder, video))
        return Extent(header.steps, header.steps)
    steps = [
        min(_part_steps(layout.path(folder, video, part), part) for part in side)
        for side in (layout.visual, layout.audio)
        if side
    ]
    extent = Extent(steps[0], steps[-1])
    _require_together(folder, video, layout, extent)
    return extent


def read_layout(folder: str | Path, video: str, layout: Layout, duration_s: float | None = None) -> FeatureSequence:
    """Features of one video, both modalities cut to the shorter; a released layout has no scores (width 0).

    Without `duration_s` the video is taken to end where the last window does.

    Raises:
        FeatureError: as `read_extent`, or a value is not finite.
    """
    folder = Path(folder)
    if layout.name == AVLOC.name:
        path = _store_path(folder, video)
        _require_same(read_store_header(path), layout, path)
        return load_features(path)
    steps = read_extent(folder, video, layout).steps
    none = np.zeros((steps, 0), np.float32)
    visual, audio = (
        _joined([read_npy(layout.path(folder, video, part))[:steps] for part in side]) if side else none
        for side in (layout.visual, layout.audio)
    )
    if duration_s is None:
        duration_s = float(layout.grid.window_starts_s(steps - 1)) + layout.grid.window_s
    return FeatureSequence(layout.grid, duration_s, visual, audio, none, none, layout.streams)


def videos_in(folder: str | Path, layout: Layout) -> set[str]:
    """Videos of which the folder holds at least one file."""
    endings = [part.ending for part in layout.visual + layout.audio] or list(_STORE_ENDINGS)
    names = [path.name for path in Path(folder).iterdir()]
    videos = set()
    for name in names:
        ending = next((ending for ending in endings if name.endswith(ending)), None)
        if ending is not None and name.startswith(layout.prefix):
            videos.add(name.removeprefix(layout.prefix).removesuffix(ending))
    return videos


def _joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _part_steps(path: Path, part: FilePart) -> int:
    header = read_npy_header(path)
    if header.width != part.width:
        raise FeatureError(
            f"{path}: has width {header.width}; this layout has {part.width}: other features, or another layout?"
        )
    return header.steps


def _require_together(folder: Path, video: str, layout: Layout, extent: Extent) -> None:
    apart = abs(extent.visual_steps - extent.audio_steps) * layout.grid.stride_s
    if apart > MOST_APART_S:
        raise FeatureError(
            f"{folder / video}: {extent.visual_steps} visual and {extent.audio_steps} audio steps of "
            f"{layout.grid.stride_s:g} s are {apart:.1f} s apart; {MOST_APART_S:g} s at most is cut off"
        )


def _store_path(folder: Path, video: str) -> Path:
    paths = [folder / (video + ending) for ending in _STORE_ENDINGS]
    return next((path for path in paths if path.is_file()), paths[0])


def _stored_layout(folder: Path) -> Layout:
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise FeatureError(f"{folder}: holds no .safetensors file; make some with `avloc extract --out {folder}`")
    header = read_store_header(paths[0])
    return replace(AVLOC, grid=header.grid, store=header)


def _require_same(header: StoreHeader, layout: Layout, path: Path) -> None:
    one = layout.store
    if one is None:
        return
    kept = ("parts", "rescaled", "steps" if one.rescaled else "grid")
    for what in (*kept, "visual_width", "audio_width", "visual_classes", "audio_classes"):
        here, there = getattr(header, what), getattr(one, what)
        if here != there:
            raise FeatureError(f"{path}: its {what} is {here}, that of other files in the folder {there}")
    for name in ("visual", "audio", "visual_scores", "audio_scores"):  # no data set is asked for cues
        here, there = getattr(header.streams, name), getattr(one.streams, name)
        if here != there:
            raise FeatureError(
                f"{path}: its {name} are of {here!r}, those of other files in the folder of {there!r}; "
                "extract them anew"
            )


def _recorded(layout: Layout, record: Path) -> Layout:
    try:
        data = json.loads(record.read_bytes())
        name, widths = data["layout"], data["widths"]
        sides = tuple(
            tuple(replace(part, width=int(widths[part.ending])) for part in side)
            for side in (layout.visual, layout.audio)
            if name == layout.name
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FeatureError(
            f"{record}: is no record of a simulation ({error!r}); simulate into a new folder"
        ) from None
    if not sides:
        raise FeatureError(f"{record}: features there are simulated in the layout {name!r}, not {layout.name!r}")
    return replace(layout, visual=sides[0], audio=sides[1])
