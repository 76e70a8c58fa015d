"""Opening a media file: the chosen streams, file time zero, and packets that survive a damaged file."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import av.logging
from av.audio.stream import AudioStream as AvAudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream as AvVideoStream

from avloc.errors import MediaError
from avloc.media.clock import Clock
from avloc.media.starts import starts_of
from avloc.media.tracks import best_pair

MAX_SIDE = 16384
"""Widest and highest picture that is decoded; a header that says more is taken for damage or an attack."""

_DEMUX_ERRORS_BORNE = 1000
_FURTHEST_START_S = 1800.0
_SEEK_S = 10.0  # nearer than this, decoding from the beginning costs less than finding the place
_STEPS_BACK_S = (0.0, 10.0, 40.0, 160.0)  # from where a start is looked for, should flags of key packets mislead
_LEAPING = frozenset({"mpegts", "mpeg", "flv"})
_SEEKABLE = ("mov", "matroska")  # containers with an index: a seek lands on a key packet before the time
_NOT_MEDIA = frozenset({"tty", "image2", "hls", "dash", "concat", "sdp", "lrc", "ffmetadata", "bin", "xbin", "idf"})

av.logging.set_level(None)  # libav must not write on the user's terminal


@dataclass(frozen=True, slots=True)
class Source:
    """An open file, its picture and its sound that are read (`avloc.media.tracks`), and file time zero in seconds.

    zero_s is the earliest start of the two streams on the file's own clock; every time that avloc speaks of
    is relative to it.
    """

    path: Path
    container: InputContainer
    video: AvVideoStream | None
    audio: AvAudioStream | None
    zero_s: float
    notes: dict[str, None] = field(default_factory=dict)
    """What was found in reading that a user should know of, in the order of finding."""

    @property
    def streams(self) -> list[AvVideoStream | AvAudioStream]:
        """The chosen streams, one or two."""
        return [s for s in (self.video, self.audio) if s is not None]

    @property
    def stated_end_s(self) -> float:
        """End of the file on its own clock by its header, infinite where it does not say."""
        length = self.container.duration
        if length is None or length <= 0:
            return math.inf
        return ((self.container.start_time or 0) + length) / av.time_base

    @property
    def restarts(self) -> bool:
        """Whether the clock may start anew within the file, as in joined transport or program streams."""
        return self.leaps or (self.matroska and math.isinf(self.stated_end_s))  # the latter as it was sent live

    @property
    def guesses_end(self) -> bool:
        """Whether its header says nothing of its length, and libav makes it up from what is there."""
        return bool({"mpegts", "mpeg"} & set(self.container.format.name.split(",")))

    @property
    def matroska(self) -> bool:
        """Whether it is a Matroska or WebM file."""
        return "matroska" in self.container.format.name

    @property
    def leaps(self) -> bool:
        """Whether the clock may leap ahead where no time has passed."""
        return bool(_LEAPING & set(self.container.format.name.split(",")))


@contextmanager
def open_source(path: str | Path) -> Iterator[Source]:
    """Open a file for reading and close it at the end.

    Raises:
        MediaError: the path is missing, a folder, empty or unreadable, or holds neither video nor audio.
    """
    path = Path(path)
    container = _open(path)
    try:
        video, audio, notes = _choose(path, container)
        yield Source(path, container, video, audio, _zero_s(video, audio), dict.fromkeys(notes))
    finally:
        container.close()


def stated_size(path: str | Path, most_pixels: int) -> tuple[int, int, float]:
    """Width and height of the largest picture that the header of a file says it has, and its length in seconds.

    Zeros where it does not say. No picture of more than most_pixels is decoded to find out, so that a file may be
    refused before it costs anything.

    Raises:
        MediaError: as `open_source`.
    """
    container = _open(Path(path), {"max_pixels": str(most_pixels)})
    try:
        sizes = [(s.codec_context.width, s.codec_context.height) for s in container.streams.video if _decodable(s)]
        width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
        return width, height, max(0, container.duration or 0) / av.time_base
    finally:
        container.close()


def _zero_s(video: Stream | None, audio: Stream | None) -> float:
    starts = [s for s in (start_s(video), start_s(audio)) if s is not None]
    if not starts:
        return 0.0
    # Streams that begin further apart than this do so by a damaged first timestamp.
    return min(starts) if max(starts) - min(starts) <= _FURTHEST_START_S else max(starts)


def start_s(stream: Stream | None) -> float | None:
    """Start of a stream on the file's own clock, or None where the file does not say."""
    if stream is None or stream.start_time is None or stream.time_base is None:
        return None
    return float(stream.start_time * stream.time_base)


