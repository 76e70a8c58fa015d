"""Extract: one video > the features of its every step, in one safetensors file or in those of a released layout."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from avloc.errors import FeatureError, MediaError
from avloc.features.extractors.base import Extractor, Resources
from avloc.features.extractors.build import DEFAULT, build_extractor
from avloc.features.layout import Layout, released_layout, write_layout
from avloc.features.sequence import FeatureSequence
from avloc.features.store import ENDING, read_store_header, save_features
from avloc.files import file_hash, make_folder, replace_file
from avloc.media.probe import MediaInfo
from avloc.scale.messages import OnProgress
from avloc.scale.work import Done, Task, Work, digest_of, unchanged
from avloc.streams import Streams
from avloc.timegrid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted(Done):
    """Steps of a feature file, and what was chosen in reading the video."""

    steps: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extract(Work[Extracted]):
    """Features of videos, by the extractor's name, on a grid."""

    grid: TimeGrid
    extractor: str = DEFAULT
    resources: Resources = field(default_factory=Resources)

    ending = ENDING
    manifest = "features.manifest.jsonl"
    failures = "features.failed.csv"

    def load(self) -> None:
        """Get ready.

        Raises:
            FeatureError: there is no such extractor, it does not work on the grid, or it lacks weights.
        """
        self.maker.require(self.grid)
        self.maker.load()

    @cached_property
    def maker(self) -> Extractor:
        """The extractor; its encoders are loaded at first use. Raises FeatureError as `load`."""
        return build_extractor(self.extractor, self.resources)

    def settings(self) -> tuple[str, ...]:
        """Identities of the streams, and the grid."""
        return _settings(self.maker.streams, self.grid)

    def read(self, result: Path) -> Extracted | None:
        """What a feature file says of itself; the key follows from what it was made of."""
        try:
            header = read_store_header(result)
        except FeatureError:
            return None
        key = digest_of(header.source_hash, digest_of(*_settings(header.streams, header.grid)))
        return Extracted(key=key, duration_s=header.duration_s, steps=header.steps)

    def make(self, task: Task, info: MediaInfo, content: str, on_progress: OnProgress) -> Extracted:
        """Extract and write."""
        began, notes = time.perf_counter(), dict[str, None]()
        self.require(info)
        with unchanged(task.video):
            stream = self.maker.stream(
                task.video,
                self.grid,
                on_seconds=lambda seconds: on_progress(seconds, info.duration_s),
                on_note=lambda note: notes.setdefault(note),
            )
            features = FeatureSequence.joined(list(stream), content)
        make_folder(task.result.parent)
        steps = self.write(features, task.result)
        took_s = time.perf_counter() - began
        key = self.key(content)
        return Extracted(key=key, duration_s=features.duration_s, took_s=took_s, steps=steps, notes=tuple(notes))

    def require(self, info: MediaInfo) -> None:
        """Raise MediaError where the video cannot have a result."""

    def write(self, features: FeatureSequence, result: Path) -> int:
        """Write the features; the number of steps that were written."""
        save_features(features, result)
        return len(features)


@dataclass(frozen=True)
class ExtractReleased(Extract):
    """As Extract, in the files of the released layout that the extractor stands for, and rows as released ones have.

    NAME.features.json beside them, written last, tells what they were made of.

    Raises:
        FeatureError: at `load`, `settings` or first use: no released layout is of this extractor on this grid.
    """

    ending = ".features.json"

    def load(self) -> None:
        """As that of Extract; the features are as wide as the layout has them."""
        layout, widths = self.layout, self.maker.widths
        super().load()
        if (widths["visual"], widths["audio"]) != (layout.visual_width, layout.audio_width):
            raise FeatureError(
                f"features by these weights are {widths['visual']} and {widths['audio']} wide, those of the layout "
                f"{layout.name} {layout.visual_width} and {layout.audio_width}; take layout avloc"
            )

    @cached_property
    def layout(self) -> Layout:
        """Names and widths of the files."""
        return released_layout(self.maker.layouts, self.grid, self.extractor)

    def settings(self) -> tuple[str, ...]:
        """Those of Extract, and the layout."""
        return *super().settings(), self.layout.name

    def read(self, result: Path) -> Extracted | None:
        """What the record says, where the files beside it are the ones that were written."""
        try:
            about = json.loads(result.read_bytes())
            video, files = self._video(result), about["files"]
            for part in self.layout.visual + self.layout.audio:
                if file_hash(self.layout.path(result.parent, video, part)) != files[part.ending]:
                    return None
            return Extracted(key=str(about["key"]), duration_s=float(about["duration_s"]), steps=int(about["steps"]))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def require(self, info: MediaInfo) -> None:
        """Raise MediaError where the video is shorter than one window."""
        if self._rows(info.duration_s) < 1:
            raise MediaError(
                f"{info.path}: {info.duration_s:.2f} s are less than a window of {self.grid.window_s:g} s, for which "
                "released features have no row; --layout avloc makes one"
            )

    def write(self, features: FeatureSequence, result: Path) -> int:
        """The files of the layout, then the record."""
        steps = min(self._rows(features.duration_s), len(features))
        video = self._video(result)
        write_layout(result.parent, video, self.layout, features, steps)
        files = {
            part.ending: file_hash(self.layout.path(result.parent, video, part))
            for part in self.layout.visual + self.layout.audio
        }
        about: Mapping[str, object] = {
            "key": self.key(features.source_hash),
            "streams": dict(features.streams.items()),
            "source_sha256": features.source_hash,
            "layout": self.layout.name,
            "grid": asdict(self.grid),
            "duration_s": features.duration_s,
            "steps": steps,
            "files": files,
        }
        replace_file(result, json.dumps(about, indent=1).encode() + b"\n")
        return steps

    def _rows(self, duration_s: float) -> int:
        return self.maker.whole_windows(self.grid, duration_s)

    def _video(self, result: Path) -> str:
        return result.name.removesuffix(self.ending)


def _settings(streams: Streams, grid: TimeGrid) -> tuple[str, ...]:
    return "extract", repr(streams), repr(grid)
