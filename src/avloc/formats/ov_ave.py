"""OV-AVEBench's annotations: whether the event of a clip is on in each of its seconds > truth by clip.

    ovavel_dataset_anno.json    {clip: {"category": "playing piano", "label": "[1, 1, 0, ...]"}}
    ovave_dataset_meta.csv      split, category, cls_type, vid_name: train, val, test; close, open

A clip has one class. OV-AVEBench: Zhou et al. 2025, "Towards Open-Vocabulary Audio-Visual Event Localization".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.strict_json import as_list, as_object, as_text, field, load_json
from avloc.formats.text import PathLike, rows
from avloc.formats.truth import Truth

ANNOTATIONS = ("ovavel_dataset_anno.json", "released_ovavel_dataset_anno.json")
META = "ovave_dataset_meta.csv"
_HEAD = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"(category|label)"\s*:')
_HEAD_BYTES = 4096


def is_ov_ave(path: Path) -> bool:
    """Whether this is such a JSON file, by how it begins, or a folder that holds it by its name."""
    if path.is_dir():
        return _inside(path) is not None
    try:
        with path.open("rb") as file:
            return _HEAD.match(file.read(_HEAD_BYTES)) is not None
    except OSError:
        return False


def read_ov_ave(path: PathLike) -> dict[str, Truth]:
    """Clips of the JSON file, and the subsets that the table beside it tells; without the table all are of "train".

    Raises:
        FormatError: a file cannot be read, an entry or a line is odd, or the table lacks a clip.
    """
    root = Path(path)
    file = (_inside(root) or root / ANNOTATIONS[0]) if root.is_dir() else root
    meta = file.parent / META
    subsets = dict(_subsets(meta)) if meta.is_file() else None
    clips = {}
    for clip, entry in as_object(load_json(file), str(file), "an object with one entry per clip").items():
        where = f"{file}: clip {clip!r}"
        if subsets is not None and clip not in subsets:
            raise FormatError(f"{where}: {meta.name} does not name it; take both files of one release")
        clips[clip] = _truth(entry, where, "train" if subsets is None else subsets[clip])
    return clips


def _inside(folder: Path) -> Path | None:
    return next((folder / name for name in ANNOTATIONS if (folder / name).is_file()), None)


def _truth(entry: object, where: str, subset: str) -> Truth:
    fields = as_object(entry, where, 'an object with "category" and "label"')
    label = as_text(field(fields, "category", where), f'{where}, "category"')
    on = _seconds(field(fields, "label", where), f'{where}, "label"')
    return Truth(float(len(on)), subset, Events.of(Event(a, b, label) for a, b in _runs(on)))


def _seconds(value: object, where: str) -> list[bool]:
    """A list of 0 and 1, or the text of one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise FormatError(f"{where} is {str(value)[:40]!r}; a list of 0 and 1, one a second, is needed") from None
    seconds = as_list(value, where)
    if not seconds or any(isinstance(on, bool) or on not in (0, 1) for on in seconds):
        raise FormatError(f"{where} is {str(seconds)[:40]}; a list of 0 and 1, one a second, is needed")
    return [on == 1 for on in seconds]


def _runs(on: list[bool]) -> Iterator[tuple[float, float]]:
    start = None
    for second, here in enumerate([*on, False]):
        if here and start is None:
            start = second
        elif not here and start is not None:
            yield float(start), float(second)
            start = None


def _subsets(path: Path) -> Iterator[tuple[str, str]]:
    table = rows(path, ",", "the table of clips")
    _, head = next(table, (0, []))
    titles = [title.strip() for title in head]
    if "split" not in titles or len(titles) < 2:
        raise FormatError(f"{path}, line 1: the column split is needed, and the clip's name in the last one")
    for number, row in table:
        if len(row) != len(head):
            raise FormatError(f"{path}, line {number}: has {len(row)} fields, and the first line {len(head)}")
        yield row[-1].strip(), row[titles.index("split")].strip()
