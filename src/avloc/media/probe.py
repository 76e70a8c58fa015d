"""What a media file holds, read from its header, its first picture and its last packets."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream as AvAudioStream
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from avloc.errors import MediaError
from avloc.media.clock import JOINED, STRAYED
from avloc.media.orientation import orientation_of
from avloc.media.source import Source, open_source, packets, start_s

_TAIL_S = 2.0
_OFF_S = 1.0  # by which a header may be wrong
_LONGEST_S = 30 * 24 * 3600.0
_PACKETS_TO_FIRST_PICTURE = 600


@dataclass(frozen=True)
class VideoStream:
    """width and height in pixels as displayed, after rotation (clockwise degrees: 0, 90, 180 or 270).

    fps is the average rate and only informs: pictures are found by timestamp. start_s is relative to file
    time zero, the earliest start of the file's streams.
    """

    codec: str
    width: int
    height: int
    fps: float | None
    rotation: int
    pixel_format: str
    start_s: float
    duration_s: float | None


@dataclass(frozen=True)
class AudioStream:
    """sample_rate in Hz; start_s relative to file time zero."""

    codec: str
    sample_rate: int
    channels: int
    start_s: float
    duration_s: float | None


@dataclass(frozen=True)
class MediaInfo:
    """duration_s is from file time zero to the end of the stream that ends last; zero_s is where on the file's own
    clock that zero lies.

    notes tell, in a few words each, what was chosen where a file leaves a choice.
    """

    path: Path
    container: str
    duration_s: float
    video: VideoStream | None
    audio: AudioStream | None
    notes: tuple[str, ...] = ()
    zero_s: float = 0.0


def probe(path: str | Path) -> MediaInfo:
    """Read what a media file holds. Cover art is no video stream.

    Raises:
        MediaError: the path is missing, a folder, unreadable or empty, the file holds no media, states an
            absurd size, has no length, or not one picture of its video stream can be decoded.
    """
    with open_source(path) as source:
        first = first_picture(source) if source.video else None
        ends = _ends_s(source)
        video = audio = None
        if source.video is not None and first is not None:
            video = _video(source, source.video, first, ends.get(source.video.index))
        if source.audio is not None:
            audio = _audio(source, source.audio, ends.get(source.audio.index))
        duration_s = max(ends.values(), default=0.0)
        if not duration_s > 0:
            raise MediaError(f"{source.path}: holds no picture and no sound (zero length); give another file")
        name, notes = source.container.format.name, tuple(source.notes)
        return MediaInfo(source.path, name, duration_s, video, audio, notes, source.zero_s)


def _video(source: Source, stream: AvVideoStream, first: VideoFrame, end_s: float | None) -> VideoStream:
    turn = orientation_of(first)
    width, height = (first.height, first.width) if turn.swaps_sides else (first.width, first.height)
    rate = stream.average_rate or stream.guessed_rate
    begin_s = _begin_s(source, stream)
    return VideoStream(
        codec=stream.codec_context.codec.canonical_name,
        width=width,
        height=height,
        fps=float(rate) if rate else None,
        rotation=turn.clockwise,
        pixel_format=first.format.name,
        start_s=begin_s,
        duration_s=None if end_s is None else max(0.0, end_s - begin_s),
    )


def _audio(source: Source, stream: AvAudioStream, end_s: float | None) -> AudioStream:
    context = stream.codec_context
    begin_s = _begin_s(source, stream)
    return AudioStream(
        codec=context.codec.canonical_name,
        sample_rate=context.sample_rate,
        channels=context.channels,
        start_s=begin_s,
        duration_s=None if end_s is None else max(0.0, end_s - begin_s),
    )


def _begin_s(source: Source, stream: Stream) -> float:
    begin_s = start_s(stream)
    return 0.0 if begin_s is None else begin_s - source.zero_s


def first_picture(source: Source) -> VideoFrame:
    """The first picture that can be decoded, as stored; MediaError where there is none."""
    stream = source.video
    assert stream is not None
    stream.codec_context.thread_count = 1
    for count, packet in enumerate(packets(source, stream)):
        try:
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    return frame
        except av.FFmpegError:
            pass
        if count >= _PACKETS_TO_FIRST_PICTURE:
            break
    name = stream.codec_context.name
    raise MediaError(f"{source.path}: not one picture of its {name} video stream can be decoded; is it cut off?")


def _ends_s(source: Source) -> dict[int, float]:
    """End of each chosen stream since file time zero, by stream index.

    The header's word is checked against the last packets, for headers lie: streams without a stated length,
    files cut off, absurd lengths.
    """
    streams = source.streams
    stated = {s.index: end for s in streams if (end := _stated_end_s(source, s)) is not None}
    longest_s = max(stated.values(), default=math.inf)
    found: dict[int, float] = {}
    if not source.restarts and longest_s <= _LONGEST_S and _seek(source, longest_s - _TAIL_S):
        found = _last_packets_s(source)
    whole = all(index in found or end_s < longest_s - _TAIL_S for index, end_s in stated.items())
    if found and whole and abs(max(found.values()) - longest_s) <= _OFF_S:
        found = {**stated, **found}
    else:
        # The tail is not where the header says, or tells nothing: read all packets, without decoding.
        with open_source(source.path) as afresh:
            found = _last_packets_s(afresh)
            source.notes.update(afresh.notes)
    source.notes.update(dict.fromkeys(_missing(source, stated, found)))
    return found


def _missing(source: Source, stated: Mapping[int, float], found: Mapping[int, float]) -> Iterator[str]:
    """A note where the file ends before its header says it does, as one does that was not copied whole."""
    if source.guesses_end or {JOINED, STRAYED} & set(source.notes):
        return
    # Where only the file has a length, a stream may end before it, and a last picture may stand for long.
    one_for_all = source.matroska or any(stream.duration is None for stream in source.streams)
    if one_for_all and source.audio is None:
        return
    early = {}
    for stream in source.streams:
        there_s = max(found.values(), default=0.0) if one_for_all else found.get(stream.index, 0.0)
        end_s = stated.get(stream.index, math.inf)
        if there_s + _OFF_S < end_s <= _LONGEST_S:
            early[stream.type] = there_s, end_s
    if not early:
        return
    there_s, end_s = max(early.values())
    if one_for_all and _latest_s(source.path) + _OFF_S > end_s:
        return  # it is the length of another stream, such as subtitles
    what = "file" if len(early) == len(source.streams) else {"video": "picture", "audio": "sound"}[min(early)]
    yield f"the {what} ends early: {there_s:.1f} s are there of the {end_s:.1f} s that its header says"


def _latest_s(path: Path) -> float:
    """End of the last packet of any stream, since file time zero."""
    with open_source(path) as source:
        latest_s = 0.0
        with contextlib.suppress(av.FFmpegError, ValueError, IndexError):
            for packet in source.container.demux():
                if packet.size and packet.pts is not None:
                    end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    latest_s = max(latest_s, end_s - source.zero_s)
        return latest_s


def _stated_end_s(source: Source, stream: Stream) -> float | None:
    if stream.duration is not None and stream.duration > 0 and stream.time_base is not None:
        return _begin_s(source, stream) + float(stream.duration * stream.time_base)
    whole, begin = source.container.duration, source.container.start_time
    if whole is None or whole <= 0:
        return None
    # Matroska's duration is from zero, whenever the first packet comes.
    return (whole + (0 if source.matroska else begin or 0)) / av.time_base - source.zero_s


def _seek(source: Source, time_s: float) -> bool:
    try:
        source.container.seek(int((max(0.0, time_s) + source.zero_s) * av.time_base))
    except (av.FFmpegError, OverflowError):
        return False
    return True


def _last_packets_s(source: Source) -> dict[int, float]:
    lasts: dict[int, _Last] = {}
    for packet in packets(source, *source.streams):
        if packet.size == 0:
            continue
        stamp = packet.dts if packet.pts is None else packet.pts
        length_s = float((packet.duration or 0) * packet.time_base)
        last = lasts.setdefault(packet.stream_index, _Last())
        last.add(last.end_s if stamp is None else float(stamp * packet.time_base) - source.zero_s, length_s)
    return {index: max(0.0, last.end_s) for index, last in lasts.items()}


@dataclass
class _Last:
    """The packet of a stream that is shown last.

    In mp4 the length of a packet is the time to the next in the order of decoding, which says nothing of how long its
    picture stands where pictures are out of order and come at a variable rate: the shortest is taken there.
    """

    begin_s: float = 0.0
    length_s: float = 0.0
    shortest_s: float = math.inf
    reordered: bool = False

    @property
    def end_s(self) -> float:
        return self.begin_s + (min(self.length_s, self.shortest_s) if self.reordered else self.length_s)

    def add(self, begin_s: float, length_s: float) -> None:
        """The next packet of the file."""
        if length_s > 0:
            self.shortest_s = min(self.shortest_s, length_s)
        if begin_s < self.begin_s:
            self.reordered = True
        else:
            self.begin_s, self.length_s = begin_s, length_s
