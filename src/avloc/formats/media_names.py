"""Addresses and paths of media files, as programs write them > names of videos, no two alike.

A name has neither folders nor ending; two files of one name are told apart by their folders, else by their endings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

_VIDEO = "3gp asf avi divx dv f4v flv m2ts m4v mkv mov mp4 mpe mpeg mpg mts mxf ogm ogv qt rm rmvb ts vob webm wmv"
_SOUND = "aac aif aiff flac m4a mp3 oga ogg opus wav wma"
VIDEO_ENDINGS = frozenset("." + ending for ending in _VIDEO.split())
SOUND_ENDINGS = frozenset("." + ending for ending in _SOUND.split())

PROXY_ENDING = ".proxy.mp4"
"""What names of copies end in that pages play; they are no videos of their own."""

_ENDING = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{1,3}$")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_URL = re.compile(r"file:|[A-Za-z][A-Za-z0-9+.-]+://", re.IGNORECASE)
_LOCAL_FILE = re.compile(r"[?&]d=([^&]*)")  # Label Studio: /data/local-files/?d=folder/file.mp4
_SOURCE = re.compile(r"""<(?:video|audio|source)\b[^>]*?\bsrc\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)


def without_ending(name: str) -> str:
    """The name of a media file without its ending: a letter and one to three letters or digits."""
    return _ENDING.sub("", name)


def without_media_ending(name: str) -> str:
    """The name without its ending where that is one of a video or a sound: a.mp4 > a, but v1.2b > v1.2b."""
    ending = PurePosixPath(name).suffix
    return name.removesuffix(ending) if ending.lower() in VIDEO_ENDINGS | SOUND_ENDINGS else name


def path_of(text: str) -> PurePosixPath:
    """A path as a program on any system writes it, with forward strokes."""
    return PurePosixPath(text.strip().replace("\\", "/"))


def address_path(address: str) -> PurePosixPath:
    """The path inside an address: a URL of any kind, a path of any system, or HTML with a source."""
    found = _SOURCE.search(address)
    text = found[1] if found else address.strip()
    if _WINDOWS.match(text) or not ("/" in text or "\\" in text):
        return path_of(text)  # a plain name, or a path of Windows: nothing in it is escaped
    if text.lower().startswith("file:"):
        return path_of(unquote(text[5:]))  # ELAN leaves "#" and "?" in names as they are
    if local := _LOCAL_FILE.search(text):
        return path_of(unquote(local[1]))
    try:
        inside = urlsplit(text).path if _URL.match(text) else re.split(r"[?#]", text, maxsplit=1)[0]
    except ValueError:  # odd brackets in what looked like a host
        inside = text
    return path_of(unquote(inside) or text)


def media_name(address: str) -> str:
    """The name of a video by its address, without folders and ending; a plain name is taken as it is."""
    return name_of(address_path(address)) or address


def name_of(path: PurePosixPath) -> str:
    """The name of a file without folders and ending."""
    return without_ending(path.name) or path.name


def names_of(paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, str]:
    """A name for each different path."""
    names: dict[PurePosixPath, str] = {}
    groups: dict[str, list[PurePosixPath]] = {}
    for path in dict.fromkeys(paths):
        groups.setdefault(name_of(path), []).append(path)
    for name, group in groups.items():
        names |= {group[0]: name} if len(group) == 1 else _told_apart(group)
    return names


def _told_apart(group: list[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Names by what is below the folder that all share."""
    shared = 0
    for parts in zip(*(path.parts[:-1] for path in group), strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    below = {path: PurePosixPath(*path.parts[shared:]) for path in group}
    plain = {path: (place.parent / name_of(place)).as_posix().lstrip("/") for path, place in below.items()}
    if len(set(plain.values())) == len(group):
        return plain
    return {path: place.as_posix().lstrip("/") for path, place in below.items()}


def is_local(media: str) -> bool:
    """Whether it is a path of this system, rather than an address or a path of another one."""
    return not _URL.match(media) and (os.name == "nt" or not _WINDOWS.match(media))


def from_file(written: str, file: str | os.PathLike[str]) -> str:
    """Where a path that a file holds leads to: relative ones begin at its folder. URLs stay as they are."""
    if not written or "\0" in written or _URL.match(written) or _WINDOWS.match(written):
        return written
    return os.path.normpath(Path(file).parent / path_of(written))


def seen_from(media: str, file: str | os.PathLike[str]) -> str:
    """The reverse of `from_file`: the path as seen from the file's folder, in POSIX form."""
    if not media or not is_local(media):
        return media
    path = Path(media)
    try:
        return Path(os.path.relpath(path.parent.resolve() / path.name, Path(file).parent.resolve())).as_posix()
    except ValueError:  # another drive, or a zero byte
        return path.as_posix()
