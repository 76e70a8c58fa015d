"""The video of an EAF document: which of its linked files it is, where it lies, and how it is linked.

    HEADER > MEDIA_DESCRIPTOR MEDIA_URL="file:///D:/v/a.mp4" RELATIVE_MEDIA_URL="./a.mp4" MIME_TYPE="video/mp4"
                              TIME_ORIGIN="5000" EXTRACTED_FROM=...

A video and the sound taken from it are the usual pair: the video is meant. Of several videos ELAN's first is the
master, whose time the document has; one that is called like the document goes before it. The origin is the time of
the media file, in milliseconds, at which the document begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, SubElement

from avloc.formats.media_names import VIDEO_ENDINGS, address_path, from_file, is_local, name_of, seen_from
from avloc.formats.text import PathLike, as_seconds, video_name

_MIMES = {
    **dict.fromkeys((".mp4", ".m4v"), "video/mp4"),
    **dict.fromkeys((".mpg", ".mpeg", ".vob"), "video/mpeg"),
    ".mov": "video/quicktime",
    ".wav": "audio/x-wav",
}
_HTTP = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]+://", re.IGNORECASE)
_CONTROLS = dict.fromkeys([*range(0x20), 0x7F, 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])
for _allowed in (0x09, 0x0A, 0x7F):
    del _CONTROLS[_allowed]


@dataclass(frozen=True, slots=True)
class Media:
    """The video: its name, the time in it at which the document begins, and where it lies."""

    name: str
    origin_s: float
    place: str


def media_of(root: Element, path: PathLike) -> Media:
    """The video of a document; without a linked file it is called like the document.

    Raises:
        FormatError: an origin is no number.
    """
    linked = [d for d in root.iterfind("HEADER/MEDIA_DESCRIPTOR") if _address(d)]
    header = root.find("HEADER")
    old = header.get("MEDIA_FILE", "") if header is not None else ""
    if not linked:
        return Media(name_of(address_path(old)) if old else video_name(path), 0.0, _place(old, path))
    videos = [d for d in linked if _is_video(d)] or linked
    mine = [d for d in videos if name_of(address_path(_address(d))) == video_name(path)]
    chosen = (mine or videos)[0]
    address = _address(chosen)
    if not _is_video(chosen) and chosen.get("EXTRACTED_FROM"):
        address = chosen.get("EXTRACTED_FROM", "")
    origin_s = as_seconds(chosen.get("TIME_ORIGIN") or "0", f"{path}, TIME_ORIGIN", "a number of milliseconds") / 1000
    name = name_of(address_path(address)) or video_name(path)
    return Media(name, origin_s, _found(chosen.get("RELATIVE_MEDIA_URL", ""), address, path))


def link_media(header: Element, media: str, path: PathLike) -> None:
    """Name the video in a header, as ELAN does: an absolute address, and a place as seen from the document.

    media: a path that leads to the video from here, or an address. One that XML cannot hold is left out.
    """
    if not media or not is_xml_text(media):
        return
    mime = _MIMES.get(PurePosixPath(media).suffix.lower(), "video/*")
    if is_local(media):
        whole = (Path(media).parent.resolve() / Path(media).name).as_posix()
        seen = seen_from(media, path)
        relative = {"RELATIVE_MEDIA_URL": seen if seen.startswith("../") else f"./{seen}"}
    else:
        whole, relative = media, {}
    # ELAN escapes nothing in its addresses.
    address = whole if "://" in whole else "file:///" + whole.lstrip("/")
    SubElement(header, "MEDIA_DESCRIPTOR", {"MEDIA_URL": address, "MIME_TYPE": mime, **relative})


def is_xml_text(text: str) -> bool:
    """Whether XML can hold every character."""
    return text.translate(_CONTROLS) == text


def _address(descriptor: Element) -> str:
    return descriptor.get("MEDIA_URL", "") or descriptor.get("RELATIVE_MEDIA_URL", "")


def _is_video(descriptor: Element) -> bool:
    ending = PurePosixPath(address_path(_address(descriptor)).name).suffix.lower()
    return ending in VIDEO_ENDINGS or descriptor.get("MIME_TYPE", "").startswith("video")


def _found(relative: str, address: str, path: PathLike) -> str:
    """The relative place where a file is there, or where no other is told; else the absolute one."""
    beside = _place(relative, path)
    return beside if beside and (Path(beside).is_file() or not address) else _place(address, path)


def _place(address: str, path: PathLike) -> str:
    if not address or _HTTP.match(address):
        return address
    inside = str(address_path(address))
    if inside.startswith("/") and inside[2:3] == ":":
        inside = inside.lstrip("/")  # file:///D:/v/a.mp4
    if inside.startswith("//"):
        inside = "/" + inside.lstrip("/")
    return from_file(inside, path)
