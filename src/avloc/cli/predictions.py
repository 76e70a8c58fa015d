"""A path on the command line > detections by video."""

from __future__ import annotations

from pathlib import Path

from avloc.errors import FormatError
from avloc.events import Events
from avloc.formats.activitynet import read_results

ENDING = ".events.json"


def read_predictions(path: Path) -> dict[str, Events]:
    """Detections of one JSON file in ActivityNet's form, or of all NAME.events.json of a folder, at any depth.

    Raises:
        FormatError: a file cannot be read, the folder holds none, or a video stands in two files.
    """
    if not path.is_dir():
        return read_results(path)
    files = sorted(path.rglob(f"*{ENDING}"))
    if not files:
        raise FormatError(
            f"{path}: holds no file that ends in {ENDING}; give a JSON file of detections or such a folder"
        )
    found: dict[str, Events] = {}
    source: dict[str, Path] = {}
    for file in files:
        for video, events in read_results(file).items():
            if video in found:
                raise FormatError(f"video {video!r} stands in {source[video]} and in {file}; keep one of the two")
            found[video], source[video] = events, file
    return found
