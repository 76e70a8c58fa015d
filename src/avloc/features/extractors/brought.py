"""Extractors whose weights users bring: windows of pictures and of sound, cut by timestamp, through torch.

    frames at a fixed rate > windows of so many > visual; sound at 16 kHz > windows of the same moments > audio

An identity tells the networks and, behind a plus sign, the weights: features of other weights are other features.
"""

from __future__ import annotations

import hashlib
import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from avloc.ahead import ahead
from avloc.errors import FeatureError
from avloc.features.extractors.base import (
    Extractor,
    OnBlock,
    OnNote,
    OnSeconds,
    Resources,
    require_both,
    steps_of,
)
from avloc.features.extractors.sound_buffer import SoundBuffer, passed_on
from avloc.features.extractors.weights import Record, find_record, kind_of, require_records, weights_folder
from avloc.features.logmel import SAMPLE_RATE
from avloc.features.sequence import Array, FeatureSequence
from avloc.media.probe import MediaInfo, probe
from avloc.media.reader import read_audio, read_frames
from avloc.streams import STREAMS, Streams
from avloc.timegrid import WHOLE, Stretch, TimeGrid

if TYPE_CHECKING:
    from avloc.features.extractors.pretrained.senses import Ears, Eyes, Frames

Numbers = NDArray[np.int_]
CHUNK_STEPS = 16
_FRAMES_AHEAD = 128  # of a stretch, so that a GPU does not wait for them
_NEAR = 1e-6  # of a frame


@dataclass(frozen=True, slots=True)
class Maker:
    """What makes one stream: its name and the number of its making, the weights it needs, the width where known."""

    identity: str
    kinds: tuple[str, ...]

    def stream(self, records: tuple[Record, ...]) -> str:
        """Identity of the stream that these weights make."""
        shorts = [record.short for record in records]
        own = shorts[0] if len(shorts) == 1 else hashlib.sha256(" ".join(shorts).encode()).hexdigest()[:8]
        return f"{self.identity}+{own}"

    def makes(self, stream: str) -> bool:
        """Whether it makes this stream, with these weights or others."""
        return stream.partition("+")[0] == self.identity


