"""Which picture track and which sound track of a file are read, where it has several.

Those of one programme; of these such as show and sound something; of these those flagged as default; else the first.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avloc.media.programmes import programmes

_MOST = 16  # tracks of a kind that are looked at
_PLACES, _LOOK_S, _PACKETS = 3, 4.0, 2000
_LARGEST = 8192 * 8192  # pixels
_SMALL = (32, 24)
_MOVES = 8  # grey levels
_SOUNDS = 1e-3  # of full scale
_ASIDE = Disposition.comment | Disposition.visual_impaired | Disposition.hearing_impaired


def best_pair(
    path: Path, container: InputContainer, pictures: Sequence[VideoStream], sounds: Sequence[AudioStream]
) -> tuple[VideoStream | None, AudioStream | None, list[str]]:
    """The tracks to be read, of those that can be, and what a user should know of the choice."""
    if len(pictures) <= 1 and len(sounds) <= 1:
        return (pictures[0] if pictures else None), (sounds[0] if sounds else None), []
    state = path.stat()
    several = [s for tracks in (pictures, sounds) if len(tracks) > 1 for s in tracks[:_MOST]]
    alive = _alive(str(path), (state.st_size, state.st_mtime_ns), tuple(s.index for s in several))
    together = programmes(path) if "mpegts" in container.format.name else []

    def worth(pair: tuple[VideoStream | None, AudioStream | None]) -> tuple[object, ...]:
        both = [s for s in pair if s is not None]
        programme = next((n for n, p in enumerate(together) if all(s.id in p for s in both)), None)
        return (
            programme is not None,
            sum(s.index in alive for s in both),
            sum(not s.disposition & _ASIDE for s in both),
            sum(bool(s.disposition & Disposition.default) for s in both),
            -(programme or 0),
        )

    shown: Sequence[VideoStream | None] = pictures[:_MOST] or (None,)
    heard: Sequence[AudioStream | None] = sounds[:_MOST] or (None,)
    picture, sound = max(itertools.product(shown, heard), key=worth)  # the first of equals
    notes = [
        f"of {len(tracks)} {kind} tracks number {1 + list(tracks).index(taken)} is read"
        for kind, tracks, taken in (("picture", pictures, picture), ("sound", sounds, sound))
        if taken is not None and len(tracks) > 1
    ]
    return picture, sound, notes


@lru_cache(maxsize=64)
def _alive(path: str, state: tuple[int, int], indices: tuple[int, ...]) -> frozenset[int]:
    """Indices of the streams whose picture changes or that sound, at some places of the file.

    state tells one content of the file from another.
    """
    loudest = dict.fromkeys(indices, 0.0)
    darkest: dict[int, Any] = {}
    brightest: dict[int, Any] = {}
    for frame, index in _looked_at(path, indices):
        if isinstance(frame, AudioFrame):
            loudest[index] = max(loudest[index], _peak(frame))
        else:
            small = frame.reformat(*_SMALL, "gray").to_ndarray().astype(np.int16)
            darkest[index] = np.minimum(darkest.get(index, small), small)
            brightest[index] = np.maximum(brightest.get(index, small), small)
    moving = {index for index in darkest if np.max(brightest[index] - darkest[index]) >= _MOVES}
    return frozenset(moving | {index for index, peak in loudest.items() if peak >= _SOUNDS})


def _looked_at(path: str, indices: tuple[int, ...]) -> Iterator[tuple[VideoFrame | AudioFrame, int]]:
    """Frames of the streams for some seconds at each of some places, past what cannot be decoded."""
    with av.open(f"file:{path}", metadata_errors="replace", container_options={"protocol_whitelist": "file"}) as file:
        streams = [file.streams[index] for index in indices]
        small = [s for s in streams if not isinstance(s, VideoStream) or s.width * s.height <= _LARGEST]
        for place in range(_PLACES):
            with suppress(av.FFmpegError, ValueError, IndexError, OverflowError):
                if place:
                    file.seek((file.start_time or 0) + (file.duration or 0) * place // _PLACES)
                yield from _stretch(file, small)


def _stretch(file: InputContainer, streams: list[Stream]) -> Iterator[tuple[VideoFrame | AudioFrame, int]]:
    end_s = math.inf
    for packet in itertools.islice(file.demux(*streams), _PACKETS):
        if packet.dts is not None:
            time_s = float(packet.dts * packet.time_base)
            end_s = min(end_s, time_s + _LOOK_S)
            if time_s > end_s + 1:
                return
        with suppress(av.FFmpegError):
            for frame in packet.decode():
                if isinstance(frame, (VideoFrame, AudioFrame)):
                    yield frame, packet.stream.index


def _peak(frame: AudioFrame) -> float:
    with suppress(av.FFmpegError, ValueError, IndexError):
        samples: NDArray[Any] = frame.to_ndarray()
        whole = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max)
        middle = 128.0 if samples.dtype == np.uint8 else 0.0
        return float(np.max(np.abs(samples.astype(np.float64) - middle), initial=0.0)) / whole
    return 1.0  # who knows
