"""What `avloc train grounded-composed` shows: pictures and sounds on the way to the default model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from avloc.cli.console import screen_console
from avloc.cli.predictions import counted
from avloc.cli.stages import Stages
from avloc.recipes.default import GroundedRun, grounded_composed

if TYPE_CHECKING:
    from avloc.recipes.default_run import Figures

GROUNDED = "grounded-composed"
"""The recipe of the default model."""
GROUNDED_WORDS = (grounded_composed.__doc__ or "").splitlines()[0]


def train_grounded_model(run: GroundedRun, out: Path, resume: bool, device: Literal["auto", "cpu", "cuda"]) -> int:
    """Media to a model folder; the exit status."""
    from avloc.recipes.default_run import GroundedWatch, train_grounded

    media, vocabulary, work = (str(Path(p).resolve()) if p else "" for p in (run.media, run.vocabulary, run.work))
    run = replace(run, media=media, vocabulary=vocabulary, work=work)
    screen = screen_console()
    with _Watch(screen).shown() as watch:
        seen = GroundedWatch(watch.on_compose, watch.on_stage, watch.on_step, watch.on_note)
        try:
            figures = train_grounded(run, out, resume=resume, device=device, watch=seen)
        except KeyboardInterrupt:
            watch.progress.stop()
            print(f"avloc: stopped; the same command with --resume goes on ({out})", file=sys.stderr)
            return 130
    for line in _told(figures, run, out):
        screen.print(line, markup=False, soft_wrap=True)
    return 0


def _told(f: Figures, run: GroundedRun, out: Path) -> Iterator[str]:
    yield f"validation mAP {100 * f.average:.1f} on {counted(run.validation_videos, 'composed video')}"
    yield (
        f"shown from score {f.show_score:g} on: precision {f.precision:.2f}, recall {f.recall:.2f}, F1 {f.f1:.2f} at "
        f"tIoU 0.3; {counted(f.quiet_events, 'false event')} in {f.quiet_minutes:.0f} quiet minutes"
    )
    yield f"model: {out}"


class _Watch(Stages):
    def on_compose(self, what: str, done: int, count: int) -> None:
        left = self.going(what, done, count)
        self.update(f"composing, {what}", done, count, left)
        self.line(f"{what}: {done} of {count} videos composed{left and ', ' + left}")

    def on_stage(self, name: str, number: int, count: int) -> None:
        self.training(name, number, count, name)
