"""Losses of a set of segments, against loops written out plainly."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avloc.config import ActionFormerConfig, DenseLossConfig, LocoConfig, QueryLossConfig, TadTrConfig
from avloc.errors import ConfigError
from avloc.learning.build import build_criterion
from avloc.learning.losses import Ranks, Truth
from avloc.learning.queries import QueryCriterion, spans_of
from avloc.models.outputs import QueryOutputs

CONFIG = QueryLossConfig()
NAMES = {"classification", "l1", "iou", "earlier_classification", "earlier_l1", "earlier_iou", "actionness"}


def outputs(lengths: list[float], seed: int = 0, layers: int = 2, queries: int = 4, classes: int = 3) -> QueryOutputs:
    generator = torch.Generator().manual_seed(seed)
    shape = layers, len(lengths), queries

    def some(*more: int) -> torch.Tensor:
        return torch.randn(*shape, *more, generator=generator, dtype=torch.float64)

    return QueryOutputs(some(classes), some(2).sigmoid(), some().sigmoid()[-1], torch.tensor(lengths).double())


TRUTH = Truth(
    torch.tensor([[[2.0, 6.5], [5.0, 11.0], [-1.5, 3.0]], [[1.0, 4.0], [0.0, 0.0], [0.0, 0.0]]]).double(),
    torch.tensor([[0, 2, 0], [1, -1, -1]]),
)


def iou(one: tuple[float, float], other: tuple[float, float]) -> float:
    ends = [(c - w / 2, c + w / 2) for c, w in (one, other)]
    shared = max(0.0, min(e for _, e in ends) - max(s for s, _ in ends))
    return shared / (one[1] + other[1] - shared)


def focal(logit: float, positive: bool) -> float:
    p = 1 / (1 + math.exp(-logit))
    return 0.25 * (1 - p) ** 2 * -math.log(p) if positive else 0.75 * p**2 * -math.log(1 - p)


def plain(said: QueryOutputs, truth: Truth) -> tuple[dict[str, list[float]], float]:
    """Losses by layer, and that of actionness; matches are the best of all there are."""
    L, B, Q, K = said.logits.shape
    events = [
        [
            (((s + e) / 2 + 0.5) / n, (e - s) / n, k)
            for (s, e), k in zip(segments, labels, strict=True)
            if k >= 0
        ]
        for n, segments, labels in zip(
            said.lengths.tolist(), truth.segments.tolist(), truth.labels.tolist(), strict=True
        )
    ]  # fmt: skip
    count = max(sum(map(len, events)), 1)
    losses: dict[str, list[float]] = {"classification": [], "l1": [], "iou": []}
    for layer in range(L):
        sums = dict.fromkeys(losses, 0.0)
        for b in range(B):
            spans = [tuple(span) for span in said.spans[layer, b].tolist()]

            def cost(q: int, event: tuple[float, float, int], layer: int = layer, b: int = b) -> float:
                logit, (c, w) = float(said.logits[layer, b, q, event[2]]), said.spans[layer, b, q].tolist()
                distance = abs(c - event[0]) + abs(w - event[1])
                return 6 * (focal(logit, True) - focal(logit, False)) + 5 * distance - 2 * iou((c, w), event[:2])

            ways = itertools.permutations(range(Q), len(events[b]))
            best = min(ways, key=lambda way: sum(cost(q, e) for q, e in zip(way, events[b], strict=True)))
            given_to = dict(zip(best, events[b], strict=True))
            for q in range(Q):
                event = given_to.get(q)
                for k in range(K):
                    positive = event is not None and event[2] == k
                    sums["classification"] += focal(float(said.logits[layer, b, q, k]), positive)
                if event is not None:
                    sums["l1"] += abs(spans[q][0] - event[0]) + abs(spans[q][1] - event[1])
                    sums["iou"] += 1 - iou(spans[q], event[:2])
        for name, value in sums.items():
            losses[name].append(value / count)
    off = []
    for b, q in itertools.product(range(B), range(Q)):
        ious = [iou(tuple(said.spans[-1, b, q].tolist()), event[:2]) for event in events[b]]
        off.append(abs(float(said.actionness[b, q]) - max(ious, default=0)))
    return losses, sum(off) / len(off)


@given(seed=st.integers(0, 10_000))
def test_losses_are_what_loops_say(seed: int) -> None:
    said = outputs([12.0, 5.0], seed)
    by_layer, actionness = plain(said, TRUTH)
    losses = QueryCriterion(CONFIG)(said, TRUTH)
    assert set(losses.parts) == NAMES
    for name, values in by_layer.items():
        assert float(losses.parts[name]) == pytest.approx(values[-1], rel=1e-5)
        assert float(losses.parts[f"earlier_{name}"]) == pytest.approx(sum(values[:-1]), rel=1e-5)
    assert float(losses.parts["actionness"]) == pytest.approx(actionness, rel=1e-5)
    total = 2 * sum(by_layer["classification"]) + 5 * sum(by_layer["l1"]) + 2 * sum(by_layer["iou"]) + 4 * actionness
    assert float(losses.total) == pytest.approx(total, rel=1e-5)


def test_spans_are_shares_of_each_video() -> None:
    spans = spans_of(TRUTH, torch.tensor([12.0, 5.0]).double())
    assert spans[0, 0].tolist() == pytest.approx([(4.25 + 0.5) / 12, 4.5 / 12])
    assert spans[1, 0].tolist() == pytest.approx([3.0 / 5, 3.0 / 5])
    assert spans_of(TRUTH, torch.zeros(2).double()).isfinite().all()


def test_actionness_of_the_batch_looks_at_all_videos() -> None:
    said = outputs([12.0, 5.0])
    own, all_ = QueryCriterion(CONFIG), QueryCriterion(replace(CONFIG, actionness_events="batch"))
    spans = spans_of(TRUTH, said.lengths)
    real = [tuple(spans[b, n].tolist()) for b in range(2) for n in range(3) if TRUTH.labels[b, n] >= 0]
    off = [
        abs(float(said.actionness[b, q]) - max(iou(tuple(said.spans[-1, b, q].tolist()), one) for one in real))
        for b in range(2)
        for q in range(4)
    ]
    assert float(all_(said, TRUTH).parts["actionness"]) == pytest.approx(sum(off) / 8, rel=1e-5)
    assert float(own(said, TRUTH).parts["actionness"]) != pytest.approx(sum(off) / 8, rel=1e-3)


@pytest.mark.parametrize("columns", [0, 2])
def test_a_batch_without_events_teaches_that_there_are_none(columns: int) -> None:
    said = outputs([12.0, 5.0])
    empty = Truth(torch.zeros(2, columns, 2).double(), torch.full((2, columns), -1))
    losses = QueryCriterion(CONFIG)(said, empty)
    assert set(losses.parts) == NAMES
    background = sum(focal(x, False) for x in said.logits[-1].flatten().tolist())
    assert float(losses.parts["classification"]) == pytest.approx(background)
    assert float(losses.parts["l1"]) == float(losses.parts["iou"]) == 0
    assert float(losses.parts["actionness"]) == pytest.approx(float(said.actionness.mean()))


def test_a_video_without_steps_says_and_learns_nothing() -> None:
    said, alone = outputs([12.0, 0.0]), outputs([12.0, 0.0])
    alone = QueryOutputs(alone.logits[:, :1], alone.spans[:, :1], alone.actionness[:1], alone.lengths[:1])
    truth = Truth(TRUTH.segments, torch.where(torch.tensor([[True], [False]]), TRUTH.labels, -1))
    with_it = QueryCriterion(CONFIG)(said, truth)
    without = QueryCriterion(CONFIG)(alone, Truth(truth.segments[:1], truth.labels[:1]))
    for name, loss in without.parts.items():
        assert float(with_it.parts[name]) == pytest.approx(float(loss)), name


def test_more_events_than_queries() -> None:
    said = outputs([12.0, 5.0], queries=2)
    matches = QueryCriterion(CONFIG).match(said, TRUTH, spans_of(TRUTH, said.lengths))
    for layer in range(2):
        first = (matches.layer == layer) & (matches.video == 0)
        assert sorted(matches.query[first].tolist()) == [0, 1]
        assert len(set(matches.event[first].tolist())) == 2


def test_padded_events_are_given_to_no_query() -> None:
    said = outputs([12.0, 5.0])
    truth = Truth(TRUTH.segments[:, [1, 0, 2]], torch.tensor([[-1, 2, 0], [-1, 1, -1]]))
    matches = QueryCriterion(CONFIG).match(said, truth, spans_of(truth, said.lengths))
    assert sorted(zip(matches.video.tolist(), matches.event.tolist(), strict=True)) == sorted(
        [(0, 1), (0, 2), (1, 1)] * 2
    )


def test_losses_that_are_no_numbers_are_said_so() -> None:
    """Matching must not stop a training that diverges before its own message does."""
    said = outputs([12.0, 5.0])
    said.logits[0, 0, 0, 0] = torch.nan
    said.spans[1, 1] = torch.nan
    assert not torch.isfinite(QueryCriterion(CONFIG)(said, TRUTH).total)


def test_processes_share_the_counts() -> None:
    """Each of two processes has one of the videos; the mean of their losses is that of both together."""
    said = outputs([12.0, 5.0])
    together = QueryCriterion(CONFIG)(said, TRUTH)
    totals = {}
    parts = []
    for b in range(2):
        own = QueryOutputs(said.logits[:, [b]], said.spans[:, [b]], said.actionness[[b]], said.lengths[[b]])
        criterion = QueryCriterion(CONFIG)
        totals = {4: torch.tensor(8), int((TRUTH.labels[b] >= 0).sum()): torch.tensor(4)}  # queries, events of both
        criterion.ranks = Ranks(2, lambda x, known=totals: known[int(x)])  # type: ignore[misc]
        parts.append(criterion(own, Truth(TRUTH.segments[[b]], TRUTH.labels[[b]])))
    for name, loss in together.parts.items():
        assert float(sum(p.parts[name] for p in parts)) / 2 == pytest.approx(float(loss)), name


def test_gradients_reach_what_was_said() -> None:
    said = outputs([12.0, 5.0])
    for x in (said.logits, said.spans, said.actionness):
        x.requires_grad_()
    QueryCriterion(CONFIG)(said, TRUTH).total.backward()
    assert all(x.grad is not None and x.grad.abs().sum() > 0 for x in (said.logits, said.spans, said.actionness))
    assert said.spans.grad is not None
    learned = said.spans.grad.abs().sum(dim=3) > 0  # of each layer, as many queries as there are events
    assert learned.sum(dim=2).tolist() == [[3, 1], [3, 1]]


def test_losses_are_for_what_the_network_judges() -> None:
    assert isinstance(build_criterion(QueryLossConfig(), TadTrConfig()), QueryCriterion)
    queries = QueryLossConfig()
    for loss, network in (
        (DenseLossConfig(), TadTrConfig()),
        (queries, LocoConfig()),
        (queries, ActionFormerConfig()),
    ):
        with pytest.raises(ConfigError, match=rf"loss\.method is '{loss.method}', for {loss.judges}"):
            build_criterion(loss, network)
