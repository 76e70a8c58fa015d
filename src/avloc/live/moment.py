"""When a recording began, by the clock on the wall: by its metadata, by its name, or by the date of its file."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import AvlocError, MediaError
from avloc.media.recording import recording

_DIGITS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "j": 3}
_OTHERS = {
    "f": r"\d{1,6}",
    "z": r"Z|[+-]\d\d:?\d\d(?::?\d\d)?",
    "I": r"\d\d",
    "p": r"[AaPp][Mm]",
    "b": r"[A-Za-z]{3}",
}
_DATED = ("%Y", "%y")


@dataclass(frozen=True, slots=True)
class TimeFrom:
    """Where the time of a recording is taken from: "metadata", "file" or "name" with a pattern as strptime has it."""

    source: str = "metadata"
    pattern: str = ""

    @classmethod
    def of(cls, text: str) -> TimeFrom:
        """As --time-from says it.

        Raises:
            AvlocError: it says nothing of the kind.
        """
        source, _, pattern = text.partition(":")
        if text in ("metadata", "file"):
            return cls(text)
        if source != "name" or not pattern:
            raise AvlocError(
                f"--time-from is {text!r}; metadata, file or name:PATTERN is needed, as name:%Y%m%d-%H%M%S"
            )
        _expression(pattern)
        return cls(source, pattern)

    def began(self, path: Path, duration_s: float) -> datetime.datetime | None:
        """When the recording at a path began, with a time zone; None where that is not said."""
        match self.source:
            case "file":
                return _by_date(path, duration_s)
            case "name":
                return _by_name(path.name, self.pattern)
            case _:
                return _by_metadata(path)


def _by_metadata(path: Path) -> datetime.datetime | None:
    try:
        began = recording(path).began
    except MediaError:
        return None
    return None if began is None else _zoned(began, datetime.UTC)


def _by_date(path: Path, duration_s: float) -> datetime.datetime | None:
    """A file's date is that of its end."""
    try:
        ended_s = path.stat().st_mtime
        return datetime.datetime.fromtimestamp(ended_s - duration_s, datetime.UTC).astimezone()
    except (OSError, OverflowError, ValueError):
        return None


def _by_name(name: str, pattern: str) -> datetime.datetime | None:
    """The last place of the name that the pattern fits; without %z in the time zone of this machine."""
    for found in reversed(list(re.finditer(_expression(pattern), name))):
        try:
            return _zoned(datetime.datetime.strptime(found[1], pattern), None)
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _zoned(moment: datetime.datetime, zone: datetime.tzinfo | None) -> datetime.datetime:
    if moment.tzinfo is not None:
        return moment
    return moment.astimezone() if zone is None else moment.replace(tzinfo=zone)


def _expression(pattern: str) -> re.Pattern[str]:
    """Of what strptime reads; looked for at every place, and never beginning amid digits.

    Raises:
        AvlocError: it has a directive that a name can hardly have, or no year.
    """
    parts = re.findall(r"%.|[^%]+|%$", pattern, re.DOTALL)
    if not any(year in parts for year in _DATED):
        raise AvlocError(f"--time-from name:{pattern} has no year; a pattern such as %Y%m%d-%H%M%S is needed")
    read = ""
    for part in parts:
        if not part.startswith("%"):
            read += re.escape(part)
        elif part[1:] in _DIGITS:
            read += rf"\d{{{_DIGITS[part[1:]]}}}"
        elif part[1:] in _OTHERS:
            read += f"(?:{_OTHERS[part[1:]]})"
        else:
            known = " ".join(f"%{letter}" for letter in sorted({*_DIGITS, *_OTHERS}))
            raise AvlocError(f"--time-from name:{pattern} has {part}; what is known is {known}")
    return re.compile(rf"(?=(?<!\d)({read}))")
