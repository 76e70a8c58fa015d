"""Detect: one video > its candidates, and of them its events in a JSON file, and a page where one is wanted.

key of a video's content, the model and how it is computed > candidates (`avloc.scale.kept`)
candidates, least score > events, page: made again without the video when only that has changed
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from avloc import zoo
from avloc.config import ModelConfig, to_dict
from avloc.detector import Detector
from avloc.errors import ModelError, OutputError
from avloc.events import Events
from avloc.events.filter import ALL_EVENTS, EventFilter
from avloc.evidence.apart import ClassEvidence
from avloc.files import file_hash, make_folder
from avloc.formats.files import ENDING
from avloc.media.levels import LevelMeter
from avloc.media.probe import MediaInfo
from avloc.scale.found import Found, Page
from avloc.scale.kept import LEVELS, Kept, kept_file, read_kept, save_kept
from avloc.scale.messages import OnProgress
from avloc.scale.perceived import forget_evidence, keep_evidence, kept_evidence, rounded, shows_evidence
from avloc.scale.shown import Shown, Stored, read_stored
from avloc.scale.table import TABLE, write_events_table
from avloc.scale.work import Done, Gathered, Task, Work, digest_of, relative, unchanged
from avloc.timegrid import Stretch

VERSION = 3
"""Raised when a change of the code gives other candidates for the same model: they are then made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected(Done):
    """The events of one video that are to be shown, and what was chosen in reading it."""

    events: Events
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detect(Work[Detected]):
    """Events of videos: by the model's folder, those that are wanted, or all candidates.

    wanted: what is chosen; its least score is the model's own where it has none, and of a stretch nothing else of a
    video is read. made_by is only told in the files: the same model gives the same events in every version of this
    package. pages makes the page of a video that wants one, from its path; it goes to other processes by pickle.
    evidence: tell too how surely events are seen and heard, and what is only seen and only heard.
    """

    model: Path
    wanted: EventFilter = ALL_EVENTS
    all: bool = False
    made_by: str = "avloc"
    threads: int = 0
    pages: Callable[[Path], Page] | None = None
    weights: Path | None = None
    evidence: bool = False

    ending = ENDING

    def load(self) -> None:
        """Get ready.

        Raises:
            ModelError: there is no such model, it is broken, reads features that avloc cannot make, or gives no
                evidence though that is asked for.
        """
        _ = self.detector.extractor
        if self.evidence:
            _ = self.detector.grounding

    @cached_property
    def detector(self) -> Detector:
        """The model, loaded at first use. Raises ModelError as `load`."""
        return Detector.load(self.model, threads=self.threads, weights=self.weights)

    @cached_property
    def show(self) -> Shown:
        """What is shown of what is computed. Raises ModelError as `load`."""
        wanted = self.wanted.with_least(self.config.show_score)
        least_of_all = self.config.decoding.min_score
        return Shown(self.digest, wanted.min_score, least_of_all, self.all, self.made_by, wanted)

    @property
    def stretch(self) -> Stretch:
        """What of a video is read."""
        return Stretch(max(self.wanted.start_s, 0.0), self.wanted.end_s)

    @cached_property
    def config(self) -> ModelConfig:
        """What the model says of itself. Raises ModelError as `load`."""
        return zoo.read_config(self.model)

    def settings(self) -> tuple[str, ...]:
        """What is computed: all of the model but its own least score to show, and of which stretch.

        Raises:
            ModelError: the model's folder lacks a file.
        """
        told = json.dumps(to_dict(replace(self.config, show_score=0.0)), sort_keys=True)
        try:
            part = () if self.stretch.is_whole else (repr(self.stretch),)
            return str(VERSION), told, file_hash(self.model / zoo.ONNX), *part
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ModelError(
                f"{self.model}: cannot be read as a model ({reason}); give a whole model folder"
            ) from None

    def read(self, result: Path) -> Detected | None:
        """The events to show of a result file, None for one that is no whole result of one video."""
        stored = read_stored(result)
        return None if stored is None else self._told(stored)

    def whole(self, task: Task, key: str) -> Detected | None:
        """As every work; its files are whole when they show what these settings show."""
        stored = read_stored(task.result)
        if stored is None or stored.key != key or not self.show.fits(stored):
            return None
        perceived = shows_evidence(task.result, self.show, key)
        if self.evidence and not perceived:
            return None
        if stored.about.get("video") != relative(task.video, task.result.parent):
            return None
        if (
            task.page is not None
            and self.pages is not None
            and not self.pages(task.page).is_of(self._mark(key, perceived))
        ):
            return None
        return self._told(stored)

    def again(self, task: Task, key: str) -> Detected | None:
        """From what is kept beside the result: neither video nor network is needed."""
        found = self.find_again(task, key)
        if found is None:
            return None
        self.write(found)
        return _detected(found)

    def make(self, task: Task, info: MediaInfo, content: str, on_progress: OnProgress) -> Detected:
        """Candidates first, then the page, JSON last: where the JSON file has its key, all is there."""
        found = self.find(task, info, content, on_progress)
        self.write(found)
        return _detected(found)

    def find(self, task: Task, info: MediaInfo, content: str, on_progress: OnProgress) -> Found:
        """Events of the video; nothing is written.

        Raises:
            MediaError: as `make`.
        """
        began, stretch = time.perf_counter(), self.stretch
        meter = LevelMeter(stretch.sound_from_s(self.detector.grid))
        length_s = max(min(stretch.end_s, info.duration_s) - stretch.start_s, 0.0)
        with unchanged(task.video):
            detection = self.detector.detect_fully(
                task.video,
                on_sound=meter.add,
                on_seconds=lambda seconds: on_progress(min(max(seconds - stretch.start_s, 0.0), length_s), length_s),
                stretch=stretch,
                evidence=self.evidence,
            )
        levels = meter.levels(LEVELS, info.duration_s)
        notes = (*detection.notes, *_looked_at(stretch, info.duration_s))
        kept = Kept(self.key(content), info, detection.duration_s, detection.all_events, levels, notes).rounded()
        evidence = None if detection.evidence is None else rounded(kept.key, detection.evidence)
        return self._found(task, kept, evidence, time.perf_counter() - began)

    def find_again(self, task: Task, key: str) -> Found | None:
        """As `find`, from what is kept beside the task's result; None where nothing is of this key."""
        began = time.perf_counter()
        kept = read_kept(kept_file(task.result), task.video)
        if kept is None or kept.key != key:
            return None
        evidence = kept_evidence(task.result, key)
        if self.evidence and evidence is None:
            return None
        return self._found(task, kept, evidence, time.perf_counter() - began, again=True)

    def write(self, found: Found) -> None:
        """What is kept, the page, then the result.

        Raises:
            OutputError: a file cannot be written.
        """
        task, kept = found.task, found.kept
        make_folder(task.result.parent)
        if not found.again:
            with contextlib.suppress(
                OutputError
            ):  # the result is what was asked for; a name may be too long for this
                save_kept(kept_file(task.result), kept)
                if found.evidence is None:
                    forget_evidence(task.result)
                else:
                    keep_evidence(task.result, kept.key, found.evidence)
        if task.page is not None and self.pages is not None:
            self.pages(task.page).write(found)
        about = {
            "model": found.model,
            "source": task.video.name,
            "video": relative(task.video, task.result.parent),
        }
        self.show.write(task.result, kept, about, found.evidence)

    def bring_along(self, folder: Path, results: Mapping[str, Path]) -> int:
        """Results of other least scores are made again from what is kept."""
        return self.show.bring_along(folder, results)

    def give_up(self, result: Path) -> None:
        """A result of an earlier run is brought to these settings, or removed."""
        self.show.give_up(result)

    def gather(self, folder: Path, results: Mapping[str, Path], mine: Container[str]) -> Gathered:
        """The table of all events in the folder; events by class of the results of this run.

        Raises:
            OutputError: the table cannot be written.
        """
        gathered, rows, files = Gathered(folder / TABLE), dict[str, Events](), dict[str, str]()
        for name, path in results.items():
            stored = read_stored(path)
            if stored is None:
                continue
            rows[name] = stored.events
            if isinstance(place := stored.about.get("video"), str):
                files[name] = relative(path.parent / place, folder)
            if name in mine:
                gathered.counts.update(self.show.events(stored.events).labels)
        write_events_table(folder / TABLE, rows, files)
        return gathered

    def _told(self, stored: Stored) -> Detected:
        return Detected(key=stored.key, duration_s=stored.duration_s, events=self.show.events(stored.events))

    def _found(
        self, task: Task, kept: Kept, evidence: ClassEvidence | None, took_s: float, *, again: bool = False
    ) -> Found:
        show = self.show
        shown, mark = show.events(kept.events), self._mark(kept.key, evidence is not None)
        return Found(
            task,
            kept,
            shown,
            show.written_from,
            self.config.name,
            mark,
            took_s,
            again,
            self.stretch,
            evidence,
            show.wanted,
        )

    def _mark(self, key: str, perceived: bool) -> str:
        """Of all that a page shows but its looks; perceived: with evidence."""
        chosen = json.dumps(self.show.wanted.told(), sort_keys=True)
        return digest_of(
            key, repr(self.show.least_score), repr(self.show.written_from), chosen, "evidence" * perceived
        )


def _looked_at(stretch: Stretch, duration_s: float) -> list[str]:
    """What to say of a video of which only a stretch was read."""
    if stretch.is_whole:
        return []
    return [f"only {stretch.start_s:g} to {min(stretch.end_s, duration_s):.4g} s of it was looked at"]


def _detected(found: Found) -> Detected:
    return Detected(
        key=found.kept.key,
        duration_s=found.looked_at_s,
        took_s=found.took_s,
        again=found.again,
        events=found.shown,
        notes=found.kept.notes,
    )
