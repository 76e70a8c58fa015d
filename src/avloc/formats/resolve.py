"""Markers of a DaVinci Resolve timeline <-> events: an EDL with a line of its own kind below each edit. One video.

    TITLE: a
    FCM: NON-DROP FRAME

    001  001      V     C        01:00:01:13 01:00:01:14 01:00:01:13 01:00:01:14
    score=0.93 |C:ResolveColorBlue |M:dog barking |D:88

Resolve reads them with Timelines > Import > Timeline Markers from EDL: times are those of the timeline, D is the
length in frames, what stands before the colour the note. The first frame has the video's own timecode or, where it
has none, that of a new timeline in Resolve, 01:00:00:00. Each class has a colour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.edl import Edit, edits_of, head_of, require_two_digits, says_drop
from avloc.formats.footage import Footage, footage_to_read, footage_to_write
from avloc.formats.text import PathLike, encoded, one_line, only_video, scored_note, video_name
from avloc.formats.truth import Choices, Truth, note_of

_COLOURS = (
    *("Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia"),
    *("Rose", "Lavender", "Sky", "Mint", "Lemon", "Sand", "Cocoa", "Cream"),
)
_MARKER = re.compile(r"(.*?)\s*\|C:(\w*)\s*\|M:([^|]*?)\s*\|D:(\d{1,9})\s*")
ENDING = ".markers.edl"
_HOUR = "01:00:00:00"


def read_resolve(path: PathLike, choices: Choices) -> dict[str, Truth]:
    """The markers of a timeline, under the file's name.

    Raises:
        FormatError: the file cannot be read, is no EDL, or a marker is odd: its line is named.
    """
    head, edits = edits_of(path)
    video = video_name(path)
    footage = _from_the_hour(footage_to_read(choices, video, path, "an EDL of markers"))
    footage = footage.labelled(says_drop(head))
    return {video: Truth.of(Events.of(_event(edit, footage) for edit in edits))}


def write_resolve(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video; an event of no length becomes one of one frame.

    Raises:
        FormatError: there are several videos, nothing tells the frame rate, an event starts before the first picture,
            a second has more than 100 frames, or a label has an end of line or a stroke.
        OutputError: the file cannot be written.
    """
    truth = only_video(videos, path, "markers")
    footage = _from_the_hour(footage_to_write(truth, path, "an EDL of markers"))
    require_two_digits(footage, path)
    colours = {label: _COLOURS[k % len(_COLOURS)] for k, label in enumerate(sorted(set(truth.events.labels)))}
    out = [*head_of(next(iter(videos)), footage), ""]
    for number, event in enumerate(truth.events, 1):
        start, end = (footage.start + frame for frame in footage.frames(event, path, "an EDL"))
        first, second = footage.timecode.text(start), footage.timecode.text(start + 1)
        label = one_line(event.label, path, "markers of Resolve", "|").strip()
        out += [
            f"{number:03}  001      V     C        {first} {second} {first} {second}",
            f"{note_of(truth, event)} |C:ResolveColor{colours[event.label]} |M:{label} |D:{end - start}",
            "",
        ]
    replace_file(path, encoded("\n".join(out) + "\n"))


def _from_the_hour(footage: Footage) -> Footage:
    if footage.start_frame is not None:
        return footage
    return replace(footage, start_frame=footage.timecode.frame(_HOUR, "the start of the timeline"))


def _event(edit: Edit, footage: Footage) -> Event:
    found = next(filter(None, map(_MARKER.fullmatch, edit.below)), None)
    if found is None:
        raise FormatError(f"{edit.where}: no marker such as |C:ResolveColorBlue |M:dog |D:25 stands below it")
    start = footage.timecode.frame(edit.times[2], edit.where)
    return footage.event(start, start + int(found[4]), found[3].strip(), edit.where, scored_note(found[1]))
