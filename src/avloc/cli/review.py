"""`avloc review`: results and verdicts on them > precision, thresholds, what to look at next, corrected results."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from avloc import __version__
from avloc.cli.choosing import Choosing
from avloc.cli.console import screen_console
from avloc.cli.predictions import counted
from avloc.cli.results import Result, find_results
from avloc.cli.review_view import Row, next_rows, next_verdicts, rows_of, show, write_rows
from avloc.cli.score_tables import print_json
from avloc.errors import AvlocError, FormatError
from avloc.events import Events
from avloc.events.filter import EventFilter
from avloc.files import make_folder
from avloc.formats.activitynet import read_external, write_results
from avloc.formats.evidence import read_evidence
from avloc.formats.files import ENDING, sniff
from avloc.formats.media_names import from_file, seen_from
from avloc.formats.verdict_files import read_reviewed, write_reviewed
from avloc.formats.verdicts import Reviewed, key_of
from avloc.review.agreement import Merged, merge
from avloc.review.corrected import corrected
from avloc.review.joined import Joined, join, on_chosen
from avloc.review.sample import next_to_look_at
from avloc.scale.shown import CHOSEN

_GONE = ("key", "computed", "all")  # of the result that was corrected, no more of this one


def review(
    results: Annotated[Path, tyro.conf.Positional],
    verdicts: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="VERDICTS ...")],
    precision: float = 0.9,
    next: Annotated[int, tyro.conf.arg(metavar="COUNT")] = 0,
    next_file: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None,
    merged: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    csv: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    json: bool = False,
    seed: int = 0,
    choosing: Annotated[Choosing, tyro.conf.arg(name="")] = Choosing(),  # noqa: B008
) -> int:
    """Tell what verdicts on events say of the results: precision by class, and the score for a wished precision.

    Verdicts are files that the pages of `avloc report` and `avloc detect --report` save (docs/review.md). Precision
    is that of all events, also where some scores were looked at more than others; what is in brackets is its interval
    of 95 %.

    examples:
      avloc review results/ verdicts.csv
      avloc review results/ verdicts.csv --next 20 --next-file next.csv
      avloc review results/ verdicts.csv --out corrected/
      avloc review results/ verdicts.csv --merge-gap 1     (of pages of avloc report --merge-gap 1)
      avloc review results/ ann.csv ben.csv --merged both.csv --json

    Args:
        results: Folder of results of `avloc detect`, or one result, whose pages were looked at.
        verdicts: Files of verdicts, of one person or of several.
        precision: Wished precision: the least score from which it is reached is told.
        next: How many events to name that tell most if they are looked at next.
        next_file: Write these to a file that the index and the pages open: they then lead from one to the next.
        out: Folder for corrected results, of the same form.
        merged: Write the verdicts of all files as one; events on which people do not agree have none.
        csv: Write the table of classes to a file.
        json: Print JSON alone; shares of one instead of percent.
        seed: Seed of the choice of what to look at next.
        choosing: What of the events is wanted, as in the `avloc report` whose pages were looked at.
    """
    _check(verdicts, precision, next, next_file, results, out)
    wanted = choosing.wanted()
    written_results = find_results(results, least_score=max(0.0, wanted.min_score))
    choosing.require_classes(wanted, {label for result in written_results for label in result.events.labels})
    together = merge(_read(verdicts))
    verdicts_on, unchosen = _on_chosen(written_results, together.videos, wanted)
    found = {result.name: replace(result, events=wanted(result.events)) for result in written_results}
    joined = join({name: result.events for name, result in found.items()}, verdicts_on)
    chosen = next_to_look_at(joined.found, next, seed)
    rows = rows_of(joined, precision)
    written = {"corrected": out, "merged": merged, "next": next_file, "table": csv}
    writers: dict[str, Callable[[Path], None]] = {
        "corrected": lambda folder: _write_corrected(folder, found, verdicts_on, wanted),
        "merged": lambda path: write_reviewed(path, together.videos),
        "next": lambda path: write_reviewed(path, next_verdicts(chosen, found)),
        "table": lambda path: write_rows(path, rows),
    }
    for what, path in written.items():
        if path is not None:
            writers[what](path)
    for count, why in (
        (unchosen, "on events that are not chosen here"),
        (
            joined.strange,
            "these results have no such event; did detection run anew since, or were the pages made with "
            "--merge-gap, --start or --end? Give these here, too",
        ),
    ):
        if count:
            print(f"avloc: {counted(count, 'verdict')} left out: {why}", file=sys.stderr)
    if json:
        print_json(_plain(rows, joined, together, precision) | {"next": next_rows(chosen)})
        return 0
    screen = screen_console()
    show(screen, rows, joined, together, chosen, precision)
    for what, path in written.items():
        if path is not None:
            screen.print(f"{what}: {path}", markup=False, soft_wrap=True)
    return 0


def _check(
    verdicts: Sequence[Path], precision: float, count: int, next_file: Path | None, results: Path, out: Path | None
) -> None:
    if not verdicts:
        raise AvlocError("no file of verdicts is given; save one on a page of the results, and name it")
    if not 0 < precision <= 1:
        raise AvlocError(f"--precision is {precision:g}; a share between 0 and 1 is needed, such as 0.9")
    if count < 0:
        raise AvlocError(f"--next is {count}; a number of events is needed, such as 20")
    if next_file is not None and not count:
        raise AvlocError("--next-file is of --next; give that as well, such as --next 20")
    if out is not None and out.resolve() == (results if results.is_dir() else results.parent).resolve():
        raise AvlocError(f"--out is {out}, where the results are; name another folder")


def _read(paths: Sequence[Path]) -> dict[str, dict[str, Reviewed]]:
    """By file, each called by its name, or by its path where two have one name.

    Raises:
        FormatError: one is no file of verdicts.
    """
    for path in paths:
        if path.exists() and (form := sniff(path)) != "verdicts":
            raise FormatError(f"{path}: holds no verdicts ({form}); give a file that a page of the results saved")
    stems = [path.stem for path in paths]
    names = [str(path) if stems.count(path.stem) > 1 else path.stem for path in paths]
    return {name: read_reviewed(path) for name, path in zip(names, paths, strict=True)}


def _on_chosen(
    results: Sequence[Result], verdicts: Mapping[str, Reviewed], wanted: EventFilter
) -> tuple[dict[str, Reviewed], int]:
    """The verdicts on what is wanted, and how many others there are."""
    events = {result.name: result.events for result in results}
    pairs = {video: on_chosen(told, events.get(video, Events()), wanted) for video, told in verdicts.items()}
    return {video: kept for video, (kept, _) in pairs.items()}, sum(count for _, count in pairs.values())


def _write_corrected(
    out: Path, results: Mapping[str, Result], verdicts: Mapping[str, Reviewed], wanted: EventFilter
) -> None:
    """A result file for each video, also of those that nobody looked at."""
    for name, result in results.items():
        reviewed = verdicts.get(name, Reviewed())
        path = out / f"{name}{ENDING}"
        make_folder(path.parent)
        about = read_external(result.file) if sniff(result.file) == "activitynet" else {}
        place = about.get("video")
        if isinstance(place, str):
            about["video"] = seen_from(from_file(place, result.file), path)
        if result.duration_s is not None:
            about["duration"] = result.duration_s
        told = {key: value for key, value in about.items() if key not in _GONE}
        looked = [v for v in reviewed.verdicts if v.kind]
        told["reviewed"] = {
            "verdicts": len(looked),
            "whole": reviewed.whole,
            "by": sorted({v.by for v in looked if v.by}),
            "with": f"avloc {__version__}",
        }
        if wanted.told():
            told[CHOSEN] = wanted.told()
        if result.min_score is not None:
            told["min_score"] = max(result.min_score, wanted.min_score)
        stem, events = Path(name).name, corrected(result.events, reviewed)
        write_results(path, {stem: events}, told, {stem: _evidence(result, stem, events)})


def _evidence(result: Result, name: str, events: Events) -> list[dict[str, Any]]:
    """What the result says of how surely each event is seen and heard, where it stands as it was found."""
    told = read_evidence(result.file, name)
    certain = (told.get(key_of(event)) for event in events)
    return [
        {} if pair is None else {"evidence": dict(zip(("visual", "audio"), pair, strict=True))} for pair in certain
    ]


def _plain(rows: Sequence[Row], joined: Joined, together: Merged, wished: float) -> dict[str, Any]:
    return {
        "precision_wished": wished,
        "classes": [row.plain() for row in rows],
        "added": len(joined.added),
        "strange": joined.strange,
        "agreement": [
            {"people": [a.one, a.other], "both": a.both, "agreed": a.agreed, "kappa": a.kappa}
            for a in together.agreements
        ],
        "conflicts": [
            {
                "video": c.video,
                "segment": [c.event.start_s, c.event.end_s],
                "label": c.event.label,
                "verdicts": {person: v.kind for person, v in c.verdicts.items()},
            }
            for c in together.conflicts
        ],
        "made_by": f"avloc {__version__}",
    }