def packets(source: Source, *streams: Stream) -> Iterator[Packet[Stream]]:
    """Packets of the streams in file order, past damaged places; the flush packets (size 0) come last.

    Stamps that stray are taken off their packets, and leaps of the clock that no recording has, as where broadcasts
    were joined, are taken out (`avloc.media.clock`).
    """
    # What the clock of a file does shows in all its streams.
    read = source.streams if source.restarts or source.matroska else streams
    wanted = {s.index for s in streams}
    stated_end_s = math.inf if source.restarts else source.stated_end_s
    sound = {s.index: s.type == "audio" for s in read}
    clock = Clock(sound, source.zero_s, stated_end_s, restarts=source.restarts, leaps=source.leaps)
    for packet in clock.steady(_demuxed(source, *read)):
        source.notes.update(dict.fromkeys(clock.notes))
        if packet.stream.index in wanted:  # not stream_index, which packets without size have none of
            yield packet


def _demuxed(source: Source, *streams: Stream) -> Iterator[Packet[Stream]]:
    for _ in range(_DEMUX_ERRORS_BORNE):
        try:
            for packet in source.container.demux(*streams):
                if packet.size or (packet.dts is None and packet.pts is None):
                    yield packet  # not a dropped frame: to the decoder it would mean the end
            return
        except (av.FFmpegError, ValueError, IndexError):  # IndexError: damage looks like one more stream
            continue  # a fresh demux goes on behind the damage


def packets_from(source: Source, stream: Stream, time_s: float) -> Iterator[Packet[Stream]]:
    """Packets of one stream, from a start before `time_s` (since file time zero) on, or from the beginning.

    Pictures start where `avloc.media.starts` says, sound at any packet.
    """
    if time_s < _SEEK_S or source.restarts or not source.container.format.name.startswith(_SEEKABLE):
        return packets(source, stream)
    starts = starts_of(stream) if isinstance(stream, AvVideoStream) else (lambda packet: True)
    for back_s in _STEPS_BACK_S:
        if time_s - back_s < _SEEK_S or not _sought(source, stream, time_s - back_s):
            break
        found = packets(source, stream)
        for packet in found:
            stamp = packet.pts if packet.dts is None else packet.dts
            if stamp is not None and float(stamp * packet.time_base) - source.zero_s > time_s:
                break
            if starts(packet) and (
                packet.pts is None or float(packet.pts * packet.time_base) - source.zero_s <= time_s
            ):
                return itertools.chain([packet], found)
    source.container.seek(0)
    return packets(source, stream)


def _sought(source: Source, stream: Stream, time_s: float) -> bool:
    assert stream.time_base is not None
    try:
        source.container.seek(int((time_s + source.zero_s) / stream.time_base), stream=stream)
    except (av.FFmpegError, OverflowError):
        return False
    return True


def picture_problem(width: int, height: int) -> str | None:
    """Why a picture of this size is not decoded, or None."""
    if width > MAX_SIDE or height > MAX_SIDE:
        return f"its header says pictures of {width} x {height} pixels; at most {MAX_SIDE} x {MAX_SIDE} are read"
    return None


def _open(path: Path, options: dict[str, str] | None = None) -> InputContainer:
    try:
        if not path.exists():
            raise MediaError(f"{path}: there is no such file; check the path")
        if path.is_dir():
            raise MediaError(f"{path}: is a folder; give a media file")
        if not path.is_file():  # reading a pipe or a device may never end
            raise MediaError(f"{path}: is a pipe, a socket or a device; give a media file")
        if path.stat().st_size == 0:
            raise MediaError(f"{path}: is empty (0 bytes); give a media file")
        with path.open("rb"):
            pass
        # "file:" keeps a colon in a name from being read as a network address.
        container = av.open(
            f"file:{path}",
            options=options,
            metadata_errors="replace",
            container_options={"protocol_whitelist": "file"},
        )
    except (OSError, ValueError, av.FFmpegError) as error:
        if isinstance(error, PermissionError):
            raise MediaError(f"{path}: may not be read; check its permissions") from error
        raise MediaError(
            f"{path}: cannot be read as video or sound ({_reason(error)}); is it a media file, and whole?"
        ) from error
    names = set(container.format.name.split(","))
    if names & _NOT_MEDIA or any(n.endswith("_pipe") for n in names):
        container.close()
        raise MediaError(f"{path}: is no video or sound file ({container.format.long_name}); give a media file")
    return container


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split())


def _choose(path: Path, container: InputContainer) -> tuple[AvVideoStream | None, AvAudioStream | None, list[str]]:
    pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    sounds = list(container.streams.audio)
    if not pictures and not sounds:
        raise MediaError(f"{path}: has neither a video nor an audio stream; give a media file")
    usable = [s for s in pictures if _decodable(s)]
    if pictures and not usable:
        raise MediaError(f"{path}: no decoder for its video stream; convert it, for example to H.264 in mp4")
    heard = [s for s in sounds if _decodable(s)]
    if sounds and not heard:
        raise MediaError(f"{path}: no decoder for its audio stream; convert it, for example to AAC in mp4")
    video, audio, notes = best_pair(path, container, usable, heard)
    if video is not None:
        problem = picture_problem(video.codec_context.width, video.codec_context.height)
        if problem:
            raise MediaError(f"{path}: {problem}")
    return video, audio, notes


def _decodable(stream: Stream) -> bool:
    return getattr(stream, "codec_context", None) is not None
