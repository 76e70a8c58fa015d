"""manifest.json of a media folder, read strictly: which file shows or sounds like which class, for which split."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import MediaError

NAME = "manifest.json"
KINDS = ("picture", "sound", "background", "ambient")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a media folder. `group` names the origin that sounds share, "" for none."""

    file: str
    path: Path
    kind: str
    label: str
    split: str
    group: str
    start_s: float
    end_s: float | None
    gain_db: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a media folder holds; `alike` lists classes that are hard to tell apart."""

    entries: tuple[Entry, ...]
    alike: tuple[frozenset[str], ...]

    def of_split(self, split: str) -> tuple[Entry, ...]:
        """The entries of a split, and those that name none."""
        return tuple(entry for entry in self.entries if entry.split in ("", split))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a media folder.

    Raises:
        MediaError: there is none, it is not of the form in docs/composing.md, or a file is missing or lies outside.
    """
    path = folder / NAME
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise MediaError(f"{path} does not exist; a media folder needs a {NAME} (docs/composing.md)") from None
    except (OSError, ValueError, RecursionError) as error:
        raise MediaError(f"{path} cannot be read as JSON ({str(error).splitlines()[0]})") from None
    if not isinstance(manifest, dict):
        raise MediaError(f'{path} holds a {type(manifest).__name__}; an object with "entries" is needed')
    rows = manifest.get("entries")
    if not isinstance(rows, list):
        raise MediaError(f'{path} has no list "entries"; build the media folder again')
    entries = tuple(_entry(folder, number, row) for number, row in enumerate(rows))
    return Manifest(entries, _alike(manifest.get("alike", []), path))


def _entry(folder: Path, number: int, row: object) -> Entry:
    where = f"{folder / NAME}: entry {number}"
    if not isinstance(row, dict):
        raise MediaError(f"{where} is a {type(row).__name__}; an object with file, kind and label is needed")
    file, kind, label = (row.get(k) for k in ("file", "kind", "label"))
    if kind not in KINDS:
        raise MediaError(f"{where} has kind {kind!r}; use one of {', '.join(KINDS)}")
    if not isinstance(file, str) or not file or "\0" in file:
        raise MediaError(f"{where} has file {file!r}; a path inside the folder is needed")
    if kind in ("picture", "sound") and not (isinstance(label, str) and label):
        raise MediaError(f"{where} ({file}) has label {label!r}; pictures and sounds need the name of a class")
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise MediaError(f"{where} points outside the folder ({file}); only files within it may be used")
    if not path.is_file():
        raise MediaError(f"{where}: {file} does not exist; build the media folder again")
    start_s, end_s, gain_db = (_number(where, k, row.get(k)) for k in ("start_s", "end_s", "gain_db"))
    if end_s is not None and end_s <= (start_s or 0.0):
        raise MediaError(f"{where} ({file}) ends at {end_s:g} s, not after its start; give end_s > start_s")
    name = label if isinstance(label, str) else str(kind)
    split, group = (_text(where, k, row.get(k)) for k in ("split", "group"))
    return Entry(file, path, str(kind), name, split, group, start_s or 0.0, end_s, gain_db or 0.0)


def _text(where: str, key: str, value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise MediaError(f"{where} has {key} {value!r}; a text is needed, or none")


def _number(where: str, key: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MediaError(f"{where} has {key} {value!r}; a finite number is needed")
    return float(value)


def _alike(groups: object, path: Path) -> tuple[frozenset[str], ...]:
    if not isinstance(groups, list) or not all(
        isinstance(g, list) and all(isinstance(x, str) for x in g) for g in groups
    ):
        raise MediaError(f'{path}: "alike" must be a list of lists of labels')
    return tuple(frozenset(g) for g in groups)
