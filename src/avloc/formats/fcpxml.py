"""Final Cut Pro XML <-> events: a project of the whole video, each event a keyword over its length and a marker.

    <marker start="38/25s" duration="88/25s" value="dog barking" note="score=0.93"/>

One video a file, in version 1.9. Final Cut Pro shows keywords as ranges and gathers them by class; a marker it shows
at its first frame. Times are whole numbers of frames, as fractions of seconds, in the video's own timecode. In
reading, markers are events, or else the keywords of clips; of a clip's times those of its media are taken.

The document type that these files declare is passed over; one that declares entities is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.elan_media import is_xml_text
from avloc.formats.footage import Footage, footage_to_write
from avloc.formats.media_names import address_path, from_file, is_local
from avloc.formats.text import PathLike, labelled, only_video, read_bytes, scored_note, video_name
from avloc.formats.timecode import fraction_of
from avloc.formats.truth import Choices, Truth, note_of
from avloc.formats.xml_tree import xml_tree

_HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'
_CLIPS = ("asset-clip", "clip", "video", "audio", "sync-clip", "mc-clip", "ref-clip", "gap")


def read_fcpxml(path: PathLike, choices: Choices) -> dict[str, Truth]:
    """The markers of a project or of clips, under the file's name.

    Raises:
        FormatError: the file cannot be read, is no FCPXML, declares an entity, or a time is odd.
    """
    root = _document(path)
    assets = {asset.get("id", ""): asset for asset in root.iter("asset")}
    clips = [clip for kind in _CLIPS for clip in root.iter(kind)]
    for tag in ("marker", "keyword"):
        events = [event for clip in clips for event in _events(clip, tag, assets, path)]
        if events:
            break
    known = choices.footage(video_name(path))
    first_s = known.first_s if known else 0.0
    shifted = [Event(e.start_s + first_s, e.end_s + first_s, e.label, e.score) for e in events]
    places = {rep.get("src", "") for rep in root.iter("media-rep")} | {a.get("src", "") for a in assets.values()}
    places -= {""}
    media = from_file(str(address_path(places.pop())), path) if len(places) == 1 else ""
    return {video_name(path): Truth.of(Events.of(shifted), media=media)}


def write_fcpxml(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video; an event of no length becomes one of one frame.

    Raises:
        FormatError: there are several videos, nothing tells the frame rate, an event starts before the first picture,
            or a label has a character that XML lacks.
        OutputError: the file cannot be written.
    """
    truth = only_video(videos, path, "Final Cut Pro XML")
    footage = footage_to_write(truth, path, "Final Cut Pro XML")
    video = next(iter(videos))
    if not is_xml_text(video):
        raise FormatError(f"{path}: the video's name {video[:40]!r} has no place in XML; rename it")
    rate, drop = footage.timecode.rate, footage.timecode.drop
    start, length = _time(footage.start, rate), _time(footage.count(truth), rate)
    sides = {"width": str(footage.width), "height": str(footage.height)}
    whole = {"start": start, "duration": length, "format": "r1", "name": video}
    sound = {"hasAudio": "1", "audioSources": "1"} if footage.sound else {}
    labels = {"tcFormat": "DF" if drop else "NDF"}
    root = Element("fcpxml", version="1.9")
    resources = SubElement(root, "resources")
    SubElement(resources, "format", {"id": "r1", "frameDuration": _time(1, rate), **sides})
    asset = SubElement(resources, "asset", {"id": "r2", "hasVideo": "1", **whole, **sound})
    SubElement(asset, "media-rep", kind="original-media", src=_address(truth.media, video))
    project = SubElement(SubElement(SubElement(root, "library"), "event", name="avloc"), "project", name=video)
    sequence = SubElement(project, "sequence", {"format": "r1", "duration": length, "tcStart": start, **labels})
    clip = SubElement(SubElement(sequence, "spine"), "asset-clip", {"ref": "r2", "offset": start, **whole, **labels})
    _mark(clip, truth, footage, path)
    ElementTree.indent(root)
    replace_file(path, _HEAD + ElementTree.tostring(root, encoding="UTF-8", xml_declaration=False) + b"\n")


def _mark(clip: Element, truth: Truth, footage: Footage, path: PathLike) -> None:
    for event in truth.events:
        if not is_xml_text(event.label):
            raise FormatError(
                f"{path}: the name {event.label[:40]!r} has no place in XML; take out characters that are no text"
            )
        first, end = footage.frames(event, path, "Final Cut Pro XML")
        rate = footage.timecode.rate
        place = {"start": _time(footage.start + first, rate), "duration": _time(end - first, rate)}
        for tag in ("keyword", "marker"):
            SubElement(clip, tag, {**place, "value": event.label, "note": note_of(truth, event)})


def _time(frames: int, rate: Fraction) -> str:
    """Frames as Final Cut Pro writes time: a whole number of them over the rate's numerator."""
    return f"{frames * rate.denominator}/{rate.numerator}s" if frames else "0s"


def _address(media: str, video: str) -> str:
    if not media:
        return f"./{quote(video)}"
    return f"file://{quote(Path(media).resolve().as_posix())}" if is_local(media) else media


def _events(clip: Element, tag: str, assets: Mapping[str, Element], path: PathLike) -> Iterator[Event]:
    asset = assets.get(clip.get("ref", ""))
    begin = clip if asset is None else asset
    start = _fraction(begin.get("start", "0s"), f"{path}: {begin.tag} {begin.get('name', '')!r}, start")
    for mark in clip.iterfind(tag):
        label = mark.get("value", "")
        where = f"{path}: {tag} {label[:40]!r}"
        first = _fraction(mark.get("start", ""), f"{where}, start") - start
        length = _fraction(mark.get("duration", "0s"), f"{where}, duration")
        yield labelled(float(first), float(first + length), label, where, scored_note(mark.get("note", "")))


def _fraction(text: str, where: str) -> Fraction:
    time = fraction_of(text[:-1]) if text.endswith("s") else None
    if time is not None:
        return time
    raise FormatError(f"{where} is {text[:40]!r}; a time such as 1001/30000s is needed")


def _document(path: PathLike) -> Element:
    root = xml_tree(read_bytes(path, "an FCPXML file"), path, "FCPXML", has_doctype=True)
    if root.tag != "fcpxml":
        raise FormatError(f"{path} is XML, but no FCPXML: it begins with {root.tag[:40]!r}, not fcpxml")
    return root
