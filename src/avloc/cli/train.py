"""`avloc train`: a recipe and a data set > a model folder."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tyro

from avloc.cli.console import screen_console
from avloc.cli.grounded import GROUNDED, GROUNDED_WORDS, train_grounded_model
from avloc.cli.inputs import require_writable
from avloc.cli.own import train_own_model
from avloc.cli.settings_file import laid_over, named_file
from avloc.cli.train_watch import TrainWatch
from avloc.config import DataConfig, JointRunConfig, LoggerName, RunConfig
from avloc.errors import AvlocError
from avloc.own.config import OwnConfig
from avloc.recipes.default import GroundedRun, grounded_composed
from avloc.recipes.table import RECIPES
from avloc.zoo import find_model

OWN = "default"
"""The recipe for one's own labels and videos."""
OWN_WORDS = "Own labels and videos: the shipped model loco fine-tuned, or its network trained anew (--from-scratch)."


def _recipes(chosen: str | None = None, config: Path | None = None) -> Any:
    """All recipes as a type, or the chosen one alone, with the settings of the file `config` laid over it."""
    makers: dict[str, Callable[[], Any]] = {OWN: OwnConfig, **RECIPES, GROUNDED: grounded_composed}
    if chosen is None:
        return _one_of({name: make() for name, make in makers.items()})
    recipe = makers[chosen]()
    return _one_of({chosen: recipe if config is None else laid_over(recipe, config)})


def _one_of(defaults: dict[str, Any]) -> Any:
    words = {OWN: OWN_WORDS, GROUNDED: GROUNDED_WORDS}
    words |= {name: (recipe.__doc__ or "").splitlines()[0] for name, recipe in RECIPES.items()}
    return tyro.extras.subcommand_type_from_defaults(
        defaults, {name: words[name] for name in defaults}, prefix_names=False
    )


Recipe = _recipes()
NetworkRecipe = _one_of({name: recipe() for name, recipe in RECIPES.items()})
"""Those that name a network of their own."""


def train(
    recipe: Annotated[Recipe, tyro.conf.arg(name="")],  # type: ignore[valid-type]
    out: Path,
    resume: bool = False,
    config: Path | None = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    log: Annotated[tuple[LoggerName, ...], tyro.conf.arg(metavar="LOGGER [LOGGER ...]")] = (),
    init: Path | None = None,
) -> int:
    r"""Train a model; validation chooses the weights that stay in --out.

    Every setting of the recipe is a flag, or stands in the file of --config. Ctrl-C, a kill or a power cut lose
    nothing but the last minutes: the same command with --resume goes on exactly.

    examples:
      avloc train default --data.annotations my_labels.csv --data.videos videos/ --out my_model/
      avloc train loco-small --data.features sim/ --data.annotations sim/annotations.json --out runs/small
      avloc train loco-unav100-onepeace --data.features F --data.annotations A --out runs/fixed \
          --network.attention.kind fixed
      avloc train loco-small --data.features sim/ --data.annotations sim/annotations.json --out runs/small --resume
      avloc train loco-unav100-onepeace --data.features F --data.annotations A --out runs/more --init runs/loco
      torchrun --nproc-per-node 2 -m avloc train loco-unav100-onepeace --data.features F --data.annotations A --out R
      avloc train grounded-composed --media media/ --out runs/default

    Args:
        recipe: Named settings to start from.
        out: Folder of the run: model folder, settings, metrics, trainer state.
        resume: Go on from the state in --out; begins anew where there is none.
        config: YAML or JSON file of settings, laid over the recipe; flags win over the file.
        device: Where the network computes; auto takes a GPU where there is one.
        log: tensorboard, wandb or mlflow, or several: curves beside OUT/metrics.jsonl, on this machine unless
            WANDB_MODE or MLFLOW_TRACKING_URI say otherwise.
        init: A model folder, or the name of a shipped model, whose weights the run begins with, as far as they fit.
    """
    with_training()
    require_writable(out)
    if isinstance(recipe, OwnConfig | GroundedRun):
        name, own = (OWN, True) if isinstance(recipe, OwnConfig) else (GROUNDED, False)
        for flag, given in (("--log", log), ("--init", init)):
            if given:
                instead = "name the model with --start" if own and flag == "--init" else "leave it out"
                raise AvlocError(f"{flag} is not there for the recipe {name}; {instead}")
        if isinstance(recipe, OwnConfig):
            return train_own_model(recipe, out, resume, device)
        return train_grounded_model(recipe, out, resume, device)
    from avloc.training.loggers.base import make_loggers
    from avloc.training.processes import is_first as is_first_process
    from avloc.training.run import train as run_training

    is_first = is_first_process()
    run = _with_absolute_paths(recipe)
    screen = screen_console()
    watch = TrainWatch(screen)
    loggers = make_loggers(log)
    try:
        result = run_training(
            run, out, resume=resume, device=device, init=None if init is None else find_model(init),
            on_init=watch.on_init if is_first else None, on_remark=watch.on_remark if is_first else None,
            on_step=watch.on_step, on_epoch=watch.on_epoch, loggers=loggers,
        )  # fmt: skip
    except KeyboardInterrupt:
        watch.progress.stop()
        if not is_first:
            return 0  # the engine would end the first process with this one
        print(f"avloc: stopped; the run goes on with --resume and the same settings ({out})", file=sys.stderr)
        return 130
    finally:
        watch.progress.stop()
    if is_first:
        score = f"validation mAP {100 * result.validation_map:.2f} (epoch {result.epoch})"
        screen.print(f"{score}: {result.folder}", soft_wrap=True)
    return 0


