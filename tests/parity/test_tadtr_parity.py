"""TadTR against its authors' code: stages, segments, actionness, assignment, losses, gradients, results."""

from __future__ import annotations

import json
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from published import parameters
from safetensors.torch import load_file
from torch import Tensor, nn

from avloc.config import DecodingConfig, QueryLossConfig, TadTrConfig
from avloc.decoding.candidates import Candidates, decode, find_candidates
from avloc.decoding.soft_nms import soft_nms
from avloc.learning.losses import Truth
from avloc.learning.queries import QueryCriterion, spans_of
from avloc.models.deformable import DeformableAttention
from avloc.models.outputs import QueryOutputs
from avloc.models.tadtr import TadTr, build
from avloc.timegrid import TimeGrid
from avloc.training.official import own_name, take_official

NEAR = {"atol": 1e-4, "rtol": 1e-4}
REGION_NEAR = {"atol": 2e-3, "rtol": 1e-3}  # places are shares times the length, and so is their noise
LOSSES = {"ce": "classification", "segments": "l1", "iou": "iou"}


class Published:
    """What the authors' code was given, and what it said."""

    def __init__(self, path: Path) -> None:
        about = json.loads(path.read_text())
        self.options, self.scalars, self.grad_norms = about["constructor"], about["scalars"], about["grad_norms"]
        self.losses, self.decoding = about["loss_and_matcher"], about["postprocess"]
        self.tensors = load_file(path.with_suffix(".safetensors"))
        o = self.options
        for name in ("seg_refine", "act_reg", "aux_loss"):
            if not o.get(name, True):
                pytest.skip(f"{name} is off; no shipped setting has that, and it is not built")
        audio = o["input_dim"] // 3
        self.config = TadTrConfig(
            classes=o["num_classes"],
            visual_width=o["input_dim"] - audio,
            audio_width=audio,
            width=o["hidden_dim"],
            heads=o["nheads"],
            queries=o["num_queries"],
            encoder_layers=o["enc_layers"],
            decoder_layers=o["dec_layers"],
            encoder_points=o["enc_n_points"],
            decoder_points=o["dec_n_points"],
            ffn_width=o["dim_feedforward"],
            activation=o["activation"],
            dropout=o["dropout"],
            reads_padding=True,
        )

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def named(self, beginning: str) -> dict[str, Tensor]:
        """All tensors whose names begin so, by the rest of the name."""
        return {k.removeprefix(beginning): t for k, t in self.tensors.items() if k.startswith(beginning)}

    @property
    def videos(self) -> range:
        return range(len(self["in/durations"]))

    @cached_property
    def mask(self) -> Tensor:
        """True where a step lies inside its video (B, T)."""
        return ~self["eval/mask"]

    @cached_property
    def features(self) -> Tensor:
        features = torch.zeros(*self.mask.shape, self.options["input_dim"])
        for i in self.videos:
            own = self[f"in/{i}/feats"].T
            features[i, : len(own)] = own
        return features

    @cached_property
    def truth(self) -> Truth:
        """Events in steps: the fixture has centre and width in shares of the video."""
        most = max(len(self[f"in/{i}/labels"]) for i in self.videos)
        segments, labels = torch.zeros(len(self.videos), most, 2), torch.full((len(self.videos), most), -1)
        for i in self.videos:
            centre, width = (self[f"in/{i}/segments"] * self.mask[i].sum()).unbind(dim=1)
            segments[i, : len(centre)] = torch.stack([centre - width / 2, centre + width / 2], dim=1) - 0.5
            labels[i, : len(centre)] = self[f"in/{i}/labels"]
        return Truth(segments, labels)

    def network(self) -> TadTr:
        """Ours with the published weights; in evaluation mode, without dropout, as the numbers are."""
        network = build(self.config)
        take_official(network, {k: t.float() for k, t in self.named("weights/").items()}, "tadtr")
        return network.eval()

    def run(self, network: TadTr) -> QueryOutputs:
        """Outputs; the features are split as if they were of two modalities."""
        return network(*self.features.split([self.config.visual_width, self.config.audio_width], dim=2), self.mask)

    def criterion(self) -> QueryCriterion:
        c = self.losses
        return QueryCriterion(
            QueryLossConfig(
                match_class=c["set_cost_class"],
                match_l1=c["set_cost_seg"],
                match_iou=c["set_cost_iou"],
                class_weight=c["cls_loss_coef"],
                l1_weight=c["seg_loss_coef"],
                iou_weight=c["iou_loss_coef"],
                actionness_weight=c["act_loss_coef"],
                actionness_events="batch",
                focal_alpha=c["focal_alpha"],
            )
        )


