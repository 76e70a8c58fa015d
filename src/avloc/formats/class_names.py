"""The classes of an annotation file in ActivityNet's form, and the numbers that networks give them.

Names stand with every event, as "label"; numbers beside them, as "label_id", or as places in a list "labels" at the
top level. Programs of the field write numbers alone into their results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avloc.errors import FormatError
from avloc.formats.activitynet import _videos_of, _where
from avloc.formats.modality import KEY, labelled_by
from avloc.formats.strict_json import as_list, as_number, as_object, as_text, field, load_json
from avloc.formats.text import PathLike


def read_labels(path: PathLike) -> tuple[str, ...]:
    """The classes of an annotation file, in the order that a network numbers them.

    That is the list "labels" at the top level where there is one, else the order of "label_id" where every event has
    one, else the alphabet.

    Raises:
        FormatError: the file is not in the form above, a class has two ids, or an id two classes.
    """
    top = as_object(load_json(path), str(path), "an object")
    if "labels" in top:
        return _listed(top, path)
    ids = _ids(top, path)
    numbers = {number for number in ids.values() if _is_whole(number)}
    if None in ids.values():
        return tuple(sorted(ids))
    if len(numbers) < len(ids):
        raise FormatError(f'{path}: "label_id" is no whole number, or two classes share one; give each class its own')
    return tuple(sorted(ids, key=lambda label: as_number(ids[label], str(path))))


def read_label_ids(path: PathLike) -> dict[int, str]:
    """The class of each "label_id" of an annotation file; where no event has one, that of each place in "labels".

    Empty where the file has neither.

    Raises:
        FormatError: the file is not in the form above, a class has two ids, or an id two classes.
    """
    top = as_object(load_json(path), str(path), "an object")
    labels: dict[int, str] = {}
    for label, number in _ids(top, path).items():
        if _is_whole(number) and labels.setdefault(int(str(number)), label) != label:
            raise FormatError(
                f'{path}: the classes {labels[int(str(number))]!r} and {label!r} share "label_id" {number}'
            )
    return labels or dict(enumerate(_listed(top, path) if "labels" in top else ()))


def _listed(top: Mapping[str, Any], path: PathLike) -> tuple[str, ...]:
    listed = [as_text(name, f'{path}: "labels"') for name in as_list(top["labels"], f'{path}: "labels"')]
    if len(set(listed)) < len(listed):
        raise FormatError(f'{path}: "labels" names a class twice; give each class once')
    return tuple(listed)


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def _ids(top: object, path: PathLike) -> dict[str, object]:
    """The "label_id" of each class, None where it has none."""
    ids: dict[str, object] = {}
    for video, entry in _videos_of(top, path, "database").items():
        where = _where(path, video)
        rows = as_list(field(as_object(entry, where, "an object"), "annotations", where), where)
        for i, row in enumerate(rows):
            at = f"{where}, entry {i}"
            fields = as_object(row, at, 'an object with "segment" and "label"')
            label, number = as_text(field(fields, "label", at), at), fields.get("label_id")
            label = label if fields.get(KEY) is None else labelled_by(label, fields[KEY], f'{at}, "{KEY}"')
            if ids.setdefault(label, number) != number:
                raise FormatError(f"{at}: class {label!r} has the label_id {number!r} and, before, {ids[label]!r}")
    return ids
