"""Narrow networks of ONE-PEACE's make with random weights, in checkpoints as its authors save theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from avloc.features.extractors.pretrained.adding import add_weights
from avloc.features.extractors.pretrained.onepeace import AudioNetwork, ImageNetwork, VideoNetwork
from avloc.features.extractors.pretrained.onepeace_inputs import AudioAdapter
from avloc.features.extractors.pretrained.onepeace_layers import Sizes

KINDS = ("onepeace-video", "onepeace-image", "onepeace-audio")
SIDE = 2  # patches a side: pictures of 32 x 32


def networks(width: int = 16) -> Mapping[str, nn.Module]:
    """By kind; two heads, one layer."""
    sizes = Sizes(width, heads=2, ffn_width=8, layers=1, tables=1)
    return {
        "onepeace-video": VideoNetwork(sizes, SIDE, 4, 16, 4),
        "onepeace-image": ImageNetwork(sizes, SIDE, 4, width),
        "onepeace-audio": AudioNetwork(sizes, AudioAdapter(sizes, 8, 2, 3, 2, 8), width),
    }


def official_state(kind: str, network: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """Random values under official names."""
    generator = torch.Generator().manual_seed(seed)
    branch = kind.removeprefix("onepeace-")
    state = {}
    for name, tensor in network.state_dict().items():
        # What is looked at must weigh more than where it stands.
        spread = 0.1 if "embed" in name.split(".")[-1] else 0.5 if tensor.ndim < 2 else 1.5 / tensor[0].numel() ** 0.5
        value = spread * torch.randn(tensor.shape, generator=generator)
        if branch == "video":
            official = name.replace("adapter.rel_pos_table_list.0", "adapter.rel_pos_table")
            official = official.replace("adapter.", "image_adapter.", 1) if name.startswith("adapter.") else official
            official = official.replace(".ffn.", ".image_ffn.").replace("encoder.norm", "encoder.image_layer_norm")
            official = f"backbone.{official}"
        else:
            official = name.replace(".ffn.", f".{branch}_ffn.").replace(
                "encoder.norm", f"encoder.{branch}_layer_norm"
            )
            for own, theirs in (("adapter.", f"{branch}_adapter."), ("encoder.", "fusion_model.")):
                if official.startswith(own):
                    official = f"encoder_wrapper.{theirs}{official.removeprefix(own)}"
            official = f"{branch}_{official}" if official.startswith("proj.") else official
        state[official] = value
    return state


def save_checkpoint(kind: str, path: Path, width: int = 16, seed: int = 0) -> Path:
    """A file as its authors have it."""
    torch.save({"model": official_state(kind, networks(width)[kind], seed)}, path)
    return path


def add_narrow(folder: Path, width: int = 16, seed: int = 0, kinds: Sequence[str] = KINDS) -> Path:
    """These kinds, added to a folder of weights."""
    for kind in kinds:
        file = save_checkpoint(kind, folder.parent / f"{kind}.pt", width, seed)
        add_weights(kind, file, folder, any_size=True)
        file.unlink()
    return folder
