"""The forms in which data sets were published that no other program writes: which one a file or folder has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from avloc.formats.ave import is_ave, read_ave
from avloc.formats.epic_sounds import is_epic_sounds, read_epic_sounds
from avloc.formats.llp import is_llp, read_llp
from avloc.formats.ov_ave import is_ov_ave, read_ov_ave
from avloc.formats.text import PathLike
from avloc.formats.truth import Truth

Videos = dict[str, Truth]


@dataclass(frozen=True, slots=True)
class Published:
    """Videos, and the classes in the order of their numbers: the release's own, or that of the alphabet."""

    videos: Videos
    labels: tuple[str, ...]


def _alphabetical(read: Callable[[PathLike], Videos]) -> Callable[[PathLike], Published]:
    def of(path: PathLike) -> Published:
        videos = read(path)
        return Published(videos, tuple(sorted({label for truth in videos.values() for label in truth.events.labels})))

    return of


@dataclass(frozen=True, slots=True)
class _Form:
    endings: tuple[str, ...]
    holds: Callable[[Path], bool]
    read: Callable[[PathLike], Published]


_FORMS: Mapping[str, _Form] = {
    "ave": _Form((".txt",), is_ave, _alphabetical(read_ave)),
    "llp": _Form((".csv",), is_llp, _alphabetical(read_llp)),
    "epic-sounds": _Form((".csv",), is_epic_sounds, lambda path: Published(*read_epic_sounds(path))),
    "ov-ave": _Form((".json",), is_ov_ave, _alphabetical(read_ov_ave)),
}


def published_form(path: PathLike) -> str | None:
    """ "ave", "llp", "epic-sounds" or "ov-ave"; None where the file or folder is of no such form.

    Raises:
        FormatError: a file that may be one cannot be read.
    """
    place = Path(path)
    if not place.exists():
        return None
    try:
        for name, form in _FORMS.items():
            if (place.is_dir() or place.suffix.lower() in form.endings) and form.holds(place):
                return name
    except OSError:  # a folder that may not be looked into
        pass
    return None


def read_published(path: PathLike) -> Published | None:
    """All that it holds; None where it is of no such form.

    Raises:
        FormatError: it cannot be read, or something in it is odd.
    """
    form = published_form(path)
    return None if form is None else _FORMS[form].read(path)