@cache
def published(path: Path) -> Published:
    return Published(path)


@pytest.fixture(params=parameters("tadtr"))
def fixture(request: pytest.FixtureRequest) -> Published:
    return published(request.param)


@cache
def said(fixture: Published) -> tuple[QueryOutputs, dict[str, tuple[tuple[Any, ...], Any]], TadTr]:
    """Outputs, and inputs and outputs of every module on the way."""
    network = fixture.network()
    calls: dict[str, tuple[tuple[Any, ...], Any]] = {}

    def keep(name: str, module: nn.Module) -> None:
        module.register_forward_hook(lambda _, given, result: calls.__setitem__(name, (given, result)))

    for name, module in network.named_modules():
        keep(name, module)
    with torch.no_grad():
        return fixture.run(network), calls, network


def near(own: Tensor, wanted: Tensor, **tolerance: float) -> None:
    torch.testing.assert_close(own, wanted, **(tolerance or NEAR))


def test_projection_and_position(fixture: Published) -> None:
    _, calls, network = said(fixture)
    near(calls["norm"][1].transpose(1, 2), fixture["eval/input_proj"])
    code = calls["encoder.0"][0][1] - network.level
    near(code.transpose(1, 2), fixture["eval/pos"])


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("deform_enc0", "encoder.0.attention"),
        ("deform_dec0", "decoder.0.cross_attention"),
        ("deform_dec1", "decoder.1.cross_attention"),
    ],
)
def test_deformable_attention(fixture: Published, name: str, module: str) -> None:
    _, calls, network = said(fixture)
    (query, centre, extent, _, mask), output = calls[module]
    attention = network.get_submodule(module)
    assert isinstance(attention, DeformableAttention)
    with torch.no_grad():
        places, shares = attention.places(query, centre, extent), attention.shares(query)
    near((places + 0.5) / mask.shape[1], fixture[f"eval/{name}/locations"][:, :, :, 0])
    near(shares, fixture[f"eval/{name}/weights"][:, :, :, 0])
    near(output, fixture[f"eval/{name}/output"])


def test_layers(fixture: Published) -> None:
    outputs, calls, _ = said(fixture)
    for layer, wanted in fixture.named("eval/encoder/").items():
        near(calls[f"encoder.{layer}"][1], wanted)
    near(calls["actionness"][0][0].transpose(1, 2), fixture["eval/memory"])
    content = torch.stack([calls[f"decoder.{layer}"][1] for layer in range(fixture.config.decoder_layers)])
    near(content, fixture["eval/hs"])
    near(torch.sigmoid(calls["reference_points"][1]), fixture["eval/init_reference"])
    near(outputs.spans, fixture["eval/inter_references"])


def test_what_each_layer_says(fixture: Published) -> None:
    outputs, _, _ = said(fixture)
    last = len(outputs.logits) - 1
    wanted = {**fixture.named("eval/aux_logits/"), f"{last}": fixture["eval/pred_logits"]}
    near(outputs.logits, torch.stack([wanted[f"{layer}"] for layer in range(last + 1)]))
    wanted = {**fixture.named("eval/aux_segments/"), f"{last}": fixture["eval/pred_segments"]}
    near(outputs.spans, torch.stack([wanted[f"{layer}"] for layer in range(last + 1)]))


