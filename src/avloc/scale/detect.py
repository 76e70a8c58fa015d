"""Detect: one video > its events in a JSON file, and a page beside it where one is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avloc import zoo
from avloc.config import ModelConfig
from avloc.detector import Detection, Detector
from avloc.errors import AvlocError, ModelError
from avloc.events import Events
from avloc.files import file_hash, make_folder
from avloc.formats.activitynet import read_external, read_results, write_results
from avloc.formats.files import ENDING
from avloc.media.probe import MediaInfo
from avloc.scale.messages import OnProgress
from avloc.scale.table import TABLE, write_events_table
from avloc.scale.work import Done, Gathered, Task, Work, relative, unchanged

VERSION = 2
"""Raised when a change of the code gives other events for the same model: results are then made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected(Done):
    """The events of one video that are to be shown, and what was chosen in reading it."""

    events: Events
    notes: tuple[str, ...] = ()


class Page(Protocol):
    """What the caller makes of a video for people, while its sound is read anyway."""

    def hear(self, block: NDArray[np.float32], sample_rate: int) -> object:
        """The next block of the waveform."""

    def write(self, found: Found) -> None:
        """Write the page; the result is written after it.

        Raises:
            OutputError: it cannot be written.
        """


@dataclass(frozen=True, slots=True)
class Found:
    """All that is to be written of one video; `shown` are its events for people."""

    task: Task
    info: MediaInfo
    detection: Detection
    shown: Events
    least_score: float
    model: str
    content: str
    page: Page | None
    took_s: float


@dataclass(frozen=True)
class Detect(Work[Detected]):
    """Events of videos: by the model's folder, from the least score on, or all candidates.

    made_by is only told in the files: the same model gives the same events in every version of this package. pages
    makes the page of a video that wants one, from its path; it goes to other processes by pickle.
    """

    model: Path
    min_score: float | None = None
    all: bool = False
    made_by: str = "avloc"
    threads: int = 0
    pages: Callable[[Path], Page] | None = None
    weights: Path | None = None

    ending = ENDING

    def load(self) -> None:
        """Get ready.

        Raises:
            ModelError: there is no such model, it is broken, or reads features that avloc cannot make.
        """
        _ = self.detector.extractor

    @cached_property
    def detector(self) -> Detector:
        """The model, loaded at first use. Raises ModelError as `load`."""
        return Detector.load(self.model, threads=self.threads, weights=self.weights)

    @cached_property
    def config(self) -> ModelConfig:
        """What the model says of itself. Raises ModelError as `load`."""
        return zoo.read_config(self.model)

    def settings(self) -> tuple[str, ...]:
        """Model, least score, all or not.

        Raises:
            ModelError: the model's folder lacks a file.
        """
        try:
            files = [file_hash(self.model / name) for name in (zoo.CONFIG, zoo.ONNX)]
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ModelError(
                f"{self.model}: cannot be read as a model ({reason}); give a whole model folder"
            ) from None
        return str(VERSION), *files, repr(self.min_score), repr(self.all)

    def read(self, result: Path) -> Detected | None:
        """The events to show of a result file, None for one that is no whole result of one video."""
        stored = read_detected(result)
        if stored is None:
            return None
        return Detected(key=stored.key, duration_s=stored.duration_s, events=self.shown(stored.events))

    def make(self, task: Task, info: MediaInfo, content: str, on_progress: OnProgress) -> Detected:
        """Page first, JSON last: where the JSON file has its key, all is there."""
        found = self.find(task, info, content, on_progress)
        self.write(found)
        return Detected(
            key=self.key(content),
            duration_s=found.detection.duration_s,
            took_s=found.took_s,
            events=found.shown,
            notes=found.detection.notes,
        )

    def find(self, task: Task, info: MediaInfo, content: str, on_progress: OnProgress) -> Found:
        """Events of the video; nothing is written.

        Raises:
            MediaError: as `make`.
        """
        began = time.perf_counter()
        page = self.pages(task.page) if self.pages is not None and task.page is not None else None
        with unchanged(task.video):
            detection = self.detector.detect_fully(
                task.video,
                on_sound=None if page is None else page.hear,
                on_seconds=lambda seconds: on_progress(seconds, info.duration_s),
            )
        shown, took_s = self.shown(detection.all_events), time.perf_counter() - began
        return Found(task, info, detection, shown, self._least_score(), self.config.name, content, page, took_s)

    def write(self, found: Found) -> None:
        """The page, then the result.

        Raises:
            OutputError: a file cannot be written.
        """
        if found.page is not None:
            found.page.write(found)
        result = found.task.result
        make_folder(result.parent)
        about: dict[str, object] = {
            "made_by": self.made_by,
            "model": found.model,
            "source": found.task.video.name,
            "video": relative(found.task.video, result.parent),
            "duration": round(found.detection.duration_s, 3),
            "min_score": found.least_score,
            "key": self.key(found.content),
        }
        if found.detection.notes:
            about["notes"] = list(found.detection.notes)
        events = found.detection.all_events if self.all else found.shown
        write_results(result, {result.name.removesuffix(ENDING): events}, about)

    def shown(self, events: Events) -> Events:
        """The events for people, in the order of time."""
        least = self.config.show_score if self.min_score is None else self.min_score
        return events.above(least).by_time()

    def gather(self, folder: Path, results: Mapping[str, Path], mine: Container[str]) -> Gathered:
        """The table of all events in the folder; events by class of the results of this run.

        Raises:
            OutputError: the table cannot be written.
        """
        gathered, rows = Gathered(folder / TABLE), dict[str, Events]()
        for name, path in results.items():
            stored = read_detected(path)
            if stored is None:
                continue
            rows[name] = stored.events
            if name in mine:
                gathered.counts.update(stored.events.labels)
        write_events_table(folder / TABLE, rows)
        return gathered

    def _least_score(self) -> float:
        if self.all:
            return self.config.decoding.min_score
        return self.config.show_score if self.min_score is None else self.min_score


def read_detected(path: Path) -> Detected | None:
    """All events of a whole result file of one video, or None for one that is missing, cut off, or no such result."""
    try:
        about = read_external(path)
        (events,) = read_results(path).values()
        return Detected(key=str(about["key"]), duration_s=float(about["duration"]), events=events)
    except (AvlocError, KeyError, TypeError, ValueError):
        return None
