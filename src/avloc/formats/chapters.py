r"""Events <-> chapters: what goes on from one change to the next; and FFmpeg's file of metadata that holds them.

    ;FFMETADATA1
    [CHAPTER]
    TIMEBASE=1/1000
    START=1520
    END=5030
    title=dog barking + people talking

Chapters do not overlap and leave no gap, for in an mp4 file each ends where the next begins: where several classes go
on at a time they share a chapter, where none does its title is a dash. So starts and ends come back when chapters are
read, but events of one class that overlap or touch are one. `avloc convert a.events.json b.mp4` puts them into a copy
of the video, and so does `ffmpeg -i a.mp4 -i a.ffmeta -map_chapters 1 -codec copy b.mp4` with the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.events.filter import merge_near
from avloc.files import replace_file
from avloc.formats.text import LINE_END, PathLike, encoded, milliseconds, one_line, only_video, read_text, video_name
from avloc.formats.timecode import fraction_of
from avloc.formats.truth import Truth

NOTHING = "–"
_AND = " + "
_HEAD = ";FFMETADATA1"
_SPECIAL = re.compile(r"([=;#\\\n])")
_FIELD = re.compile(r"((?:[^=\\]|\\.)*)=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of a video in milliseconds, and its title."""

    start_ms: int
    end_ms: int
    title: str


def chapters_of(truth: Truth, path: PathLike, name: str) -> list[Chapter]:
    """What goes on, from zero to the video's end, or to the last event's where that is not known.

    Raises:
        FormatError: an event starts before zero, or a label cannot be told from a title of several.
    """
    spans = []
    for event in truth.events:
        if _AND in event.label or event.label == NOTHING:
            raise FormatError(f"{path}: the name {event.label[:40]!r} has no place in {name}; rename it")
        spans.append((*milliseconds(event, path, name), one_line(event.label, path, name, "").strip()))
    end = max((end for _, end, _ in spans), default=0)
    if isfinite(truth.duration_s):
        end = max(end, round(1000 * truth.duration_s))
    changes = sorted({0, end, *(moment for start, stop, _ in spans for moment in (start, stop))})
    titles = [""] * (len(changes) - 1)
    places = {moment: k for k, moment in enumerate(changes)}
    going: list[dict[str, None]] = [{} for _ in titles]
    for start, stop, label in sorted(spans):
        for k in range(places[start], places[stop]):
            going[k][label] = None
    titles = [_AND.join(labels) or NOTHING for labels in going]
    found: list[Chapter] = []
    for (start, stop), title in zip(pairwise(changes), titles, strict=True):
        if found and found[-1].title == title:
            found[-1] = Chapter(found[-1].start_ms, stop, title)
        else:
            found.append(Chapter(start, stop, title))
    return found


def events_of(chapters: Iterable[Chapter]) -> Events:
    """The events that chapters tell of, by time."""
    rows = [
        Event(c.start_ms / 1000, c.end_ms / 1000, label)
        for c in chapters
        for label in c.title.split(_AND)
        if label.strip() and label != NOTHING
    ]
    return merge_near(Events.of(rows), 0.0)


def read_ffmetadata(path: PathLike) -> dict[str, Truth]:
    """The chapters of a file, under its name.

    Raises:
        FormatError: the file cannot be read, is no such file, or a chapter is odd: its number is named.
    """
    text = read_text(path, "a file of FFmpeg's metadata")
    if not text.startswith(_HEAD[:11]):
        raise FormatError(f"{path}, line 1: a file of FFmpeg's metadata begins with {_HEAD}")
    return {video_name(path): Truth.of(events_of(_chapters(text, path)))}


def write_ffmetadata(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video; scores are lost, events of one class that touch become one, of no length 1 ms.

    Raises:
        FormatError: there are several videos, an event starts before zero, or a label has an end of line.
        OutputError: the file cannot be written.
    """
    out = [_HEAD]
    for c in chapters_of(only_video(videos, path, "chapters"), path, "chapters"):
        title = _SPECIAL.sub(r"\\\1", c.title)
        out += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={c.start_ms}", f"END={c.end_ms}", f"title={title}"]
    replace_file(path, encoded("\n".join(out) + "\n"))


def _chapters(text: str, path: PathLike) -> Iterator[Chapter]:
    section: dict[str, str] | None = None
    begins = 0
    for line in [*_logical(text), "["]:
        if line.startswith("["):
            if section is not None:
                yield _chapter(section, f"{path}, chapter {begins}")
            section = {} if line.strip().upper() == "[CHAPTER]" else None
            begins += section is not None
        elif section is not None and not line.startswith((";", "#")) and (found := _FIELD.fullmatch(line)):
            section[_plain(found[1]).lower()] = _plain(found[2])


def _logical(text: str) -> Sequence[str]:
    """Lines; a backslash at the end of one takes the next along."""
    joined: list[str] = []
    for line in LINE_END.split(text):
        if joined and re.search(r"(?<!\\)(\\\\)*\\$", joined[-1]):
            joined[-1] += "\n" + line
        else:
            joined.append(line)
    return joined


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _chapter(fields: Mapping[str, str], where: str) -> Chapter:
    base = fraction_of(fields.get("timebase", "1/1000000000"))
    stamps = [fraction_of(fields.get(name, "")) for name in ("start", "end")]
    if base is None or None in stamps:
        raise FormatError(f"{where}: START and END as whole numbers of TIMEBASE are needed")
    start, end = (round(1000 * base * stamp) for stamp in stamps if stamp is not None)
    if end < start:
        raise FormatError(f"{where}: ends before its start")
    return Chapter(start, end, " ".join(fields.get("title", "").split("\n")))
