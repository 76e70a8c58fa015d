"""How hard LCC pulls at the unimodal encoders, beside detection, before and after a training.

    python bench/lcc_gradients.py runs/loco      # a folder of `avloc train`

Prints, as means over batches of training videos: the norms of both gradients with respect to the encoders' weights,
LCC's as Eq. 9 weighs it; their cosine; LCC's loss, and the loss of guessing, the logarithm of the number of segments.
Then what the trained network knows on training and on validation videos: which video a segment is of and which moment
it is, in nats beside guessing, and the shares of the variance of f_v and f_a that lie inside videos.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch

from avloc.config import RunConfig
from avloc.datasets.batch import Batch, collate
from avloc.datasets.feature_dataset import FeatureDataset
from avloc.datasets.labelled import random_crop
from avloc.experiments.of_loco import load_loco, losses_of, network_of, with_loss
from avloc.learning.loco import LocoCriterion
from avloc.learning.losses import Truth
from avloc.models.loco.network import Loco
from avloc.training.data import fitted_to, open_split
from avloc.training.run import read_run

BATCHES = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    folder = parser.parse_args().run
    run = read_run(folder)
    data = open_split(run, run.data.train_split)
    run = fitted_to(run, data)
    run = with_loss(run, lcc_weight=losses_of(run).lcc_weight or 0.1)
    torch.manual_seed(run.train.seed)
    trained, _ = load_loco(folder)
    for name, network in (("before training", Loco(network_of(run))), ("trained", trained)):
        rows = np.array([pulls(network, run, batch(data, run, seed)) for seed in range(BATCHES)]).mean(axis=0)
        detection, lcc, cosine, loss, guess = rows
        print(
            f"{name}: detection {detection:.3f}, LCC {lcc:.3f} ({lcc / detection:.1f} times), cosine {cosine:+.3f}; "
            f"LCC's loss {loss:.2f}, of guessing {guess:.2f}"
        )
    for split in (run.data.train_split, run.data.validation_split):
        videos = open_split(run, split, data.labels)
        known = [knows(trained, run, batch(videos, run, seed)) for seed in range(BATCHES)]
        mean = {name: sum(one[name] for one in known) / BATCHES for name in known[0]}
        print(
            f"{split}: which video {mean['lcc_video']:.2f} (guessing {mean['lcc_video_guess']:.2f}), which moment "
            f"{mean['lcc_moment']:.2f} ({mean['lcc_moment_guess']:.2f}); inside videos f_v "
            f"{mean['visual_inside']:.2f}, f_a {mean['audio_inside']:.2f}"
        )


def batch(data: FeatureDataset, run: RunConfig, seed: int) -> Batch:
    """A random batch, cropped as in training."""
    c = run.train
    rng = np.random.default_rng(seed)
    crops = [
        random_crop(data.sample(int(i)), c.crop_share, c.longest_steps, c.keep_share, rng)
        for i in rng.choice(len(data), c.batch, replace=False)
    ]
    multiple = 2 ** (network_of(run).levels - 1)
    return collate(crops, multiple, -(-max(len(crop.visual) for crop in crops) // multiple) * multiple)


def pulls(network: Loco, run: RunConfig, batch: Batch) -> tuple[float, float, float, float, float]:
    """Norm of detection's gradient, of LCC's, their cosine, LCC's loss, and the loss of guessing."""
    criterion = LocoCriterion(losses_of(run), network_of(run).lcc)
    visual, audio, mask, segments, labels = (
        torch.from_numpy(x) for x in (batch.visual, batch.audio, batch.mask, batch.segments, batch.labels)
    )
    network.train().requires_grad_()
    losses = criterion(network(visual, audio, mask), Truth(segments, labels))
    parts = losses.parts
    weights = [*network.visual.parameters(), *network.audio.parameters()]
    detection, lcc = (
        torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights, retain_graph=True)])
        for loss in (parts["classification"] + parts["regression"], criterion.weight * parts["correspondence"])
    )
    cosine = torch.nn.functional.cosine_similarity(detection, lcc, dim=0)
    return (
        float(detection.norm()),
        float(lcc.norm()),
        float(cosine),
        float(parts["correspondence"].detach()),
        math.log(int(mask.sum())),
    )


@torch.no_grad()
def knows(network: Loco, run: RunConfig, batch: Batch) -> dict[str, float]:
    """What the criterion watches, of the network as it detects."""
    criterion = LocoCriterion(losses_of(run), network_of(run).lcc)
    visual, audio, mask, segments, labels = (
        torch.from_numpy(x) for x in (batch.visual, batch.audio, batch.mask, batch.segments, batch.labels)
    )
    losses = criterion(network.eval()(visual, audio, mask), Truth(segments, labels))
    return {name: float(losses.parts[name]) for name in criterion.watched}


if __name__ == "__main__":
    main()
