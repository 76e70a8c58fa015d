"""What a recorder wrote down beside pictures and sound: frame rate, start timecode, time of day."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.stream import Stream
from av.video.stream import VideoStream

from avloc.media.source import Source, open_source, start_s

RATES = tuple(
    Fraction(rate)
    for base in (24, 25, 30, 48, 50, 60, 100, 120, 240)
    for rate in ((base, Fraction(base * 1000, 1001)) if base % 25 else (base,))
)
_NEAR = 1 / 4000
_OLDEST = 1980  # clocks that were never set say 1904 or 1970


@dataclass(frozen=True, slots=True)
class Recording:
    """What the header of a file says.

    Attributes:
        rate: Pictures a second, None without pictures; a variable rate is that on average.
        timecode: Of the first picture, "" where there is none.
        began: When the recording began, None where the metadata do not say.
        first_s: When the first picture is shown, since file time zero.
        length_s: Of the file since its time zero, None where the header does not say.
        width, height: Of a picture as stored, in pixels; 0 without pictures.
        sound: Whether there is a sound track.
    """

    rate: Fraction | None
    timecode: str
    began: datetime.datetime | None
    first_s: float
    length_s: float | None
    width: int
    height: int
    sound: bool


def recording(path: str | Path) -> Recording:
    """Read what the header of a media file says; no picture is decoded.

    Raises:
        MediaError: the path is missing, a folder, unreadable or empty, or holds no media.
    """
    with open_source(path) as source:
        video = source.video
        begin_s = None if video is None else start_s(video)
        end_s = source.stated_end_s
        return Recording(
            rate=None if video is None else _rate(video),
            timecode=_timecode(source),
            began=_began(source),
            first_s=0.0 if begin_s is None else begin_s - source.zero_s,
            length_s=None if end_s == float("inf") else max(0.0, end_s - source.zero_s),
            width=0 if video is None else video.codec_context.width,
            height=0 if video is None else video.codec_context.height,
            sound=source.audio is not None,
        )


def _rate(stream: VideoStream) -> Fraction | None:
    """The usual rate that is nearest to the average, by a quarter of a thousandth; else the average.

    Averages are those of a file's clock, which may be coarse (thousandths in Matroska) and misses the last picture's
    length in some.
    """
    stated = [rate for rate in (stream.average_rate, stream.guessed_rate) if rate]
    for rate in stated:
        near = min(RATES, key=lambda usual: abs(usual - rate))
        if abs(near - rate) <= _NEAR * near:
            return near
    return stated[0].limit_denominator(1001) if stated else None


def _timecode(source: Source) -> str:
    """Of the picture's stream, a stream of timecode or the file."""
    streams: list[Stream] = [source.video] if source.video is not None else []
    streams += [stream for stream in source.container.streams if stream.type == "data"]
    return timecode_in(*(stream.metadata for stream in streams), source.container.metadata)


def timecode_in(*tags: Mapping[str, str]) -> str:
    """The first timecode that tags hold; Matroska writes their names in capitals."""
    told = (tag for named in tags for name, tag in named.items() if name.lower() == "timecode")
    return next(filter(None, told), "")


def _began(source: Source) -> datetime.datetime | None:
    """Apple's creation date, which has the place's own time, or else that of the container, which is in UTC."""
    metadata = source.container.metadata
    for key in ("com.apple.quicktime.creationdate", "creation_time"):
        try:
            told = datetime.datetime.fromisoformat(metadata.get(key, ""))
        except ValueError:
            continue
        if told.year >= _OLDEST:
            return told
    return None
