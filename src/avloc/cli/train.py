"""`avloc train`: a recipe and a data set > a model folder."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from avloc.cli.inputs import require_writable
from avloc.config import RunConfig
from avloc.errors import AvlocError
from avloc.recipes.unav100 import loco_small, loco_unav100_i3d_vggish, loco_unav100_onepeace

if TYPE_CHECKING:
    from avloc.training.fit import Epoch, Step

RECIPES: dict[str, Callable[[], RunConfig]] = {
    "loco-unav100-onepeace": loco_unav100_onepeace,
    "loco-unav100-i3d-vggish": loco_unav100_i3d_vggish,
    "loco-small": loco_small,
}

Recipe = tyro.extras.subcommand_type_from_defaults(
    {name: recipe() for name, recipe in RECIPES.items()},
    {name: (recipe.__doc__ or "").splitlines()[0] for name, recipe in RECIPES.items()},
    prefix_names=False,
)


def train(recipe: Annotated[Recipe, tyro.conf.arg(name="")], out: Path, resume: bool = False) -> int:  # type: ignore[valid-type]
    r"""Train a model; validation chooses the weights that stay in --out.

    Every setting of the recipe is a flag. Ctrl-C, a kill or a power cut lose nothing but the last minutes: the same
    command with --resume goes on exactly.

    examples:
      avloc train loco-small --data.features sim/ --data.annotations sim/annotations.json --out runs/small
      avloc train loco-unav100-onepeace --data.features F --data.annotations A --out runs/fixed \
          --network.attention.kind fixed
      avloc train loco-small --data.features sim/ --data.annotations sim/annotations.json --out runs/small --resume

    Args:
        recipe: Named settings to start from.
        out: Folder of the run: model folder, settings, metrics, trainer state.
        resume: Go on from the state in --out; begins anew where there is none.
    """
    with_training()
    require_writable(out)
    from avloc.training.run import train as run_training

    run = _with_absolute_paths(recipe)
    screen = Console(highlight=False)
    watch = _Watch(screen)
    try:
        result = run_training(run, out, resume=resume, on_step=watch.on_step, on_epoch=watch.on_epoch)
    except KeyboardInterrupt:
        watch.progress.stop()
        print(f"avloc: stopped; the run goes on with --resume and the same settings ({out})", file=sys.stderr)
        return 130
    finally:
        watch.progress.stop()
    screen.print(
        f"validation mAP {100 * result.validation_map:.2f} (epoch {result.epoch}): {result.folder}", soft_wrap=True
    )
    return 0


def _with_absolute_paths(run: RunConfig) -> RunConfig:
    """So that `avloc test` finds the data from any folder."""
    features, annotations = (str(Path(p).resolve()) if p else "" for p in (run.data.features, run.data.annotations))
    return replace(run, data=replace(run.data, features=features, annotations=annotations))


def with_training() -> None:
    """Raise the error that names the extra where torch or the training engine is not installed."""
    for name in ("torch", "lightning_fabric"):
        if find_spec(name) is None:
            raise AvlocError(
                f"this needs {name}; install avloc with its extra, in its checkout: pip install '.[train]'"
            )


@dataclass
class _Watch:
    screen: Console
    progress: Progress = field(init=False)
    task: TaskID | None = None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn(
                "step {task.completed} of {task.total}, loss {task.fields[loss]:.3f}, {task.fields[left]} left"
            ),
            console=Console(stderr=True),
            transient=True,
        )
        self.progress.disable = not self.progress.console.is_terminal

    def on_step(self, step: Step) -> None:
        if self.task is None:
            self.progress.start()
            self.task = self.progress.add_task("", total=step.steps, epoch=step.epoch, loss=step.total, left="")
        left = f"{step.seconds_left / 60:.0f} min" if step.seconds_left > 90 else f"{step.seconds_left:.0f} s"
        self.progress.update(
            self.task, completed=step.step, total=step.steps, epoch=step.epoch, loss=step.total, left=left
        )

    def on_epoch(self, epoch: Epoch) -> None:
        score = "" if epoch.validation_map is None else f", validation mAP {100 * epoch.validation_map:.2f}"
        self.screen.print(
            f"epoch {epoch.number}: loss {epoch.total:.3f} (classification {epoch.classification:.3f}, regression "
            f"{epoch.regression:.3f}, correspondence {epoch.correspondence:.3f}){score}"
            f"{' (best)' if epoch.is_best else ''}, {epoch.seconds:.0f} s",
            soft_wrap=True,
        )
        self.screen.file.flush()
