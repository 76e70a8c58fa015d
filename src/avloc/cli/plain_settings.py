"""Settings in the plainest YAML, or in JSON, for those who have no PyYAML: what is not surely understood is refused.

model: default            a text, a number, true, false, or nothing
label: [dog barking, cat] or below it, a line each: "  - dog barking"
# and comments
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from avloc.errors import AvlocError, ConfigError
from avloc.formats.text import lines, read_text

_KEY = re.compile(r"([A-Za-z_][\w-]*):(?: +(.*))?")
_ITEM = re.compile(r" *- +(.*)")
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FRACTION = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_TEXT = re.compile(r"[^\W\d_][^:#\[\]{},&*!|>'\"%@`\\\n]*|\.{0,2}/[^:#\[\]{},&*!|>'\"%@`\\\n]*|[0-9:.]*:[0-9.]+")
_QUOTED = re.compile(r'"([^"\\]*)"|\'([^\']*)\'')
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_ODD_WORDS = frozenset({"yes", "no", "on", "off", "y", "n"})  # texts to some readers, true and false to others

Value = str | int | float | bool | None


def plain_settings(path: Path) -> object:
    """The settings of a file.

    Raises:
        ConfigError: the file cannot be read.
        AvlocError: it holds more than the plain kind; PyYAML is named.
    """
    try:
        text = read_text(path, "settings in YAML or JSON")
    except AvlocError as error:
        raise ConfigError(str(error)) from None
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path}: cannot be read as settings ({error}); YAML or JSON is needed") from None
    found: dict[str, Value | list[Value]] = {}
    listed: list[Value] | None = None  # the list that the lines at hand add to
    for number, line in lines(text):
        bare = _uncommented(line)
        if not bare.strip():
            continue
        if (item := _ITEM.fullmatch(bare)) and listed is not None:
            listed.append(_value(item[1], path, number))
        elif key := _KEY.fullmatch(bare):
            name, said = key[1], (key[2] or "").strip()
            if name in found:
                raise ConfigError(f"{path}, line {number}: {name!r} is there twice; give it once")
            listed = None if said else []
            found[name] = listed if listed is not None else _values(said, path, number)
        else:
            raise _not_plain(path, number)
    return {name: None if value == [] else value for name, value in found.items()}


def _values(said: str, path: Path, number: int) -> Value | list[Value]:
    if said.startswith("[") and said.endswith("]"):
        inner = said[1:-1].strip()
        return [_value(one.strip(), path, number) for one in inner.split(",")] if inner else []
    return _value(said, path, number)


def _value(said: str, path: Path, number: int) -> Value:
    said = said.strip()
    if quoted := _QUOTED.fullmatch(said):
        return quoted[1] if quoted[1] is not None else quoted[2]
    if said.lower() in _WORDS and said in (said.lower(), said.capitalize(), said.upper()):
        return _WORDS[said.lower()]
    if _NUMBER.fullmatch(said):
        return int(said)
    if _FRACTION.fullmatch(said):
        return float(said)
    if _TEXT.fullmatch(said) and said.lower() not in _ODD_WORDS:
        return said
    raise _not_plain(path, number)


def _uncommented(line: str) -> str:
    """The line without a comment; a sign for one inside quotes is text."""
    quote = ""
    for at, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "#" and (at == 0 or line[at - 1] == " "):
            return line[:at].rstrip()
    return line.rstrip()


def _not_plain(path: Path, number: int) -> AvlocError:
    return AvlocError(
        f"{path}, line {number}: is more than 'name: value' or '- value'; put texts between quotes, or "
        "pip install pyyaml, which reads all of YAML"
    )
