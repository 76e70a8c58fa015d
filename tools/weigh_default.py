"""Weigh a grounded model anew: explanations and threshold. Its pyramids and their calibration stay as they are.

    python tools/weigh_default.py OUT --of default --run.media media/ --run.work work/ --run.clips clips/ more_clips/

Also takes the constants of the vocabulary as it stands. As `avloc train grounded-composed` with the same settings
does after training. What it is worth on clips that it was not fitted to: tools/real_clips.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from safetensors.torch import load_file

from avloc import zoo
from avloc.compose.folder import SEED_OF, Part
from avloc.compose.library import VALIDATION
from avloc.recipes.default import GroundedRun
from avloc.recipes.default_run import QUIET_SEED, Figures, GroundedTraining, GroundedWatch


@dataclass(frozen=True)
class Settings:
    out: Annotated[Path, tyro.conf.Positional]
    """Model folder to make."""
    of: str = "default"
    """Model whose pyramids are taken."""
    run: GroundedRun = field(default_factory=GroundedRun)


def main(settings: Settings) -> None:
    """Make the folder and print the figures."""
    run = settings.run
    training = GroundedTraining(run, settings.out, "cpu", GroundedWatch())
    print(weighed(training, zoo.find_model(settings.of)))


def weighed(training: GroundedTraining, folder: Path) -> Figures:
    """The model folder, and its figures."""
    run = training.config
    network, kept = training.new_network(), load_file(folder / zoo.WEIGHTS)
    mine = ("members.", "grounding.noise")
    network.load_state_dict({n: w.float() for n, w in kept.items() if n.startswith(mine)}, strict=False)
    seed = run.compose_seed + SEED_OF[VALIDATION]
    validation = training.compose("validation", Part(VALIDATION, run.validation_videos, seed, run.scene))
    seed = run.compose_seed + QUIET_SEED
    quiet = training.compose("quiet", Part(VALIDATION, run.quiet_videos, seed, run.quiet_scene))
    return training.finish(network.eval(), validation, quiet, is_calibrated=True)


if __name__ == "__main__":
    main(tyro.cli(Settings))
