"""VSGN against its authors' code: neighbours, levels, towers, boxes, assignment, losses, gradients, stitching,
results.

Neighbours are compared as sets. Where steps are equally far (padding; copies, which are drawn out linearly),
and where
a copy has more steps to listen to than are left of the clip, any choice is as good as another; from there on outputs
are compared with the published neighbours given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from published import FOLDER, parameters
from safetensors.torch import load_file
from torch import Tensor, nn

from avloc.config import AnchorLossConfig, DecodingConfig, VsgnConfig
from avloc.decoding.candidates import decode, find_candidates
from avloc.decoding.soft_nms import soft_nms
from avloc.learning.anchors import AnchorCriterion, frame_targets, match
from avloc.learning.losses import Truth
from avloc.models.vsgn.graph import nearest
from avloc.models.vsgn.network import AnchorOutputs, Vsgn, build
from avloc.models.vsgn.stitching import Clips
from avloc.recipes.vsgn import vsgn_thumos, vsgn_unav100_i3d_vggish
from avloc.timegrid import TimeGrid
from avloc.training.official import own_name, take_official

NEAR = {"atol": 1e-4, "rtol": 1e-4}
LOSSES = {
    "cls_dec": "class",
    "reg_dec": "box",
    "bd_adjust": "boundary",
    "action": "action",
    "start": "start",
    "end": "end",
}
"""The authors' names of our losses."""
ONLY = {"nfeat_mode": "feat_ctr", "edge_weight": "false", "agg_type": "max", "gcn_insert": "par", "base_stride": 4}
"""What is built of the authors' options."""
LONGEST_S, MOST = 50.0, 200
"""Of the authors' detections of a video."""
STEPS = TimeGrid(1.0, 1.0, -0.5)  # seconds are steps
KEYS = Path(__file__).parents[3] / "shared" / "methods" / "keys"


class Published:
    """One fixture: what the authors' code was given and what it said, and our settings for it."""

    def __init__(self, path: Path) -> None:
        about = json.loads(path.read_text())
        self.options, self.raw = about["constructor"], about["raw"]
        self.scalars, self.grad_norms = about["scalars"], about["grad_norms"]
        self.tensors = load_file(path.with_suffix(".safetensors"))
        o = self.options
        for name, value in ONLY.items():
            if o.get(name, value) != value:
                pytest.skip(f"{name} is {o[name]!r}; {value!r} alone is built")
        self.config = VsgnConfig(
            classes=o["decoder_num_classes"] - 1,
            visual_width=o["input_feat_dim"],
            audio_width=0,
            steps=o["temporal_scale"],
            width=o["bb_hidden_dim"],
            levels=o["num_levels"],
            stem_stride=2,
            graph=o["use_xGPN"],
            neighbours=o["num_neigh"],
            head_blocks=o["num_head_layers"],
            scales=tuple(float(scale) for scale in o["anchor_scale"]),
            stitch=o["use_VSS"],
            stitch_share=o["short_ratio"],
            stitch_gap=o["stitch_gap"],
        )
        self.lengths = self["in/num_frms"].long()
        self.mask = torch.arange(self.config.steps)[None] < self.lengths[:, None]

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def named(self, beginning: str) -> dict[str, Tensor]:
        """All tensors whose names begin so, by the rest of the name."""
        return {k.removeprefix(beginning): t for k, t in self.tensors.items() if k.startswith(beginning)}

    @property
    def input(self) -> Tensor:
        """(B, S, D), stitched by the authors' code."""
        return self["in/input"].transpose(1, 2)

    @property
    def clips(self) -> Clips:
        return Clips.of(self.mask, self.config)

    @property
    def truth(self) -> Truth:
        """The authors' events, on clips and on copies."""
        rows, counts = self["in/gt_bbox"], self["in/num_gt"].long()
        real = torch.arange(rows.shape[1])[None] < counts[:, None]
        segments = (rows[..., :2] * self.config.steps).round()
        return Truth(segments * real[..., None], torch.where(real, rows[..., 2].round().long() - 1, -1))

    def neighbours(self, level: int) -> Tensor:
        """(B, T, N) as published."""
        B, steps = len(self.lengths), self.config.steps // 2 >> level
        wanted = self[f"eval/neighbours/{level}"].long().reshape(B, steps, -1)
        return wanted - torch.arange(B)[:, None, None] * steps

    def network(self, *, given: bool) -> Vsgn:
        """Ours, with the published weights, and the published neighbours where they are given."""
        network = build(self.config).eval()
        take_official(network, {k: t.float() for k, t in self.named("weights/").items()}, "vsgn")
        if given and self.config.graph:
            for level, layer in enumerate(network.encoder.layers):
                wanted = self.neighbours(level)
                setattr(layer.graph, "neighbours", lambda x, magnified, wanted=wanted: wanted)  # noqa: B010
        return network

    def run(self, network: Vsgn) -> AnchorOutputs:
        """Of the clips as they are before they are stitched."""
        clips = self.input * self.mask[..., None]
        return network(clips, clips[..., :0], self.mask)

    def criterion(self) -> AnchorCriterion:
        _, near, boundary = self.options["iou_thr"]
        return AnchorCriterion(AnchorLossConfig(match_box=near, match_class=near, match_boundary=boundary))


