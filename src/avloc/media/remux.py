"""Chapters of media files: read from them, and put into a copy whose pictures and sound stay as they are."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from avloc.errors import MediaError
from avloc.media.marks import Span, stated
from avloc.media.recording import timecode_in
from avloc.media.source import open_source

ENDINGS = (".mp4", ".m4v", ".mov", ".mkv")
_COPIED = ("video", "audio", "subtitle")


def read_chapters(path: str | Path) -> list[Span]:
    """The chapters of a media file, since file time zero.

    Raises:
        MediaError: the path is missing, a folder, unreadable or empty, or holds no media.
    """
    with open_source(path) as source:
        found = []
        for chapter in source.container.chapters():
            base = 1000 * (chapter["time_base"] or Fraction(1, 1000))
            start, end = (round(base * stamp - 1000 * source.zero_s) for stamp in (chapter["start"], chapter["end"]))
            found.append((start, end, chapter["metadata"].get("title", "")))
        return found


def copy_with_chapters(source: str | Path, path: str | Path, chapters: Iterable[Span]) -> Path:
    """Copy a media file with these chapters in place of its own; the ending names the container.

    Pictures, sound, subtitles, tags and timecode go along, nothing is coded anew. The file appears whole or not at
    all.

    Raises:
        MediaError: the source cannot be read, or the copy cannot be written: its container may not take the codecs.
    """
    target = Path(path)
    partial = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        with open_source(source) as opened, av.open(f"file:{partial}", "w") as out:
            _copy(opened.container, out, opened.zero_s, chapters)
        partial.replace(target)
    except (av.FFmpegError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise MediaError(
            f"{target}: cannot be written with the streams of {source} ({reason}); try the ending .mkv, or .ffmeta"
        ) from error
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    return target


def _copy(given: InputContainer, out: OutputContainer, zero_s: float, chapters: Iterable[Span]) -> None:
    streams: dict[int, Stream] = {
        stream.index: out.add_stream_from_template(stream) for stream in given.streams if stream.type in _COPIED
    }
    out.metadata.update(given.metadata)
    if timecode := timecode_in(*(stream.metadata for stream in given.streams), given.metadata):
        out.metadata["timecode"] = timecode
    out.set_chapters(stated(chapters, round(1000 * zero_s)))
    for packet in given.demux([given.streams[index] for index in streams]):
        if packet.dts is not None:
            packet.stream = streams[packet.stream.index]
            out.mux(packet)
