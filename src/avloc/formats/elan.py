"""ELAN annotation files (EAF, XML) <-> events: a tier a class, an annotation an event; milliseconds.

One video a file. A tier holds no two annotations at a time: where events of one class overlap, the later ones go to a
tier "class (2)". The label is the annotation's value; in reading, an annotation without a value is named by its tier.
Of all tiers, or of those that are named, annotations with times are read; those that only refer to others are left
out unless their tier is named, and what nothing gives a time is left out always. Times are those of the video: the
origin of the linked file is added. The form is EAF 3.0 of the Max Planck Institute for Psycholinguistics, The
Language Archive.

A document type declaration is refused, so no entity can expand and nothing is fetched.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.elan_media import is_xml_text, link_media, media_of
from avloc.formats.elan_times import Annotation, annotations_by_tier
from avloc.formats.text import PathLike, labelled, only_video, read_bytes
from avloc.formats.tiers import tiers_of
from avloc.formats.truth import Truth
from avloc.formats.xml_tree import xml_tree

_SCHEMA = {
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
}
_TYPE = "default-lt"


def read_elan(path: PathLike, tiers: Sequence[str] = ()) -> dict[str, Truth]:
    """Annotations by start, under the name of the video that is linked, or else of the EAF file.

    tiers: those to read, of which the file may lack some; none named: all.

    Raises:
        FormatError: the file cannot be read, is no EAF, declares a document type, or an annotation is odd.
    """
    root = _document(path)
    media = media_of(root, path)
    events = [
        event
        for tier, annotations in annotations_by_tier(root, path).items()
        if not tiers or tier in tiers
        for event in _events(tier, annotations, media.origin_s, bool(tiers), path)
    ]
    by_time = Events.of(sorted(events, key=lambda e: (e.start_s, e.end_s)))
    return {media.name: Truth.of(by_time, media=media.place)}


def tier_names(path: PathLike) -> list[str]:
    """The tiers of a file. Raises FormatError as `read_elan`."""
    return [tier.get("TIER_ID", "") for tier in _document(path).iterfind("TIER")]


def write_elan(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video, linked where its place is known; scores are lost, an event of no length becomes one of 1 ms.

    Raises:
        FormatError: there are several videos, an event starts before zero, or a label has a character XML lacks.
        OutputError: the file cannot be written.
    """
    video = only_video(videos, path, "ELAN")
    # A date that stays makes the same events the same file.
    root = Element("ANNOTATION_DOCUMENT", AUTHOR="avloc", DATE=_EPOCH, FORMAT="3.0", VERSION="3.0")
    for name, address in _SCHEMA.items():
        root.set(name, address)
    link_media(SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds"), video.media, path)
    order = SubElement(root, "TIME_ORDER")
    count = 0
    for label in set(video.events.labels):
        if not is_xml_text(label):
            raise FormatError(
                f"{path}: the name {label[:40]!r} has no place in ELAN; take out characters that are no text"
            )
    for tier, members in tiers_of(video.events, path, "ELAN").items():
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


def _events(
    tier: str, annotations: Iterable[Annotation], origin_s: float, chosen: bool, path: PathLike
) -> Iterator[Event]:
    for annotation in annotations:
        if annotation.span is None or not (annotation.own or chosen):
            continue
        start_s, end_s = (round(side_s + origin_s, 6) for side_s in annotation.span)
        label = annotation.value if annotation.value.strip() else tier
        yield labelled(start_s, end_s, label, f"{path}, tier {tier!r}, annotation {annotation.name}")


def _document(path: PathLike) -> Element:
    root = xml_tree(read_bytes(path, "an EAF file"), path, "EAF")
    if root.tag != "ANNOTATION_DOCUMENT":
        raise FormatError(f"{path} is XML, but no EAF: it begins with {root.tag[:40]!r}, not ANNOTATION_DOCUMENT")
    return root
