"""`avloc detect`: videos > events on the terminal, in a JSON file, and on a page."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from avloc import __version__, load
from avloc.cli.inputs import Video, find_videos, require_writable
from avloc.cli.progress import following
from avloc.detector import Detection, Detector
from avloc.errors import AvlocError
from avloc.events import Events
from avloc.formats.activitynet import write_results
from avloc.media.probe import MediaInfo, probe
from avloc.report.levels import LevelMeter
from avloc.report.page import summary, video_url, write_page
from avloc.report.terminal import EventsTimeline, events_table

_LEVELS = 2000
_MOST_SHOWN = 100


def detect(
    videos: Annotated[tuple[Path, ...], tyro.conf.Positional],
    model: str = "default",
    out: Path | None = None,
    report: Path | None = None,
    inline: bool = False,
    min_score: float | None = None,
    all: bool = False,
    threads: int = 0,
) -> int:
    """Find the events of videos that are seen and heard at once.

    Each video's events go to NAME.events.json (seconds, label, score) beside the video, or into --out.

    examples:
      avloc detect my.mp4
      avloc detect my.mp4 --report out/
      avloc detect videos/ --out results/ --min-score 0.5

    Args:
        videos: Video files, or folders of videos.
        model: Name of a shipped model, or a model folder.
        out: Folder for the JSON files; without it each lies beside its video.
        report: Folder for a page per video: NAME.html, which works offline.
        inline: Put the video inside its page instead of a link to it.
        min_score: Least score of an event; without it the model's own threshold.
        all: Write all candidates to the JSON file, as evaluation wants them.
        threads: CPU threads for the networks; 0 takes all cores.
    """
    if min_score is not None and not 0 <= min_score <= 1:
        raise AvlocError(f"--min-score is {min_score}; a number from 0 to 1 is needed")
    if threads < 0:
        raise AvlocError(f"--threads is {threads}; a number of threads is needed, or 0 for all cores")
    found = find_videos(videos)
    for folder in (out, report):
        if folder is not None:
            require_writable(folder)
    work = _Work(load(model, threads=threads), out, report, inline, min_score, all)
    problems: list[str] = []
    for number, video in enumerate(found, 1):
        try:
            work.run(video, number, len(found))
        except AvlocError as error:
            problems.append(str(error))
            if len(found) > 1:
                work.screen.print(f"{video.path.name}: no result", style="yellow", markup=False, highlight=False)
    if len(found) > 1:
        done = len(found) - len(problems)
        work.screen.print(f"{done} of {len(found)} videos done" + (f", {len(problems)} not:" if problems else "."))
    for problem in problems:
        print(f"avloc: {problem}", file=sys.stderr)
    return 1 if problems else 0


@dataclass
class _Work:
    detector: Detector
    out: Path | None
    report: Path | None
    inline: bool
    min_score: float | None
    all: bool

    def __post_init__(self) -> None:
        self.screen = Console(highlight=False)
        self.errors = Console(stderr=True, highlight=False)

    def run(self, video: Video, number: int, count: int) -> None:
        began = time.perf_counter()
        info = probe(video.path)
        meter = LevelMeter()
        with following(self.errors, number, count, info) as on_seconds:
            found = self.detector.detect_fully(video.path, on_sound=meter.add, on_seconds=on_seconds)
        events = found.events if self.min_score is None else found.all_events.above(self.min_score).by_time()
        took_s = time.perf_counter() - began
        # A full disk does not keep the events from the screen, nor a closed pipe keep them from the disk.
        try:
            self._show(video, events, found.duration_s, took_s)
        finally:
            written = [f"events: {self._write_json(video, found, events)}"]
            if self.report is not None:
                written.append(f"page:   {self._write_page(video, info, events, meter)}")
        for line in written:
            self.screen.print(line, markup=False, soft_wrap=True)

    def _show(self, video: Video, events: Events, duration_s: float, took_s: float) -> None:
        speed = f"{duration_s / took_s:.0f}x real time" if took_s > 0 else ""
        head = f"{video.path.name}: {summary(events, duration_s)} ({took_s:.1f} s, {speed})"
        self.screen.print(head, style="bold", markup=False, soft_wrap=True)
        if len(events):
            self.screen.print(events_table(events, most=_MOST_SHOWN))
            self.screen.print(EventsTimeline(events, duration_s))

    def _write_json(self, video: Video, found: Detection, events: Events) -> Path:
        path = (self.out / video.stem if self.out else video.path.parent / video.stem.name).with_name(
            f"{video.stem.name}.events.json"
        )
        if self.out:
            require_writable(path.parent)
        about = {
            "made_by": f"avloc {__version__}",
            "model": self.detector.config.name,
            "source": video.path.name,
            "duration": round(found.duration_s, 3),
            "min_score": self._least_score(),
        }
        write_results(path, {video.stem.name: found.all_events if self.all else events}, about)
        return path

    def _write_page(self, video: Video, info: MediaInfo, events: Events, meter: LevelMeter) -> Path:
        assert self.report is not None
        path = (self.report / video.stem).with_name(f"{video.stem.name}.html")
        require_writable(path.parent)
        assert info.video is not None and info.audio is not None
        rate = f", {info.video.fps:.4g} pictures a second" if info.video.fps else ""
        facts = {
            "Model": self.detector.config.name,
            "Least score": f"{self._least_score():g}",
            "Picture": f"{info.video.codec}, {info.video.width} x {info.video.height}{rate}",
            "Sound": f"{info.audio.codec}, {info.audio.sample_rate} Hz, {_channels(info.audio.channels)}",
            "Made by": f"avloc {__version__}",
        }
        write_page(
            path,
            title=video.path.name,
            video=video_url(video.path, path, inline=self.inline),
            duration_s=info.duration_s,
            events=events,
            levels=meter.levels(_LEVELS, info.duration_s),
            metadata=facts,
        )
        return path

    def _least_score(self) -> float:
        if self.all:
            return self.detector.config.decoding.min_score
        return self.detector.config.show_score if self.min_score is None else self.min_score


def _channels(count: int) -> str:
    return {1: "mono", 2: "stereo"}.get(count, f"{count} channels")
