"""Pictures and sound of a media file, both by presentation timestamp on one time line that begins at file time zero.

Legend: S samples, H and W height and width in pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream as AvVideoStream
from numpy.typing import NDArray

from avloc.errors import MediaError
from avloc.media.orientation import orientation_of
from avloc.media.source import Clock, Source, open_source, packets

Picture = NDArray[np.uint8]
Waveform = NDArray[np.float32]

_GAP_S = 0.05
_GAP_AFTER_LOSS_S = 0.004
_ROUNDING_S = 1e-4


def read_frames(
    path: str | Path, times_s: Iterable[float], size: tuple[int, int], *, threads: int = 0
) -> Iterator[Picture]:
    """The picture on screen at each time: (H, W, 3) uint8 RGB, the whole frame squeezed to `size` (width, height).

    On screen is the last frame whose timestamp is not after the time, the first frame before that, and the last
    frame behind the end. times_s ascend, in seconds since file time zero.

    Raises:
        MediaError: the file cannot be read, has no video stream, or not one picture of it can be decoded.
        ValueError: the times do not ascend.
    """
    with open_source(path) as source:
        if source.video is None:
            raise MediaError(f"{source.path}: has no video stream; give a file with pictures")
        scale = _Scaler(size)
        shown: VideoFrame | None = None
        pictures = _frames(source, source.video, threads)
        upcoming = next(pictures, None)
        if upcoming is None:
            raise MediaError(
                f"{source.path}: not one picture of its video stream can be decoded; is it cut off?"
            )
        last_s = -np.inf
        for time_s in times_s:
            if time_s < last_s:
                raise ValueError(f"times_s must ascend; {time_s} follows {last_s}")
            last_s = time_s
            while upcoming is not None and (shown is None or upcoming[0] <= time_s + _ROUNDING_S):
                shown = upcoming[1]
                upcoming = next(pictures, None)
            assert shown is not None
            yield scale(shown)


def _frames(source: Source, stream: AvVideoStream, threads: int) -> Iterator[tuple[float, VideoFrame]]:
    stream.codec_context.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    clock = Clock(source)
    rate = stream.average_rate or stream.guessed_rate
    step_s = float(1 / rate) if rate else 0.04
    for packet in packets(source.container, stream):
        for frame in _decoded(packet):
            if isinstance(frame, VideoFrame):
                stamp = frame.dts if frame.pts is None else frame.pts
                time_s = None if stamp is None else float(stamp * frame.time_base)
                yield clock.place(time_s, step_s), frame


def _decoded(packet: Packet[Stream]) -> list[object]:
    try:
        return list(packet.decode())
    except av.FFmpegError:
        return []


class _Scaler:
    """Frame to RGB picture of one size; a frame asked for again is not converted again."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._width, self._height = size
        self._reformatter = VideoReformatter()
        self._last: tuple[VideoFrame, Picture] | None = None

    def __call__(self, frame: VideoFrame) -> Picture:
        if self._last is None or self._last[0] is not frame:
            self._last = frame, self._convert(frame)
        return self._last[1].copy()

    def _convert(self, frame: VideoFrame) -> Picture:
        turn = orientation_of(frame)
        width, height = (self._height, self._width) if turn.swaps_sides else (self._width, self._height)
        small = self._reformatter.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA)
        return turn.apply(np.asarray(small.to_ndarray(), np.uint8))


def read_audio(path: str | Path, *, sample_rate: int = 16000, block_s: float = 10.0) -> Iterator[Waveform]:
    """Mono sound in [-1, 1], (S,) float32, continuous from file time zero to the end of the audio stream.

    Blocks are `block_s` long, the last one shorter. Silence fills what lies before the stream's start and gaps
    in its timestamps; what overlaps is trimmed. Channels are mixed down by libswresample.

    Raises:
        MediaError: the file cannot be read, has no audio stream, or no sound of it can be decoded.
    """
    with open_source(path) as source:
        if source.audio is None:
            raise MediaError(f"{source.path}: has no audio stream; give a file with sound")
        block = max(1, round(block_s * sample_rate))
        pending: list[Waveform] = []
        have = 0
        for piece in _sound(source, sample_rate, block):
            pending.append(piece)
            have += len(piece)
            if have >= block:
                whole = np.concatenate(pending)
                cut = have - have % block
                for at in range(0, cut, block):
                    yield whole[at : at + block].copy()
                pending, have = [whole[cut:]], have - cut
        if have:
            yield np.concatenate(pending)


def _sound(source: Source, sample_rate: int, longest: int) -> Iterator[Waveform]:
    stream = source.audio
    assert stream is not None
    clock = Clock(source)
    track = _Track(sample_rate, longest)
    decoded = lost = False
    for packet in packets(source.container, stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            lost = True
            continue
        for frame in frames:
            if not isinstance(frame, AudioFrame) or frame.samples == 0:
                continue
            decoded = True
            duration_s = frame.samples / frame.sample_rate
            expected_s = clock.next_s
            time_s = clock.place(
                None if frame.pts is None else float(frame.pts * frame.time_base), duration_s
            )
            tolerance_s = _GAP_AFTER_LOSS_S if lost else _GAP_S
            yield from track.add(frame, time_s, tolerance_s)
            lost = False
            del expected_s
    if not decoded:
        raise MediaError(f"{source.path}: no sound of its audio stream can be decoded; is it cut off?")
    yield from track.finish()


class _Track:
    """Resampled sound laid end to end; a stamp that strays from the running count by more than the tolerance
    starts a new stretch there."""

    def __init__(self, sample_rate: int, longest: int) -> None:
        self._rate = sample_rate
        self._longest = longest
        self._written = 0
        self._skip = 0
        self._resampler: AudioResampler | None = None
        self._shape: tuple[object, ...] = ()
        self._expected_s = 0.0

    def add(self, frame: AudioFrame, time_s: float, tolerance_s: float) -> Iterator[Waveform]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        fresh = self._resampler is None
        if fresh or shape != self._shape or abs(time_s - self._expected_s) > tolerance_s:
            yield from self.finish()
            if fresh or abs(time_s - self._expected_s) > tolerance_s:
                self._expected_s = time_s
            yield from self._move_to(round(self._expected_s * self._rate))
            self._resampler = AudioResampler(
                format="flt", layout="mono", rate=self._rate, options={"rematrix_maxval": "1.0"}
            )
            self._shape = shape
        self._expected_s += frame.samples / frame.sample_rate
        frame.pts = None
        assert self._resampler is not None
        yield from self._take(self._resampler.resample(frame))

    def finish(self) -> Iterator[Waveform]:
        if self._resampler is not None:
            yield from self._take(self._resampler.resample(None))
            self._resampler = None

    def _move_to(self, sample: int) -> Iterator[Waveform]:
        self._skip = max(0, self._written - sample)
        while self._written < sample:
            silence = np.zeros(min(sample - self._written, self._longest), np.float32)
            self._written += len(silence)
            yield silence

    def _take(self, frames: list[AudioFrame]) -> Iterator[Waveform]:
        for frame in frames:
            samples = np.asarray(frame.to_ndarray(), np.float32).reshape(-1)
            cut = min(self._skip, len(samples))
            self._skip -= cut
            samples = np.clip(samples[cut:], -1.0, 1.0)
            self._written += len(samples)
            if len(samples):
                yield samples
