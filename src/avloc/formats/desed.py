"""DESED's annotations: the tables of its release, one or a folder of them > truth by clip.

    metadata/validation/validation.tsv                       filename, onset, offset, event_label
    metadata/train/synthetic21_train/soundscapes.tsv         the same
    metadata/train/audioset_strong.tsv                       the same
    metadata/eval/public.tsv                                 the same
    .../..._durations.tsv                                    filename, duration
    metadata/train/weak.tsv, unlabel_in_domain.tsv           no times: left out

A clip goes by its file's name without the ending. Where no table says how long it is, it ends where its features do.
DESED: Turpault et al. 2019, "Sound event detection in domestic environments with weakly labeled data and soundscape
synthesis"; Serizel et al. 2020.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Event
from avloc.files import files_in
from avloc.formats.dcase import DCASE, read_dcase
from avloc.formats.media_names import without_media_ending
from avloc.formats.text import PathLike, as_seconds, rows
from avloc.formats.truth import Truth

_DURATION = ("filename", "duration")
_SUBSETS = (
    (("synthetic", "validation"), "synthetic_validation"),
    (("synthetic",), "synthetic"),
    (("strong",), "strong"),
    (("public",), "public_eval"),
    (("validation",), "validation"),
)
"""Words in the name of a table or of its folders, and the subset that its clips are of; the first that fits."""


def read_desed(path: PathLike) -> dict[str, Truth]:
    """Clips of one table, or of all tables in a folder that tell times, in the order of names and lines.

    Subsets are "synthetic", "synthetic_validation", "strong", "validation" and "public_eval", by the words of the
    table's name and folders; a table of other words is a subset of its own name.

    Raises:
        FormatError: nothing there tells times, a line is odd, or two tables contradict one another on a clip.
    """
    root = Path(path)
    tables = [root] if not root.is_dir() else [p for p in _files(root) if p.suffix.lower() == ".tsv"]
    lengths_s: dict[str, float] = {}
    clips: dict[str, tuple[Truth, Path]] = {}
    for table in tables:
        head = _head(table)
        if set(DCASE) <= set(head):
            _add(clips, table, _subset(table, root))
        elif set(_DURATION) <= set(head):
            lengths_s |= _durations(table)
        elif table is root:
            raise FormatError(f"{table}, line 1: the columns {', '.join(DCASE)} are needed, divided by tabs")
    if not clips:
        raise FormatError(f"{root}: no table there has the columns {', '.join(DCASE)}; name DESED's metadata folder")
    return {clip: replace(truth, duration_s=lengths_s.get(clip, math.inf)) for clip, (truth, _) in clips.items()}


def holds_desed(folder: Path) -> bool:
    """Whether some table in a folder, at any depth, has the columns that tell times."""
    return folder.is_dir() and any(
        path.suffix.lower() == ".tsv" and set(DCASE) <= set(_head(path)) for path in _files(folder)
    )


def _head(table: Path) -> list[str]:
    return next(rows(table, "\t", "a table of sound events"), (0, []))[1]


def _files(root: Path) -> list[Path]:
    problems: list[str] = []
    found = files_in(root, problems.append)
    if problems:
        raise FormatError(problems[0])
    return found


def _subset(table: Path, root: Path) -> str:
    named = table.relative_to(root.parent if root.is_dir() else table.parent).as_posix().lower()
    return next((subset for words, subset in _SUBSETS if all(word in named for word in words)), table.stem)


def _add(clips: dict[str, tuple[Truth, Path]], table: Path, subset: str) -> None:
    for name, told in read_dcase(table).items():
        clip, truth = without_media_ending(name), replace(told, subset=subset)
        before, where = clips.setdefault(clip, (truth, table))
        if before.subset != subset or sorted(before.events, key=_order) != sorted(truth.events, key=_order):
            raise FormatError(
                f"{table}: clip {clip!r} stands in {where} as well, with other events or of another subset "
                f"({before.subset}, {subset}); name one table, or a folder without the other"
            )


def _order(event: Event) -> tuple[float, float, str]:
    return event.start_s, event.end_s, event.label


def _durations(table: Path) -> dict[str, float]:
    return dict(_duration_rows(table))


def _duration_rows(table: Path) -> Iterator[tuple[str, float]]:
    lines = rows(table, "\t", "a table of durations")
    _, head = next(lines)
    for number, row in lines:
        where = f"{table}, line {number}"
        if len(row) != len(head):
            raise FormatError(f"{where}: has {len(row)} fields, and the first line {len(head)}")
        fields = dict(zip(head, row, strict=True))
        yield without_media_ending(fields["filename"]), as_seconds(fields["duration"], f"{where}: the duration")
