"""SubRip (SRT) <-> events: a subtitle an event, the label as its text; milliseconds. One video a file.

    1
    00:00:01,520 --> 00:00:05,030
    dog barking

The format has no way to write an end of line or an arrow inside a text, so such labels are refused. Everything else
is written as it is: players take `<i>` and the like as a style. Reading keeps the text and joins its lines by a
blank. Numbers and the empty lines between subtitles may be missing, and a point may stand for the comma.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.cues import blocks, clock, cue_of, numbered
from avloc.formats.text import PathLike, encoded, labelled, milliseconds, one_line, only_video, read_text, video_name
from avloc.formats.truth import Truth


def read_srt(path: PathLike) -> dict[str, Truth]:
    """The subtitles of a file, under the file's name.

    Raises:
        FormatError: the file cannot be read, or a subtitle is odd: its line is named.
    """
    return {video_name(path): Truth.of(Events.of(_events(path)))}


def write_srt(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video; scores are lost, and an event of no length becomes one of 1 ms.

    Raises:
        FormatError: there are several videos, an event starts before zero, or a label has an end of line or an arrow.
        OutputError: the file cannot be written.
    """
    cues = []
    for number, event in enumerate(only_video(videos, path, "SRT").events, 1):
        start, end = milliseconds(event, path, "SRT")
        if "-->" in event.label:
            raise FormatError(f"{path}: the name {event.label[:40]!r} has no place in SRT; rename it, or use .vtt")
        cues.append(
            f"{number}\n{clock(start, ',')} --> {clock(end, ',')}\n{one_line(event.label, path, 'SRT', '')}\n"
        )
    replace_file(path, encoded("\n".join(cues)))


def _events(path: PathLike) -> Iterator[Event]:
    for block in blocks(numbered(read_text(path, "an SRT file"))):
        cue = cue_of(block, path, ",")
        yield labelled(cue.start_s, cue.end_s, " ".join(cue.text), cue.where)