def test_actionness(fixture: Published) -> None:
    outputs, calls, network = said(fixture)
    (_, span, lengths), _ = calls["actionness"]
    start, end = network.actionness.regions(span, lengths)
    near(torch.stack([start.flatten(), end.flatten()], dim=1), fixture["eval/rois"][:, 1:], **REGION_NEAR)
    (means,), _ = calls["actionness.judge"]
    near(means.reshape(fixture["eval/roi_features"].shape), fixture["eval/roi_features"], **REGION_NEAR)
    near(outputs.actionness, fixture["eval/pred_actionness"][..., 0])


def test_cost_and_assignment(fixture: Published) -> None:
    outputs, _, _ = said(fixture)
    criterion, truth = fixture.criterion(), fixture.truth
    spans = spans_of(truth, outputs.lengths)
    cost = criterion.cost(outputs, truth, spans)
    weights, alpha = fixture.losses, fixture.losses["focal_alpha"]
    for i in fixture.videos:
        given, labels = fixture[f"in/{i}/segments"].double(), fixture[f"in/{i}/labels"]
        near(spans[i, : len(labels)].double(), given, atol=1e-6, rtol=1e-5)
        for q in range(fixture.config.queries):
            for e, label in enumerate(labels):
                p, (c, w) = outputs.logits[-1, i, q, label].double().sigmoid(), outputs.spans[-1, i, q].double()
                found = alpha * (1 - p) ** 2 * -torch.log(p + 1e-8)
                missed = (1 - alpha) * p**2 * -torch.log(1 - p + 1e-8)
                (c2, w2), ends = given[e], min(c + w / 2, given[e].sum() - given[e, 1] / 2)
                shared = max(ends - max(c - w / 2, c2 - w2 / 2), torch.tensor(0.0))
                iou = shared / (w + w2 - shared)
                wanted = weights["set_cost_class"] * (found - missed) - weights["set_cost_iou"] * iou
                wanted = wanted + weights["set_cost_seg"] * (abs(c - c2) + abs(w - w2))
                assert float(cost[-1, i, q, e]) == pytest.approx(float(wanted), abs=1e-4)
    m = criterion.match(outputs, truth, spans)
    for layer in range(len(outputs.logits)):
        name = "last" if layer == len(outputs.logits) - 1 else str(layer)
        for i in fixture.videos:
            own = (m.layer == layer) & (m.video == i)
            assert torch.equal(torch.stack([m.query[own], m.event[own]]), fixture[f"train/match/{name}/{i}"])


def test_losses_and_gradients(fixture: Published) -> None:
    network, criterion, scalars = fixture.network(), fixture.criterion(), fixture.scalars
    outputs = fixture.run(network)
    by_layer = criterion.by_layer(outputs, fixture.truth, spans_of(fixture.truth, outputs.lengths))
    for official, name in LOSSES.items():
        for layer, loss in enumerate(by_layer[name].detach().tolist()):
            key = f"train/loss_{official}" + (f"_{layer}" if layer < len(outputs.logits) - 1 else "")
            assert loss == pytest.approx(scalars[key], rel=1e-4), key
    losses = criterion(outputs, fixture.truth)
    assert float(losses.parts["actionness"].detach()) == pytest.approx(scalars["train/loss_actionness"], rel=1e-4)
    assert float(losses.total.detach()) == pytest.approx(scalars["train/total"]["value"], rel=1e-4)
    losses.total.backward()
    gradients = {name: p.grad for name, p in network.named_parameters()}
    norms: dict[str, float] = {}
    for official, norm in fixture.grad_norms.items():
        name, _ = own_name(official, network)
        found = gradients[name]
        assert found is not None
        norms[name] = float(found.norm())
        assert norms[name] == pytest.approx(norm, rel=1e-3, abs=1e-5), official
    assert set(norms) == set(gradients)
    total = sum(norm**2 for norm in norms.values()) ** 0.5
    assert total == pytest.approx(scalars["grad_norm_total"], rel=1e-4)
    for official, wanted in fixture.named("train/grad/").items():
        found = gradients[own_name(official, network)[0]]
        assert found is not None
        near(found.reshape(wanted.shape), wanted, atol=1e-4, rtol=1e-3)


