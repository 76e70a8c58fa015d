"""VSGN: self-stitching > first convolution > graph pyramid > anchors' classes and boxes > boundary adjustment
> scores.

Video Self-Stitching Graph Network for Temporal Action Localization (Zhao, Thabet and Ghanem 2021), on the features of
both modalities side by side. As published nothing is masked behind the input: padding is a part of the graph
and of the
norms, so that everything is padded to one length inside the network. Softmax gives a box one class: where events of
several classes lie on one another, they compete for it.
Legend: B batch, T time, S steps of the network, C channels, P anchors, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import VsgnConfig
from avloc.models.network import Network
from avloc.models.vsgn.boxes import decode_boxes, make_anchors
from avloc.models.vsgn.graph import Decoder, Encoder
from avloc.models.vsgn.heads import AnchorHead, BoundaryAdjustment, FrameHead
from avloc.models.vsgn.stitching import Clips

_REACH = 1 / 8  # of a box's length: how far to either side of a boundary its adjustment looks


@dataclass(frozen=True)
class AnchorOutputs:
    """Every anchor's class and box, and what frames are.

    logits (B, P, 1 + K), background first; anchors (P, 2), boxes and adjusted boxes (B, P, 2) in steps of the
    network;
    action, start and end (B, S) from 0 to 1. `clips` says what of these steps is the clip and what its copy.
    """

    logits: Float[Tensor, "B P K1"]
    anchors: Float[Tensor, "P 2"]
    boxes: Float[Tensor, "B P 2"]
    adjusted: Float[Tensor, "B P 2"]
    action: Float[Tensor, "B S"]
    start: Float[Tensor, "B S"]
    end: Float[Tensor, "B S"]
    clips: Clips
    least_probability: float

    @property
    def probabilities(self) -> Float[Tensor, "B P K"]:
        """Of classes, without background."""
        return self.logits.float().softmax(dim=2)[..., 1:]

    @property
    def scores(self) -> Float[Tensor, "B P K"]:
        p = self.probabilities
        start, end = self.adjusted.unbind(dim=2)
        boundary = _around(self.start, start) * _around(self.end, end)
        return torch.where(p > self.least_probability, p, 0.0) * boundary[..., None]

    @property
    def segments(self) -> Float[Tensor, "B P 1 2"]:
        """A box whose ends have changed places has no length."""
        start, end = self.clips.back(self.adjusted).unbind(dim=2)
        return torch.stack([start, torch.maximum(start, end)], dim=2)[:, :, None]

    @property
    def mask(self) -> Bool[Tensor, "B P"]:
        return (self.clips.lengths > 0)[:, None].expand(self.boxes.shape[:2])

    @property
    def place(self) -> Float[Tensor, "B P"]:
        """The middle of a segment, on a step that the clip has."""
        last = (self.clips.lengths - 1).clamp(min=0)[:, None].to(self.adjusted.dtype)
        return torch.minimum(self.segments[:, :, 0].mean(dim=2).clamp(min=0), last)


def _around(frames: Float[Tensor, "B S"], at: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
    """Mean of the frames before and behind."""
    last = frames.shape[1] - 1
    before, behind = (side.long().clamp(0, last) for side in (at.floor(), at.ceil()))
    return (frames.gather(1, before) + frames.gather(1, behind)) / 2


class Vsgn(Network):
    """Features of both modalities on one grid -> AnchorOutputs."""

    official_names: ClassVar = (
        (r"^xGPN\.conv0\.0\.", "stem."),
        (r"^xGPN\.levels_enc\.(\d+)\.(tconv1|0)\.", r"encoder.layers.\1.conv."),
        (r"^xGPN\.levels_enc\.(\d+)\.nconv1\.mlp\.", r"encoder.layers.\1.graph.message."),
        (r"^xGPN\.levels_dec\.(\d+)\.0\.", r"decoder.up.\1."),
        (r"^xGPN\.levels1\.(\d+)\.0\.", r"decoder.smooth.\1."),
        (r"^xGPN\.levels2\.(\d+)\.0\.", r"decoder.lateral.\1."),
        (r"^head_dec\.cls_tower\.", "head.class_tower."),
        (r"^head_dec\.bbox_tower\.", "head.box_tower."),
        (r"^head_dec\.cls_logits\.", "head.classify."),
        (r"^head_dec\.bbox_pred\.", "head.box."),
        (r"^bd_adjust\.(start|end)_conv\.0\.", r"adjust_\1.conv."),
        (r"^bd_adjust\.(start|end)_conv\.2\.", r"adjust_\1.out."),
        (r"^head_(action|start|end)ness\.0\.", r"\1.conv."),
        (r"^head_(action|start|end)ness\.2\.", r"\1.out."),
    )

    def __init__(self, config: VsgnConfig) -> None:
        super().__init__()
        self.config: VsgnConfig = config
        c = config
        self.stem = nn.Conv1d(c.visual_width + c.audio_width, c.width, 3, stride=c.stem_stride, padding=1)
        self.encoder = Encoder(c)
        self.decoder = Decoder(c)
        self.head = AnchorHead(c)
        self.adjust_start, self.adjust_end = BoundaryAdjustment(c), BoundaryAdjustment(c)
        self.action, self.start, self.end = (FrameHead(c) for _ in range(3))

    def forward(
        self, visual: Float[Tensor, "B T Dv"], audio: Float[Tensor, "B T Da"], mask: Bool[Tensor, "B T"]
    ) -> AnchorOutputs:
        c, clips = self.config, Clips.of(mask, self.config)
        coarsest = c.stem_stride << c.levels
        length = max(c.steps, -(-mask.shape[1] // coarsest) * coarsest)
        x = clips.laid_out(torch.cat([visual, audio], dim=2), length).transpose(1, 2)
        x = torch.relu(self.stem(x))
        levels = self.decoder(self.encoder(x, clips if c.stitch else None))
        logits, shifts = self.head(levels)
        finest, stride = levels[0], 2 * c.stem_stride
        anchors = make_anchors([level.shape[2] for level in levels], stride, c.scales, mask.device)
        boxes = decode_boxes(shifts.float(), anchors)
        start, end = boxes.detach().clamp(0, length - 1).unbind(dim=2)
        reach = (end - start + 1) * _REACH
        sides = (self.adjust_start, start), (self.adjust_end, end)
        shift = [adjust(finest, at / stride, reach / stride) for adjust, at in sides]
        action, starting, ending = (head(finest, length) for head in (self.action, self.start, self.end))
        adjusted = boxes + torch.stack(shift, dim=2)
        return AnchorOutputs(logits, anchors, boxes, adjusted, action, starting, ending, clips, c.least_probability)

    def from_official(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The authors' tensors, with the rows of background, the first of each anchor, apart from those of
        classes."""
        own = dict(state)
        for part in ("weight", "bias"):
            both = own.pop(f"head_dec.cls_logits.{part}", None)
            if both is not None and len(both) % len(self.config.scales) == 0:
                rows = both.reshape(len(self.config.scales), -1, *both.shape[1:])  # (A, 1 + K, ...)
                own[f"head.background.{part}"] = rows[:, 0]
                own[f"head_dec.cls_logits.{part}"] = rows[:, 1:].transpose(0, 1).flatten(0, 1)
        return own

    def parts(self) -> dict[str, tuple[str, ...]]:
        """As the paper names them."""
        return {
            "first convolution": ("stem",),
            "encoder": ("encoder",),
            "decoder": ("decoder",),
            "anchor head": ("head",),
            "boundary adjustment": ("adjust_start", "adjust_end"),
            "frame heads": ("action", "start", "end"),
        }

    def details(self, length: int) -> dict[str, tuple[tuple[str, ...], int]]:
        """What the graphs cost, the distances between all steps included."""
        return {"graphs": (tuple(name for name, _ in self.named_modules() if name.endswith(".graph")), 0)}


def build(config: VsgnConfig) -> Vsgn:
    """The network of these settings."""
    return Vsgn(config)
