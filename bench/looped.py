"""Long videos of one event: a stretch of a clip over and over, without a click or a black picture where turns meet.

Pictures are coded once, sound not at all, and packets repeated, so an hour is made in seconds. Turns last whole looks
of the encoders, so that features repeat as well: those of a long video can be had from those of a short one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors.embedded import VIEW_EVERY
from avloc.features.sequence import FeatureSequence
from avloc.media.probe import probe
from avloc.media.reader import read_audio, read_frames
from avloc.media.writer import write_video
from avloc.streams import STREAMS
from avloc.timegrid import TimeGrid

FPS = 25
RATE = 16_000
FRAME = RATE // FPS  # samples a picture
SIDE_PX = 360  # shorter side at most
Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Turn:
    """A file in Matroska with uncoded sound, and how many pictures it lasts."""

    path: Path
    pictures: int

    @property
    def seconds(self) -> float:
        return self.pictures / FPS


class Loop:
    """Turns of the stretch [start_s, end_s) of a clip: as many steps of the grid as go in, in whole looks."""

    def __init__(self, source: Path, folder: Path, start_s: float, end_s: float, grid: TimeGrid) -> None:
        look = round(VIEW_EVERY * grid.stride_s * FPS)  # pictures
        count = (int((end_s - start_s) * FPS) - 1) // look * look
        if count < look:
            raise ValueError(f"{source}: {end_s - start_s:g} s are too short for a turn; give {look / FPS + 0.1:g} s")
        self.folder, self.steps = folder, round(count / FPS / grid.stride_s)
        self.size = _size(source)
        self.pictures = list(
            read_frames(source, [start_s + (i + 0.5) / FPS for i in range(count)], self.size, exact=True)
        )
        heard = np.concatenate(list(read_audio(source, sample_rate=RATE, start_s=start_s)))
        self.sound = _closed(heard, count * FRAME)
        self.turn = self._write("turn", self.pictures, self.sound)

    def lasting(self, seconds: float) -> list[Turn]:
        """Turns, the last one cut, of that length."""
        whole, rest = divmod(round(seconds * FPS), len(self.pictures))
        turns = [self.turn] * whole
        if rest:
            turns.append(self._write(f"cut-{rest}", self.pictures[:rest], self.sound[: rest * FRAME]))
        return turns

    def still(self, seconds: float) -> Turn:
        """Black and silent."""
        count = round(seconds * FPS)
        return self._write(f"still-{count}", [np.zeros_like(self.pictures[0])] * count, np.zeros(count * FRAME))

    def _write(self, name: str, pictures: list[NDArray[np.uint8]], sound: Sound) -> Turn:
        path = self.folder / f"{name}.mkv"
        options = {"preset": "veryfast", "bf": "0"}  # packets in the order of time
        write_video(path, pictures, FPS, sound, RATE, audio_codec="pcm_s16le", video_options=options)
        return Turn(path, len(pictures))


def chain(turns: Iterable[Turn], target: Path) -> Path:
    """The turns in a row, packet by packet."""
    begin = 0
    with av.open(str(target), "w") as out:
        streams, private = {}, b""
        for turn in turns:
            with av.open(str(turn.path)) as container:
                coded = container.streams.video[0].codec_context.extradata
                if not streams:
                    streams = {s.index: out.add_stream_from_template(s) for s in container.streams}
                    private = coded
                if coded != private:
                    raise ValueError(f"{turn.path}: is coded otherwise than the turns before it")
                for packet in container.demux():
                    if packet.dts is None:
                        continue
                    shift = round(begin / FPS / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
            begin += turn.pictures
    return target


def prolonged(features: FeatureSequence, turn: int, times: int) -> FeatureSequence:
    """The features as if the second turn, of `turn` steps, came `times` times more."""
    arrays = {}
    for name in STREAMS:
        a = getattr(features, name)
        arrays[name] = np.concatenate([a[: 2 * turn], *[a[turn : 2 * turn]] * times, a[2 * turn :]])
    return replace(
        features, duration_s=features.duration_s + times * turn * features.grid.stride_s, source_hash="", **arrays
    )


def _closed(heard: Sound, samples: int) -> Sound:
    """`samples` of sound whose end runs on into its beginning, over one picture."""
    heard = np.pad(heard[: samples + FRAME], (0, max(0, samples + FRAME - len(heard))))
    turn = heard[:samples].copy()
    rising = np.linspace(0, 1, FRAME, dtype=np.float32)
    turn[:FRAME] = rising * turn[:FRAME] + (1 - rising) * heard[samples:]
    return turn


def _size(source: Path) -> tuple[int, int]:
    video = probe(source).video
    if video is None:
        raise ValueError(f"{source}: has no picture")
    scale = min(1.0, SIDE_PX / min(video.width, video.height))
    return 2 * round(video.width * scale / 2), 2 * round(video.height * scale / 2)
