"""Losses of networks that say a set of segments: each event is given one query, and all that queries say is judged.

End-to-End Object Detection with Transformers (Carion et al. 2020), Section 3.1, as TadTR has it for segments (Liu et
al. 2022): focal loss of classes, L1 and tIoU of segments for every decoder layer, actionness for the last.
Legend: L decoder layers, B batch, Q queries, N events (padded), K classes, M matches of all layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from avloc.config import NetworkConfig, QueryLossConfig
from avloc.learning.assignment import assign
from avloc.learning.focal import focal_loss
from avloc.learning.losses import Criterion, Losses, Truth
from avloc.models.outputs import QueryOutputs

_TINY = 1e-8
_EVEN = 0.5  # a step stands in the middle of its cell


@dataclass(frozen=True, slots=True)
class Matches:
    """Which query of which layer and video learns which event; columns of shape (M,)."""

    layer: Int[Tensor, "M"]
    video: Int[Tensor, "M"]
    query: Int[Tensor, "M"]
    event: Int[Tensor, "M"]


def spans_of(truth: Truth, lengths: Float[Tensor, "B"]) -> Float[Tensor, "B N 2"]:
    """Centre and width of events in shares of their videos' steps; they may reach beyond 0 and 1."""
    whole = lengths.clamp(min=1)[:, None]
    start, end = truth.segments.unbind(dim=-1)
    return torch.stack([((start + end) / 2 + _EVEN) / whole, (end - start) / whole], dim=-1)


def span_iou(one: Float[Tensor, "*S 2"], other: Float[Tensor, "*S 2"]) -> Float[Tensor, "*S"]:
    """tIoU of spans, each a centre and a width."""
    left = torch.maximum(one[..., 0] - one[..., 1] / 2, other[..., 0] - other[..., 1] / 2)
    right = torch.minimum(one[..., 0] + one[..., 1] / 2, other[..., 0] + other[..., 1] / 2)
    shared = (right - left).clamp(min=0)
    return shared / (one[..., 1] + other[..., 1] - shared).clamp(min=_TINY)


class QueryCriterion(Criterion):
    """All but actionness is divided by the number of events of the batch."""

    def __init__(self, config: QueryLossConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, outputs: QueryOutputs, truth: Truth) -> Losses:
        """Losses of a batch: of the last layer by name, those of the layers before it added up."""
        c = self.config
        spans = spans_of(truth, outputs.lengths)
        by_layer = self.by_layer(outputs, truth, spans)
        actionness = self._actionness(outputs, truth, spans)
        weights = {"classification": c.class_weight, "l1": c.l1_weight, "iou": c.iou_weight}
        total = c.actionness_weight * actionness
        parts: dict[str, Tensor] = {}
        for name, weight in weights.items():
            parts[name], parts[f"earlier_{name}"] = by_layer[name][-1], by_layer[name][:-1].sum()
            total = total + weight * by_layer[name].sum()
        return Losses(total, {**parts, "actionness": actionness})

    def by_layer(
        self, outputs: QueryOutputs, truth: Truth, spans: Float[Tensor, "B N 2"]
    ) -> dict[str, Float[Tensor, "L"]]:
        """Losses of each decoder layer, each with matches of its own, by name."""
        L = len(outputs.logits)
        logits, m = outputs.logits.float(), self.match(outputs, truth, spans)
        positive = torch.zeros(logits.shape, dtype=torch.bool, device=logits.device)
        positive[m.layer, m.video, m.query, truth.labels[m.video, m.event]] = True
        focal = focal_loss(logits, positive, self.config.focal_alpha, self.config.focal_gamma)
        focal = focal * outputs.mask[..., None]
        said, wanted = outputs.spans[m.layer, m.video, m.query].float(), spans[m.video, m.event]
        events = self.ranks.total((truth.labels >= 0).sum()).clamp(min=1)

        def summed(of_match: Float[Tensor, "M"]) -> Float[Tensor, "L"]:
            return of_match.new_zeros(L).index_add(0, m.layer, of_match)

        sums = {
            "classification": focal.sum(dim=(1, 2, 3)),
            "l1": summed((said - wanted).abs().sum(dim=-1)),
            "iou": summed(1 - span_iou(said, wanted)),
        }
        return {name: x * (self.ranks.world / events) for name, x in sums.items()}

    @torch.no_grad()
    def cost(self, outputs: QueryOutputs, truth: Truth, spans: Float[Tensor, "B N 2"]) -> Float[Tensor, "L B Q N"]:
        """What it costs to give an event to a query."""
        c, Q = self.config, outputs.logits.shape[2]
        label = truth.labels.clamp(min=0)[None, :, None].expand(len(outputs.logits), -1, Q, -1)  # (L, B, Q, N)
        p = torch.sigmoid(outputs.logits.float()).gather(3, label)
        found = -(p + _TINY).log() * c.focal_alpha * (1 - p) ** c.focal_gamma
        missed = -(1 - p + _TINY).log() * (1 - c.focal_alpha) * p**c.focal_gamma
        said, wanted = outputs.spans.float()[:, :, :, None], spans[None, :, None]
        l1 = (said - wanted).abs().sum(dim=-1)
        return c.match_class * (found - missed) + c.match_l1 * l1 - c.match_iou * span_iou(said, wanted)

    def match(self, outputs: QueryOutputs, truth: Truth, spans: Float[Tensor, "B N 2"]) -> Matches:
        """The cheapest assignment by layer and video; where there are more events than queries, some have none."""
        # A training that diverges is stopped by what its losses are, not by a table that cannot be solved.
        cost = self.cost(outputs, truth, spans).double().nan_to_num().cpu().numpy()
        counts = (truth.labels >= 0).cpu().numpy()
        rows = [np.zeros((4, 0), np.intp)]
        for layer, of_layer in enumerate(cost):
            for video, (of_video, is_event) in enumerate(zip(of_layer, counts, strict=True)):
                event = np.flatnonzero(is_event)
                query, place = assign(of_video[:, event])
                where = np.full((2, len(query)), [[layer], [video]])
                rows.append(np.concatenate([where, [query, event[place]]]).astype(np.intp))
        return Matches(*torch.from_numpy(np.concatenate(rows, axis=1)).to(outputs.logits.device))

    def _actionness(self, outputs: QueryOutputs, truth: Truth, spans: Float[Tensor, "B N 2"]) -> Float[Tensor, ""]:
        """How far each query's actionness is from its segment's tIoU with the event that it fits best."""
        is_event, said = truth.labels >= 0, outputs.spans[-1].detach().float()
        if self.config.actionness_events == "batch":
            spans, is_event = spans.reshape(1, -1, 2), is_event.reshape(1, -1)
        wanted = _best_iou(said, spans, is_event)
        error = F.l1_loss(outputs.actionness.float(), wanted, reduction="none") * outputs.mask
        queries = self.ranks.total(outputs.mask.sum()).clamp(min=1)
        return error.sum() * (self.ranks.world / queries)


def _best_iou(
    said: Float[Tensor, "B Q 2"], spans: Float[Tensor, "B N 2"], is_event: Bool[Tensor, "B N"]
) -> Float[Tensor, "B Q"]:
    if not spans.shape[1]:
        return said.new_zeros(said.shape[:2])
    iou = span_iou(said[:, :, None], spans[:, None])  # (B, Q, N)
    return (iou * is_event[:, None]).amax(dim=2)


def build(loss: QueryLossConfig, network: NetworkConfig) -> QueryCriterion:
    """The criterion of these settings, for any network whose outputs are of queries."""
    return QueryCriterion(loss)
