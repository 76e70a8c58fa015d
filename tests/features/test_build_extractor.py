"""Extractors are found by name, or by the streams that a model reads."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from avloc.errors import FeatureError
from avloc.features.extractors import build
from avloc.features.extractors.base import Extractor, OnBlock, OnNote, OnSeconds, Resources
from avloc.features.extractors.build import BROUGHT, DEFAULT, EXTRACTORS, build_extractor, extractor_for
from avloc.features.sequence import FeatureSequence
from avloc.files import file_hash
from avloc.streams import STREAMS, Streams
from avloc.timegrid import TimeGrid

HALF = TimeGrid(0.5, 1.0)


@dataclass
class Loudness(Extractor):
    """An extractor as users may bring one: a grid of its own, no scores, no cues."""

    threads: int = 0
    name = "loudness"
    streams = Streams("loudness/1", "loudness/1")
    widths: Mapping[str, int] = None  # type: ignore[assignment]
    grid = HALF

    def __post_init__(self) -> None:
        self.widths = {name: int(name in ("visual", "audio")) for name in STREAMS}

    def stream(
        self,
        path: str | Path,
        grid: TimeGrid,
        *,
        on_sound: OnBlock | None = None,
        on_seconds: OnSeconds | None = None,
        on_note: OnNote | None = None,
    ) -> Iterator[FeatureSequence]:
        self.require(grid)
        level = np.frombuffer(Path(path).read_bytes(), np.uint8).astype(np.float32)[:, None]
        none = np.zeros((2, 0), np.float32)
        for first in range(0, len(level), 2):
            part = level[first : first + 2]
            yield FeatureSequence(grid.shifted(first), len(level) / 2, part, -part, none, none, self.streams)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        build, "EXTRACTORS", {**EXTRACTORS, "loudness": lambda resources: Loudness(resources.threads)}
    )


def test_by_name() -> None:
    assert build_extractor().name == DEFAULT and all(build_extractor(name).name == name for name in EXTRACTORS)
    with pytest.raises(FeatureError, match="no extractor 'avloc-embeded'; did you mean 'avloc-embedded'"):
        build_extractor("avloc-embeded")


@pytest.mark.parametrize("name", [name for name in EXTRACTORS if name not in BROUGHT])
def test_it_says_what_it_makes_before_anything_is_loaded(name: str) -> None:
    extractor = pickle.loads(pickle.dumps(build_extractor(name, Resources(threads=1))))
    assert {stream for stream, width in extractor.widths.items() if width} == {
        s for s, _ in extractor.streams.items()
    }
    assert set(extractor.widths) == set(STREAMS) and extractor.works_on(extractor.grid)


def test_by_the_streams_that_are_read(two: None) -> None:
    embedded, grid = build_extractor().streams, build_extractor().grid
    assert extractor_for(replace(embedded, cues=""), grid).name == DEFAULT
    assert extractor_for(Streams("loudness/1", "loudness/1"), HALF).name == "loudness"
    for streams in (replace(embedded, audio="loudness/1"), Streams("loudness/1", cues="loudness/1")):
        with pytest.raises(
            FeatureError, match=r"which avloc cannot make from a video: it makes .*, loudness/1, .*vggish/1$"
        ):
            extractor_for(streams, grid)
    with pytest.raises(FeatureError, match=r"loudness works on .*0\.5.*, not on"):
        extractor_for(Streams("loudness/1"), grid)


def test_what_it_streams_makes_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "v"
    path.write_bytes(bytes([1, 2, 3, 4, 5, 6]))
    whole = Loudness().extract(path, HALF)
    assert whole.visual[:, 0].tolist() == [1, 2, 3, 4, 5, 6] and whole.grid == HALF and whole.duration_s == 3.0
    assert whole.cues.shape == whole.visual_scores.shape == (6, 0)
    assert (whole.streams, whole.source_hash) == (Streams("loudness/1", "loudness/1"), file_hash(path))
    with pytest.raises(FeatureError, match="not on"):
        Loudness().extract(path, TimeGrid(0.32, 0.96))
