"""Focal, IoU and correspondence losses against plain arithmetic in double precision."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.config import LccConfig, LocoLossConfig
from avloc.errors import ConfigError
from avloc.learning.correspondence import correspondence_loss, correspondence_objective, correspondence_parts
from avloc.learning.focal import focal_loss
from avloc.learning.iou_loss import diou_loss, giou_loss
from avloc.learning.loco import LocoCriterion, classes_on, share_inside
from avloc.learning.losses import Truth
from avloc.models.loco.lcc import Correspondence, CorrespondenceHead
from avloc.models.loco.network import LocoOutputs
from avloc.models.outputs import pyramid_points


@given(st.floats(-15, 15), st.booleans())
def test_focal_is_the_formula(logit: float, positive: bool) -> None:
    p = 1 / (1 + math.exp(-logit))
    p_t, alpha_t = (p, 0.25) if positive else (1 - p, 0.75)
    expected = -alpha_t * (1 - p_t) ** 2 * math.log(p_t)
    got = focal_loss(torch.tensor(logit, dtype=torch.float64), torch.tensor(positive))
    assert float(got) == pytest.approx(expected, abs=1e-6)


distances = st.floats(0, 50).map(lambda x: round(x, 3))


@given(distances, distances, distances, distances)
def test_iou_losses_are_the_formulas(a: float, b: float, c: float, d: float) -> None:
    predicted, target = (-a, b), (-c, d)
    union_hull = max(predicted[1], target[1]) - min(predicted[0], target[0])
    shared = max(0.0, min(predicted[1], target[1]) - max(predicted[0], target[0]))
    union = (predicted[1] - predicted[0]) + (target[1] - target[0]) - shared
    if union < 1e-6:
        return
    giou = shared / union - (union_hull - union) / union_hull
    centres = (sum(predicted) - sum(target)) / 2
    diou = shared / union - (centres / union_hull) ** 2
    pair = torch.tensor([[a, b]], dtype=torch.float64), torch.tensor([[c, d]], dtype=torch.float64)
    assert float(giou_loss(*pair)) == pytest.approx(1 - giou, abs=1e-6)
    assert float(diou_loss(*pair)) == pytest.approx(1 - diou, abs=1e-6)


def objective(videos: list[int], steps: list[int], sigma: float, config: LccConfig) -> list[list[float]]:
    """R of Eq. 3 and 4, cell by cell."""
    R = []
    for m, i in zip(videos, steps, strict=True):
        row = []
        for n, j in zip(videos, steps, strict=True):
            length = abs(i - j) / math.sqrt(2)
            gauss = math.exp(-(length**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
            others = sum(v == m for v in videos) - 1
            if config.objective == "diagonal":
                cell = float(m == n and i == j)
            elif config.objective == "softened":
                alpha = config.softening if others else 0.0
                cell = 1 - alpha if (m, i) == (n, j) else alpha / others if m == n else 0.0
            else:
                cell = gauss if m == n else 0.0
            row.append(cell)
        R.append([x / sum(row) for x in row])
    return R


@pytest.mark.parametrize("kind", ["learnable", "fixed", "softened", "diagonal"])
@pytest.mark.parametrize("divergence", ["cross-entropy", "kl"])
@settings(max_examples=10, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=3), seed=st.integers(0, 999), sigma=st.floats(0.3, 16)
)
def test_correspondence_is_the_formula(
    kind: str, divergence: str, lengths: list[int], seed: int, sigma: float
) -> None:
    config = LccConfig(objective=kind, divergence=divergence)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(seed)
    v, a = torch.nn.functional.normalize(
        torch.randn(2, len(lengths), 5, 3, generator=generator, dtype=torch.float64), dim=-1
    )
    mask = torch.arange(5)[None] < torch.tensor(lengths)[:, None]
    tau = torch.tensor(0.2, dtype=torch.float64)
    got = correspondence_loss(Correspondence(v, a, mask, tau, torch.tensor(sigma, dtype=torch.float64)), config)
    cells = [(b, t) for b, n in enumerate(lengths) for t in range(n)]
    if not cells:
        assert float(got) == 0
        return
    R = objective([b for b, _ in cells], [t for _, t in cells], sigma, config)
    expected = 0.0
    for first, second in ((v, a), (a, v)):
        for x, (b, t) in enumerate(cells):
            logits = [float(first[b, t] @ second[c, s]) / 0.2 for c, s in cells]
            total = sum(math.exp(z) for z in logits)
            for y in range(len(cells)):
                log_p = logits[y] - math.log(total)
                own = R[x][y] * math.log(R[x][y]) if divergence == "kl" and R[x][y] > 0 else 0.0
                expected += (own - R[x][y] * log_p) / (2 * len(cells))
    assert float(got) == pytest.approx(expected, abs=1e-6)


def streams(seed: int, lengths: tuple[int, ...] = (5, 3, 4)) -> tuple[Correspondence, list[tuple[int, int]]]:
    generator = torch.Generator().manual_seed(seed)
    v, a = torch.nn.functional.normalize(
        torch.randn(2, len(lengths), 5, 3, generator=generator, dtype=torch.float64), dim=-1
    )
    mask = torch.arange(5)[None] < torch.tensor(lengths)[:, None]
    tau, sigma = torch.tensor(0.2, dtype=torch.float64), torch.tensor(1.5, dtype=torch.float64)
    return Correspondence(v, a, mask, tau, sigma), [(b, t) for b, n in enumerate(lengths) for t in range(n)]


def plain_lcc(
    c: Correspondence, cells: list[tuple[int, int]], against: Callable[[int, int, int], bool]
) -> tuple[float, float, float]:
    """L_LCC pair by pair, which video, which moment; `against(x, y, z)`: whether the pair x, y meets cell z."""
    R = objective([b for b, _ in cells], [t for _, t in cells], 1.5, LccConfig())
    loss = video = moment = 0.0
    for first, second in ((c.visual, c.audio), (c.audio, c.visual)):
        for x, (b, t) in enumerate(cells):
            weight = [math.exp(float(first[b, t] @ second[d, s]) / 0.2) for d, s in cells]
            own = sum(w for w, (d, _) in zip(weight, cells, strict=True) if d == b)
            video -= math.log(own / sum(weight)) / (2 * len(cells))
            for y in range(len(cells)):
                if R[x][y]:
                    total = sum(w for z, w in enumerate(weight) if against(x, y, z))
                    loss -= R[x][y] * math.log(weight[y] / total) / (2 * len(cells))
                    moment -= R[x][y] * math.log(weight[y] / own) / (2 * len(cells))
    return loss, video, moment


@pytest.mark.parametrize("negatives", ["batch", "video", "others", "unlike"])
def test_negatives_are_those_that_are_asked_for(negatives: str) -> None:
    c, cells = streams(3)
    truth = Truth(
        torch.tensor([[[0.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [0.0, 0.0]], [[0.0, 3.0], [0.0, 1.0]]]),
        torch.tensor([[0, 1], [0, -1], [2, 1]]),
    )
    on = classes_on(truth, 5, 3)
    rules = {
        "batch": lambda x, y, z: True,
        "video": lambda x, y, z: cells[z][0] == cells[x][0],
        "others": lambda x, y, z: z == y or cells[z][0] != cells[x][0],
        "unlike": lambda x, y, z: cells[z][0] == cells[x][0] or not bool((on[cells[x]] & on[cells[z]]).any()),
    }
    expected = plain_lcc(c, cells, rules[negatives])
    found = correspondence_parts(c, LccConfig(negatives=negatives), on)  # type: ignore[arg-type]
    assert float(found.loss) == pytest.approx(expected[0], abs=1e-6)
    assert float(found.video) == pytest.approx(expected[1], abs=1e-6)
    assert float(found.moment) == pytest.approx(expected[2], abs=1e-6)
    assert rules["unlike"](0, 0, 5) and not rules["unlike"](0, 0, 6)  # class 0 is on in video 0 at 0, in video 1 at 1
    if negatives == "unlike":
        with pytest.raises(ConfigError, match="needs the events"):
            correspondence_parts(c, LccConfig(negatives="unlike"))


@pytest.mark.parametrize("divergence", ["cross-entropy", "kl"])
def test_the_two_parts_are_the_loss_and_guessing_is_told(divergence: str) -> None:
    c, _ = streams(1)
    config = LccConfig(divergence=divergence)  # type: ignore[arg-type]
    found = correspondence_parts(c, config)
    assert float(found.video + found.moment) == pytest.approx(float(found.loss))
    alike = torch.nn.functional.normalize(torch.ones_like(c.visual), dim=-1)
    guess = correspondence_parts(replace(c, visual=alike, audio=alike), config)
    assert float(guess.video) == pytest.approx(float(guess.guess_video)) == pytest.approx(float(found.guess_video))
    assert float(guess.moment) == pytest.approx(float(guess.guess_moment))
    assert float(found.guess_video) > 0 and not found.video.requires_grad


def test_share_inside_videos() -> None:
    x = torch.tensor([[[0.0], [2.0], [99.0]], [[10.0], [12.0], [14.0]]])
    mask = torch.tensor([[True, True, False], [True, True, True]])
    values = [[0.0, 2.0], [10.0, 12.0, 14.0]]
    whole = [v for video in values for v in video]
    total = sum((v - sum(whole) / 5) ** 2 for v in whole)
    inside = sum((v - sum(video) / len(video)) ** 2 for video in values for v in video)
    assert float(share_inside(x, mask)) == pytest.approx(inside / total)
    assert float(share_inside(torch.zeros(2, 3, 4), mask)) == 0


def test_lcc_waits_for_the_end_of_warmup_where_asked() -> None:
    torch.manual_seed(0)
    outputs = LocoOutputs(
        torch.randn(3, 9, 2),
        torch.rand(3, 9, 2, 2),
        torch.ones(3, 9, dtype=torch.bool),
        pyramid_points(6, 2),
        streams(0)[0],
        (torch.randn(3, 5, 4), torch.randn(3, 5, 4)),
    )
    truth = Truth(torch.zeros(3, 1, 2), torch.full((3, 1), -1))
    criterion = LocoCriterion(LocoLossConfig(lcc_after_warmup=True), LccConfig())
    totals = []
    for criterion.warming in (True, False):
        losses = criterion(outputs, truth)
        totals.append(losses.total - losses.parts["classification"] - losses.parts["regression"])
        assert losses.parts["correspondence"] > 0 and set(criterion.watched) < set(losses.parts)
    assert float(totals[0]) == 0 and float(totals[1]) == pytest.approx(0.1 * float(losses.parts["correspondence"]))


def test_correspondence_stays_in_single_precision_under_autocast() -> None:
    config, generator = LccConfig(), torch.Generator().manual_seed(0)
    head = CorrespondenceHead(16, config)
    streams = torch.randn(2, 2, 12, 16, generator=generator)
    mask = torch.ones(2, 12, dtype=torch.bool)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head(*streams, mask)
        inside = correspondence_loss(found, config)
    outside = correspondence_loss(found, config)
    assert found.visual.dtype == found.audio.dtype == inside.dtype == torch.float32
    assert torch.allclose(found.visual.norm(dim=-1), torch.ones(2, 12), atol=1e-6)
    assert torch.equal(inside, outside)


def test_rows_of_the_objective_sum_to_one_and_padding_is_empty() -> None:
    mask = torch.tensor([[True, True, False], [True, True, True], [False, False, False]])
    for kind in ("learnable", "softened", "diagonal"):
        R = correspondence_objective(mask, torch.tensor(1.5), LccConfig(objective=kind))  # type: ignore[arg-type]
        assert torch.allclose(R.sum(dim=2), mask.float())
        assert not R.transpose(1, 2)[~mask].any()


@pytest.mark.parametrize("start", [0.01, 1.5, 900.0])
def test_sigma_and_temperature_stay_in_range_and_can_come_back(start: float) -> None:
    head = CorrespondenceHead(8, LccConfig())
    with torch.no_grad():  # as far as an optimizer's step may carry them
        head.log_sigma.fill_(math.log(start))
        head.temperature.fill_(start)
    out = head(torch.randn(1, 4, 8), torch.randn(1, 4, 8), torch.ones(1, 4, dtype=torch.bool))
    assert 0.3 - 1e-6 <= out.sigma_steps.item() <= 16 + 1e-4
    assert 0.001 <= out.temperature.item() <= 0.5
    (out.sigma_steps + out.temperature).backward()
    assert head.log_sigma.grad is not None and head.log_sigma.grad.item() > 0
    assert head.temperature.grad is not None and head.temperature.grad.item() > 0


def test_total_is_equation_9_over_the_moving_normalizer() -> None:
    torch.manual_seed(0)
    logits, offsets = torch.randn(1, 14, 2), torch.rand(1, 14, 2, 2)
    mask = torch.ones(1, 8, dtype=torch.bool)
    correspondence = Correspondence(*torch.randn(2, 1, 8, 4), mask, torch.tensor(0.1), torch.tensor(1.5))
    inside, encoded = torch.ones(1, 14, dtype=torch.bool), torch.randn(1, 8, 4)
    outputs = LocoOutputs(logits, offsets, inside, pyramid_points(8, 3), correspondence, (encoded, encoded))
    criterion = LocoCriterion(LocoLossConfig(lcc_weight=0.5), LccConfig())
    truth = Truth(torch.tensor([[[1.0, 4.0]]]), torch.tensor([[1]]))
    losses = criterion(outputs, truth)
    # Positive: steps 2 and 3 of the finest level (reach under 4); no moment of a coarser level fits.
    assert float(criterion.normalizer) == pytest.approx(0.9 * 250 + 0.1 * 2)
    parts = losses.parts
    expected = parts["classification"] + parts["regression"] + 0.5 * parts["correspondence"]
    assert torch.allclose(losses.total, expected)
    assert LocoCriterion(LocoLossConfig(lcc_weight=0), LccConfig())(outputs, truth).parts["correspondence"] == 0
