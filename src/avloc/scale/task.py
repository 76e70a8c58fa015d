"""One video > its events in a JSON file, and its page: done once, and known to be done by a key of its content."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from avloc import zoo
from avloc.detector import Detection, Detector
from avloc.errors import AvlocError, MediaError, ModelError, OutputError
from avloc.events import Events
from avloc.features.extractors.embedded import file_hash
from avloc.formats.activitynet import read_external, read_results, write_results
from avloc.formats.files import ENDING
from avloc.media.probe import MediaInfo, probe
from avloc.report.levels import LevelMeter
from avloc.report.page import video_url, write_page

VERSION = 1
"""Raised when a change of the code gives other events for the same model: results are then made anew."""

_LEVELS = 2000

OnProgress = Callable[[float, float], object]
"""Is told how many seconds of the video are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What events depend on beside the video: the model's folder, the least score, all candidates or not."""

    model: Path
    min_score: float | None = None
    all: bool = False
    made_by: str = "avloc"
    """Only told in the files: the same model gives the same events in every version of this package."""

    def digest(self) -> str:
        """Hash of the settings and of the model's content.

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
        return _digest(str(VERSION), *files, repr(self.min_score), repr(self.all))


@dataclass(frozen=True, slots=True)
class Task:
    """A video, the JSON file for its events, and the page for people, if one is wanted."""

    video: Path
    result: Path
    page: Path | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one video. `events` are those to show; `found_before`: the files were whole, nothing was made."""

    events: Events
    duration_s: float
    key: str
    took_s: float = 0.0
    found_before: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """All that is to be written of one video."""

    task: Task
    info: MediaInfo
    detection: Detection
    meter: LevelMeter
    shown: Events
    key: str
    took_s: float


class Work:
    """The detector with its settings; `Work(...)(task)` may be called again and again, the outcome is the same.

    Raises:
        ModelError: there is no such model, or it is broken.
    """

    def __init__(self, settings: Settings, threads: int = 0) -> None:
        self.settings = settings
        self.detector = Detector.load(settings.model, threads=threads)
        self.digest = settings.digest()

    def __call__(self, task: Task, on_progress: OnProgress | None = None, *, again: bool = False) -> Done:
        """Make the task's files, unless (but for `again`) they are there from the same video and the same settings.

        Raises:
            MediaError: the file cannot be read, has no picture or no sound, or changed meanwhile.
            OutputError: a file cannot be written.
        """
        info = probe(task.video)
        key = self.key(task.video)
        if not again and (done := self._done(task, key)) is not None:
            return done
        found = self.find(task, info, key, on_progress)
        self.write(found)
        return Done(found.shown, found.detection.duration_s, key, found.took_s)

    def key(self, video: Path) -> str:
        """Hash of the video's content, the model and the settings.

        Raises:
            MediaError: the file cannot be read.
        """
        try:
            return _digest(file_hash(video), self.digest)
        except OSError as error:
            raise MediaError(f"{video}: cannot be read ({(error.strerror or str(error)).lower()})") from None

    def find(self, task: Task, info: MediaInfo, key: str, on_progress: OnProgress | None = None) -> Found:
        """Events and sound level of the video; nothing is written.

        Raises:
            MediaError: as when called.
        """
        began = time.perf_counter()
        before = _stamp(task.video)
        meter = LevelMeter()

        def on_seconds(seconds: float) -> None:
            if on_progress is not None:
                on_progress(seconds, info.duration_s)

        wanted = meter.add if task.page is not None else None
        detection = self.detector.detect_fully(task.video, on_sound=wanted, on_seconds=on_seconds)
        if _stamp(task.video) != before:
            raise MediaError(f"{task.video}: changed while it was read; run again when it is whole")
        shown = self.shown(detection.all_events)
        return Found(task, info, detection, meter, shown, key, time.perf_counter() - began)

    def write(self, found: Found) -> None:
        """Page first, JSON last: where the JSON file has its key, all is there.

        Raises:
            OutputError: a file cannot be written.
        """
        if found.task.page is not None:
            self._write_page(found, found.task.page)
        self._write_json(found)

    def shown(self, events: Events) -> Events:
        """The events for people, in the order of time."""
        least = self.detector.config.show_score if self.settings.min_score is None else self.settings.min_score
        return events.above(least).by_time()

    def _done(self, task: Task, key: str) -> Done | None:
        if task.page is not None and not task.page.is_file():
            return None
        read = read_done(task.result)
        if read is None or read.key != key:
            return None
        return Done(self.shown(read.events), read.duration_s, key, found_before=True)

    def _write_json(self, found: Found) -> None:
        task = found.task
        name = task.result.name.removesuffix(ENDING)
        _make_folder(task.result.parent)
        about = {
            "made_by": self.settings.made_by,
            "model": self.detector.config.name,
            "source": task.video.name,
            "video": relative(task.video, task.result.parent),
            "duration": round(found.detection.duration_s, 3),
            "min_score": self._least_score(),
            "key": found.key,
        }
        write_results(task.result, {name: found.detection.all_events if self.settings.all else found.shown}, about)

    def _write_page(self, found: Found, page: Path) -> None:
        info, task = found.info, found.task
        _make_folder(page.parent)
        assert info.video is not None and info.audio is not None
        rate = f", {info.video.fps:.4g} pictures a second" if info.video.fps else ""
        facts = {
            "Model": self.detector.config.name,
            "Least score": f"{self._least_score():g}",
            "Picture": f"{info.video.codec}, {info.video.width} x {info.video.height}{rate}",
            "Sound": f"{info.audio.codec}, {info.audio.sample_rate} Hz, {_channels(info.audio.channels)}",
            "Made by": self.settings.made_by,
        }
        write_page(
            page,
            title=task.video.name,
            video=video_url(task.video, page, inline=task.inline),
            duration_s=info.duration_s,
            events=found.shown,
            levels=found.meter.levels(_LEVELS, info.duration_s),
            metadata=facts,
        )

    def _least_score(self) -> float:
        if self.settings.all:
            return self.detector.config.decoding.min_score
        return self.detector.config.show_score if self.settings.min_score is None else self.settings.min_score


@dataclass(frozen=True, slots=True)
class Result:
    """What a result file holds."""

    events: Events
    duration_s: float
    key: str


def read_done(path: Path) -> Result | None:
    """A whole result file of one video, or None for one that is missing, cut off, or not made by `Work`."""
    try:
        about = read_external(path)
        (events,) = read_results(path).values()
        return Result(events, float(about["duration"]), str(about["key"]))
    except (AvlocError, KeyError, TypeError, ValueError):
        return None


def relative(path: Path, folder: Path) -> str:
    """Place of a file as seen from a folder, in POSIX form; absolute where it lies on another drive."""
    whole = path.parent.resolve() / path.name
    try:
        return Path(os.path.relpath(whole, folder.resolve())).as_posix()
    except ValueError:
        return whole.as_posix()


def _stamp(path: Path) -> tuple[int, int]:
    try:
        now = path.stat()
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({(error.strerror or str(error)).lower()})") from None
    return now.st_size, now.st_mtime_ns


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"{folder}: cannot be made ({reason}); give a folder that is writable") from None


def _channels(count: int) -> str:
    return {1: "mono", 2: "stereo"}.get(count, f"{count} channels")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
