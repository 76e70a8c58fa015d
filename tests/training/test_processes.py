"""Batches come from loaders as from a thread; several batches make one step; processes are as they were started."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace

import pytest
import tiny
import torch

from avloc.config import RestConfig, TrainConfig
from avloc.datasets.batch import Sample
from avloc.errors import ConfigError, FeatureError, TrainingError
from avloc.learning.losses import Truth
from avloc.training.batches import CroppedBatches
from avloc.training.fit import fit
from avloc.training.joint import JointBatches
from avloc.training.loading import Loader, deaths_told
from avloc.training.processes import is_first, placed
from avloc.training.watch import Step, Watch

CPU = torch.device("cpu")


def test_batches_make_a_step_with_the_mean_of_their_gradients() -> None:
    config = TrainConfig(
        epochs=1, warmup_epochs=0, batch=4, accumulate=3, learning_rate=0.1, optimizer="adam", weight_decay=0.0,
        clip_norm=None, ema_decay=None, crop_share=(1.0, 1.0), schedule="constant",
    )  # fmt: skip
    model = tiny.network()
    for module in model.modules():
        if hasattr(module, "rate"):
            module.rate = 0.0
    start, told = copy.deepcopy(model), list[Step]()
    data = CroppedBatches(tiny.Task(), config, model.multiple)
    fit(tiny.method(model), data, config, watch=Watch(on_step=told.append))
    assert len(told) == 4  # of 15 videos: a step of three batches, and one of the last alone
    learner = tiny.method(start)
    optimizer = torch.optim.Adam(start.parameters(), lr=0.1)
    for groups in ([1, 2, 3], [4]):
        batches = list(data.epoch(1, 0, 0, 1))
        for number in groups:
            batch = batches[number - 1]
            visual, audio, mask, segments, labels = map(
                torch.from_numpy, (batch.visual, batch.audio, batch.mask, batch.segments, batch.labels)
            )
            loss = learner.criterion(start.train()(visual, audio, mask), Truth(segments, labels)).total
            assert loss.item() == pytest.approx(told[number - 1].total, rel=1e-4)
            (loss / len(groups)).backward()
        optimizer.step()
        optimizer.zero_grad()
        start.after_step()
    joint = JointBatches({"A": data}, RestConfig())
    with pytest.raises(ConfigError, match="accumulate is for one data set"):
        fit(tiny.method(model), joint, config)


class Broken(tiny.Task):
    """Reads all but the last video."""

    def sample(self, index: int) -> Sample:
        if index == len(self) - 1:
            raise FeatureError("last.safetensors: is\nmissing")
        return super().sample(index)


def test_loaders_make_the_same_batches_and_tell_errors_in_a_line() -> None:
    config = TrainConfig(batch=2, seed=3)
    loader = Loader(CroppedBatches(Broken(), config, 4), 1, CPU, rank=1, world=2)
    plain = list(CroppedBatches(tiny.Task(), config, 4).epoch(2, 0, 1, 2))
    same = 0
    for first in (0, 5):  # from the beginning until the error, and from inside, as after a pause
        with contextlib.closing(loader.epoch(2, first, ())) as batches, contextlib.suppress(FeatureError):
            for step, loaded in enumerate(batches, first):
                assert loaded is not None and torch.equal(loaded.tensors[0], torch.from_numpy(plain[step].visual))
                same += 1
    assert 0 < same < 2 * len(plain)
    with pytest.raises(FeatureError, match=r"^last.safetensors: is\\nmissing$"):
        list(loader.epoch(1, 0, ()))
    assert loader._loader is not None and loader._loader._iterator is not None
    with pytest.raises(TrainingError, match="a process that makes batches ended"), deaths_told():
        loader._loader._iterator._workers[0].kill()
        list(loader.epoch(2, 0, ()))


TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2", "RANK": "2", "LOCAL_RANK": "0"}


def test_as_many_processes_as_torchrun_has_started() -> None:
    config = TrainConfig()
    assert placed(config, {}) == config
    assert placed(config, TORCHRUN) == replace(config, devices=2, nodes=2)
    with pytest.raises(ConfigError, match=r"train.devices is 3, and torchrun has started 2"):
        placed(replace(config, devices=3), TORCHRUN)
    with pytest.raises(ConfigError, match="as many on each node"):
        placed(config, TORCHRUN | {"WORLD_SIZE": "3"})
    with pytest.raises(ConfigError, match=r"train.nodes is 2, and .*NODE_RANK not set.*torchrun --nnodes 2"):
        placed(replace(config, nodes=2), {"MASTER_ADDR": "a", "MASTER_PORT": "1"})
    assert not is_first(TORCHRUN) and is_first(TORCHRUN | {"RANK": "0"}) and is_first({})
    assert not is_first({"NODE_RANK": "1", "LOCAL_RANK": "0"})
