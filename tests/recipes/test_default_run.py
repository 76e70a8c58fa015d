"""A tiny training of the default model's recipe from the procedural media, end to end; resumed, and refused."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file  # noqa: E402

from avloc import zoo  # noqa: E402
from avloc.cli.main import main  # noqa: E402
from avloc.compose.compose_config import ComposeConfig  # noqa: E402
from avloc.compose.folder import Part  # noqa: E402
from avloc.config import GroundedConfig, from_dict  # noqa: E402
from avloc.datasets.evidence import Mixture  # noqa: E402
from avloc.detector import Detector  # noqa: E402
from avloc.errors import ConfigError, ModelError  # noqa: E402
from avloc.evaluation.operating_point import judge  # noqa: E402
from avloc.events import Events  # noqa: E402
from avloc.features.store import load_features  # noqa: E402
from avloc.learning.dense import DenseCriterion  # noqa: E402
from avloc.learning.losses import Truth  # noqa: E402
from avloc.models.grounded import Grounded, Member  # noqa: E402
from avloc.recipes.default import GroundedRun, grounded_composed  # noqa: E402
from avloc.recipes.default_run import GroundedTraining, GroundedWatch, train_grounded  # noqa: E402
from avloc.recipes.vocabulary import PROCEDURAL, read_vocabulary  # noqa: E402
from avloc.recipes.weighing import calibrate  # noqa: E402

TINY = GroundedRun(
    workers=1,
    videos=8,
    validation_videos=3,
    quiet_videos=1,
    scene=ComposeConfig(duration_s=(5.0, 6.0), size=(320, 180), event_s=(1.5, 4.0), degraded=0.0),
    mixture=Mixture(crop_steps=(8, 24), batch_steps=512, steps=6),
    network=GroundedConfig(width=8, levels=3, members=2),
    train=replace(GroundedRun().train, epochs=3, warmup_steps=4, ema_decay=0.8, longest_steps=64),
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the composed videos are kept for all tests."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def trained(work: Path) -> tuple[Path, str]:
    """A model folder made by the verb, and what it printed."""
    out, printed, s, m, t = work / "tiny", io.StringIO(), TINY.scene, TINY.mixture, TINY.train
    given: list[object] = [
        "--workers", 1, "--videos", TINY.videos, "--validation-videos", TINY.validation_videos,
        "--quiet-videos", TINY.quiet_videos, "--scene.duration-s", *s.duration_s, "--scene.size", *s.size,
        "--scene.event-s", *s.event_s, "--scene.degraded", s.degraded, "--mixture.crop-steps", *m.crop_steps,
        "--mixture.batch-steps", m.batch_steps, "--mixture.steps", m.steps, "--network.width", TINY.network.width,
        "--network.levels", TINY.network.levels, "--network.members", TINY.network.members,
        "--train.epochs", t.epochs, "--train.warmup-steps", t.warmup_steps, "--train.ema-decay", t.ema_decay,
        "--train.longest-steps", t.longest_steps, "--work", work / "composed", "--device", "cpu",
    ]  # fmt: skip
    with contextlib.redirect_stdout(printed):
        assert main(["train", "grounded-composed", *map(str, given), "--out", str(out)]) == 0
    return out, printed.getvalue()


def test_the_folder_is_a_model_that_detects(trained: tuple[Path, str], work: Path) -> None:
    out, printed = trained
    files = ["config.json", "model.onnx", "model.safetensors", "training.json"]
    assert sorted(p.name for p in out.iterdir()) == files
    config, record = zoo.read_config(out), json.loads((out / "training.json").read_text())
    figures = record["figures"]
    assert config.labels == read_vocabulary(PROCEDURAL).labels and config.show_score == figures["show_score"]
    assert config.decoding.rivals == read_vocabulary(PROCEDURAL).alike and config.decoding.rival_factor == 0.5
    features = load_features(work / "composed/validation/validation_00000.features.safetensors")
    found = Detector.load(out).detect_features(features)
    assert len(found.all_events) and set(found.all_events.labels) <= set(config.labels)
    assert from_dict(GroundedRun, record["config"]) == replace(TINY, work=str(work / "composed"))
    assert record["onnx_score_difference"] < 1e-4 and record["onnx_segment_difference"] < 1e-4
    assert 0 <= figures["precision"] <= 1 and figures["quiet_minutes"] == pytest.approx(5.5 / 60, abs=0.01)
    assert "training 2 of 2: member-1" in printed and f"shown from score {config.show_score:g} on" in printed
    assert f"validation mAP {100 * figures['average']:.1f}" in printed and str(out) in printed


def test_the_vocabulary_and_the_noise_are_in_the_weights(trained: tuple[Path, str]) -> None:
    weights = load_file(trained[0] / zoo.WEIGHTS)
    for name, values in read_vocabulary(PROCEDURAL).constants().items():
        assert np.array_equal(weights[f"grounding.{name}"], values.astype(np.float16)), name
    noise = weights["grounding.noise"]
    assert noise.shape == (2, 10) and (noise > 0).all() and len(set(noise[1].tolist())) > 2


def test_a_stopped_run_goes_on_to_the_same_weights(trained: tuple[Path, str], work: Path) -> None:
    run, steps = replace(TINY, work=str(work / "composed")), iter(range(1000))
    run = replace(run, train=replace(run.train, save_every_minutes=0.0))
    videos = Part("train", run.videos, run.compose_seed, run.scene)

    def train(out: Path, on_step: Callable[[object], None] = lambda step: None) -> Grounded:
        training = GroundedTraining(run, out, "cpu", GroundedWatch(on_step=on_step))
        return training.train(training.compose("train", videos))

    def stop(step: object) -> None:
        if next(steps) == 24:  # of 18 a member: within the second one
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(work / "stopped", stop)
    with pytest.raises(ModelError, match="--resume"):
        train_grounded(run, work / "stopped")
    left: list[object] = []
    resumed = train(work / "stopped", left.append).state_dict()
    assert len(left) == 36 - 24
    straight = train(work / "straight").state_dict()
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    with pytest.raises(ModelError, match="other settings"):
        train_grounded(replace(run, almost=0.5), work / "stopped", resume=True)
    with pytest.raises(ModelError, match="holds a model already"):
        train_grounded(run, trained[0], resume=True)


def test_members_start_apart_and_all_learn(trained: tuple[Path, str]) -> None:
    weights = load_file(trained[0] / zoo.WEIGHTS)
    name = "stem.0.conv.weight"
    one, other = weights[f"members.0.{name}"], weights[f"members.1.{name}"]
    torch.manual_seed(0)
    fresh = Member(TINY.network).pyramid.state_dict()[name].numpy()
    assert np.abs(one - other).max() > 0.01 and np.abs(one - fresh).max() > 0.001


def test_media_that_the_vocabulary_does_not_know_are_named(tmp_path: Path) -> None:
    vocabulary = tmp_path / "my.toml"
    vocabulary.write_text(PROCEDURAL.read_text("utf-8").split("[classes.whistle]")[0].replace('"whistle", ', ""))
    with pytest.raises(ConfigError, match="lacks 'whistle'"):
        train_grounded(replace(TINY, vocabulary=str(vocabulary)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_losses_are_focal_and_giou_over_the_pairs() -> None:
    torch.manual_seed(3)
    config = GroundedConfig(width=4, levels=3)
    member, criterion = Member(config), DenseCriterion(GroundedRun().loss)
    x, mask = torch.rand(4, 16, 12), torch.arange(16) < torch.tensor([[16], [16], [9], [16]])
    segments = torch.tensor(
        [[[1.0, 5.0], [7.5, 15.0]], [[0.0, 15.5], [0, 0]], [[2.0, 8.0], [0, 0]], [[0, 0], [0, 0]]]
    )
    labels = torch.tensor([[0, 0], [0, -1], [0, -1], [-1, -1]])
    outputs = member(x, torch.zeros(4, 16, 0), mask)
    losses = criterion(outputs, Truth(segments, labels))
    focal = giou = count = 0.0
    for b, p in outputs.mask.nonzero().tolist():
        step, stride = float(outputs.points.step[p]), float(outputs.points.stride[p])
        low, high = (0.0 if stride == 1 else 2 * stride), (float("inf") if stride == 4 else 4 * stride)
        own = []
        for (start, end), label in zip(segments[b].tolist(), labels[b].tolist(), strict=True):
            if label == 0 and start < step < end and low <= max(step - start, end - step) < high:
                own.append((end - start, step - start, end - step))
        probability = float(torch.sigmoid(outputs.logits[b, p, 0]))
        if not own:
            focal -= 0.6 * probability * np.log(1 - probability)
            continue
        focal, count = focal - 0.4 * (1 - probability) * np.log(probability), count + 1
        _, left, right = min(own)
        said_left, said_right = (outputs.offsets[b, p, 0] * stride).tolist()
        shared = min(left, said_left) + min(right, said_right)
        hull = max(left, said_left) + max(right, said_right)
        union = left + right + said_left + said_right - shared
        giou += 1 - shared / union + (hull - union) / hull
    normalizer = 0.95 * 200 + 0.05 * count
    assert count > 5
    assert float(losses.parts["classification"]) == pytest.approx(focal / normalizer, rel=1e-4)
    assert float(losses.parts["regression"]) == pytest.approx(giou / normalizer, rel=1e-4)
    assert float(losses.total) == pytest.approx((focal + giou) / normalizer, rel=1e-4)


def test_calibration_is_folded_into_the_logits() -> None:
    torch.manual_seed(0)
    network = Grounded(GroundedConfig(2, 9, 8, objects=2, width=4, levels=2, members=2)).eval()
    rng = np.random.default_rng(0)
    score = rng.uniform(0.1, 0.9, 400)
    right = rng.random(400) < score**2
    start_s = np.arange(400) * 2.0
    truth = {"v": Events(start_s[right], start_s[right] + 1, ["a"] * int(right.sum()))}
    found = {"v": Events(start_s, start_s + 1, ["a"] * 400, score)}
    x = torch.rand(3, 12, 8), torch.ones(3, 8, dtype=torch.bool)
    before = [member(*x)[0] for member in network.members]
    line = calibrate(network, found, truth, 0.3)
    assert line is not None and line.offset < 0
    for member, logits in zip(network.members, before, strict=True):
        assert torch.allclose(member(*x)[0], line.slope * logits + line.offset, atol=1e-5)
    calibrated = {"v": Events(start_s, start_s + 1, ["a"] * 400, line(score))}
    judged = judge(calibrated, truth, 0.3)
    assert judged.score.mean() == pytest.approx(judged.right.mean(), abs=1e-6)
    assert calibrate(network, found, {"v": Events()}, 0.3) is None


def test_the_recipe_is_that_of_the_shipped_model() -> None:
    run, shipped = grounded_composed(), zoo.read_config(zoo.find_model("default"))
    vocabulary = read_vocabulary()
    sounds = vocabulary.constants()["sound_index"].shape[1]
    assert replace(run.network, classes=len(vocabulary.labels), sounds=sounds) == shipped.network
    explained = shipped.decoding.explained  # fitted to clips, which a run is given
    assert replace(run.decoding, rivals=vocabulary.alike, explained=explained) == shipped.decoding
    assert len(explained) == 4 and shipped.show_score == run.show_score_by_clips
    assert run.train.longest_steps == shipped.window_steps and run.train.epochs * run.mixture.steps == 1500


def test_a_wrong_setting_is_one_line() -> None:
    with pytest.raises(ConfigError, match="devices"):
        replace(TINY, train=replace(TINY.train, devices=2))
    with pytest.raises(ConfigError, match="almost is 2"):
        replace(TINY, almost=2.0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--media", "nowhere"], "manifest.json does not exist"),
        (["--vocabulary", "nowhere.toml"], "cannot be read as a vocabulary"),
        (["--init", "loco"], "--init is not there for the recipe grounded-composed"),
        (["--network.levels", "10"], "a multiple of 512"),
        (["--mixture.full", "0.9"], "two shares are needed"),
        (["--videos", "0"], "videos is 0"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, given: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "grounded-composed", *given, "--out", "out"]) == 1
    told = capsys.readouterr().err
    assert says in told and len(told.splitlines()) == 1 and not (tmp_path / "out" / "composed").exists()
