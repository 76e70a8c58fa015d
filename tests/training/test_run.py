"""A run on our own feature files: it reads what detection reads, and says from which score events are shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from avloc.cli.main import main
from avloc.config import ActionFormerConfig, DataConfig, DenseLossConfig, LocoConfig, RunConfig, TrainConfig
from avloc.detector import Detector
from avloc.evaluation.operating_point import best_f1
from avloc.features.sequence import FeatureSequence
from avloc.features.store import load_features, save_features
from avloc.streams import Streams
from avloc.timegrid import TimeGrid
from avloc.training.checkpoint import load_model
from avloc.training.data import open_split
from avloc.training.loggers import Logger
from avloc.training.predict import predict
from avloc.training.run import train
from avloc.training.runner import TorchRunner
from avloc.training.watch import Epoch, Step

GRID = TimeGrid.centred(0.32, 0.96)
CLASSES = ("bark", "horn")


def features(
    rng: np.random.Generator, duration_s: float, start_s: float, end_s: float, label: int
) -> FeatureSequence:
    steps = GRID.length(duration_s)
    time = GRID.offset_s + GRID.window_s / 2 + GRID.stride_s * np.arange(steps)
    inside = ((time > start_s) & (time < end_s)).astype(np.float32)
    visual, audio = (rng.normal(0, 0.2, (steps, w)).astype(np.float32) for w in (6, 5))
    visual[:, label] += 2 * inside
    audio[:, label] += 2 * inside
    heard = rng.random((steps, 3), np.float32)
    seen = rng.random((steps, 4), np.float32)
    return FeatureSequence(GRID, duration_s, visual, audio, seen, heard, Streams.all("own/1"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    database = {}
    for i in range(12):
        duration_s, start_s = round(float(rng.uniform(7, 10)), 2), round(float(rng.uniform(0, 4)), 2)
        segment = [start_s, start_s + 3.0]
        save_features(features(rng, duration_s, *segment, i % 2), folder / f"v{i}.features.safetensors")
        subset = "validation" if i % 3 == 2 else "train"
        events = [{"segment": segment, "label": CLASSES[i % 2]}]
        database[f"v{i}"] = {"duration": duration_s, "subset": subset, "annotations": events}
    (folder / "truth.json").write_text(json.dumps({"database": database}))
    return RunConfig(
        data=DataConfig(features=str(folder), annotations=str(folder / "truth.json"), layout="avloc"),
        network=LocoConfig(width=16, heads=2, ffn_ratio=1.0, unimodal_blocks=1, levels=3),
        train=TrainConfig(epochs=3, warmup_epochs=0, batch=4, learning_rate=3e-3, ema_decay=0.5, longest_steps=32),
    )


@pytest.mark.parametrize(
    ("scores", "modalities", "widths"),
    [(True, (), (10, 8)), (False, (), (6, 5)), (True, ("visual",), (10, 0)), (False, ("audio",), (0, 5))],
)
def test_training_and_detecting_read_the_same_arrays(
    run: RunConfig, scores: bool, modalities: tuple[str, ...], widths: tuple[int, int], tmp_path: Path
) -> None:
    data = replace(run.data, scores=scores, modalities=modalities)
    run = replace(run, data=data, train=replace(run.train, epochs=1))
    if modalities:  # for a network of one stream
        network_ = ActionFormerConfig(width=16, head_width=16, heads=2, levels=3, steps=32, stem_blocks=1)
        run = replace(run, network=network_, loss=DenseLossConfig())
    train(run, tmp_path)
    network, config = load_model(tmp_path)
    assert config.features.scores == scores
    read_streams = dict(config.features.read.items())
    assert ("visual" in read_streams) == (widths[0] > 0) and ("audio" in read_streams) == (widths[1] > 0)
    assert set(read_streams.values()) <= {"own/1"}
    assert (config.network.visual_width, config.network.audio_width) == widths
    plain, read = TorchRunner(network), []

    def runner(
        visual: NDArray[np.float32], audio: NDArray[np.float32], mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        read.append((visual[mask], audio[mask]))
        return plain(visual, audio, mask)

    Detector(config, runner).detect_features(load_features(Path(run.data.features) / "v0.features.safetensors"))
    sample = open_split(run, "train").sample(0)
    assert len(read) == 1 and np.array_equal(read[0][0], sample.visual) and np.array_equal(read[0][1], sample.audio)


def test_the_score_to_show_is_the_best_on_validation(run: RunConfig, tmp_path: Path) -> None:
    class Heard(Logger):
        def __init__(self) -> None:
            self.words: list[object] = []

        def begin(self, settings: Mapping[str, Any], folder: Path) -> None:
            self.words.append((settings["train"]["epochs"], folder))

        def on_step(self, step: Step) -> None:
            self.words.append((step.epoch, step.step))

        def on_epoch(self, epoch: Epoch) -> None:
            assert (tmp_path / "metrics.jsonl").read_text().count("\n") == epoch.number
            self.words.append(epoch.number)

        def end(self, validation_map: float | None) -> None:
            self.words.append(validation_map)

    torch.manual_seed(0)
    heard = Heard()
    result = train(run, tmp_path, loggers=[heard])
    steps = [step for step in heard.words if isinstance(step, tuple)][1:]
    assert heard.words[0] == (3, tmp_path) and heard.words[-1] == result.validation_map
    assert [word for word in heard.words[1:-1] if isinstance(word, int)] == [1, 2, 3]
    assert steps == sorted(steps) and {epoch for epoch, _ in steps} == {1, 2, 3}
    network, config = load_model(tmp_path)
    validation = open_split(run, "validation", config.labels)
    # The folder's weights are rounded to 16 bits, the scores of training were not.
    best = best_f1(predict(network, validation, config.decoding), validation.truth)
    assert best is not None and config.show_score == pytest.approx(best.score, abs=0.01)
    assert config.show_score != 0.3


def test_features_of_another_making_are_refused_where_they_are_read(
    run: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(replace(run, train=replace(run.train, epochs=1)), tmp_path / "run")
    for stream, status in (("cues", 0), ("audio", 1)):
        other = tmp_path / stream
        other.mkdir()
        for path in Path(run.data.features).glob("*.safetensors"):
            given = load_features(path)
            made = replace(given.streams, **{stream: "own/2"})
            save_features(replace(given, streams=made), other / path.name)
        assert main(["test", str(tmp_path / "run"), "--split", "validation", "--features", str(other)]) == status
    error = capsys.readouterr().err.strip()
    assert error.endswith("its features are of own/2 (audio), the model reads own/1 (audio)") and "\n" not in error
