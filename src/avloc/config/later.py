"""Settings that came after runs had been made: what those runs did.

A run without such a setting is the same run as one that has this value: it has the same key (`experiments.key`) and
goes on (`training.state`).
"""

from __future__ import annotations

from collections.abc import Mapping

LATER: Mapping[str, object] = {
    "decoding.rivals": (),
    "decoding.rival_share": 0.5,
    "decoding.rival_factor": 0.7,
    "decoding.other_factor": 1.0,
    "decoding.min_length_steps": 0.0,
    "decoding.clip": "before",
    "decoding.chain_from_s": 0.0,
    "decoding.chain_share": 0.3,
    "decoding.chain_gap_s": 2.0,
    "decoding.explained": (),
    "decoding.nms_classes": "each",
    "decoding.voting": "score",
    "data.resize_steps": None,
    "data.forgiving": False,
    "data.lenient": False,
    "data.test_split": "test",
    "data.thresholds": (),
    "loss.first_reach": 4.0,
    "data.modalities": (),
    "network.method": "loco",
    "loss.method": "loco",
    "loss.assignment": "class-aware",
    "loss.centre_radius": None,
    "loss.ranges": (),
    "loss.inclusive": False,
    "loss.same_class": "shortest",
    "loss.count": "pairs",
    "loss.iou_weight_power": None,
    "loss.smoothing": 0.0,
    "loss.regression_weight": 1.0,
    "network.attention.residual": "key",
    "network.lcc.negatives": "batch",
    "network.lcc.projection": "each",
    "network.fusion_by_level": False,
    "network.residual_scales": False,
    "loss.lcc_after_warmup": False,
    "train.warmup_steps": None,
    "train.schedule": "cosine",
    "train.drop_epochs": (),
    "train.drop_factor": 0.1,
    "train.least_rate": 0.0,
    "train.drop_last": False,
    "train.accumulate": 1,
    "train.nodes": 1,
    "train.optimizer": "adamw",
    "train.rate_factors": (),
    "train.decay": "matrices",
    "train.ema_warmup": True,
    "train.validate_every": 1,
    "train.loaders": 0,
}
"""By group and name, the value that means what was done before."""

_BY_NAME = {path.rpartition(".")[2]: value for path, value in LATER.items()}


def came_later(path: str, value: object) -> bool:
    """Whether a run that lacks the setting at `path` did what `value`, as read from JSON, says.

    The last name decides: of a run on several data sets, groups are called as the sets are.
    """
    name = path.rpartition(".")[2]
    if name not in _BY_NAME:
        return False
    done = _BY_NAME[name]
    return value == (list(done) if isinstance(done, tuple) else done)
