"""Writing a video file: pictures and a waveform, interleaved as they come.

Legend: H and W height and width in pixels, S samples, C channels.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avloc.errors import MediaError
from avloc.media.marks import Span, stated

Picture = NDArray[np.uint8]
Sound = NDArray[np.float32]

_LAYOUTS = {1: "mono", 2: "stereo", 4: "quad", 6: "5.1", 8: "7.1"}
_TICKS = 1000  # time base 1/1000 for pictures at given times: every codec and container takes it
_HAS_CRF = frozenset({"libx264", "libx265", "libvpx-vp9", "libvpx", "libsvtav1"})
_OPUS_RATE = 48000
_BT601 = 6  # "SMPTE 170M" in the list of ISO/IEC 23091-2


def write_video(
    path: str | Path,
    frames: Iterable[Picture] | None,
    fps: float,
    waveform: Sound | Iterable[Sound] | None,
    sample_rate: int = 16000,
    *,
    video_codec: str = "libx264",
    audio_codec: str = "aac",
    crf: int = 23,
    pixel_format: str = "yuv420p",
    frame_times_s: Iterable[float] | None = None,
    video_start_s: float = 0.0,
    audio_start_s: float = 0.0,
    rotation: int = 0,
    state_colours: bool = False,
    video_options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    chapters: Sequence[Span] = (),
) -> Path:
    """Write pictures (H, W, 3) uint8 RGB and sound (S,) or (S, C) float32 in [-1, 1]; the ending names the container.

    frames or waveform may be None: a file without picture or sound. The waveform may come in blocks. frame_times_s
    gives each picture a time of its own in place of index / fps. The streams begin at video_start_s and
    audio_start_s. rotation states by how many degrees clockwise a player turns the picture. The file appears whole or
    not at all.

    Raises:
        MediaError: the folder cannot be written to, an encoder is absent or does not fit the container,
            or there is nothing to write.
        ValueError: pictures or waveform have a wrong shape, or a codec is of the wrong kind.
    """
    path = Path(path)
    pictures = None if frames is None else iter(frames)
    first = None if pictures is None else next(pictures, None)
    if first is None and waveform is None:
        raise MediaError(f"{path}: neither a picture nor a waveform was given; give at least one")
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        with _create(partial, container_options) as container:
            tracks: list[Iterator[float]] = []
            if first is not None and pictures is not None:
                video = _video_stream(container, video_codec, fps, first, pixel_format, frame_times_s is not None)
                video.codec_context.options = _video_options(video_codec, crf, video_options)
                if state_colours:
                    video.codec_context.colorspace = _BT601
                if rotation:
                    video.set_display_rotation(-rotation)
                ticks = _ticks(fps, frame_times_s, video_start_s)
                tracks.append(_pictures(container, video, itertools.chain([first], pictures), ticks))
            if waveform is not None:
                blocks = map(_as_channels, [waveform] if isinstance(waveform, np.ndarray) else waveform)
                first_block = next(blocks, np.zeros((0, 1), np.float32))
                audio = _audio_stream(container, audio_codec, sample_rate, first_block.shape[1])
                sound = itertools.chain([first_block], blocks)
                tracks.append(_sound(container, audio, sound, sample_rate, audio_start_s))
            if chapters:
                container.set_chapters(stated(chapters))
            _interleave(tracks)
        partial.replace(path)
    except (av.FFmpegError, OSError) as error:
        reason = " ".join(str(error).split())
        raise MediaError(
            f"{path}: cannot be written as {video_codec} and {audio_codec} ({reason}); "
            "check the folder, the file's ending and the codecs"
        ) from error
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    return path


def _create(path: Path, options: Mapping[str, str] | None) -> OutputContainer:
    try:
        return av.open(f"file:{path}", "w", container_options=dict(options or {}))
    except ValueError as error:
        raise MediaError(
            f"{path.suffix or 'no ending'}: names no kind of video file; .mp4, .mkv or .webm do"
        ) from error


def _video_stream(
    container: OutputContainer, codec: str, fps: float, first: Picture, pixel_format: str, timed: bool
) -> VideoStream:
    _check_picture(first, first.shape)
    height, width = first.shape[:2]
    if pixel_format.startswith("yuv420p") and (height % 2 or width % 2):
        raise ValueError(f"pictures are {width} x {height}; {pixel_format} needs even sides")
    stream = _add(container, codec, Fraction(fps).limit_denominator(1001))
    if not isinstance(stream, VideoStream):
        raise ValueError(f"{codec} is no video encoder")
    stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
    stream.codec_context.thread_type, stream.codec_context.thread_count = "FRAME", 2
    if timed:
        stream.codec_context.time_base = Fraction(1, _TICKS)
    return stream


def _add(container: OutputContainer, codec: str, rate: Fraction | int) -> Stream:
    try:
        return container.add_stream(codec, rate=rate)
    except ValueError as error:  # an unknown encoder, or one whose streams the container does not take
        raise MediaError(f"{codec} cannot be written: {error}; choose another codec or ending") from error


def _video_options(codec: str, crf: int, more: Mapping[str, str] | None) -> dict[str, str]:
    options = {"crf": str(crf)} if codec in _HAS_CRF else {}
    if codec == "libx265":
        options["x265-params"] = "log-level=none"  # its own log bypasses libav's
    return {**options, **dict(more or {})}


def _audio_stream(container: OutputContainer, codec: str, sample_rate: int, channels: int) -> AudioStream:
    if channels not in _LAYOUTS:
        raise ValueError(f"the waveform has {channels} channels; one of {sorted(_LAYOUTS)} is needed")
    rate = _OPUS_RATE if codec in ("libopus", "opus") else sample_rate
    stream = _add(container, codec, rate)
    if not isinstance(stream, AudioStream):
        raise ValueError(f"{codec} is no audio encoder")
    stream.codec_context.layout = _LAYOUTS[channels]
    stream.codec_context.options = {"strict": "experimental"}  # libav's own Vorbis and Opus encoders ask for it
    return stream


def _as_channels(waveform: Sound) -> Sound:
    if waveform.ndim not in (1, 2):
        raise ValueError(f"the waveform has shape {waveform.shape}; (samples,) or (samples, channels) is needed")
    return np.asarray(waveform, np.float32).reshape(len(waveform), -1)  # (S, C)


def _check_picture(picture: Picture, shape: tuple[int, ...]) -> None:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or picture.shape != shape:
        raise ValueError(
            f"a picture has shape {picture.shape} and type {picture.dtype}; (height, width, 3) uint8 is needed, "
            "the same for all"
        )


def _ticks(fps: float, times_s: Iterable[float] | None, start_s: float) -> Iterator[tuple[int, Fraction]]:
    """Timestamp and time base of each picture."""
    if times_s is not None:
        for time_s in times_s:
            yield round((time_s + start_s) * _TICKS), Fraction(1, _TICKS)
        return
    step = 1 / Fraction(fps).limit_denominator(1001)
    first = round(start_s / step)
    for i in itertools.count(first):
        yield i, step


def _pictures(
    container: OutputContainer,
    stream: VideoStream,
    pictures: Iterable[Picture],
    ticks: Iterator[tuple[int, Fraction]],
) -> Iterator[float]:
    """Encode and write one picture a step; yields the time reached, in seconds."""
    shape: tuple[int, ...] | None = None
    for picture, (pts, time_base) in zip(pictures, ticks, strict=False):
        shape = shape or picture.shape
        _check_picture(picture, shape)
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        container.mux(stream.encode(frame))
        yield float(pts * time_base)
    container.mux(stream.encode(None))


def _sound(
    container: OutputContainer,
    stream: AudioStream,
    sound: Iterable[Sound],
    sample_rate: int,
    start_s: float,
) -> Iterator[float]:
    """Encode and write a tenth of a second a step; yields the time reached, in seconds."""
    place = round(start_s * sample_rate)
    step = max(1, sample_rate // 10)
    for block in sound:
        for at in range(0, len(block), step):
            piece = np.ascontiguousarray(block[at : at + step]).reshape(1, -1)  # packed (1, S * C)
            frame = AudioFrame.from_ndarray(piece, format="flt", layout=_LAYOUTS[block.shape[1]])
            frame.sample_rate, frame.time_base = sample_rate, Fraction(1, sample_rate)
            frame.pts = place + at
            container.mux(stream.encode(frame))
            yield (place + at) / sample_rate
        place += len(block)
    container.mux(stream.encode(None))


def _interleave(tracks: list[Iterator[float]]) -> None:
    """Run the tracks side by side, always the one that lags behind, so that nothing piles up."""
    reached = {track: next(track, None) for track in tracks}
    while True:
        running = {track: time_s for track, time_s in reached.items() if time_s is not None}
        if not running:
            return
        behind = min(running, key=lambda track: running[track])
        reached[behind] = next(behind, None)
