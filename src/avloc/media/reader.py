"""Pictures and sound of a media file by presentation timestamp, both on the line that begins at file time zero.

Legend: S samples, H and W height and width in pixels.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream as AvAudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from avloc.errors import MediaError
from avloc.media.mix import Waveform
from avloc.media.orientation import orientation_of
from avloc.media.scaling import Picture, Scaler
from avloc.media.selection import ROUNDING_S, Chosen, Skip, Times, select
from avloc.media.source import MAX_SIDE, Source, open_source, packets, packets_from, picture_problem
from avloc.media.starts import AnyPacket, skips, starts_of
from avloc.media.track import Track

OnNote = Callable[[str], object]
"""Is told, in a few words, of a choice that was made in reading and that a user should know of."""
_Timed = tuple[float, VideoFrame]

_RUN_UP_S = 1.0  # of sound decoded before the wanted place: codecs overlap their packets, MP3 borrows from the last
_GAP_S = 0.03
_GAP_AFTER_LOSS_S = 0.004


def read_frames(
    path: str | Path,
    times_s: Iterable[float],
    size: tuple[int, int],
    *,
    threads: int = 0,
    exact: bool = False,
    pixel_aspect: float | None = None,
) -> Iterator[Picture]:
    """The picture on screen at each time: (H, W, 3) uint8 RGB, the whole frame squeezed to `size` (width, height).

    On screen is the last frame whose timestamp is not after the time; before the first frame it is the first,
    behind the end the last. times_s ascend, in seconds since file time zero. threads is for the decoder, 0 for as
    many as there are cores.

    Unless `exact`, only what the wanted pictures need is decoded, and where a frame is at least twice as wide and
    high as `size` the deblocking filter is left out. The pictures are of the same instants; left-out filtering
    shows as noise of some 35 to 50 dB PSNR after the squeeze.

    With pixel_aspect, width by height of a stored pixel, frames keep their proportions instead: black fills the rest.

    Raises:
        MediaError: the file cannot be read, has no video stream, or not one picture of it can be decoded.
        ValueError: the times do not ascend.
    """
    scale = Scaler(size, pixel_aspect)
    for frame in _on_screen(path, times_s, size, threads, exact):
        yield scale(frame)


def read_views(
    path: str | Path, times_s: Iterable[float], side: int, every: int
) -> Iterator[tuple[Picture, Picture | None]]:
    """As `read_frames` squeezed to `side` x `side`; with every `every`-th, from the first, also a view in proportion.

    That view has the frame's proportions (at most 3 to 1, else squeezed) and a shorter side of `side` pixels.

    Raises:
        MediaError, ValueError: as `read_frames`.
    """
    squeeze, keep = Scaler((side, side)), dict[tuple[int, int], Scaler]()
    for number, frame in enumerate(_on_screen(path, times_s, (side, side), 0, False)):
        if number % every:
            yield squeeze(frame), None
            continue
        size = _in_proportion(frame, side)  # which may change within a file
        yield squeeze(frame), keep.setdefault(size, Scaler(size))(frame)


def frame_at(path: str | Path, time_s: float) -> VideoFrame:
    """The frame on screen at a time, as stored. Raises MediaError as `read_frames`."""
    return next(_on_screen(path, [time_s], (MAX_SIDE, MAX_SIDE), 0, False))


def _in_proportion(frame: VideoFrame, side: int) -> tuple[int, int]:
    """Width and height of a frame as it is shown, its shorter side scaled to `side`."""
    width, height = (frame.height, frame.width) if orientation_of(frame).swaps_sides else (frame.width, frame.height)
    longer = min(3 * side, round(side * max(width, height) / min(width, height)))
    return (longer, side) if width >= height else (side, longer)


def _on_screen(
    path: str | Path, times_s: Iterable[float], size: tuple[int, int], threads: int, exact: bool
) -> Iterator[VideoFrame]:
    """The frame on screen at each time, to be scaled to `size` or more."""
    times = Times(times_s)
    with open_source(path) as source:
        if source.video is None:
            raise MediaError(f"{source.path}: has no video stream; give a file with pictures")
        frames = _frames(source, source.video, times, size, threads, exact)
        shown = upcoming = next(frames, None)
        if shown is None:
            raise MediaError(f"{source.path}: not one picture of its video can be decoded; is the file whole?")
        while (time_s := times.head()) is not None:
            while upcoming is not None and upcoming[0] <= time_s + ROUNDING_S:
                shown = upcoming
                upcoming = next(frames, None)
            yield shown[1]
            times.pop()


def _frames(
    source: Source, stream: AvVideoStream, times: Times, size: tuple[int, int], threads: int, exact: bool
) -> Iterator[_Timed]:
    context = stream.codec_context
    context.thread_type = "AUTO"
    context.thread_count = threads
    if not exact and context.width >= 2 * size[0] and context.height >= 2 * size[1]:
        context.options = {"skip_loop_filter": "all"}
    # AVI knows no presentation times, and libav's guess at them is wrong for H.264 with B pictures.
    if source.container.format.name == "avi":
        return _frames_by_order(source, stream)
    first_s = times.head()
    found = packets_from(source, stream, 0.0 if first_s is None else first_s)
    if exact:
        return _frames_by_stamp(source, stream, map(Chosen, found))
    skip: Skip = "NONREF" if skips(stream) else "DEFAULT"
    return _frames_by_stamp(source, stream, select(found, times, source.zero_s, starts_of(stream), skip))


def _frames_by_stamp(source: Source, stream: AvVideoStream, chosen: Iterable[Chosen]) -> Iterator[_Timed]:
    assert stream.time_base is not None
    step_s = _step_s(stream)
    next_s = 0.0
    for frame in _decoded_in_turn(source, stream, chosen):
        stamp = frame.pts if frame.pts is not None else frame.dts
        time_s = next_s if stamp is None else float(stamp * stream.time_base) - source.zero_s
        next_s = time_s + step_s
        yield time_s, frame


def _decoded_in_turn(source: Source, stream: AvVideoStream, chosen: Iterable[Chosen]) -> Iterator[VideoFrame]:
    for choice in chosen:
        if choice.afresh:
            # As after a seek: pictures of before and behind must not be put into one order.
            yield from _decoded(source, stream, None)
            stream.codec_context.flush_buffers()
        stream.codec_context.skip_frame = choice.skip
        yield from _decoded(source, stream, choice.packet)


def _frames_by_order(source: Source, stream: AvVideoStream) -> Iterator[_Timed]:
    """Frames leave the decoder in presentation order: each takes the earliest decoding time not yet taken."""
    step_s = _step_s(stream)
    waiting: list[float] = []
    next_s = 0.0
    for packet in packets(source, stream):
        if packet.dts is not None:
            heapq.heappush(waiting, float(packet.dts * packet.time_base) - source.zero_s)
        for frame in _decoded(source, stream, packet):
            time_s = heapq.heappop(waiting) if waiting else next_s
            next_s = time_s + step_s
            yield time_s, frame


def _step_s(stream: AvVideoStream) -> float:
    rate = stream.average_rate or stream.guessed_rate
    return float(1 / rate) if rate else 0.04


def _decoded(source: Source, stream: AvVideoStream, packet: AnyPacket | None) -> Iterator[VideoFrame]:
    """The packet's frames, none of a damaged one; None stands for what the decoder still holds."""
    try:
        frames = stream.decode(packet)
    except av.FFmpegError:
        return
    for frame in frames:
        if isinstance(frame, VideoFrame):
            problem = picture_problem(frame.width, frame.height)
            if problem:
                raise MediaError(f"{source.path}: {problem}")
            yield frame


