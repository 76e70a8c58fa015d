"""Errors that instruct: what was given, what was expected, what to do. Each is one line for a person."""

import unicodedata

_ASTRAY = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they turn lines around


def one_line(text: str) -> str:
    """Text as a terminal may show it: control characters, line ends and bytes that are no text become escapes."""
    if text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if _astray(c) else c for c in text)


def _astray(character: str) -> bool:
    return character in _ASTRAY or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def without_path(reason: str, path: object) -> str:
    """What an error says of a file, without the path that it begins with."""
    return reason.removeprefix(one_line(str(path))).removeprefix(":").strip()


class AvlocError(Exception):
    """Base of every error that avloc raises on purpose; its text is one line, whatever names stand in it.

    Attributes:
        program: Lines of a program that helps, to be shown below the text.
    """

    program: tuple[str, ...] = ()

    def __str__(self) -> str:
        return one_line(super().__str__())


class MediaError(AvlocError):
    """A media file cannot be read, or lacks what the work needs."""


class NothingToDoError(MediaError):
    """A file is whole, and there is nothing in it to work on, as in a video without sound."""


class FeatureError(AvlocError):
    """Features are missing, odd, or do not fit the model."""


class FormatError(AvlocError):
    """An annotation or event file cannot be read or written."""


class ModelError(AvlocError):
    """A model folder is missing, broken, or does not fit the work."""


class TrainingError(AvlocError):
    """Training cannot go on with these settings or data."""


class OutputError(AvlocError):
    """A result cannot be written."""


class ConfigError(AvlocError):
    """A setting is unknown or out of its range."""
