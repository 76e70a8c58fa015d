"""Detections under the names that the truth gives their videos."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath

from avloc.cli.inputs import MEDIA
from avloc.events import Events
from avloc.formats.media_names import SOUND_ENDINGS
from avloc.formats.truth import Truth

_PREFIX = "v_"  # what ActivityNet's own names begin with; some programs put it before every name


def named_as(detections: dict[str, Events], known: Mapping[str, Truth]) -> dict[str, Events]:
    """Detections under the names of the truth, where these differ by a media file's ending, the prefix or folders."""
    renamed: dict[str, str] = {}
    for plain in (_plain, _without_folders):
        strange = _by(plain, (video for video in detections if video not in known and video not in renamed))
        taken = {*detections, *renamed.values()}
        other = _by(plain, (video for video in known if video not in taken))
        renamed |= {video: other[name] for name, video in strange.items() if name in other}
    return {renamed.get(video, video): events for video, events in detections.items()}


def _by(plain: Callable[[str], str], videos: Iterable[str]) -> dict[str, str]:
    """Names by what `plain` leaves of them, where no two are left the same."""
    names = {video: plain(video) for video in videos}
    count = Counter(names.values())
    return {name: video for video, name in names.items() if count[name] == 1}


def _plain(video: str) -> str:
    folder, stroke, name = unicodedata.normalize("NFC", video).replace("\\", "/").rpartition("/")
    ending = PurePosixPath(name).suffix
    if ending.lower() in MEDIA | SOUND_ENDINGS:
        name = name.removesuffix(ending)
    return folder + stroke + name.removeprefix(_PREFIX)


def _without_folders(video: str) -> str:
    return _plain(video).rsplit("/", 1)[-1]
