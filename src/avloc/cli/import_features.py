"""`avloc import-features`: feature files of any encoders > a folder that every recipe trains on."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import tyro

from avloc.cli.console import error_console, screen_console
from avloc.cli.inputs import require_writable
from avloc.cli.predictions import counted
from avloc.cli.progress import counting
from avloc.cli.settings_file import read_settings
from avloc.config import from_dict
from avloc.datasets.annotations import read_annotations
from avloc.datasets.importing import Imported, ImportPlan, plan_import, write_import
from avloc.datasets.sources import GridConfig, ImportConfig, Source
from avloc.errors import AvlocError, ConfigError
from avloc.files import replace_file
from avloc.timegrid import TimeGrid

_MOST_SHOWN = 10
RECORD = "import.json"
Seconds = Annotated[float | None, tyro.conf.arg(metavar="S")]
Patterns = Annotated[tuple[str, ...], tyro.conf.arg(metavar="PATH [PATH ...]")]


def import_features(
    layout: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="[LAYOUT]")] = None,
    *,
    out: Path,
    visual: Patterns = (),
    audio: Patterns = (),
    stride: Seconds = None,
    window: Seconds = None,
    offset: float = 0.0,
    audio_stride: Seconds = None,
    audio_window: Seconds = None,
    audio_offset: Seconds = None,
    rescaled: bool = False,
    transposed: bool = False,
    grid_stride: Seconds = None,
    steps: Annotated[int | None, tyro.conf.arg(metavar="N")] = None,
    durations: Path | None = None,
) -> int:
    r"""Bring in features of any encoders: a file a video, .npy, .npz or .safetensors, both modalities on one grid.

    Encoders keep their own stride, window and offset, and what lies on another grid is resampled, which is said. The
    folder OUT is read with --data.layout avloc. Encoders of several rates on one side, a third modality, and names of
    arrays in files are said in a LAYOUT, a few lines of YAML (docs/features.md).

    examples:
      avloc import-features --out feats/ --durations ann.json --stride 0.5 --window 1.0 \
          --visual 'clip/{id}.npy' --audio 'clap/{id}.npy'
      avloc import-features --out feats/ --durations ann.json --visual 'clip/{id}.npy' --stride 0.25 \
          --audio 'clap/{id}.npy' --audio-stride 1.0 --audio-window 2.0
      avloc import-features --visual 'tsp/v_{id}.npy' --rescaled --durations activity_net.json --out feats/
      avloc import-features layout.yaml --durations ann.json --out feats/

    Args:
        layout: YAML or JSON file that says all that the flags below do, and more.
        out: Folder for the features, a file a video.
        visual: Files of what was seen, {id} for the video's name; several stand side by side.
        audio: Files of what was heard.
        stride: Seconds from one row to the next.
        window: Seconds that a row looks at; without it as long as the stride.
        offset: Second at which the first window begins; below 0 where rows are centred on it.
        audio_stride: The same of what was heard, where it differs.
        audio_window: The same of what was heard, where it differs; with --audio-stride as long as that, if not said.
        audio_offset: The same of what was heard, where it differs.
        rescaled: Every video has as many rows, whatever its length, as is usual on ActivityNet.
        transposed: Arrays are (width, rows).
        grid_stride: Stride of the grid to write; without it the finest that comes in.
        steps: Write so many rows for every video, instead of a grid in seconds.
        durations: Annotations that say how long videos are, of any form that avloc trains on; without them lengths
            are not checked, and rescaled features cannot be read.
    """
    require_writable(out)
    heard = {"audio_stride": audio_stride, "audio_window": audio_window, "audio_offset": audio_offset}
    if layout is not None:
        _refuse(
            f"is given and a layout as well; say it in {layout}",
            visual=visual, audio=audio, stride=stride, window=window, offset=offset or None, **heard,
            rescaled=rescaled, transposed=transposed, grid_stride=grid_stride, steps=steps,
        )  # fmt: skip
        config = _of_file(layout)
    else:
        if not audio:
            _refuse("is given and --audio is not; name the files of what was heard", **heard)
        seen = _sources(visual, stride, window, offset, rescaled, transposed)
        listened = _sources(
            audio,
            stride if audio_stride is None else audio_stride,
            window if audio_window is None and audio_stride is None else audio_window,
            offset if audio_offset is None else audio_offset,
            rescaled,
            transposed,
        )
        config = ImportConfig(seen, listened, None if grid_stride is None else GridConfig(grid_stride), steps)
    return _import(config, out, durations or (Path(config.durations) if config.durations else None))


def _refuse(why: str, **flags: object) -> None:
    """Raise AvlocError for the first flag that is given: not None, not False, not empty."""
    for name, value in flags.items():
        if not (value is None or value is False or value == ()):
            raise AvlocError(f"--{name.replace('_', '-')} {why}")


def _sources(
    patterns: tuple[str, ...],
    stride: float | None,
    window: float | None,
    offset: float,
    rescaled: bool,
    transposed: bool,
) -> tuple[Source, ...]:
    return tuple(
        Source(
            files, stride_s=stride, window_s=window, offset_s=offset, rescaled=rescaled, transposed=transposed
        )
        for files in patterns
    )  # fmt: skip


def _import(config: ImportConfig, out: Path, durations: Path | None) -> int:
    known = None
    if durations is not None:
        known = {v: t.duration_s for v, t in read_annotations(durations, strict=False).videos.items()}
    console = error_console()
    with counting(console, "files looked at") as on_progress:
        plan = plan_import(config, known, on_progress)
    with counting(console, "videos") as on_progress:
        done = write_import(plan, out, on_progress)
    left_out = done.left_out
    replace_file(out / RECORD, (json.dumps(_record(plan, done), indent=1) + "\n").encode())
    _show(plan, done, out)
    for video, reason in list(left_out.items())[:_MOST_SHOWN]:
        line = reason if video in reason else f"{video}: {reason}"
        print(f"avloc: left out: {line}", file=sys.stderr)
    if len(left_out) > _MOST_SHOWN:
        print(f"avloc: left out: {len(left_out) - _MOST_SHOWN} more, all in {out / RECORD}", file=sys.stderr)
    return 1 if left_out else 0


def _show(plan: ImportPlan, done: Imported, out: Path) -> None:
    screen = screen_console()
    less = f", {len(done.left_out)} left out" if done.left_out else ""
    screen.print(f"{counted(done.videos, 'video')} written{less}: {out}", markup=False, soft_wrap=True)
    for (side, source), part in zip(plan.sources, done.parts, strict=False):
        how = "rescaled to one length" if source.rescaled else _words(source.grid(math.inf, 1))
        new = _words(plan.grid) if plan.grid else f"{plan.steps} rows a video"
        change = f"; resampled to {new}" if source.name in plan.resampled else ", as they are"
        screen.print(f"  {side}: {source.name}, {part.width} wide, {how}{change}", markup=False, soft_wrap=True)
    if math.inf in plan.durations_s.values():
        screen.print("  durations are not known: lengths were not checked")
    screen.print(f"train with --data.features {out} --data.layout avloc", markup=False, soft_wrap=True)


def _words(grid: TimeGrid) -> str:
    offset = f" from {grid.offset_s:g} s on" if grid.offset_s else ""
    return f"a row every {grid.stride_s:g} s, windows of {grid.window_s:g} s{offset}"


def _record(plan: ImportPlan, done: Imported) -> dict[str, Any]:
    sources = [
        {"side": side, **asdict(source), "resampled": source.name in plan.resampled} for side, source in plan.sources
    ]
    grid = None if plan.grid is None else asdict(plan.grid)
    widths = {part.name: part.width for part in done.parts}
    return {"sources": sources, "widths": widths, "grid": grid, "steps": plan.steps, "videos": done.videos,
            "left_out": done.left_out}  # fmt: skip


def _of_file(path: Path) -> ImportConfig:
    told = read_settings(path)
    if not isinstance(told, Mapping):
        raise ConfigError(f"{path}: is no layout; groups `visual` and `audio` are needed (docs/features.md)")
    told = dict(told)
    for side in ("visual", "audio"):
        if isinstance(told.get(side), Mapping):  # one encoder needs no list
            told[side] = [told[side]]
    return from_dict(ImportConfig, told, where=path.name)
