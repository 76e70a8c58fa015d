"""AVE's annotations: a line a clip of ten seconds, its fields divided by "&" > truth by clip.

    Annotations.txt                            Church bell&RUhOCu3LNXM&good&0&10      (the first line may name fields)
    trainSet.txt, valSet.txt, testSet.txt      the same lines, of one subset each

A clip has one event of one of 28 classes; the seconds outside it are background. Some clips have no event at all:
theirs begins and ends at one second. AVE: Tian et al. 2018, "Audio-Visual Event Localization in Unconstrained
Videos".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.text import PathLike, as_time, labelled, lines, read_text
from avloc.formats.truth import Truth

DURATION_S = 10.0
_SETS = {"trainset.txt": "train", "valset.txt": "val", "testset.txt": "test"}
_FIELDS = 5


def is_ave(path: Path) -> bool:
    """Whether this is a file of such lines, or a folder that holds the lists of the subsets."""
    if path.is_dir():
        return any(_subset_file(path, name) for name in _SETS)
    head = next((line for _, line in lines(read_text(path, "AVE's annotations"))), "")
    return head.count("&") == _FIELDS - 1


def read_ave(path: PathLike) -> dict[str, Truth]:
    """Clips of one file, or of the lists of subsets in a folder: "train", "val" and "test".

    A file of another name than a list's is of "train". Of a clip that stands in two lists, the lines of the test list
    count, or else of the validation list, so that none is trained on and tested; of two lines in one list both do.

    Raises:
        FormatError: a file cannot be read, or a line is odd: it is named.
    """
    root = Path(path)
    files = {subset: _subset_file(root, name) for name, subset in _SETS.items()} if root.is_dir() else {}
    named = {subset: file for subset, file in files.items() if file} or {_SETS.get(root.name.lower(), "train"): root}
    clips: dict[str, tuple[str, list[Event]]] = {}
    for subset, file in named.items():
        for video, event in _rows(file):
            before = clips.get(video)
            if before is None or before[0] != subset:
                clips[video] = (subset, [event])
            else:
                before[1].append(event)
    return {video: Truth(DURATION_S, subset, Events.of(events)) for video, (subset, events) in clips.items()}


def _subset_file(folder: Path, name: str) -> Path | None:
    return next((file for file in sorted(folder.iterdir()) if file.name.lower() == name and file.is_file()), None)


def _rows(path: Path) -> Iterator[tuple[str, Event]]:
    for number, line in lines(read_text(path, "AVE's annotations")):
        where = f"{path}, line {number}"
        fields = [text.strip() for text in line.rsplit("&", _FIELDS - 1)]
        if len(fields) != _FIELDS:
            raise FormatError(f"{where}: has {len(fields)} fields; category&video&quality&start&end is needed")
        label, video, _, start, end = fields
        if number == 1 and label.lower() == "category":
            continue
        if not video:
            raise FormatError(f"{where}: names no video")
        yield video, labelled(as_time(start, where), as_time(end, where), label, where)
