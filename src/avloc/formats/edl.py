"""CMX3600 edit decision lists <-> events: an edit an event, cut after cut, each with a marker. One video a file.

    TITLE: a
    FCM: DROP FRAME

    001  AX       AA/V  C        01:00:01;16 01:00:05;01 01:00:00;00 01:00:03;15
    * FROM CLIP NAME: a.mp4
    * LOC: 01:00:00:00 RED     dog barking
    * SCORE: 0.93
    * RATE: 30000/1001
    * START: 01:00:00;00

Markers have colons also where the list is drop-frame, for many programs read no other. The first two times are those
of the video, by its own timecode; the others those of a new timeline that holds one event after the other, from
01:00:00:00 on. The form has no place for a rate: RATE and START, the video's first frame, are remarks on the first
edit that other programs leave out. In reading, an edit is named by its marker, else by its clip or its reel; a list
without these remarks takes what is known of the video.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.footage import Footage, footage_to_read, footage_to_write
from avloc.formats.media_names import address_path
from avloc.formats.text import PathLike, as_seconds, encoded, lines, one_line, only_video, read_text, video_name
from avloc.formats.timecode import Timecode, fraction_of
from avloc.formats.truth import Choices, Truth, clock_at

MOST_BASE = 100
"""Frames of a second: they are written with two digits."""

_TIME = r"(\d\d[:;.]\d\d[:;.]\d\d[:;.,]\d\d)"
_EDIT = re.compile(rf"\s*\d+\s+(\S+)\s+\S+\s+\S+(?:\s+\d+)?\s+{_TIME}\s+{_TIME}\s+{_TIME}\s+{_TIME}\s*")
_REMARK = re.compile(r"\s*\*?\s*([A-Z][A-Z ]*?)\s*:\s?(.*)")
_MARKER = re.compile(r"\S+\s+[A-Z]+\s+(.*)")


@dataclass(frozen=True, slots=True)
class Edit:
    """A line of times and what stands below it; `where` names the line."""

    where: str
    reel: str
    times: tuple[str, str, str, str]
    below: tuple[str, ...]

    def remark(self, name: str) -> str:
        """What a remark says; "" where there is none."""
        found = (_REMARK.fullmatch(line) for line in self.below)
        return next((said[2].strip() for said in found if said and said[1] == name), "")


def read_edl(path: PathLike, choices: Choices) -> dict[str, Truth]:
    """The edits of a list, under the file's name.

    Raises:
        FormatError: the file cannot be read, is no list of edits, or an edit is odd: its line is named.
    """
    head, edits = edits_of(path)
    video = video_name(path)
    if not edits:
        return {video: Truth.of(Events())}
    footage = footage_to_read(choices, video, path, "an EDL", _told(head, edits[0]))
    footage = footage.labelled(says_drop(head))
    return {video: Truth.of(Events.of(_event(edit, footage) for edit in edits))}


def write_edl(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video; an event of no length becomes one of one frame.

    Raises:
        FormatError: there are several videos, nothing tells the frame rate, an event starts before the first picture,
            a second has 100 frames or more, or a label has an end of line.
        OutputError: the file cannot be written.
    """
    truth = only_video(videos, path, "EDL")
    footage = footage_to_write(truth, path, "an EDL")
    require_two_digits(footage, path)
    code = footage.timecode
    video = next(iter(videos))
    clip = one_line(address_path(truth.media).name if truth.media else video, path, "an EDL", "")
    out = [*head_of(video, footage), ""]
    tracks = "AA/V" if footage.sound else "V   "
    record = code.frame("01:00:00:00", str(path))
    for number, event in enumerate(truth.events, 1):
        start, end = footage.frames(event, path, "an EDL")
        label = one_line(event.label, path, "an EDL", "").strip()
        times = (footage.start + start, footage.start + end, record, record + end - start)
        out += [
            f"{number:03}  AX       {tracks}  C        {' '.join(map(code.text, times))}",
            f"* FROM CLIP NAME: {clip}",
            f"* LOC: {code.text(record).replace(';', ':')} RED     {label}",
            f"* SCORE: {event.score!r}",
        ]
        if truth.began is not None:
            out.append(f"* CLOCK: {clock_at(truth, event.start_s)}")
        if number == 1:
            out += [f"* RATE: {code.rate}", f"* START: {code.text(footage.start)}"]
        record = times[3]
    replace_file(path, encoded("\n".join(out) + "\n"))


def head_of(video: str, footage: Footage) -> list[str]:
    """The first two lines of a list."""
    title = " ".join(PurePosixPath(video).name.split()) or "avloc"
    return [f"TITLE: {title}", f"FCM: {'DROP' if footage.timecode.drop else 'NON-DROP'} FRAME"]


def require_two_digits(footage: Footage, path: PathLike) -> None:
    """Refuse rates whose frames take three digits.

    Raises:
        FormatError: it is one.
    """
    if footage.timecode.base > MOST_BASE:
        raise FormatError(
            f"{path}: an EDL counts frames with two digits, and a second has {footage.timecode.base}; "
            f"name a rate of at most {MOST_BASE} with --fps, such as half of it"
        )


def edits_of(path: PathLike) -> tuple[list[str], list[Edit]]:
    """The lines before the first edit, and the edits.

    Raises:
        FormatError: the file cannot be read, or has neither an edit nor a title.
    """
    head: list[str] = []
    edits: list[Edit] = []
    for number, line in lines(read_text(path, "an EDL")):
        found = _EDIT.fullmatch(line)
        if found:
            edits.append(Edit(f"{path}, line {number}", found[1], (found[2], found[3], found[4], found[5]), ()))
        elif edits:
            edits[-1] = replace(edits[-1], below=(*edits[-1].below, line))
        else:
            head.append(line)
    if not edits and not any(line.startswith("TITLE:") for line in head):
        raise FormatError(f"{path}: has no line such as 001 AX V C and four timecodes; name an EDL")
    return head, edits


def says_drop(head: list[str]) -> bool | None:
    """Whether the labels of a list are drop-frame; None where it does not say."""
    said = next((line.split(":", 1)[1].strip() for line in head if line.startswith("FCM:")), "")
    return {"DROP FRAME": True, "NON-DROP FRAME": False}.get(said)


def _told(head: list[str], first: Edit) -> Footage | None:
    """What our own remarks on the first edit say."""
    rate = first.remark("RATE")
    if not rate:
        return None
    exact = fraction_of(rate)
    if exact is None or exact <= 0:
        raise FormatError(f"{first.where}: RATE is {rate!r}; frames a second such as 30000/1001 are needed")
    code = Timecode(exact, says_drop(head) or False)
    start = first.remark("START")
    return Footage(code, code.frame(start, f"{first.where}: START") if start else None)


def _event(edit: Edit, footage: Footage) -> Event:
    start, end = (footage.timecode.frame(text, edit.where) for text in edit.times[:2])
    marker = _MARKER.fullmatch(edit.remark("LOC"))
    clip = edit.remark("FROM CLIP NAME")
    label = (marker[1].strip() if marker else "") or clip or edit.reel
    said = edit.remark("SCORE")
    score = as_seconds(said, f"{edit.where}, SCORE", "a number") if said else 1.0
    return footage.event(start, end, label, edit.where, score)
