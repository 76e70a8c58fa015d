"""WebVTT <-> events: a cue an event, the label as its text; milliseconds. One video a file.

    WEBVTT

    1 score=0.93
    00:00:01.520 --> 00:00:05.030
    dog barking

The score stands in the cue's name, which players do not show. In the text `&`, `<`, `>`, ends of line and blanks at
either end are written as character references, as the WebVTT recommendation of the W3C has them (section 4.2.2), so a
label of `<script>` or `-->` shows as text. Reading takes tags out and joins the lines of a cue by a blank; notes,
styles, regions and settings of cues are left out. As in the recommendation's parser (section 6.1), a line of times
begins a cue, be there an empty line before it or not.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.cues import Cue, Line, blocks, clock, cue_of, is_times, numbered
from avloc.formats.text import PathLike, encoded, labelled, milliseconds, one_line, only_video, read_text, video_name
from avloc.formats.truth import Truth

_SCORE = re.compile(r"\d+ score=(-?[\d.]+(?:e-?\d+)?)")
_TAG = re.compile(r"<[^<>]*>")
_ESCAPED = re.compile(r"[&<>\r\n]|^[ \t\f]|[ \t\f]$")
_NO_CUES = re.compile(r"(NOTE|STYLE|REGION)(\s|$)")


def read_webvtt(path: PathLike) -> dict[str, Truth]:
    """The cues of a file, under the file's name.

    Raises:
        FormatError: the file cannot be read or is no WebVTT, or a cue is odd: its line is named.
    """
    text = read_text(path, "a WebVTT file")
    if not re.match(r"WEBVTT([ \t\r\n]|$)", text):
        raise FormatError(f"{path}, line 1: a WebVTT file begins with WEBVTT")
    return {video_name(path): Truth.of(Events.of(_events(text, path)))}


def write_webvtt(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video; an event of no length becomes one of 1 ms.

    Raises:
        FormatError: there are several videos, an event starts before zero, or a label has a zero character.
        OutputError: the file cannot be written.
    """
    cues = ["WEBVTT\n"]
    for number, event in enumerate(only_video(videos, path, "WebVTT").events, 1):
        start, end = milliseconds(event, path, "WebVTT")
        # The score as the shortest text that gives the same number again.
        cues.append(
            f"{number} score={event.score!r}\n{clock(start, '.')} --> {clock(end, '.')}\n{_escaped(event, path)}\n"
        )
    replace_file(path, encoded("\n".join(cues)))


def _escaped(event: Event, path: PathLike) -> str:
    text = _ESCAPED.sub(
        lambda found: f"&#{ord(found[0])};" if found[0].isspace() else html.escape(found[0]), event.label
    )
    return one_line(text, path, "WebVTT", banned="")


def _events(text: str, path: PathLike) -> Iterator[Event]:
    for block in blocks(_behind_head(numbered(text))):
        if _NO_CUES.match(block[0][1]):
            times = next((i for i, (_, line) in enumerate(block) if is_times(line)), len(block))
            block = block[times:]
        if not block:
            continue
        cue = cue_of(block, path, ".")
        yield labelled(cue.start_s, cue.end_s, _label(cue), cue.where, _score(cue))


def _behind_head(lines: list[Line]) -> list[Line]:
    """Without WEBVTT and the lines below it, up to an empty line or the first cue."""
    for i, (_, line) in enumerate(lines[1:], 1):
        if is_times(line):
            return lines[i - 1 if i > 1 and lines[i - 1][1].strip().isdigit() else i :]
        if not line.strip():
            return lines[i:]
    return []


def _label(cue: Cue) -> str:
    return html.unescape(_TAG.sub("", " ".join(cue.text)))


def _score(cue: Cue) -> float:
    found = _SCORE.fullmatch(cue.name)
    return float(found[1]) if found else 1.0
