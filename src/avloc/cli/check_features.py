"""`avloc check-features`: features held against others of the same videos, or against durations."""

from __future__ import annotations

import json as json_text
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.table import Table

from avloc.cli.console import error_console, is_unicode, screen_console
from avloc.cli.predictions import counted
from avloc.cli.progress import counting
from avloc.datasets.annotations import read_annotations
from avloc.datasets.feature_check import FoldersCompared, compare_folders, find_layout
from avloc.datasets.row_check import RowsChecked, check_rows
from avloc.errors import AvlocError, one_line

_MOST_SHOWN = 10
LayoutName = Literal["onepeace", "i3d-vggish", "onepeace-activitynet", "i3d-thumos14", "avloc"]


def check_features(
    features: Annotated[Path, tyro.conf.Positional],
    against: Path | None = None,
    annotations: Path | None = None,
    layout: LayoutName | None = None,
    against_layout: LayoutName | None = None,
    least_cosine: float = 0.95,
    json: bool = False,
) -> int:
    """Compare features with others of the same videos, or their rows with the videos' durations.

    --against: rows of each video in both folders, cosine by stream, the shift in time that fits best, the ratio of
    sizes, videos that stand out. --annotations: rows against duration and stride, the stride and the offset that
    rows and durations tell of. The exit status is 1 if anything is not the same, beyond a row at the end.

    examples:
      avloc check-features feats/ --against released/
      avloc check-features feats/ --annotations unav100_annotations.json
      avloc check-features feats/ --against released/ --json > compared.json

    Args:
        features: Folder of feature files.
        against: Folder of others, in the same layout or another of the same encoders.
        annotations: Durations of the videos: annotations of any form that check-data reads.
        layout: Layout of the files; without it the one that most of them fit.
        against_layout: That of the other folder.
        least_cosine: Streams whose median cosine is below this count as different.
        json: Print what was found as JSON.
    """
    if (against is None) == (annotations is None):
        raise AvlocError("check-features needs one of --against and --annotations; see avloc check-features --help")
    if not -1 <= least_cosine <= 1:
        raise AvlocError(f"--least-cosine is {least_cosine}; a number from -1 to 1 is needed")
    with counting(error_console(), "videos") as on_progress:
        if against is not None:
            found: FoldersCompared | RowsChecked = compare_folders(
                features,
                against,
                layouts=(layout, against_layout),
                least_cosine=least_cosine,
                on_progress=on_progress,
            )
        else:
            assert annotations is not None
            truth = read_annotations(annotations, strict=False)
            durations_s = {video: entry.duration_s for video, entry in truth.videos.items()}
            found = check_rows(features, find_layout(features, layout), durations_s, on_progress)
    if json:
        json_text.dump(_plain(asdict(found)), sys.stdout, indent=1, ensure_ascii=not is_unicode())
        print()
    elif isinstance(found, FoldersCompared):
        _show_compared(found, features, against)
    else:
        _show_rows(found, features)
    return 1 if found.problems else 0


def _show_compared(found: FoldersCompared, features: Path, against: Path | None) -> None:
    screen = screen_console()
    screen.print(f"{features} against {against}", style="bold", markup=False, soft_wrap=True)
    beside = f" ({found.only[0]} and {found.only[1]} in one alone)" if any(found.only) else ""
    layouts = " and ".join(dict.fromkeys(found.layouts))
    screen.print(f"layout {layouts}, a row every {found.stride_s:g} s; {counted(found.videos, 'video')}{beside}")
    heads = ("stream", "cosine", "lowest 5 %", "rows late", "cosine there*", "size", "stand out")
    table = Table(*heads, box=None)
    table.columns[0].overflow = "fold"  # names differ at their ends
    for column in table.columns[1:]:
        column.justify = "right"
    for s in found.streams:
        shift = "untold" if s.shift_rows is None else f"{s.shift_rows:+d}, {s.shift_s:+.2f} s"
        size = f"{s.scale:.3f}x"
        table.add_row(
            s.name, f"{s.cosine:.4f}", f"{s.low:.4f}", shift, f"{s.centred:.4f}", size, str(len(s.outliers))
        )
    screen.print(table)
    screen.print("* of what changes within a video; rows late: the first folder's, by the shift that fits best")
    apart = ", ".join(f"{rows:+d}: {count}" if rows else f"0: {count}" for rows, count in found.rows_apart.items())
    screen.print(f"rows of the first less those of the second, videos: {apart}", soft_wrap=True)
    for s in found.streams:
        for video, cosine in list(s.outliers.items())[:_MOST_SHOWN]:
            screen.print(f"{s.name} of {one_line(video)}: cosine {cosine:.4f}", markup=False, soft_wrap=True)
    _show_problems(found.problems, "the two are the same, but for rounding.")


def _show_rows(found: RowsChecked, features: Path) -> None:
    screen = screen_console()
    screen.print(f"{features} against durations", style="bold", markup=False, soft_wrap=True)
    screen.print(
        f"layout {found.layout}, a row every {found.stride_s:g} s of {found.window_s:g} s; "
        f"{counted(found.videos, 'video')}, {found.without} of the annotations without features",
        soft_wrap=True,
    )
    screen.print(f"rows: {found.rows[0]} to {found.rows[2]}, median {found.rows[1]:g}")
    if found.fitted_stride_s is not None:
        screen.print(
            f"rows and durations tell of a row every {found.fitted_stride_s:.4f} s; rows less windows inside the "
            f"video: {found.beyond[0]:+.1f} to {found.beyond[2]:+.1f}, median {found.beyond[1]:+.1f}",
            soft_wrap=True,
        )
    _show_problems(found.problems, "rows fit durations.")


def _show_problems(problems: tuple[str, ...], none: str) -> None:
    screen = screen_console()
    if not problems:
        screen.print(f"No problem: {none}", style="green")
        return
    screen.print(f"{counted(len(problems), 'problem')}:", style="bold yellow")
    for problem in problems[:_MOST_SHOWN]:
        screen.print(f"  {one_line(problem)}", markup=False, soft_wrap=True)
    if len(problems) > _MOST_SHOWN:
        screen.print(f"  and {len(problems) - _MOST_SHOWN} more (--json lists all)")


def _plain(value: Any) -> Any:
    """For JSON: numbers that are none become null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
