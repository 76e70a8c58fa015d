"""Numbers of the authors' own code (AVLOC_PARITY, else shared/parity beside the checkout), and our settings for them.

NAME.safetensors holds weights under the authors' names, inputs and results; NAME.json how the network was built.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from avloc.config import ActionFormerConfig, DecodingConfig, DenseLossConfig, FamilyConfig, TriDetConfig
from avloc.learning.dense import DenseCriterion
from avloc.learning.losses import Truth
from avloc.models.build import build_network
from avloc.models.network import Network
from avloc.training.official import take_official

FOLDER = Path(os.environ.get("AVLOC_PARITY") or Path(__file__).parents[3] / "shared" / "parity")
VOTING = {"actionformer": "score-iou", "tridet": "score"}
"""What a segment weighs when its method votes."""


def parameters(*methods: str) -> list[Any]:
    """The files of these methods as parameters of a test; skipped where there is none."""
    found = []
    for method in methods:
        paths = sorted(FOLDER.glob(f"{method}*.json"))
        found += [pytest.param(path, id=path.stem) for path in paths]
        if not paths:
            found.append(pytest.param(None, id=method, marks=pytest.mark.skip(f"{FOLDER} holds no {method}*.json")))
    return found


@cache
def published(path: Path) -> Published:
    """The fixture of a file, read once."""
    return Published(path)


@dataclass(frozen=True)
class Batch:
    """Features (B, T, D), mask (B, T) and truth, as the authors' code pads them."""

    features: Tensor
    mask: Tensor
    truth: Truth


class Published:
    """One fixture: what the authors' code was given and what it said."""

    def __init__(self, path: Path) -> None:
        about = json.loads(path.read_text())
        self.about, self.method, self.options = about, about["method"], about["constructor"]
        self.scalars, self.grad_norms = about["scalars"], about["grad_norms"]
        self.tensors = load_file(path.with_suffix(".safetensors"))
        self.config = network_config(self.method, self.options)

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def named(self, beginning: str) -> dict[str, Tensor]:
        """All tensors whose names begin so, by the rest of the name."""
        return {k.removeprefix(beginning): t for k, t in self.tensors.items() if k.startswith(beginning)}

    def network(self) -> Network:
        """Ours, with the published weights; in evaluation mode, without drop path and noise, as the numbers are."""
        network = build_network(self.config)
        take_official(network, {k: t.float() for k, t in self.named("weights/").items()}, self.method)
        return network.eval()

    def criterion(self) -> DenseCriterion:
        return DenseCriterion(loss_config(self.options))

    @cached_property
    def decoding(self) -> DecodingConfig:
        return decoding_config(self.method, self.options)

    @property
    def videos(self) -> list[dict[str, Any]]:
        return self.about["videos"]  # type: ignore[no-any-return]

    def batch(self, kind: str) -> Batch:
        """`batch`: the first two videos at the length that networks are trained on; `long`: the third, longer one."""
        videos = (0, 1) if kind == "batch" else (2,)
        mask = self[f"eval/{kind}/mask/0"]
        features = torch.zeros(*mask.shape, self.options["input_dim"])
        most = max(len(self[f"in/{v}/labels"]) for v in videos)
        segments, labels = torch.zeros(len(videos), most, 2), torch.full((len(videos), most), -1)
        for i, v in enumerate(videos):
            own = self[f"in/{v}/feats"].T
            features[i, : len(own)] = own
            n = len(self[f"in/{v}/labels"])
            segments[i, :n], labels[i, :n] = self[f"in/{v}/segments"], self[f"in/{v}/labels"]
        return Batch(features, mask, Truth(segments, labels))

    def run(self, network: Network, batch: Batch) -> Any:
        """Outputs; the features are split as if they were of two modalities."""
        return network(*batch.features.split([self.config.visual_width, self.config.audio_width], dim=2), batch.mask)


def network_config(method: str, options: dict[str, Any]) -> FamilyConfig:
    """Ours for the authors' constructor; a test is skipped where it asks for what no shipped setting has."""
    o, t = options, options["train_cfg"]
    only = {"fpn_type": "identity", "scale_factor": 2, "use_rel_pe": False, "use_trident_head": True}
    only |= {"downsample_type": "max", "fpn_start_level": 0}
    for name, value in only.items():
        if o.get(name, value) != value:
            pytest.skip(f"{name} is {o[name]!r}; {value!r} alone is built")
    if o["backbone_type"] not in ("convTransformer", "SGP") or t["center_sample"] != "radius":
        pytest.skip(f"backbone {o['backbone_type']!r} with centre sampling {t['center_sample']!r} is not built")
    audio = o["input_dim"] // 3
    shared: dict[str, Any] = {
        "classes": o["num_classes"],
        "visual_width": o["input_dim"] - audio,
        "audio_width": audio,
        "steps": o["max_seq_len"],
        "width": o["embd_dim"],
        "levels": o["backbone_arch"][2] + 1,
        "embedding_blocks": o["backbone_arch"][0],
        "embedding_kernel": o["embd_kernel_size"],
        "embedding_norm": o["embd_with_ln"],
        "stem_blocks": o["backbone_arch"][1],
        "neck_norm": o["fpn_with_ln"],
        "head_width": o["head_dim"],
        "head_blocks": o["head_num_layers"] - 1,
        "head_kernel": o["head_kernel_size"],
        "head_norm": o["head_with_ln"],
        "position": o["use_abs_pe"],
        "drop_path": t["droppath"],
        "class_prior": t["cls_prior_prob"],
    }
    if method == "actionformer":
        sizes = o["n_mha_win_size"]
        sizes = sizes if isinstance(sizes, list) else [sizes] * shared["levels"]
        windows = tuple(2 * (size // 2) + 1 if size > 1 else -1 for size in sizes)
        return ActionFormerConfig(**shared, heads=o["n_head"], windows=windows)
    sizes = o["n_sgp_win_size"]
    return TriDetConfig(
        **shared,
        hidden=o["sgp_mlp_dim"],
        windows=tuple(sizes) if isinstance(sizes, list) else (sizes,),
        window_growth=o["k"],
        bins=o["num_bins"],
        boundary_kernel=o["boudary_kernel_size"],
        start_deviation=o["init_conv_vars"],
        input_noise=o["input_noise"],
    )


def loss_config(options: dict[str, Any]) -> DenseLossConfig:
    t = options["train_cfg"]
    return DenseLossConfig(
        centre_radius=t["center_sample_radius"],
        ranges=tuple((float(low), float(high)) for low, high in options["regression_range"]),
        iou_weight_power=options.get("iou_weight_power"),
        smoothing=t["label_smoothing"],
        regression_weight=t["loss_weight"],
        normalizer_start=t["init_loss_norm"],
    )


def decoding_config(method: str, options: dict[str, Any]) -> DecodingConfig:
    t = options["test_cfg"]
    each = t["multiclass_nms"]
    return DecodingConfig(
        before_nms=t["pre_nms_topk"],
        keep=t["max_seg_num"],
        min_score=t["pre_nms_thresh"],
        min_length_steps=t["duration_thresh"],
        clip="after",
        nms="gaussian" if t["nms_method"] == "soft" else "hard",
        nms_sigma=t["nms_sigma"],
        nms_iou=t["iou_threshold"],
        nms_classes="each" if each else "all",
        voting_iou=0.0 if each else t["voting_thresh"],
        voting=VOTING[method],  # type: ignore[arg-type]
    )