def train_verb(arguments: Sequence[str]) -> Callable[..., int]:
    """`train` for a command line, with the recipe alone that it names; with --config it begins as the file says.

    Raises:
        AvlocError: no recipe is named, or one that does not exist.
    """
    if arguments[:1] != ["train"] or ({"-h", "--help"} & set(arguments) and not _recipe_in(arguments)):
        return train
    chosen, config = _recipe_in(arguments), named_file(arguments, "--config")
    if chosen is None:
        first = next((word for word in arguments[1:] if not word.startswith("-")), "")
        near = difflib.get_close_matches(first, (*RECIPES, OWN, GROUNDED), n=1, cutoff=0.5)
        if near:
            raise AvlocError(f"there is no recipe {first!r}; did you mean {near[0]}?")
        raise AvlocError("name a recipe; avloc recipes lists them")

    def over_file(*given: Any, **named: Any) -> int:
        return train(*given, **named)

    # The command line is made of what a function says of itself; only the recipes differ.
    recipe: Any = _recipes(chosen, config)
    over_file.__doc__ = train.__doc__
    over_file.__annotations__ = {**train.__annotations__, "recipe": Annotated[recipe, tyro.conf.arg(name="")]}
    vars(over_file)["__signature__"] = inspect.signature(train)
    return over_file


def _recipe_in(arguments: Sequence[str]) -> str | None:
    """The recipe that the words name; one behind a flag, which may be its value, counts if there is no other."""
    known = {OWN, GROUNDED, *RECIPES}
    at = [i for i, word in enumerate(arguments) if i and word in known]
    free = [i for i in at if not arguments[i - 1].startswith("--") or "=" in arguments[i - 1]]
    return arguments[(free or at)[0]] if at else None


def _with_absolute_paths(run: RunConfig) -> RunConfig:
    """So that `avloc test` finds the data from any folder."""
    if isinstance(run, JointRunConfig):
        return replace(run, sets={name: _absolute(data) for name, data in run.sets.items()})
    return replace(run, data=_absolute(run.data))


D = TypeVar("D", bound=DataConfig)


def _absolute(data: D) -> D:
    features, annotations = (str(Path(p).resolve()) if p else "" for p in (data.features, data.annotations))
    return replace(data, features=features, annotations=annotations)


def with_training() -> None:
    """Raise the error that names the extra where torch or the training engine is not installed."""
    for name in ("torch", "lightning_fabric"):
        if find_spec(name) is None:
            raise AvlocError(
                f"this needs {name}; install avloc with its extra, in its checkout: pip install '.[train]' "
                "(before it, pip install torch --index-url https://download.pytorch.org/whl/cpu spares gigabytes)"
            )
