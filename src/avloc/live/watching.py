"""The watch itself: look at the folder, search what has stopped growing, tell what is new, and so on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from avloc.errors import OutputError, one_line, without_path
from avloc.files import make_folder
from avloc.formats.files import ENDING
from avloc.live.moment import TimeFrom
from avloc.live.search import Cut, Order, Outcome, Search, Searched, Unwritten, searcher
from avloc.live.settled import Settling, Stamp, stamp_of
from avloc.live.telling import Message, NotToldError, Tell
from avloc.live.told import Noted, Told
from avloc.scale.detect import Detect
from avloc.scale.messages import Ended, Failed
from avloc.scale.standing import Standing
from avloc.scale.work import Task

_LONGEST_PAUSE_S = 60.0

log = logging.getLogger("avloc.watch")


@dataclass(frozen=True)
class Wishes:
    """What is to be done with what is found.

    Attributes:
        out: Folder of the results.
        tell: Tells one event to whoever is to know; raises NotToldError.
        shown: Is told of each event that was told.
        clips: Folder for the events cut out.
        clip_name: The name of a clip, without ending.
        margin_s: Kept before and behind each event in its clip.
    """

    out: Path
    tell: Tell | None
    shown: Callable[[Message], None]
    clips: Path | None = None
    clip_name: Callable[[Noted], str] = field(default=lambda noted: noted.id)
    margin_s: float = 1.0


class Watching:
    """One folder, its workers, and what was told of it.

    Attributes:
        failures: How often in a row telling was in vain.
        stopping: Tell no further event; the next start does.
    """

    def __init__(
        self,
        settling: Settling,
        told: Told,
        work: Detect,
        wishes: Wishes,
        *,
        time_from: TimeFrom,
        workers: int = 1,
        limit_s: float | None = None,
        poll_s: float = 1.0,
    ) -> None:
        self.settling, self.told, self.wishes, self.poll_s = settling, told, wishes, poll_s
        self._processes: Standing[Order, Outcome] = Standing(partial(searcher, work, time_from), workers, limit_s)
        self._known: dict[Path, Stamp] = {}
        self._searched: dict[int, tuple[Path, Stamp]] = {}
        self._cut: dict[int, Noted] = {}
        self._clips: dict[int, Path | None] = {}
        self._waiting: dict[Path, Stamp] = {}
        self._number = 0
        self.failures, self._tell_after = 0, 0.0
        self.stopping = False
        self._vanished = False
        self._trouble = ""

    def begin(self, *, skip_present: bool = False) -> None:
        """Say what an earlier run left uncertain. skip_present: pass over what is there, if there was none."""
        for noted in self.told.cut_off():
            log.warning("%s: a run was killed while it was told, and is not told again: %s", noted.id, _words(noted))
        if self.told.is_new():
            if skip_present:
                self.settling.look()
            self.told.put_begun(self.settling.present)

    def step(self) -> None:
        """One look, and what comes of it; takes a second at most, and as long as telling takes.

        Raises:
            OutputError: a state or a result cannot be written.
        """
        self._look()
        for report in self._processes.turn(self.poll_s):
            if not isinstance(report, Ended):
                continue
            if isinstance(report.outcome, Unwritten):
                raise OutputError(report.outcome.reason)
            if report.number in self._cut:
                self._end_cut(self._cut.pop(report.number), report.outcome)
            else:
                self._end_search(*self._searched.pop(report.number), report.outcome)
        if self._processes.trouble != self._trouble:
            self._trouble = self._processes.trouble
            log.error("%s", self._trouble or "workers begin again")
        self._tell()  # before more is begun, for it may need a worker for a clip
        while self._processes.free and self._waiting:
            path = next(iter(self._waiting))
            stamp = self._waiting.pop(path)
            if stamp_of(path) == stamp:
                self._searched[self._give(Search(self._task(path)))] = path, stamp

    @property
    def idle(self) -> bool:
        """Whether all that is there was searched and told."""
        at_work = self._processes.running or self._waiting or self.settling.growing
        return not (at_work or self._vanished or self.told.pending())

    def close(self) -> None:
        """End the workers; the same watch goes on with what they had."""
        self._processes.close()
        self.told.close()

    def _look(self) -> None:
        whole = self.settling.look()
        if self.settling.vanished != self._vanished:
            self._vanished = self.settling.vanished
            folder = one_line(str(self.settling.folder))
            log.warning("%s: %s", folder, "is gone; waiting for it" if self._vanished else "is there")
        in_work = {path for path, _ in self._searched.values()}
        for path, stamp in whole.items():
            if path in in_work or self._known.get(path) == stamp:
                continue
            if self.told.is_known(path, stamp):
                self._known[path] = stamp
            else:
                self._waiting[path] = stamp
        for path in [path for path in self._known if path not in whole]:
            del self._known[path]
        self._waiting = {path: stamp for path, stamp in self._waiting.items() if whole.get(path) == stamp}

    def _task(self, path: Path) -> Task:
        inside = path.relative_to(self.settling.folder)
        return Task(path, self.wishes.out / inside.with_name(f"{inside.name}{ENDING}"))

    def _give(self, order: Order) -> int:
        self._number += 1
        self._processes.give(self._number, order)
        return self._number

    def _end_search(self, path: Path, stamp: Stamp, outcome: Outcome | Failed) -> None:
        name = one_line(str(path))
        if stamp_of(path) != stamp:
            log.info("%s: changed or went away while it was searched", name)
            return
        if isinstance(outcome, Failed):
            reason = without_path(outcome.reason, path)
            self.told.put_failed(path, stamp, "skipped" if outcome.skipped else "failed", reason)
            log.warning("%s: %s (%s)", name, "skipped" if outcome.skipped else "failed", reason)
        else:
            assert isinstance(outcome, Searched)
            events = outcome.found.events
            new = self.told.put_found(path, stamp, outcome.recording, events)
            log.info("%s: %d events, %d of them new", name, len(events), new)
        self._known[path] = stamp

    def _end_cut(self, noted: Noted, outcome: Outcome | Failed) -> None:
        if isinstance(outcome, Failed):
            log.warning("%s: no clip (%s)", noted.id, outcome.reason)
        self._clips[noted.number] = outcome if isinstance(outcome, Path) else None

    def _tell(self) -> None:
        """What waits, in order, as long as it arrives."""
        if time.monotonic() < self._tell_after:
            return
        for noted in self.told.pending():
            if self.stopping or not self._has_clip(noted):
                return
            message = Message(noted, self._clips.get(noted.number))
            self.told.set_state(noted, "telling")
            try:
                if self.wishes.tell is not None:
                    self.wishes.tell(message)
            except NotToldError as error:
                self._not_told(noted, str(error))
                return
            if self.wishes.tell is None:
                self.wishes.shown(message)
            self.told.set_state(noted, "told")
            if self.wishes.tell is not None:
                self.wishes.shown(message)
            self._clips.pop(noted.number, None)
            self.failures = 0

    def _not_told(self, noted: Noted, reason: str) -> None:
        self.told.set_state(replace(noted, tries=noted.tries + 1), "pending")
        self.failures += 1
        pause_s = min(_LONGEST_PAUSE_S, 2.0 ** min(self.failures, 10))
        self._tell_after = time.monotonic() + pause_s
        log.error("%s: not told, tried again in %g s: %s", noted.id, pause_s, reason)

    def _has_clip(self, noted: Noted) -> bool:
        """Whether the clip of an event is there, or cannot be; else it is asked for."""
        folder = self.wishes.clips
        if folder is None or noted.number in self._clips:
            return True
        if self._processes.free and noted.number not in (one.number for one in self._cut.values()):
            event, margin_s = noted.event, self.wishes.margin_s
            path = folder / f"{self.wishes.clip_name(noted)}.mp4"
            try:
                make_folder(folder)
            except OutputError as error:
                log.error("%s", error)
                return True
            begin_s, end_s = max(0.0, event.start_s - margin_s), event.end_s + margin_s
            order = Cut(noted.path, noted.recording, path, begin_s, end_s)
            self._cut[self._give(order)] = noted
        return False


def _words(noted: Noted) -> str:
    event = noted.event
    return one_line(f"{event.label}, {event.start_s:.2f} to {event.end_s:.2f} s of {noted.path}")