@dataclass
class BroughtExtractor(Extractor):
    """Video file > FeatureSequence, in chunks, so that memory does not grow with the length of the video.

    released is the layout whose features those are taken for: the streams then go by its name.
    """

    resources: Resources = field(default_factory=Resources)
    released: str = ""

    name: ClassVar[str]
    grid: ClassVar[TimeGrid]
    fps: ClassVar[int] = 0
    """Frames a second that are looked at; 0 where nothing is seen."""
    window_frames: ClassVar[int] = 0
    """Frames that a window needs."""
    makers: ClassVar[Mapping[str, Maker]]
    """By stream."""
    layouts: ClassVar[tuple[str, ...]] = ()
    """Layouts of released features that are taken for its own."""

    @property
    def streams(self) -> Streams:
        """Identity of each stream.

        Raises:
            FeatureError: weights are missing.
        """
        if self.released:
            return Streams(visual=self.released, audio=self.released)
        self.load()
        folder = self.resources.weights
        return Streams(**{s: maker.stream(require_records(maker.kinds, folder)) for s, maker in self.makers.items()})

    @property
    def widths(self) -> Mapping[str, int]:
        """Width of each stream. Raises FeatureError as `streams`."""
        folder = self.resources.weights
        widths = dict.fromkeys(STREAMS, 0)
        for stream, maker in self.makers.items():
            widths[stream] = self.width(stream, require_records(maker.kinds, folder))
        return widths

    def width(self, stream: str, records: tuple[Record, ...]) -> int:
        """Width of a stream that these weights make: that of the first's features."""
        return records[0].width

    def load(self) -> None:
        """Look for the weights.

        Raises:
            FeatureError: some are missing; all of them are named. Or torch is.
            ConfigError: a GPU is asked for and there is none.
        """
        require_torch(self.name)
        kinds = tuple(dict.fromkeys(kind for maker in self.makers.values() for kind in maker.kinds))
        require_records(kinds, self.resources.weights)
        if self.resources.device == "cuda":
            from avloc.features.extractors.pretrained.loading import Bench

            Bench(self.resources)

    def for_streams(self, streams: Streams) -> Extractor | None:
        """Itself, or itself taken for features that were released.

        Raises:
            FeatureError: weights are missing, or are others than those by which the streams were made.
        """
        named = dict(streams.items())
        layout = next((name for name in self.layouts if named and set(named.values()) == {name}), "")
        if layout:
            self.load()
            return replace(self, released=layout)
        if not named or not all(s in self.makers and self.makers[s].makes(identity) for s, identity in named.items()):
            return None
        if unlike := streams.unlike(self.streams):
            raise FeatureError(
                f"needs {streams.only(*unlike)}; the weights in {weights_folder(self.resources.weights)} make "
                f"{self.streams.only(*unlike)}; add those by which the features were made"
            )
        return self

    def works_on(self, grid: TimeGrid) -> bool:
        """Windows of the network's own length that begin on frames."""
        begins = [grid.stride_s * self.rate, grid.offset_s * self.rate]
        whole = all(abs(begin - round(begin)) < _NEAR * self.rate for begin in begins)
        return whole and math.isclose(grid.window_s, self.grid.window_s)

    def require(self, grid: TimeGrid) -> None:
        """Raise FeatureError unless it works on the grid."""
        if not self.works_on(grid):
            raise FeatureError(
                f"{self.name} works on windows of {self.grid.window_s:g} s, with steps and offset of a multiple of "
                f"{1 / self.rate:g} s, not on {grid}"
            )

    def whole_windows(self, grid: TimeGrid, duration_s: float) -> int:
        """Windows that lie within a video, by its frames."""
        if not self.fps:
            return super().whole_windows(grid, duration_s)
        frames = math.floor(duration_s * self.fps + 0.5)
        return (frames - self.window_frames) // round(grid.stride_s * self.fps) + 1

    @property
    def rate(self) -> int:
        """Frames a second, or hundredths of a second where nothing is seen."""
        return self.fps or 100

    @abstractmethod
    def eyes(self) -> Eyes | None:
        """What sees; its networks are loaded. Raises FeatureError where torch or weights are missing."""

    @abstractmethod
    def ears(self) -> Ears | None:
        """What hears. Raises as `eyes`."""

    @cached_property
    def _senses(self) -> tuple[Eyes | None, Ears | None]:
        return self.eyes(), self.ears()

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

        Windows that go past the end see the last picture on and hear silence.

        Raises:
            MediaError: the file cannot be read, lacks the picture or the sound that is needed, or ends before the
                stretch.
            FeatureError: the grid's windows are of another length, or weights are missing.
        """
        self.require(grid)
        info = probe(path)
        self._require_tracks(info)
        eyes, ears = self._senses
        steps, begin_s, streams = steps_of(info, grid, stretch), stretch.sound_from_s(grid), self.streams
        if on_note is not None:
            for note in (*info.notes, *self._notes(grid, info.duration_s)):
                on_note(note)
        begins = np.round(grid.window_starts_s(np.arange(steps.start, steps.stop)) * self.rate).astype(int)
        blocks = read_audio(path, sample_rate=SAMPLE_RATE, start_s=begin_s, clipped=False, on_note=on_note)
        sound = SoundBuffer(passed_on(blocks, on_sound, SAMPLE_RATE), round(begin_s * SAMPLE_RATE))
        frames = None if eyes is None else _frames(path, info, begins, self.fps, self.window_frames, eyes)
        try:
            for at in range(0, len(steps), CHUNK_STEPS):
                part, first = begins[at : at + CHUNK_STEPS], steps[at]
                none = np.zeros((len(part), 0), np.float32)
                visual = none if eyes is None or frames is None else eyes.see(frames, part.tolist())
                audio = none if ears is None else self._heard(sound, ears, part)
                yield FeatureSequence(grid.shifted(first), info.duration_s, visual, audio, none, none, streams)
                if on_seconds is not None:
                    done_s = float(grid.to_seconds(first + len(part) - 1)) + grid.stride_s / 2
                    on_seconds(min(done_s, info.duration_s))
            if math.isinf(stretch.end_s):
                sound.drain()
        finally:
            if frames is not None:
                frames.close()

    def _heard(self, sound: SoundBuffer, ears: Ears, begins: Numbers) -> Array:
        samples = np.round(begins * (SAMPLE_RATE / self.rate)).astype(int)
        low = int(samples[0])
        waveform = sound.take(low, int(samples[-1]) + ears.samples)
        return ears.hear(np.stack([waveform[at - low : at - low + ears.samples] for at in samples]))

    def _require_tracks(self, info: MediaInfo) -> None:
        require_both(info)

    def _notes(self, grid: TimeGrid, duration_s: float) -> Iterator[str]:
        if self.released:
            yield (
                f"the model learnt from features in the released layout {self.released}; those made here are taken "
                "as the same (avloc check-features compares them)"
            )
        if duration_s < grid.window_s:
            yield f"shorter than a window of {grid.window_s:g} s: the last picture and silence fill it"


def _frames(path: str | Path, info: MediaInfo, begins: Numbers, fps: int, frames: int, eyes: Eyes) -> Frames:
    from avloc.features.extractors.pretrained.senses import Frames

    assert info.video is not None
    first, last = int(begins[0]), int(begins[-1]) + frames
    times_s = (np.arange(first, last) / fps).tolist()
    size = info.video.width, info.video.height
    pictures = (eyes.prepare(picture) for picture in read_frames(path, times_s, size))
    return Frames(ahead(pictures, _FRAMES_AHEAD), first)


def require_torch(what: str) -> None:
    """Raise FeatureError where torch is not installed."""
    if find_spec("torch") is None:
        raise FeatureError(
            f"{what} needs torch; install avloc with its extra, in its checkout: pip install '.[train]' "
            "(before it, pip install torch --index-url https://download.pytorch.org/whl/cpu spares gigabytes)"
        )


def needed_by(extractor: BroughtExtractor) -> list[tuple[str, bool]]:
    """Kinds of weights that an extractor needs, and whether each is there."""
    kinds = dict.fromkeys(kind for maker in extractor.makers.values() for kind in maker.kinds)
    return [(kind_of(kind).name, find_record(kind, extractor.resources.weights) is not None) for kind in kinds]
