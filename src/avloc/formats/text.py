"""Text files of labels, read strictly: what every format of lines needs."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Event
from avloc.formats.media_names import without_media_ending
from avloc.formats.truth import Truth

PathLike = str | os.PathLike[str]

MOST_BYTES = 1 << 30
"""Larger files are refused: ten million events have less."""

_BIRDNET = r"\.BirdNET\.(selection\.table|selections|results(\.[a-z]+)?)\.(txt|csv)"
_OWN = r"\.events\.json|\.markers\.(edl|csv)|\.youtube\.txt|\.chapters\.(mp4|m4v|mov|mkv)"
_ENDINGS = re.compile(rf"({_OWN}|{_BIRDNET}|(\.Table\.\d+)?\.selections?(\.table)?\.txt|\.[^.]*)$", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d{1,2}(?:[.,]\d+)?)")
_NOTED = re.compile(r"(?:^|\s)score=(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)")
_DECIMAL = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# Not str.splitlines, for which a label may hold other ends of line. Some programs on Windows write \r\r\n.
LINE_END = re.compile(r"\r*\n|\r")


def read_bytes(path: PathLike, needed: str) -> bytes:
    """The content of a file; `needed` says what should have been named, such as "a CSV file of events".

    Raises:
        FormatError: it cannot be read, or is larger than MOST_BYTES.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise FormatError(f"{path} cannot be read ({reason}); name {needed}") from None
    if len(content) > MOST_BYTES:
        raise FormatError(f"{path} has more than {MOST_BYTES >> 30} GiB; name {needed}")
    return content


def read_text(path: PathLike, needed: str) -> str:
    """The content of a file in UTF-8, without a byte order mark, or in UTF-16 with one.

    Raises:
        FormatError: it cannot be read, or is neither.
    """
    content = read_bytes(path, needed)
    try:
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{path} is not text in UTF-8 ({error.reason}); save it as UTF-8, which spreadsheets call CSV UTF-8"
        ) from None


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and content of each line that is not empty."""
    return ((number, line) for number, line in enumerate(LINE_END.split(text), 1) if line)


def as_seconds(text: str, where: str, needed: str = "a number of seconds") -> float:
    """A finite number, of seconds or of what `needed` says.

    Raises:
        FormatError: it is none; the message begins with `where`.
    """
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormatError(f"{where} is {text[:40]!r}; {needed} is needed")
    return value


def as_time(text: str, where: str) -> float:
    """Seconds: a number, with a decimal point or comma, or minutes and seconds, 1:02.5, or hours too, 1:01:02.5.

    Raises:
        FormatError: it is neither; the message begins with `where`.
    """
    text = text.strip()
    sign, clock = (-1, text[1:]) if text.startswith("-") else (1, text)
    if found := _CLOCK.fullmatch(clock):
        hours, minutes, seconds = found[1], int(found[2]), float(found[3].replace(",", "."))
        if seconds < 60 and (hours is None or minutes < 60):
            return sign * (3600 * int(hours or 0) + 60 * minutes + seconds)
    plain = text.replace(",", ".") if _DECIMAL.fullmatch(text) else text
    return as_seconds(plain, where, "a number of seconds, or minutes and seconds such as 1:02.5,")


def labelled(start_s: float, end_s: float, label: str, where: str, score: float = 1.0) -> Event:
    """An event that ends after it starts and has a label.

    Raises:
        FormatError: it does not; the message begins with `where`.
    """
    if not label:
        raise FormatError(f"{where}: the event has no label; give it one")
    if end_s < start_s:
        raise FormatError(f"{where}: the event ends at {end_s:g} s, before its start at {start_s:g} s")
    return Event(start_s, end_s, label, score)


def only_video(videos: Mapping[str, Truth], path: PathLike, name: str) -> Truth:
    """The one video of a file that holds one.

    Raises:
        FormatError: there are none or several.
    """
    if len(videos) == 1:
        return next(iter(videos.values()))
    raise FormatError(
        f"{path}: a file of {name} holds one video, not {len(videos)}; "
        f"write a folder with one file a video (avloc convert --to), or a table such as events.csv"
    )


def video_name(path: PathLike) -> str:
    """The video of a file that does not say it: the file's name without what programs append to that of the video."""
    name = Path(path).name
    return without_media_ending(_ENDINGS.sub("", name) or name)


def milliseconds(event: Event, path: PathLike, name: str) -> tuple[int, int]:
    """Start and end, at least 1 ms apart, for formats whose times begin at zero.

    Raises:
        FormatError: the event starts before zero.
    """
    start, end = round(1000 * event.start_s), round(1000 * event.end_s)
    if start < 0:
        raise FormatError(f"{path}: {event.label!r} starts at {event.start_s:g} s; times of {name} are not negative")
    return start, max(end, start + 1)


def rows(path: PathLike, delimiter: str, needed: str) -> Iterator[tuple[int, list[str]]]:
    """Number of the line and fields of each row of a table that is not empty; the columns' names come first.

    Raises:
        FormatError: the file cannot be read, is empty, or a line is no row: it is named.
    """
    reader = csv.reader(io.StringIO(read_text(path, needed), newline=""), delimiter=delimiter, strict=True)
    try:
        yield from ((reader.line_num, row) for row in reader if row)
    except csv.Error as error:
        raise FormatError(f"{path}, line {reader.line_num} is no line of a table ({error})") from None


def one_line(text: str, path: PathLike, name: str, banned: str = "\t") -> str:
    """`text` as it is, for formats that have no way to write some characters.

    Raises:
        FormatError: it is empty, blank, or has an end of line, a zero or a character of `banned`.
    """
    if not text.strip() or any(c in text for c in "\r\n\0" + banned):
        raise FormatError(
            f"{path}: the name {text[:40]!r} has no place in {name}; rename it, or use a format such as .csv or .json"
        )
    return text


def scored_note(text: str) -> float:
    """The score that a note of avloc's says, score=0.93; 1 where it says none."""
    found = _NOTED.search(text)
    return float(found[1]) if found else 1.0


def encoded(text: str) -> bytes:
    """UTF-8. A file name that is not UTF-8 reaches us with lone surrogates, which are spelled as JSON spells them."""
    return text.encode("utf-8", "backslashreplace")
