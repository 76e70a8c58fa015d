"""The modality that a row of a file names beside the class: as part of the class, for all that works on classes."""

from __future__ import annotations

from dataclasses import replace

from avloc.errors import FormatError
from avloc.events import Event
from avloc.events.modality import modality_named, with_modality

KEY = "modality"


def modality_in(row: object, where: str, event: Event) -> Event:
    """The event of a row in JSON, its class with the field "modality", where the row has that.

    Raises:
        FormatError: it names no modality.
    """
    named = row.get(KEY) if isinstance(row, dict) else None
    return event if named is None else replace(event, label=labelled_by(event.label, named, f'{where}, "{KEY}"'))


def labelled_by(label: str, named: object, where: str) -> str:
    """The class with the modality that is named, such as A, visual or audio-visual.

    Raises:
        FormatError: it names none.
    """
    modality = modality_named(named) if isinstance(named, str) else None
    if modality is None:
        raise FormatError(f"{where} is {str(named)[:40]!r}; audio, visual or audio-visual (A, V or AV) is needed")
    return with_modality(label, modality)
