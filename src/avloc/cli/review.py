"""`avloc review`: results and verdicts on them > precision, thresholds, what to look at next, corrected results."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from avloc import __version__
from avloc.cli.console import screen_console
from avloc.cli.predictions import counted
from avloc.cli.results import Result, find_results
from avloc.cli.review_view import Row, next_rows, next_verdicts, rows_of, show, write_rows
from avloc.cli.score_tables import print_json
from avloc.errors import AvlocError, FormatError
from avloc.files import make_folder
from avloc.formats.activitynet import read_external, write_results
from avloc.formats.files import ENDING, sniff
from avloc.formats.media_names import from_file, seen_from
from avloc.formats.verdict_files import read_reviewed, write_reviewed
from avloc.formats.verdicts import Reviewed
from avloc.review.agreement import Merged, merge
from avloc.review.corrected import corrected
from avloc.review.joined import Joined, join
from avloc.review.sample import next_to_look_at

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
) -> int:
    """Tell what verdicts on events say of the results: precision by class, and the score for a wished precision.

    Verdicts are files that the pages of `avloc report` and `avloc detect --report` save (docs/review.md). Precision
    is that of all events, also where some scores were looked at more than others; what is in brackets is its interval
    of 95 %.

    examples:
      avloc review results/ verdicts.csv
      avloc review results/ verdicts.csv --next 20 --next-file next.csv
      avloc review results/ verdicts.csv --out corrected/
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
    """
    _check(verdicts, precision, next, next_file, results, out)
    found = {result.name: result for result in find_results(results)}
    events = {name: result.events for name, result in found.items()}
    together = merge(_read(verdicts))
    joined = join(events, together.videos)
    chosen = next_to_look_at(joined.found, next, seed)
    rows = rows_of(joined, precision)
    written = {"corrected": out, "merged": merged, "next": next_file, "table": csv}
    writers: dict[str, Callable[[Path], None]] = {
        "corrected": lambda folder: _write_corrected(folder, found, together.videos),
        "merged": lambda path: write_reviewed(path, together.videos),
        "next": lambda path: write_reviewed(path, next_verdicts(chosen, found)),
        "table": lambda path: write_rows(path, rows),
    }
    for what, path in written.items():
        if path is not None:
            writers[what](path)
    if joined.strange:
        strange = counted(joined.strange, "verdict")
        print(
            f"avloc: {strange} left out: these results have no such event; did detection run anew since?",
            file=sys.stderr,
        )
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


def _write_corrected(out: Path, results: Mapping[str, Result], verdicts: Mapping[str, Reviewed]) -> None:
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
        write_results(path, {Path(name).name: corrected(result.events, reviewed)}, told)


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
