"""Kind of weights > its network, and how tensors of official checkpoints become the network's own.

The networks name their tensors as the publishers do, but for prefixes; patterns here tell the difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from avloc.errors import FeatureError
from avloc.features.extractors.pretrained.base import PretrainedNetwork
from avloc.features.extractors.pretrained.i3d import I3dNetwork
from avloc.features.extractors.pretrained.onepeace import AudioNetwork, ImageNetwork, VideoNetwork
from avloc.features.extractors.pretrained.raft import RaftNetwork
from avloc.features.extractors.pretrained.vggish import VggishNetwork, VggishPca
from avloc.features.extractors.weights import kind_of

State = Mapping[str, Tensor]
_SHOWN = 3


@dataclass(frozen=True)
class Official:
    """How the checkpoints of one kind are read.

    build makes the network whose sizes a state has. renamed are patterns and what stands for them in the network's
    names; left are names of tensors that features do not need, such as those of other branches.
    """

    build: Callable[[State], PretrainedNetwork]
    renamed: tuple[tuple[str, str], ...] = ()
    left: tuple[str, ...] = ()


def _branch(build: Callable[[State], PretrainedNetwork], own: str, others: str) -> Official:
    """One branch of ONE-PEACE; checkpoints of all modalities hold the others beside it."""
    renamed = (
        (rf"^encoder_wrapper\.{own}_adapter\.", "adapter."),
        (r"^encoder_wrapper\.fusion_model\.", "encoder."),
        (rf"\.{own}_ffn\.", ".ffn."),
        (rf"^encoder\.{own}_layer_norm\.", "encoder.norm."),
        (rf"^{own}_proj\.", "proj."),
    )
    left = (
        r"logit_scale",
        r".*\.(rp_bucket|position_idx|version|mask_embedding)",
        r"decoder_wrapper\..*",
        rf"encoder_wrapper\.({others})_adapter\..*",
        rf".*\.({others})_(ffn|layer_norm)\..*",
        rf"({others})_.*",
    )
    return Official(build, renamed, left)


_COUNTS = r".*\.num_batches_tracked"

OFFICIAL: Mapping[str, Official] = {
    "vggish": Official(lambda state: VggishNetwork(), left=(r"pproc\..*",)),
    "vggish-pca": Official(lambda state: VggishPca()),
    "i3d-rgb": Official(lambda state: I3dNetwork(3), left=(_COUNTS,)),
    "i3d-flow": Official(lambda state: I3dNetwork(2), left=(_COUNTS,)),
    # A norm of theirs goes by two names.
    "raft": Official(lambda state: RaftNetwork(), ((r"\.norm3\.", ".downsample.1."),), (_COUNTS,)),
    "onepeace-image": _branch(ImageNetwork.of, "image", "text|audio"),
    "onepeace-audio": _branch(AudioNetwork.of, "audio", "text|image"),
    "onepeace-video": Official(
        VideoNetwork.of,
        (
            (r"^backbone\.", ""),
            (r"^image_adapter\.", "adapter."),
            (r"^adapter\.rel_pos_table\.", "adapter.rel_pos_table_list.0."),
            (r"\.image_ffn\.", ".ffn."),
            (r"^encoder\.image_layer_norm\.", "encoder.norm."),
        ),
        (r"cls_head\..*", r".*\.rp_bucket"),
    ),
}


@dataclass(frozen=True)
class Fitted:
    """A network without values, the tensors that become its own, and what of the checkpoint is left out."""

    network: PretrainedNetwork
    state: dict[str, Tensor]
    left: tuple[str, ...]


def fit(name: str, state: State, where: str) -> Fitted:
    """Hold a checkpoint against the network of its kind: every tensor of either side finds its own.

    Raises:
        FeatureError: a tensor is missing, unknown, or of another size.
    """
    official = OFFICIAL[kind_of(name).name]
    own: dict[str, Tensor] = {}
    left: list[str] = []
    for given, tensor in state.items():
        if any(re.fullmatch(pattern, given) for pattern in official.left):
            left.append(given)
            continue
        to = given
        for pattern, replacement in official.renamed:
            to = re.sub(pattern, replacement, to)
        if to in own and not torch.equal(own[to], tensor):
            raise FeatureError(f"{where}: holds two tensors for {to}; give the publishers' own file")
        own[to] = tensor
    try:
        with torch.device("meta"):
            network = official.build(own)
    except KeyError as error:
        raise FeatureError(f"{where}: is no checkpoint of {name} (it lacks {error.args[0]}); {_hint(name)}") from None
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise FeatureError(f"{where}: is no checkpoint of {name} ({error}); {_hint(name)}") from None
    wanted = {key: t for key, t in network.state_dict().items() if not re.fullmatch(_COUNTS, key)}
    for names, problem in (
        ([key for key in wanted if key not in own], "lacks"),
        ([key for key in own if key not in wanted], "holds beside"),
    ):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise FeatureError(f"{where}: {problem} {', '.join(names[:_SHOWN])}{more} of {name}; {_hint(name)}")
    for key, tensor in own.items():
        if tensor.shape != wanted[key].shape:
            raise FeatureError(
                f"{where}: {key} is {tuple(tensor.shape)}, {name} has {tuple(wanted[key].shape)}; {_hint(name)}"
            )
        if not tensor.is_floating_point():
            raise FeatureError(f"{where}: {key} holds whole numbers; {_hint(name)}")
    return Fitted(network, own, tuple(left))


def _hint(name: str) -> str:
    kind = kind_of(name)
    return f"needed is {kind.file} of {kind.project}"
