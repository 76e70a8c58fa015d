"""A method: a network and the criterion that trains it."""

from __future__ import annotations

from dataclasses import dataclass

from avloc.config import JointRunConfig, RunConfig
from avloc.learning.build import build_criterion
from avloc.learning.joint import JointCriterion
from avloc.learning.losses import Criterion
from avloc.models.build import build_network
from avloc.models.network import Network
from avloc.training.given import fill_given


@dataclass(frozen=True)
class Method:
    """What `fit` trains. Lengths, what happens after a step and what is watched are the network's own to say."""

    network: Network
    criterion: Criterion


def build_method(run: RunConfig) -> Method:
    """The method of a run, with fresh weights.

    Raises:
        ConfigError: settings that contradict one another.
        FeatureError: a file that the network's settings name cannot be read.
    """
    network = build_network(run.network)
    fill_given(network)
    if not isinstance(run, JointRunConfig):
        return Method(network, build_criterion(run.loss, run.network))
    parts = [run.of(name) for name in run.tasks]
    return Method(network, JointCriterion({p.network.tasks[0]: build_criterion(p.loss, p.network) for p in parts}))
