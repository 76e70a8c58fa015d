"""`avloc report`: results > an index over all videos and a page for each, which work offline."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Annotated

import numpy as np
import tyro
from numpy.typing import NDArray

from avloc import __version__
from avloc.cli.choosing import Choosing
from avloc.cli.console import error_console, screen_console
from avloc.cli.grammar import Annotator, Fps, Tiers, chosen
from avloc.cli.inputs import require_writable
from avloc.cli.names import slug, told_apart
from avloc.cli.page_media import PageVideo
from avloc.cli.pages import classes_of, read_notes
from avloc.cli.predictions import counted
from avloc.cli.progress import counting
from avloc.cli.results import Result, find_results, missing_line, without_result
from avloc.errors import AvlocError, MediaError, one_line
from avloc.events import Event, Events
from avloc.events.filter import EventFilter
from avloc.evidence.apart import chosen_apart
from avloc.formats.evidence import read_evidence
from avloc.formats.verdicts import key_of, mark_of
from avloc.media.levels import LevelMeter
from avloc.media.probe import probe
from avloc.media.reader import read_audio
from avloc.report.evidence import Evidence
from avloc.report.index import Entry, Missing, summary
from avloc.report.judging import Judging
from avloc.report.page import STATIC, Shown, made_from_of, video_url, write_page
from avloc.report.site import INDEX, write_site
from avloc.scale.kept import LEVELS, Kept, kept_file, read_kept
from avloc.scale.perceived import read_apart
from avloc.scale.table import FAILURES

PAGES = "pages"
_SAMPLE_RATE = 8000


def report(
    results: Annotated[Path, tyro.conf.Positional],
    out: Path,
    title: str = "Events seen and heard",
    choosing: Annotated[Choosing, tyro.conf.arg(name="")] = Choosing(),  # noqa: B008
    videos: Path | None = None,
    quick: bool = False,
    proxy: bool = False,
    tier: Tiers = (),
    annotator: Annotator = None,
    fps: Fps = None,
) -> int:
    """Make an index over all videos of a result folder, to search and filter, and a page for each.

    Open index.html in a browser; no server is needed. Pages link to the videos where they are. Pages whose result and
    video have not changed are kept, so that the same command again goes on where it stopped.

    examples:
      avloc report results/ --out site/
      avloc report results/ --out site/ --videos /mnt/archive --quick
      avloc report results/ --out site/ --label "dog barking" --min-score 0.7 --min-length 1
      avloc report audacity_labels/ --out site/ --videos videos/

    Args:
        results: Folder of results of `avloc detect` or of files of labels, or one file of any format of
            docs/formats.md.
        out: Folder for index.html and pages/.
        title: Heading of the index.
        choosing: What of the events is wanted.
        videos: Folder to look for videos that are neither where they were when they were searched, nor beside the
            file.
        quick: Leave the level of the sound and the pictures of events out of the pages; they take decoding the
            videos.
        proxy: Where browsers do not play a video (HEVC, ProRes, MPEG-2, AVI, MPEG-TS and others), make a small copy
            beside its page that they do: H.264, at most 360 lines.
        tier: Tiers of ELAN and Praat files to read; without it all that have times.
        annotator: Whose answers to read of Label Studio files of several annotators: number, address or name.
        fps: Frame rate of the videos, for files that count frames (timecodes, EDL, Label Studio, FiftyOne).
    """
    choices = chosen(fps, tier, annotator)
    wanted = choosing.wanted()
    least = max(0.0, wanted.min_score)
    screen, errors = screen_console(), error_console()
    problems: list[str] = []
    missing: list[str] = []
    with counting(errors, "results") as on_progress:
        found = find_results(results, videos, problems.append, on_progress, choices, least)
    choosing.require_classes(wanted, {label for result in found for label in result.events.labels})
    require_writable(out / PAGES)
    labels = tuple(sorted({label for result in found for label in result.events.labels}))
    site = _Site(out, videos, wanted, PageVideo(proxy=proxy, pictures=not quick), missing.append, labels)
    names = told_apart([slug(result.name.replace("/", "-"), "video") for result in found], [r.name for r in found])
    entries: list[Entry] = []
    with counting(errors, "pages") as on_progress:
        for number, (result, name) in enumerate(zip(found, names, strict=True), 1):
            try:
                entries.append(site.add(result, f"{name}.html"))
            except AvlocError as error:
                problems.append(f"{result.name}: {error}")
            on_progress(number, len(found))
    models = sorted({result.model for result in found if result.model})
    facts = {"Model": ", ".join(models)} if models else {}
    lacking = [Missing(entry.result, entry.state, entry.reason) for entry in without_result(results)]
    write_site(
        out / INDEX, entries, title=title, metadata=facts | {"Made by": f"avloc {__version__}"}, missing=lacking
    )
    if lacking:
        told = f"no result of {counted(len(lacking), 'video')}: {results / FAILURES} tells why"
        screen.print(told, markup=False, soft_wrap=True)
    for line in (summary(entries), f"pages: {site.made} made, {site.kept} kept", f"index: {out / INDEX}"):
        screen.print(line, markup=False, soft_wrap=True)
    if site.unplayable:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(site.unplayable.items()))
        screen.print(f"note:  browsers do not all play {kinds}; --proxy makes copies that they do", markup=False)
    for line in missing + problems:
        print(f"avloc: {one_line(line)}", file=sys.stderr)
    return 1 if problems else 0


@dataclass
class _Site:
    out: Path
    videos: Path | None
    wanted: EventFilter
    how: PageVideo
    on_missing: Callable[[str], None]  # what a page has to do without
    labels: tuple[str, ...]
    made: int = 0
    kept: int = 0
    unplayable: Counter[str] = field(default_factory=Counter)
    _of_model: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, result: Result, file: str) -> Entry:
        """Make the page of one video, unless it is there, and tell what the index has to say of it."""
        events = self.wanted(result.events)
        page = self.out / PAGES / file
        name = "/".join([*result.name.split("/")[:-1], result.title])
        if result.video is None:
            self.on_missing(missing_line(result, self.videos))
        duration_s = _duration_s(result)
        source = result.video or result.file.parent / (_tame(result.recorded) or result.title)
        result_mark = mark_of(result.name, events)
        told = _evidence(result, events)
        apart = chosen_apart(read_apart(result.file, result.key), self.wanted) if result.key else Events()
        mark = self._mark(result, video_url(source, page), told, apart)
        if made_from_of(page) == mark:
            self.kept += 1
        else:
            kept = _kept_of(result)
            least = max(self.wanted.min_score, result.min_score or 0.0)
            facts = {
                "Model": result.model,
                "Threshold": f"{least:g}",
                "Chosen": self.wanted.words(),
                "Results": result.file.name,
            }
            write_page(
                page,
                title=result.title,
                video=self._shown(result, kept, source, page, events),
                duration_s=duration_s,
                events=events,
                levels=self._levels(result, kept, duration_s) if self.how.pictures else None,
                metadata={key: value for key, value in facts.items() if value} | {"Made by": f"avloc {__version__}"},
                note=read_notes(result.notes),
                made_from=mark,
                review=Judging(result.name, result_mark, self._classes(result)),
                evidence=told,
                apart=apart,
            )
            self.made += 1
        playable = result.video is not None
        return Entry(name, f"{PAGES}/{file}", duration_s, playable, events, result.name, result_mark)

    def _classes(self, result: Result) -> tuple[str, ...]:
        """Those of the model that found the events, where it is at hand, else those of all results."""
        return self._of_model.setdefault(result.model, classes_of(result.model)) or self.labels

    def _shown(self, result: Result, kept: Kept | None, source: Path, page: Path, events: Events) -> Shown:
        if result.video is not None:
            try:
                info = probe(result.video) if kept is None else replace(kept.info, path=result.video)
                shown = self.how.of(info, page, events)
                self.unplayable.update([shown.unplayable] if shown.unplayable else [])
                return shown
            except MediaError as error:
                self.on_missing(str(error))
        return Shown(video_url(source, page))

    def _levels(self, result: Result, kept: Kept | None, duration_s: float) -> NDArray[np.float32] | None:
        """As detection kept them, else by listening to the video; None where it cannot be heard."""
        if kept is not None:
            return kept.levels
        if result.video is None:
            return None
        meter = LevelMeter()
        try:
            for block in read_audio(result.video, sample_rate=_SAMPLE_RATE):
                meter.add(block, _SAMPLE_RATE)
        except AvlocError as error:
            self.on_missing(str(error))
            return None
        return meter.levels(LEVELS, duration_s)

    def _mark(self, result: Result, address: str, told: list[Evidence | None], apart: Events) -> str:
        """Changes with all that a page shows."""
        video, events = result.video.stat() if result.video else None, result.events
        columns = [column.tobytes() for column in (events.start_s, events.end_s, events.score)]
        about = (
            result.title,
            result.duration_s,
            result.model,
            result.min_score,
            (self.wanted.min_score, self.wanted.told()),
            self.how,
            result.notes,
        )
        file = (video.st_size, video.st_mtime_ns) if video else None
        seen = (
            __version__,
            _looks(),
            address,
            columns,
            events.labels,
            about,
            file,
            result.name,
            self._classes(result),
            told,
            list(apart),
        )
        return hashlib.sha256(repr(seen).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _evidence(result: Result, events: Events) -> list[Evidence | None]:
    """How surely each event is seen and heard, where the result says so; of a merged or cut one its surest part's."""
    told = read_evidence(result.file, PurePosixPath(result.name).name)
    parts = [event for event in result.events if key_of(event) in told]

    def of(event: Event) -> Evidence | None:
        key = key_of(event)
        if told and key not in told:
            near = (
                e for e in parts if e.label == event.label and e.start_s < event.end_s and e.end_s > event.start_s
            )
            key = max(((e.score, key_of(e)) for e in near), default=(0.0, key))[1]
        return Evidence(*told[key]) if key in told else None

    return [of(event) for event in events] if told else []


def _kept_of(result: Result) -> Kept | None:
    """What detection kept beside a result."""
    kept = read_kept(kept_file(result.file), result.file) if result.key else None
    return kept if kept is not None and kept.key == result.key else None


@cache
def _looks() -> bytes:
    """A digest of what every page is made from."""
    static = resources.files("avloc.report").joinpath("static")
    return hashlib.sha256(b"".join(static.joinpath(n).read_bytes() for n in STATIC)).digest()


def _duration_s(result: Result) -> float:
    """As the result has it, else of the video, else until the last event.

    Raises:
        FormatError, MediaError: nothing tells.
    """
    if result.duration_s:
        return result.duration_s
    if result.video is not None:
        return probe(result.video).duration_s
    if len(result.events) and result.events.end_s.max() > 0:
        return float(result.events.end_s.max())
    raise AvlocError("its length is unknown; name the folder of the videos with --videos")


def _tame(path: str) -> str:
    """A path that can become an address whatever it holds."""
    return path.encode("utf-8", "replace").decode().replace("\0", "?")
