"""ELAN annotation files (EAF, XML) <-> events: a tier a class, an annotation an event; milliseconds.

One video a file. A tier holds no two annotations at a time: where events of one class overlap, the later ones go to a
tier "class (2)". The label is the annotation's value; in reading, an annotation without a value is named by its tier.
Annotations without times of their own (those of dependent tiers) are left out. The form is EAF 3.0 of the Max Planck
Institute for Psycholinguistics, The Language Archive.

A document type declaration is refused, so no entity can expand and nothing is fetched.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement
from xml.parsers import expat

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.text import PathLike, as_seconds, labelled, milliseconds, only_video, read_bytes, video_name
from avloc.formats.truth import Truth

_SCHEMA = {
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
}
_TYPE = "default-lt"
_CONTROLS = dict.fromkeys([*range(0x20), 0x7F, 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])
for _allowed in (0x09, 0x0A, 0x7F):
    del _CONTROLS[_allowed]


def read_elan(path: PathLike) -> dict[str, Truth]:
    """All annotations with times, by start, under the name of the media file, or else of the EAF file.

    Raises:
        FormatError: the file cannot be read, is no EAF, declares a document type, or an annotation is odd.
    """
    root = _parse(read_bytes(path, "an EAF file"), path)
    if root.tag != "ANNOTATION_DOCUMENT":
        raise FormatError(f"{path} is XML, but no EAF: it begins with {root.tag[:40]!r}, not ANNOTATION_DOCUMENT")
    slots = {
        slot.get("TIME_SLOT_ID"): as_seconds(value, f"{path}, time slot {slot.get('TIME_SLOT_ID')}") / 1000
        for slot in root.iterfind("TIME_ORDER/TIME_SLOT")
        if (value := slot.get("TIME_VALUE")) is not None
    }
    events = [event for tier in root.iterfind("TIER") for event in _events(tier, slots, path)]
    return {_video(root, path): Truth.of(Events.of(sorted(events, key=lambda e: (e.start_s, e.end_s))))}


def write_elan(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video; scores are lost, and an event of no length becomes one of 1 ms.

    Raises:
        FormatError: there are several videos, an event starts before zero, or a label has a character XML lacks.
        OutputError: the file cannot be written.
    """
    events = only_video(videos, path, "ELAN").events
    # A date that stays makes the same events the same file.
    root = Element("ANNOTATION_DOCUMENT", AUTHOR="avloc", DATE=_EPOCH, FORMAT="3.0", VERSION="3.0")
    for name, address in _SCHEMA.items():
        root.set(name, address)
    SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    order = SubElement(root, "TIME_ORDER")
    count = 0
    for tier, members in _tiers(events, path).items():
        element = SubElement(root, "TIER", LINGUISTIC_TYPE_REF=_TYPE, TIER_ID=tier)
        for start, end, label in members:
            count += 1
            ids = [f"ts{2 * count - 1}", f"ts{2 * count}"]
            for slot, value in zip(ids, (start, end), strict=True):
                SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(value))
            place = {"ANNOTATION_ID": f"a{count}", "TIME_SLOT_REF1": ids[0], "TIME_SLOT_REF2": ids[1]}
            annotation = SubElement(SubElement(element, "ANNOTATION"), "ALIGNABLE_ANNOTATION", place)
            SubElement(annotation, "ANNOTATION_VALUE").text = label
    # ELAN expects time slots in order of time.
    order[:] = sorted(order, key=lambda slot: int(slot.get("TIME_VALUE", "0")))
    SubElement(root, "LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID=_TYPE, TIME_ALIGNABLE="true")
    ElementTree.indent(root)
    replace_file(path, ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC).isoformat()


def _tiers(events: Events, path: PathLike) -> dict[str, list[tuple[int, int, str]]]:
    """Name of a tier > start, end, label of its annotations, no two of them at a time."""
    tiers: dict[str, list[tuple[int, int, str]]] = {label: [] for label in sorted(set(events.labels))}
    for event in events.by_time():
        if event.label.translate(_CONTROLS) != event.label:
            raise FormatError(
                f"{path}: the name {event.label[:40]!r} has no place in ELAN; take out characters that are no text"
            )
        start, end = milliseconds(event, path, "ELAN")
        name, number = event.label, 1
        while name in tiers and tiers[name] and (tiers[name][-1][2] != event.label or tiers[name][-1][1] > start):
            number += 1
            name = f"{event.label} ({number})"
        tiers.setdefault(name, []).append((start, end, event.label))
    return tiers


def _parse(content: bytes, path: PathLike) -> Element:
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise FormatError(f"{path}: declares a document type, which no EAF needs; take the line <!DOCTYPE ...> out")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # an encoding that nobody knows
        raise FormatError(f"{path} is not XML ({error})") from None
    return builder.close()


def _events(tier: Element, slots: Mapping[str | None, float], path: PathLike) -> Iterator[Event]:
    name = tier.get("TIER_ID", "")
    for annotation in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION"):
        where = f"{path}, tier {name!r}, annotation {annotation.get('ANNOTATION_ID')}"
        ends = [slots.get(annotation.get(f"TIME_SLOT_REF{i}")) for i in (1, 2)]
        if ends[0] is None or ends[1] is None:
            raise FormatError(f"{where}: has no time at an end; give it one in ELAN")
        value = annotation.findtext("ANNOTATION_VALUE") or name
        yield labelled(ends[0], ends[1], value, where)


def _video(root: Element, path: PathLike) -> str:
    media = root.findall("HEADER/MEDIA_DESCRIPTOR")
    url = media[0].get("MEDIA_URL", "") if len(media) == 1 else ""
    return PurePosixPath(unquote(urlsplit(url).path)).stem or video_name(path)
