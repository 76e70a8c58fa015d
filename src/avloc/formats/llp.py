"""LLP's annotations: tables of what is heard and of what is seen > truth by clip, classes by modality.

    AVVP_eval_audio.csv, AVVP_eval_visual.csv               filename, onset, offset, event_labels     (tabs)
    AVVP_train.csv, AVVP_val_pd.csv, AVVP_test_pd.csv       filename, event_labels: Blender,Speech    (tabs)

Clips of ten seconds, 25 classes, each as "Speech (audio)" and as "Speech (visual)". The training clips have labels
without times: each of theirs is taken to be heard and seen all the time, which is often wrong. LLP: Tian, Li and Xu
2020, "Unified Multisensory Perception: Weakly-Supervised Audio-Visual Video Parsing".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.events.modality import AUDIO, VISUAL, with_modality
from avloc.formats.text import PathLike, as_time, labelled, rows
from avloc.formats.truth import Truth

DURATION_S = 10.0
UNLISTED = "unlisted"
"""Subset of clips that have events and stand in no list."""

_EVENTS = {AUDIO: "AVVP_eval_audio.csv", VISUAL: "AVVP_eval_visual.csv"}
_LISTS = {"train": "AVVP_train.csv", "val": "AVVP_val_pd.csv", "test": "AVVP_test_pd.csv"}
_COLUMNS = ("filename", "onset", "offset", "event_labels")


def is_llp(path: Path) -> bool:
    """Whether this is one of the two tables of events, by its name, or the folder of them."""
    if path.is_dir():
        return all((path / name).is_file() for name in _EVENTS.values())
    return path.name in _EVENTS.values()


def read_llp(path: PathLike) -> dict[str, Truth]:
    """Clips of the folder, by the lists that are there, "train", "val" and "test"; or of one table of events alone.

    A clip of the lists without an event in the tables has none. Of a table alone all clips are of "test".

    Raises:
        FormatError: a file cannot be read, or a line is odd: it is named.
    """
    root = Path(path)
    if not root.is_dir():
        modality = AUDIO if root.name == _EVENTS[AUDIO] else VISUAL
        return _truths({}, _timed(root, modality), "test")
    listed: dict[str, tuple[str, list[str]]] = {}
    for subset, name in _LISTS.items():
        for clip, labels in _weak(root / name) if (root / name).is_file() else ():
            listed[clip] = subset, labels
    events = [pair for modality, name in _EVENTS.items() for pair in _timed(root / name, modality)]
    return _truths(listed, events, UNLISTED if listed else "test")


def _truths(
    listed: dict[str, tuple[str, list[str]]], timed: list[tuple[str, Event]], otherwise: str
) -> dict[str, Truth]:
    found: dict[str, list[Event]] = {clip: [] for clip in listed}
    for clip, event in timed:
        found.setdefault(clip, []).append(event)
    for clip, (subset, labels) in listed.items():
        if subset == "train" and not found[clip]:
            found[clip] = [
                Event(0.0, DURATION_S, with_modality(label, modality))
                for label in labels
                for modality in (AUDIO, VISUAL)
            ]
    return {
        clip: Truth(DURATION_S, listed[clip][0] if clip in listed else otherwise, Events.of(events))
        for clip, events in found.items()
    }


def _timed(path: Path, modality: str) -> list[tuple[str, Event]]:
    events = []
    for where, fields in _fields(path, _COLUMNS):
        start_s, end_s = (as_time(fields[name], where) for name in ("onset", "offset"))
        label = with_modality(fields["event_labels"], modality) if fields["event_labels"] else ""
        events.append((fields["filename"], labelled(start_s, end_s, label, where)))
    return events


def _weak(path: Path) -> Iterator[tuple[str, list[str]]]:
    for _, fields in _fields(path, ("filename", "event_labels")):
        yield fields["filename"], [label.strip() for label in fields["event_labels"].split(",") if label.strip()]


def _fields(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """The place of each row in words, and its fields by column."""
    table = rows(path, "\t", "a table of LLP")
    _, head = next(table, (0, []))
    if not set(columns) <= set(head):
        raise FormatError(f"{path}, line 1: the columns {', '.join(columns)} are needed, divided by tabs")
    for number, row in table:
        where = f"{path}, line {number}"
        if len(row) != len(head):
            raise FormatError(f"{where}: has {len(row)} fields, and the first line {len(head)}")
        fields = {name: text.strip() for name, text in zip(head, row, strict=True)}
        if not fields["filename"]:
            raise FormatError(f'{where}: names no clip in the column "filename"')
        yield where, fields