@cache
def published(path: Path) -> Published:
    return Published(path)


@pytest.fixture(params=parameters("vsgn"))
def fixture(request: pytest.FixtureRequest) -> Published:
    return published(request.param)


@cache
def said(fixture: Published, given: bool = True) -> tuple[AnchorOutputs, dict[str, list[Any]]]:
    """Outputs, and what every module gave on the way, call by call."""
    network, calls = fixture.network(given=given), {}

    def keep(name: str, module: nn.Module) -> None:
        module.register_forward_hook(lambda _, __, result: calls.setdefault(name, []).append(result))

    for name, module in network.named_modules():
        keep(name, module)
    with torch.no_grad():
        return fixture.run(network), calls


def near(own: Tensor, wanted: Tensor, **tolerance: float) -> None:
    torch.testing.assert_close(own, wanted, **(tolerance or NEAR))


def by_level(fixture: Published, name: str) -> list[Tensor]:
    """Finest level first."""
    return [fixture[f"eval/{name}/{i}"] for i in range(fixture.config.levels)]


def test_stitching(fixture: Published) -> None:
    near(fixture.clips.laid_out(fixture.input * fixture.mask[..., None], fixture.config.steps), fixture.input)
    short = fixture.lengths <= fixture.options["short_ratio"] * fixture.config.steps
    assert torch.equal(fixture.clips.stitched, short & fixture.options["use_VSS"])