def ranked(found: Candidates) -> Candidates:
    best = np.argsort(-found.score, kind="stable")
    return Candidates(found.start_s[best], found.end_s[best], found.score[best], found.label[best])


def candidates_of(fixture: Published, video: int) -> Candidates:
    """The best pairs of query and class, highest score first; cells of the video are shares of its duration."""
    outputs, _, _ = said(fixture)
    stride_s = float(fixture["in/durations"][video]) / int(fixture.mask[video].sum())
    config = DecodingConfig(before_nms=fixture.decoding["postproc_ins_topk"], min_score=0.0)
    columns = outputs.scores[video].numpy(), outputs.segments[video].numpy()
    grid = TimeGrid(stride_s, stride_s)
    return ranked(find_candidates(*columns, grid, outputs.mask[video].numpy(), config))


def test_candidates_and_results(fixture: Published) -> None:
    outputs, _, _ = said(fixture)
    K = fixture.config.classes
    for i in fixture.videos:
        found, wanted = candidates_of(fixture, i), fixture.named(f"eval/{i}/result/")
        assert np.array_equal(found.label, wanted["labels"].numpy())
        np.testing.assert_allclose(found.score, wanted["scores"].numpy(), **NEAR)
        segments = np.stack([found.start_s, found.end_s], axis=1)
        np.testing.assert_allclose(segments, wanted["segments"].numpy(), atol=1e-3, rtol=1e-4)
        best = outputs.scores[i].flatten().topk(len(found)).indices
        assert torch.equal(best // K, wanted["query_ids"])

        if f"eval/{i}/nms_hard" not in fixture.tensors:
            continue
        start_s, end_s, score, label = fixture[f"eval/{i}/nms_hard"].double().numpy().T
        columns = found.start_s, found.end_s, found.score, found.label
        kept, left = soft_nms(*columns, sigma=0.4, min_score=0.0, decay="hard", iou=0.4)
        # What is suppressed has no score left, and stands behind all that is kept.
        kept = kept[left > 0]
        assert np.array_equal(found.label[kept], label.astype(int))
        np.testing.assert_allclose(found.score[kept], score, **NEAR)
        np.testing.assert_allclose(found.start_s[kept], start_s, atol=1e-3, rtol=1e-4)
        np.testing.assert_allclose(found.end_s[kept], end_s, atol=1e-3, rtol=1e-4)
        config = DecodingConfig(min_score=1e-9, nms="hard", nms_iou=0.4, clip="after")
        duration_s = float(fixture["in/durations"][i])
        events = decode(found, [str(k) for k in range(K)], duration_s, config)
        inside = np.minimum(end_s, duration_s) > np.maximum(start_s, 0)
        np.testing.assert_allclose(events.start_s, start_s[inside].clip(0, duration_s), atol=1e-3, rtol=1e-4)
        np.testing.assert_allclose(events.score, score[inside], **NEAR)


def test_a_video_that_fills_its_input_says_the_same_where_padding_is_not_read(fixture: Published) -> None:
    """The authors' numbers on a video that fills its input are ours, whether padding is read or not."""
    outputs, _, published_network = said(fixture)
    config = TadTrConfig(**{**vars(fixture.config), "reads_padding": False})
    network = build(config).eval()
    network.load_state_dict(published_network.state_dict())
    with torch.no_grad():
        unread = fixture.run(network)
    full = fixture.mask.all(dim=1)
    if not full.any():
        pytest.skip("no video fills the length of its batch")
    near(unread.logits[:, full], outputs.logits[:, full])
    near(unread.actionness[full], outputs.actionness[full])
    if not full.all():
        assert not torch.allclose(unread.actionness[~full], outputs.actionness[~full], atol=1e-3)
