"""The page of a video that `avloc detect` makes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc import zoo
from avloc.cli.page_media import PageVideo
from avloc.errors import ModelError
from avloc.events import Events
from avloc.evidence.apart import apart, perceived, with_modalities
from avloc.files import make_folder
from avloc.formats.verdicts import mark_of
from avloc.report.evidence import Evidence
from avloc.report.index import Entry, Missing
from avloc.report.judging import Judging
from avloc.report.page import made_from_of, write_page
from avloc.report.site import INDEX, write_site
from avloc.scale.found import Found
from avloc.scale.work import digest_of

TITLE = "Events seen and heard"


class DetectionPage:
    """One page at `path`, with the video as `how` says."""

    def __init__(
        self, path: Path, *, how: PageVideo, made_by: str, report: Path, classes: tuple[str, ...] = ()
    ) -> None:
        self._path, self._how, self._made_by, self._classes = path, how, made_by, classes
        self._name = name_of_page(report, path)

    def is_of(self, mark: str) -> bool:
        """Whether the page is there, made of what `mark` stands for, in the same way."""
        return made_from_of(self._path) == self._made_from(mark)

    def write(self, found: Found) -> None:
        """Write the page.

        Raises:
            OutputError, MediaError, FormatError: it cannot be written, or a copy of the video, or the video inside.
        """
        info, video = found.info, found.task.video
        assert info.video is not None and info.audio is not None
        rate = f", {info.video.fps:.4g} fps" if info.video.fps else ""
        facts = {
            "Model": found.model,
            "Threshold": f"{found.least_score:g}",
            **({"Chosen": chosen} if (chosen := found.wanted.words()) else {}),
            "Picture": f"{info.video.codec}, {info.video.width} x {info.video.height}{rate}",
            "Sound": f"{info.audio.codec}, {info.audio.sample_rate} Hz, {_channels(info.audio.channels)}",
            "Made by": self._made_by,
        }
        make_folder(self._path.parent)
        write_page(
            self._path,
            title=video.name,
            video=self._how.of(info, self._path, found.shown),
            duration_s=info.duration_s,
            events=found.shown,
            levels=found.levels,
            metadata=facts,
            note=read_notes(found.kept.notes),
            made_from=self._made_from(found.mark),
            review=Judging(self._name, mark_of(self._name, found.shown), self._classes),
            evidence=_evidence(found),
            apart=Events()
            if found.evidence is None
            else with_modalities(apart(found.evidence, found.shown, found.wanted)),
        )

    def _made_from(self, mark: str) -> str:
        return digest_of(mark, repr(self._how), self._made_by)[:32]


def page_of(report: Path, name: str) -> Path:
    """The page of a result; none is called like the index."""
    own = f"{name}_" if name.casefold() == Path(INDEX).stem else name
    return report / f"{own}.html"


def name_of_page(report: Path, page: Path) -> str:
    """The result that a page is of."""
    name = Path(os.path.relpath(page, report)).as_posix().removesuffix(".html")
    own = name.removesuffix("_")
    return own if own.casefold() == Path(INDEX).stem else name


def classes_of(model: str) -> tuple[str, ...]:
    """The classes of a model, by alphabet; none where it is not at hand."""
    try:
        return tuple(sorted(zoo.read_config(zoo.find_model(model)).labels))
    except ModelError:
        return ()


@dataclass(frozen=True, slots=True)
class Paged:
    """A video, the name of its result, its page, and what is shown there."""

    video: Path
    name: str
    page: Path
    events: Events
    duration_s: float


def write_index_of(report: Path, pages: Iterable[Paged], made_by: str, missing: Sequence[Missing] = ()) -> Path:
    """The index over the pages in `report`, which are linked to one another; its path.

    Raises:
        OutputError: a file cannot be written.
    """
    entries = [
        Entry(
            "/".join([*one.name.split("/")[:-1], one.video.name]),
            Path(os.path.relpath(one.page, report)).as_posix(),
            one.duration_s,
            one.video.is_file(),
            one.events,
            one.name,
            mark_of(one.name, one.events),
        )
        for one in pages
    ]
    write_site(report / INDEX, entries, title=TITLE, metadata={"Made by": made_by}, missing=missing)
    return report / INDEX


def _evidence(found: Found) -> list[Evidence]:
    return (
        [] if found.evidence is None else [Evidence(p.seen, p.heard) for p in perceived(found.evidence, found.shown)]
    )


def _channels(count: int) -> str:
    return {1: "mono", 2: "stereo"}.get(count, f"{count} channels")


def read_notes(notes: Sequence[str]) -> str:
    """What was chosen in reading a file, as one sentence under a page's title."""
    return f"Note: {'; '.join(notes)}." if notes else ""