def test_events_of_clips_and_of_their_copies(fixture: Published) -> None:
    """From seconds, for the authors round to steps what is already magnified; and back."""
    raw, clips, truth = fixture.raw, fixture.clips, fixture.truth
    classes = {name: number - 1 for name, number in raw["classes"].items()}
    for i, (first, last) in enumerate(raw["windows_first_last_frame_inclusive"]):
        inside = []
        for event in raw["annotations_seconds"]:
            start, end = (t * raw["fps"] - first for t in event["segment"])
            if start >= 0 and end <= last - first:
                inside.append((start, end, classes[event["label"]]))
        N = truth.labels.shape[1]
        segments, labels = torch.zeros(len(fixture.lengths), N, 2), torch.full((len(fixture.lengths), N), -1)
        for e, (start, end, label) in enumerate(inside):
            segments[i, e], labels[i, e] = torch.tensor([start, end]), label
        twice, own = clips.twice(segments, labels)
        real = own[i] >= 0
        assert int(real.sum()) == int(fixture["in/num_gt"][i]) > 0
        assert torch.equal(own[i, real], truth.labels[i, truth.labels[i] >= 0])
        assert torch.equal(twice[i, real].round(), truth.segments[i, truth.labels[i] >= 0])
        near(clips.back(twice)[i, real], segments[i, : len(inside)].repeat(int(real.sum()) // len(inside), 1))


def test_neighbours(fixture: Published) -> None:
    if not fixture.config.graph:
        pytest.skip("no graphs")
    clips, features = fixture.clips, [fixture["eval/conv0"], *by_level(fixture, "enc")]
    same, all_rows = 0, 0
    for level in range(fixture.config.levels):
        x, wanted = features[level].transpose(1, 2), fixture.neighbours(level)
        magnified = clips.magnified(x.shape[1], 2 << level)
        own = nearest(x, fixture.config.neighbours, magnified if fixture.config.stitch else None)
        distance = (x.double()[:, :, None] - x.double()[:, None]).square().sum(dim=3)
        equal = 1e-4 * float(x.double().square().sum(dim=2).mean())
        for i, row in np.ndindex(*x.shape[:2]):
            here, there = set(own[i, row].tolist()), set(wanted[i, row].tolist())
            all_rows, same = all_rows + 1, same + (here == there)
            more, less = sorted(here - there), sorted(there - here)
            beyond = magnified[i] & magnified[i, row]  # any of these may fill up what is missing
            if beyond[[*more, *less]].all():
                continue
            mine, theirs = (distance[i, row, rest].sort().values for rest in (more, less))
            near(mine, theirs, atol=equal, rtol=0.0)
    assert same >= 0.3 * all_rows


def test_levels(fixture: Published) -> None:
    _, calls = said(fixture)
    near(torch.relu(calls["stem"][0]), fixture["eval/conv0"])
    for own, wanted in zip(calls["encoder"][0], by_level(fixture, "enc"), strict=True):
        near(own, wanted)
    for own, wanted in zip(calls["decoder"][0], reversed(by_level(fixture, "dec")), strict=True):
        near(own, wanted)


def test_towers(fixture: Published) -> None:
    outputs, calls = said(fixture)
    B, A = len(fixture.lengths), len(fixture.config.scales)
    wanted = [level.reshape(B, A, -1, level.shape[2]) for level in reversed(by_level(fixture, "cls"))]
    near(outputs.logits, torch.cat([level.permute(0, 3, 1, 2).flatten(1, 2) for level in wanted], dim=1))
    for own, shift in zip(calls["head.box"], reversed(by_level(fixture, "reg")), strict=True):
        near(own, shift)


def test_boxes_and_frames(fixture: Published) -> None:
    outputs, _ = said(fixture)
    near(outputs.anchors, fixture["anchors"], atol=1e-6, rtol=0.0)
    near(outputs.boxes, fixture["eval/loc"])
    near(outputs.adjusted, fixture["eval/loc_adjusted"])
    near(outputs.adjusted[..., 0] - outputs.boxes[..., 0], fixture["eval/start_offsets"])
    near(outputs.adjusted[..., 1] - outputs.boxes[..., 1], fixture["eval/end_offsets"])
    near(outputs.probabilities, fixture["eval/score"][..., 1:])
    for name in ("action", "start", "end"):
        near(getattr(outputs, name), fixture[f"eval/{name}ness"])


def test_a_clip_that_is_not_stitched_is_judged_alike_with_neighbours_of_our_own(fixture: Published) -> None:
    outputs, _ = said(fixture, given=False)
    whole = ~fixture.clips.stitched
    if not whole.any():
        pytest.skip("every clip is stitched")
    near(outputs.adjusted[whole], fixture["eval/loc_adjusted"][whole])
    near(outputs.probabilities[whole], fixture["eval/score"][whole, :, 1:])


def test_assignment(fixture: Published) -> None:
    outputs, _ = said(fixture)
    criterion, truth = fixture.criterion().config, fixture.truth
    stages = {
        "anchor_stage1": (outputs.anchors, criterion.match_box),
        "loc_stage1": (outputs.boxes, criterion.match_class),
        "loc_stage2": (outputs.boxes, criterion.match_boundary),
    }
    for name, (boxes, threshold) in stages.items():
        event = match(boxes, truth, threshold)
        label = torch.where(event >= 0, truth.labels.gather(1, event.clamp(min=0)) + 1, 0)
        assert torch.equal(label, fixture[f"train/targets/{name}/labels"].long()), name
        # What the authors make a box learn, as a shift from it, is the event.
        start, end = (boxes if boxes.ndim == 3 else boxes[None]).expand(len(event), -1, 2).unbind(dim=2)
        shift, length = fixture[f"train/targets/{name}/reg"], end - start + 1
        centre, reach = (start + end) / 2 + shift[..., 0] / 10 * length, (shift[..., 1] / 5).exp() * length / 2 - 0.5
        wanted = truth.segments[torch.arange(len(event))[:, None], event]
        positive = event >= 0
        near(torch.stack([centre - reach, centre + reach], dim=2)[positive], wanted[positive], atol=1e-3, rtol=1e-4)


def test_frame_targets(fixture: Published) -> None:
    for own, name in zip(frame_targets(fixture.truth, fixture.config.steps), ("action", "start", "end"), strict=True):
        assert torch.equal(own, fixture[f"in/gt_{name}"] > 0.5), name


def test_losses_and_gradients(fixture: Published) -> None:
    network, scalars = fixture.network(given=True), fixture.scalars
    outputs = fixture.run(network)
    # The published events are on the copies already.
    outputs = replace(outputs, clips=replace(outputs.clips, stitched=torch.zeros_like(outputs.clips.stitched)))
    losses = fixture.criterion()(outputs, fixture.truth)
    for official, name in LOSSES.items():
        assert float(losses.parts[name].detach()) == pytest.approx(scalars[f"train/loss_{official}"], rel=1e-4), name
    assert float(losses.total.detach()) == pytest.approx(scalars["train/total"]["value"], rel=1e-4)
    losses.total.backward()
    gradients = {name: p.grad for name, p in network.named_parameters()}
    seen: set[str] = set()
    squares = 0.0
    for official, norm in fixture.grad_norms.items():
        parts = network.from_official({official: fixture[f"weights/{official}"]})
        square = 0.0
        for name in (own_name(part, network)[0] for part in parts):
            found = gradients[name]
            assert found is not None
            seen.add(name)
            square += float(found.double().square().sum())
        assert square**0.5 == pytest.approx(norm, rel=1e-3, abs=1e-5), official
        squares += square
    assert seen == set(gradients)
    assert squares**0.5 == pytest.approx(scalars["grad_norm_total"], rel=1e-4)
    for official, wanted in fixture.named("train/grad/").items():
        for part, gradient in network.from_official({official: wanted}).items():
            found = gradients[own_name(part, network)[0]]
            assert found is not None
            near(found, gradient, atol=1e-4, rtol=1e-3)


def rows(fixture: Published, name: str) -> Iterator[NDArray[np.float64]]:
    """Start, end, score and class of the authors' detections, class by class, the best first."""
    table = fixture[f"eval/{name}/detections"].double().numpy()
    for label in np.unique(table[:, 3]):
        yield table[table[:, 3] == label]


def test_results_of_a_clip(fixture: Published) -> None:
    """Class-wise hard NMS; detections without length are dropped here, and suppress nothing there."""
    outputs, _ = said(fixture)
    iou, classes = fixture.options["nms_thr"], [str(k + 1) for k in range(fixture.config.classes)]
    config = DecodingConfig(before_nms=10**6, keep=10**6, min_score=1e-30, nms="hard", nms_iou=iou, clip="before")
    for i, (first, _) in enumerate(fixture.raw["windows_first_last_frame_inclusive"]):
        columns = outputs.scores[i].numpy(), outputs.segments[i].numpy()
        found = find_candidates(*columns, STEPS, outputs.mask[i].numpy(), config)
        events = decode(found, classes, float(fixture.lengths[i] - 1), config)
        events = events.above(1e-30)  # what hard NMS suppressed has no score left
        names = np.array(events.labels)
        total = 0
        for wanted in rows(fixture, str(i)):
            wanted = wanted[wanted[:, 1] > wanted[:, 0]]
            own = np.flatnonzero(names == str(int(wanted[0, 3]))) if len(wanted) else np.zeros(0, int)
            total += len(wanted)
            assert len(own) == len(wanted)
            start_s, end_s = ((t[own] + first) / fixture.raw["fps"] for t in (events.start_s, events.end_s))
            np.testing.assert_allclose(events.score[own], wanted[:, 2], **NEAR)
            np.testing.assert_allclose(start_s, wanted[:, 0], **NEAR)
            np.testing.assert_allclose(end_s, wanted[:, 1], **NEAR)
        assert total == len(events) > 10


def test_results_of_a_video(fixture: Published) -> None:
    """Soft-NMS across classes of the detections of all windows."""
    windows = len(fixture.raw["windows_first_last_frame_inclusive"])
    table = np.concatenate([fixture[f"eval/{i}/detections"].double().numpy() for i in range(windows)])
    table = table[table[:, 1] - table[:, 0] < LONGEST_S]
    one = np.zeros(len(table), np.intp)
    sigma = fixture.options["nms_alpha_detect"]
    kept, score = soft_nms(table[:, 0], table[:, 1], table[:, 2], one, sigma=sigma, min_score=0.0, keep=MOST)
    wanted = fixture["eval/merged/detections"].double().numpy()
    kept, score = kept[: len(wanted)], score[: len(wanted)]
    np.testing.assert_allclose(score, wanted[:, 2], **NEAR)
    np.testing.assert_allclose(table[kept][:, [0, 1, 3]], wanted[:, [0, 1, 3]], **NEAR)


def keys_of(name: str, *places: Path) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """A list of official names, and the shape of each."""
    path = next((place / f"{name}.json" for place in places if (place / f"{name}.json").is_file()), None)
    if path is None:
        pytest.skip(f"{name}.json is not there")
    about = json.loads(path.read_text())
    listed = about.get("keys") or about["state_dict"]
    return about, {name: entry["shape"] if isinstance(entry, dict) else entry for name, entry in listed.items()}


@pytest.mark.parametrize("name", ["vsgn_thumos", "vsgn_unav", "vsgn", "vsgn_without_xgpn"])
def test_official_names(name: str) -> None:
    """Every name of the authors' full models has its place in ours, and none of ours is left."""
    about, shapes = keys_of(name, KEYS, FOLDER / "keys")
    config = (vsgn_unav100_i3d_vggish if name == "vsgn_unav" else vsgn_thumos)().network
    assert isinstance(config, VsgnConfig)
    network = build(replace(config, graph="without" not in name))
    given = {key: torch.full(shape, float(i)) for i, (key, shape) in enumerate(shapes.items())}
    take_official(network, given, name)
    size = sum(p.numel() for p in network.parameters())
    assert size == (about.get("parameters") if isinstance(about.get("parameters"), int) else about["n_parameters"])
    assert len(set(network.decoder.smooth[1].weight.detach().flatten().tolist())) == 1
