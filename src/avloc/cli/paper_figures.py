"""`avloc paper figure-...`: the paper's figures from folders of runs, as PNG and as vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from avloc.cli.console import screen_console
from avloc.cli.grammar import Paths
from avloc.cli.inputs import require_writable
from avloc.cli.train import with_training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from avloc.experiments.figures import DataPlace

Vector = Literal["svg", "pdf"]


def figure_csm(
    run: Annotated[Path, tyro.conf.Positional],
    videos: int = 20,
    before: Path | None = None,
    common: bool = False,
    split: str = "test",
    features: str | None = None,
    annotations: str | None = None,
    out: Path | None = None,
    vector: Vector = "svg",
) -> int:
    """Cross-similarity of sight and sound before and after LCC (Section 4.5).

    The run without LCC is named by --before, or found beside RUN as the one that differs by LCC alone.

    Args:
        run: Folder of a run that was trained with LCC.
        videos: How many videos of the split, the first ones.
        before: Folder of a run that was trained without LCC.
        common: Take the features in LCC's common space, not those of the encoders.
        split: Subset of the annotations.
        features: Folder of features, if not the one of training.
        annotations: Annotation file, if not the one of training.
        out: Folder of the figure; without it the folder of the run.
        vector: Form beside PNG.
    """
    _ready()
    from avloc.experiments.figures import similarity_figure
    from avloc.experiments.similarity import twin_without_lcc

    beside = before or twin_without_lcc(run)
    figure, found = similarity_figure(run, beside, videos, _place(features, annotations, split), common=common)
    screen = screen_console()
    if found.before is None:
        screen.print("there is no run without LCC beside this one; name one with --before")
    else:
        screen.print(f"mean of std before LCC: {found.before:.4f} ({beside})", markup=False, soft_wrap=True)
    screen.print(f"mean of std after LCC:  {found.after:.4f} ({run})", markup=False, soft_wrap=True)
    return _save(figure, out or run, "csm-common" if common else "csm", vector)


def figure_timeline(
    run: Annotated[Path, tyro.conf.Positional],
    video: str | None = None,
    beside: Path | None = None,
    min_score: float | None = None,
    split: str = "test",
    features: str | None = None,
    annotations: str | None = None,
    out: Path | None = None,
    vector: Vector = "svg",
) -> int:
    """Truth and detections of one video over time, of one run or two (Figure 5).

    Args:
        run: Folder of a run.
        video: Name of the video; without it the one with the most classes.
        beside: Folder of another run, such as one with global attention.
        min_score: Threshold of what is shown; without it as many detections as there are true events, the surest.
        split: Subset of the annotations.
        features: Folder of features, if not the one of training.
        annotations: Annotation file, if not the one of training.
        out: Folder of the figure; without it the folder of the run.
        vector: Form beside PNG.
    """
    _ready()
    from avloc.experiments.figures import timeline

    runs = [run] if beside is None else [beside, run]
    figure, name = timeline(runs, video, _place(features, annotations, split), min_score)
    return _save(figure, out or run, f"timeline-{name}", vector)


def figure_windows(
    run: Annotated[Path, tyro.conf.Positional],
    video: str | None = None,
    split: str = "test",
    features: str | None = None,
    annotations: str | None = None,
    out: Path | None = None,
    vector: Vector = "svg",
) -> int:
    """Where CDP's heads look on each level: base and target windows over time.

    Args:
        run: Folder of a run.
        video: Name of the video; without it the one with the most classes.
        split: Subset of the annotations.
        features: Folder of features, if not the one of training.
        annotations: Annotation file, if not the one of training.
        out: Folder of the figure; without it the folder of the run.
        vector: Form beside PNG.
    """
    _ready()
    from avloc.experiments.figures import windows

    figure, name = windows(run, video, _place(features, annotations, split))
    return _save(figure, out or run, f"windows-{name}", vector)


def figure_parameters(
    runs: Paths,
    out: Path | None = None,
    vector: Vector = "svg",
) -> int:
    """Sigma and temperature of LCC after each epoch, of one run or more.

    Args:
        runs: Folders of runs.
        out: Folder of the figure; without it the folder of the first run.
        vector: Form beside PNG.
    """
    _ready()
    from avloc.errors import ConfigError
    from avloc.experiments.figures import parameters

    if not runs:
        raise ConfigError("no run was named; name one folder of a run or more")
    return _save(parameters(runs), out or runs[0], "parameters", vector)


def _ready() -> None:
    with_training()
    from avloc.report.paper_figures import require_matplotlib

    require_matplotlib()


def _place(features: str | None, annotations: str | None, split: str) -> DataPlace:
    from avloc.experiments.figures import DataPlace

    return DataPlace(features, annotations, split)


def _save(figure: Figure, folder: Path, name: str, vector: Vector) -> int:
    from avloc.report.paper_figures import save

    require_writable(folder)
    for path in save(figure, folder / name, vector):
        screen_console().print(f"figure: {path}", markup=False, soft_wrap=True)
    return 0
