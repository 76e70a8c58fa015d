"""What a worker does for the watch: it searches a file, or cuts an event out of one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import MediaError, OutputError
from avloc.live.moment import TimeFrom
from avloc.live.told import Recorded
from avloc.media.clips import cut_clip
from avloc.media.source import open_source, packets
from avloc.scale.detect import Detect, Detected
from avloc.scale.messages import OnProgress
from avloc.scale.work import Task

_OPENING = 4  # packets of each stream: as many are in any file that has an event


@dataclass(frozen=True, slots=True)
class Search:
    """A video to search."""

    task: Task


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch to cut out of a recording, in seconds, and where to."""

    video: Path
    recording: str
    path: Path
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of a search."""

    found: Detected
    recording: Recorded


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Why a result cannot be written; no other could be."""

    reason: str


Order = Search | Cut
Outcome = Searched | Path | Unwritten


@dataclass(frozen=True)
class Searcher:
    """Does orders. Raises MediaError where a file cannot be read, or holds another recording than it did."""

    work: Detect
    time_from: TimeFrom

    def __call__(self, order: Order, on_progress: OnProgress) -> Outcome:
        if isinstance(order, Cut):
            if opening_of(order.video) != order.recording:
                raise MediaError(f"{order.video}: was overwritten by another recording before its clip was cut")
            return cut_clip(order.video, order.path, order.start_s, order.end_s)
        try:
            found = self.work(order.task, on_progress)
        except OutputError as error:
            return Unwritten(str(error))
        began = self.time_from.began(order.task.video, found.duration_s)
        told = "" if began is None else began.isoformat()
        return Searched(found, Recorded(opening_of(order.task.video), told))


def searcher(work: Detect, time_from: TimeFrom) -> Searcher:
    """For a process of its own. Raises ModelError, FeatureError as Work.load."""
    work.load()
    return Searcher(work, time_from)


def opening_of(video: Path) -> str:
    """Hash of the first packets of picture and of sound: the same while a recording grows or is cut short.

    Raises:
        MediaError: the file cannot be read.
    """
    whole = hashlib.sha256()
    with open_source(video) as source:
        hashes = {stream.index: hashlib.sha256() for stream in source.streams}
        left = dict.fromkeys(hashes, _OPENING)
        for packet in packets(source, *source.streams):
            at = packet.stream.index
            if packet.size and left[at]:
                left[at] -= 1
                hashes[at].update(bytes(packet))
            if not any(left.values()):
                break
        if not hashes:
            raise MediaError(f"{video}: holds no picture and no sound; give another file")
    for index in sorted(hashes):
        whole.update(hashes[index].digest())
    return whole.hexdigest()
