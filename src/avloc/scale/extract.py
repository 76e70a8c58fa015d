"""Extract: one video > the features of its every step in one safetensors file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from avloc.errors import FeatureError
from avloc.features.extractors.base import Extractor
from avloc.features.extractors.build import DEFAULT, build_extractor
from avloc.features.sequence import FeatureSequence
from avloc.features.store import ENDING, read_store_header, save_features
from avloc.media.probe import MediaInfo
from avloc.scale.messages import OnProgress
from avloc.scale.work import Done, Task, Work, digest_of, make_folder, unchanged
from avloc.streams import Streams
from avloc.timegrid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted(Done):
    """Steps of a feature file."""

    steps: int


@dataclass(frozen=True)
class Extract(Work[Extracted]):
    """Features of videos, by the extractor's name, on a grid."""

    grid: TimeGrid
    extractor: str = DEFAULT
    threads: int = 0

    ending = ENDING
    manifest = "features.manifest.jsonl"
    failures = "features.failed.csv"

    def load(self) -> None:
        """Get ready.

        Raises:
            FeatureError: there is no such extractor, or it does not work on the grid.
        """
        self.maker.require(self.grid)

    @cached_property
    def maker(self) -> Extractor:
        """The extractor; its encoders are loaded at first use. Raises FeatureError as `load`."""
        return build_extractor(self.extractor, self.threads)

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
        began = time.perf_counter()
        with unchanged(task.video):
            stream = self.maker.stream(
                task.video, self.grid, on_seconds=lambda seconds: on_progress(seconds, info.duration_s)
            )
            features = FeatureSequence.joined(list(stream), content)
        make_folder(task.result.parent)
        save_features(features, task.result)
        took_s = time.perf_counter() - began
        return Extracted(key=self.key(content), duration_s=features.duration_s, took_s=took_s, steps=len(features))


def _settings(streams: Streams, grid: TimeGrid) -> tuple[str, ...]:
    return "extract", repr(streams), repr(grid)
