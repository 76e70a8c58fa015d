"""A tiny learnable task for the tests of training: each class is a direction in both modalities."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avloc.config import LocoConfig, LocoLossConfig, TrainConfig
from avloc.datasets.batch import Sample
from avloc.models.loco.network import Loco

if TYPE_CHECKING:
    from avloc.training.method import Method

NETWORK = LocoConfig(
    classes=3, visual_width=8, audio_width=6, width=16, ffn_ratio=2.0, unimodal_blocks=1, levels=3, drop_path=0.1
)


class Task:
    """Sixteen videos of 24 to 40 steps with one or two events each."""

    def __init__(self, videos: int = 15) -> None:
        self.samples = [self._make(np.random.default_rng(i)) for i in range(videos)]

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def lengths(self) -> NDArray[np.int_]:
        return np.array([len(sample.visual) for sample in self.samples], np.int_)

    def sample(self, index: int) -> Sample:
        return self.samples[index]

    def _make(self, rng: np.random.Generator) -> Sample:
        T = int(rng.integers(24, 41))
        visual = rng.normal(0, 0.3, (T, 8)).astype(np.float32)
        audio = rng.normal(0, 0.3, (T, 6)).astype(np.float32)
        segments, labels = [], []
        for start in (2, T // 2)[: int(rng.integers(1, 3))]:
            length, label = int(rng.integers(4, 10)), int(rng.integers(3))
            visual[start : start + length, label] += 2
            audio[start : start + length, label] += 2
            segments.append([start - 0.5, start + length - 0.5])
            labels.append(label)
        return Sample(visual, audio, np.array(segments, np.float32), np.array(labels, np.int64))


def network() -> Loco:
    import torch

    torch.manual_seed(7)
    return Loco(NETWORK)


def method(model: Loco) -> Method:
    from avloc.learning.build import build_criterion
    from avloc.training.method import Method

    return Method(model, build_criterion(LocoLossConfig(), model.config))


def main(folder: Path, mode: str) -> None:
    """Train in a process of its own; `mode`: whole, resumed, loaders=N, processes=N (of this machine), or
    resumed-processes=N; processes as torchrun has started them.
    """
    import torch
    from lightning_fabric import Fabric
    from safetensors.torch import save_file

    from avloc.training.batches import CroppedBatches
    from avloc.training.fit import fit
    from avloc.training.processes import make_fabric
    from avloc.training.watch import Epoch, Step, Watch

    config = TrainConfig(
        epochs=3,
        warmup_epochs=1,
        batch=4,
        learning_rate=1e-2,
        ema_decay=0.9,
        save_every_minutes=0,
        devices=int(mode.rpartition("=")[2]) if "processes=" in mode else 1,
        loaders=int(mode.rpartition("=")[2]) if "loaders=" in mode else 0,
    )
    steps = folder / f"{mode}.steps"

    def on_step(step: Step) -> None:
        with steps.open("a") as f:
            f.write(f"{step.total} {step.losses['correspondence']}\n")

    def on_epoch(epoch: Epoch, average: Loco) -> None:
        with (folder / f"{mode}.epochs").open("a") as f:
            f.write(json.dumps({**asdict(epoch), "seconds": None}) + "\n")

    def run(fabric: Fabric) -> None:
        torch.set_num_threads(1)
        model = network()
        if "processes" in mode:  # drop path is by process; without it, processes share one result
            for module in model.modules():
                if hasattr(module, "rate"):
                    module.rate = 0.0
        state = folder / "state.safetensors" if mode.startswith("resumed") else None
        average = fit(
            method(model),
            CroppedBatches(Task(), config, model.multiple),
            config,
            watch=Watch(on_step, on_epoch),
            fabric=fabric,
            state=state,
            resume=state is not None and state.is_file(),
        )
        if fabric.is_global_zero:
            tensors = {f"network.{k}": v.clone() for k, v in model.state_dict().items()}
            tensors |= {f"average.{k}": v.clone() for k, v in average.state_dict().items()}
            save_file(tensors, folder / f"{mode}.safetensors")

    fabric = make_fabric(config, "cpu")
    fabric.launch()
    try:
        run(fabric)
    except KeyboardInterrupt:
        # The engine ends the first process at once where another one fails.
        sys.exit(0 if fabric.global_rank else 130)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
