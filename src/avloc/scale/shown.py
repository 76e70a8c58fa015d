"""What is shown of what is kept: result files of one choice of events, and results of another brought to it.

A result file says what it was computed by and what it shows, so a folder of mixed results is known for what it is.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from avloc.errors import AvlocError, FormatError, OutputError
from avloc.events import Events
from avloc.events.filter import ALL_EVENTS, EventFilter
from avloc.evidence.apart import ClassEvidence
from avloc.formats.activitynet import read_detections, read_external, write_results
from avloc.formats.files import ENDING
from avloc.scale.kept import Kept, kept_file, read_kept
from avloc.scale.perceived import forget_evidence, kept_evidence, write_evidence

CHOSEN = "chosen"
"""Where a result file tells what was chosen of its events beside the least score."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A result file of one video as it is read: its events, and what it says of how they were made."""

    events: Events
    about: dict[str, Any]
    key: str
    duration_s: float


def read_stored(path: Path) -> Stored | None:
    """A whole result file of one video, or None for one that is missing, cut off, or no such result."""
    try:
        results, about = read_detections(path)
        (events,) = results.values()
        return Stored(events, about, str(about["key"]), float(about["duration"]))
    except (AvlocError, KeyError, TypeError, ValueError):
        return None


def require_one_setting(folder: Path, files: Iterable[Path], least_score: float | None = None) -> None:
    """Whether result files in a folder can be read together; files that do not say how they were made can.

    least_score: the least score that will be read, where one can be chosen: results of lower ones do not differ then,
    unless they differ in what else was chosen.

    Raises:
        FormatError: they were made by several settings, as a run leaves them that was stopped.
    """
    count = Counter(setting for file in files if (setting := _setting_of(file, least_score or 0.0)) is not None)
    if len(count) < 2:
        return
    versions = {computed for _, computed, *_ in count}
    choices = {chosen for *_, chosen in count}
    several = len(versions) > len({model for model, *_ in count})  # of a model of one name
    told = ", ".join(
        f"{n} of model {model}{f' ({computed[:6]})' if several else ''} with threshold {score:g}"
        f"{f' and {chosen} chosen' if len(choices) > 1 else ''}"
        for (model, computed, score, chosen), n in count.most_common(4)
    )
    remedy = "run the last `avloc detect` again to its end"
    if least_score is not None and len(versions) == len(choices) == 1:
        remedy += f", or give --min-score {max(score for _, _, score, _ in count):g}"
    raise FormatError(f"{folder}: holds results of different settings ({told}); {remedy}")


def _setting_of(file: Path, least_score: float) -> tuple[str, str, float, str] | None:
    """Name of the model, all that was computed by, least score that is written, and what else was chosen."""
    try:
        told = read_external(file)
        chosen = json.dumps(told.get(CHOSEN, {}), sort_keys=True)
        return str(told["model"]), str(told.get("computed", "")), max(float(told["min_score"]), least_score), chosen
    except (AvlocError, KeyError, TypeError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Shown:
    """Which of the candidates that `computed` stands for are written: those of a least score, or `all`.

    wanted is what is chosen beside that. made_by is only told in the files: the same model gives the same events in
    every version of this package.
    """

    computed: str
    least_score: float
    least_of_all: float
    all: bool = False
    made_by: str = "avloc"
    wanted: EventFilter = ALL_EVENTS

    @property
    def written_from(self) -> float:
        """Least score of the events in a result file."""
        return self.least_of_all if self.all else self.least_score

    def events(self, candidates: Events) -> Events:
        """The events for people, in the order of time."""
        return replace(self.wanted, min_score=self.least_score)(candidates).by_time()

    @property
    def _told(self) -> dict[str, Any]:
        """What a result says of what is chosen: of all candidates none is left out but what was never looked at."""
        stretch = {"start", "end"}
        return {name: value for name, value in self.wanted.told().items() if not self.all or name in stretch}

    def write(
        self, result: Path, kept: Kept, about: Mapping[str, object], evidence: ClassEvidence | None = None
    ) -> None:
        """Write a result file, with `about` beside what all say of themselves.

        evidence: tells how surely each event is seen and heard, and what is only one of the two, in a file beside.

        Raises:
            OutputError: it cannot be written.
        """
        told = {"made_by": self.made_by, **about, "duration": round(kept.duration_s, 3), "key": kept.key}
        told |= {"computed": self.computed, "min_score": self.written_from}
        if self.all:
            told["all"] = True
        if self._told:
            told[CHOSEN] = self._told
        if kept.notes:
            told["notes"] = list(kept.notes)
        shown = self.events(kept.events)
        events = kept.events if self.all else shown
        more = write_evidence(result, events, shown, evidence, told, self.wanted)
        write_results(result, {result.name.removesuffix(ENDING): events}, told, more)

    def fits(self, stored: Stored) -> bool:
        """Whether a result is as these settings make it."""
        return self.fits_told(stored.about)

    def fits_told(self, told: Mapping[str, object]) -> bool:
        """The same, by what a file says of itself."""
        settings = [told.get("computed"), told.get("min_score"), told.get("all", False), told.get(CHOSEN, {})]
        return settings == [self.computed, self.written_from, self.all, self._told]

    def bring_along(self, folder: Path, results: Mapping[str, Path]) -> int:
        """Make results in a folder, by name, again that have another least score; how many there were.

        Raises:
            OutputError: one was computed by other settings, or nothing is kept of it; then none is touched.
        """
        odd = {name: path for name, path in results.items() if not self._is_settled(path)}
        lost = [name for name, path in odd.items() if self._kept_of(path) is None]
        if lost:
            raise OutputError(
                f"{folder}: holds results that another model, version or stretch made, of videos that are "
                f"not given now ({len(lost)} of them, such as {lost[0]}); give all of the videos, or another --out"
            )
        return sum(self._bring(path) for path in odd.values())

    def give_up(self, result: Path) -> None:
        """Bring a result of an earlier run to these settings, or remove it where that cannot be."""
        if not self._is_settled(result) and not self._bring(result):
            forget_evidence(result)
            for path in (result, kept_file(result)):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _is_settled(self, result: Path) -> bool:
        """Whether nothing is to be done about a file; one that is no result of detection is left alone."""
        stored = read_stored(result)
        return stored is None or self.fits(stored)

    def _bring(self, result: Path) -> bool:
        """Make a result again wherever its video is; False where it cannot be."""
        stored, kept = read_stored(result), self._kept_of(result)
        if stored is None or kept is None:
            return False
        about = {name: stored.about.get(name, "") for name in ("model", "source", "video")}
        self.write(result, kept, about, kept_evidence(result, kept.key))
        return True

    def _kept_of(self, result: Path) -> Kept | None:
        """What is kept of a result that was computed by these settings."""
        stored = read_stored(result)
        if stored is None or stored.about.get("computed") != self.computed:
            return None
        kept = read_kept(kept_file(result), result)
        return kept if kept is not None and kept.key == stored.key else None