def read_audio(
    path: str | Path,
    *,
    sample_rate: int = 16000,
    block_s: float = 10.0,
    start_s: float = 0.0,
    channels: int = 1,
    clipped: bool = True,
    on_note: OnNote | None = None,
) -> Iterator[Waveform]:
    """Sound in [-1, 1], float32, without a break from start_s after file time zero to the end of the audio stream.

    Unless `clipped`, sound that the file holds beyond full scale is given as it is.
    Blocks are `block_s` long, the last one shorter: (S,) where one channel is asked for, (S, 2) where two are.
    Silence fills what lies before the stream's start and gaps in its timestamps; what overlaps is trimmed. Channels
    are mixed as libswresample does; where they cancel out, the loudest one stands for them, and on_note is told.
    Behind the end of the stream there is nothing, not even a block.

    Raises:
        MediaError: the file cannot be read, has no audio stream, or no sound of it can be decoded.
        ValueError: neither one channel nor two.
    """
    with open_source(path) as source:
        if source.audio is None:
            raise MediaError(f"{source.path}: has no audio stream; give a file with sound")
        block = max(1, round(block_s * sample_rate))
        pending: list[Waveform] = []
        have = told = 0
        track = Track(sample_rate, block, channels, clipped=clipped)
        for piece in _sound(source, source.audio, track, start_s):
            while on_note is not None and told < len(track.notes):
                on_note(track.notes[told])
                told += 1
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


def _sound(source: Source, stream: AvAudioStream, track: Track, start_s: float) -> Iterator[Waveform]:
    decoded = lost = passed = False
    for packet in packets_from(source, stream, start_s - _RUN_UP_S):
        if packet.pts is not None and float(packet.pts * packet.time_base) - source.zero_s < start_s - _RUN_UP_S:
            passed = True
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError:
            lost = True
            continue
        for frame in frames:
            if isinstance(frame, AudioFrame) and frame.samples:
                time_s = None if frame.time is None else frame.time - source.zero_s - start_s
                before = track.refused
                yield from track.add(frame, time_s, _GAP_AFTER_LOSS_S if lost else _GAP_S)
                decoded = decoded or track.refused == before
                lost = False
    if passed and not decoded:
        return
    if not decoded and track.refused:
        layout = stream.codec_context.layout.name
        raise MediaError(f"{source.path}: its sound ({layout}) cannot be mixed; convert it to mono or stereo")
    if not decoded:
        raise MediaError(f"{source.path}: no sound of its audio stream can be decoded; is the file whole?")
    yield from track.finish()
