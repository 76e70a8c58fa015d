"""Media folder > composed videos > features > LoCo > the model folder that ships as `default`.

    python tools/train_default.py MEDIA --work work/ --out src/avloc/weights/default

Everything made on the way stays in --work; the same command continues what was interrupted.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro

from avloc.config import FeatureConfig, LocoConfig, LossConfig, ModelConfig, TrainConfig, to_dict
from avloc.datasets.batch import SampleList
from avloc.datasets.labelled import LabelledVideo, to_sample
from avloc.detector import Detector
from avloc.evaluation.mean_ap import mean_ap
from avloc.events import Events
from avloc.media.library import MediaLibrary
from avloc.media.planner import ComposeConfig
from avloc.models.loco import Loco
from avloc.training.checkpoint import save_model
from avloc.training.export import export_model
from avloc.training.fit import Epoch, Watch, fit
from avloc.training.runner import TorchRunner
from composed import make_set

NETWORK = LocoConfig(
    width=88,
    ffn_ratio=2.0,
    levels=6,
    visual_width=1280 + 1000,
    audio_width=1024 + 521,
    input_dropout=0.2,
    dropout=0.1,
)
WINDOW_STEPS = 256
TRAIN = TrainConfig(
    epochs=20,
    warmup_epochs=3,
    batch=16,
    learning_rate=1e-3,
    weight_decay=0.05,
    crop_share=(0.5, 1.0),
    longest_steps=WINDOW_STEPS,
)
VALIDATE_EVERY = 5


@dataclass(frozen=True)
class Settings:
    media: Annotated[Path | None, tyro.conf.Positional] = None
    """Media folder of tools/build_media.py; without it the embedded procedural media."""
    work: Path = Path("work")
    """Folder for composed features."""
    out: Path = Path("runs/default")
    """Model folder to write."""
    videos: int = 1000
    """Composed training videos."""
    validation_videos: int = 60
    """Composed videos of other scenes, from the training media, that choose the threshold."""
    seed: int = 0
    epochs: int = TRAIN.epochs


def main(settings: Settings) -> None:
    """Compose, train, choose the threshold for people, save, export."""
    features = FeatureConfig()
    compose = ComposeConfig()
    library = (
        MediaLibrary.procedural("train")
        if settings.media is None
        else MediaLibrary.from_folder(settings.media, "train")
    )
    labels = library.classes

    def videos_of(name: str, count: int, seed: int) -> list[LabelledVideo]:
        return make_set(settings.media, "train", compose, features, settings.work / name, count, seed)

    validation = videos_of("validation", settings.validation_videos, settings.seed + 1_000_000)
    train = videos_of("train", settings.videos, settings.seed)
    network = replace(NETWORK, classes=len(labels))
    config = ModelConfig("default", labels, features, network, window_steps=WINDOW_STEPS)
    samples = [to_sample(v, labels, features.scores) for v in train]
    torch.manual_seed(settings.seed)
    model = Loco(network)
    size = sum(p.numel() for p in model.parameters())
    print(f"{len(samples)} videos, {len(labels)} classes, {size / 1e6:.2f} M parameters", flush=True)
    began = time.perf_counter()

    def on_epoch(epoch: Epoch, average: Loco) -> None:
        line = (
            f"epoch {epoch.number}: loss {epoch.total:.3f} (cls {epoch.classification:.3f}, "
            f"reg {epoch.regression:.3f}, lcc {epoch.correspondence:.3f}), {epoch.seconds:.0f} s"
        )
        if epoch.number % VALIDATE_EVERY == 0:
            found = detect_all(Detector(config, TorchRunner(average)), validation)
            line += f", validation mAP {mean_ap(found, {v.name: v.truth for v in validation}).average:.3f}"
        print(line, flush=True)

    train_config = replace(TRAIN, epochs=settings.epochs, seed=settings.seed)
    state = settings.work / "trainer.safetensors"
    average = fit(
        model,
        SampleList(samples),
        LossConfig(),
        train_config,
        watch=Watch(on_epoch=on_epoch),
        state=state,
        resume=state.is_file(),
        settings=json.dumps({"videos": settings.videos, "network": to_dict(network), "train": to_dict(train_config)}),
    )
    found = detect_all(Detector(config, TorchRunner(average)), validation)
    truth = {v.name: v.truth for v in validation}
    threshold, f1 = best_threshold(found, truth)
    config = replace(config, show_score=threshold)
    save_model(settings.out, average, config)
    exported = export_model(settings.out)
    result = {
        "validation_map": mean_ap(found, truth).average,
        "show_score": threshold,
        "f1_at_tiou_0.5": f1,
        "training_minutes": round((time.perf_counter() - began) / 60, 1),
        "videos": settings.videos,
        "seed": settings.seed,
        "onnx_score_difference": exported.score_difference,
        "onnx_offset_difference": exported.offset_difference,
    }
    (settings.work / "result.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


def detect_all(detector: Detector, videos: list[LabelledVideo]) -> dict[str, Events]:
    """All candidates of each video."""
    return {v.name: detector.detect_features(v.features).all_events for v in videos}


def best_threshold(found: dict[str, Events], truth: dict[str, Events]) -> tuple[float, float]:
    """The score above which detections match truth with the best F1 at tIoU 0.5, and that F1."""
    scores = np.arange(0.1, 0.9, 0.02)
    f1 = [f1_score({v: e.above(s) for v, e in found.items()}, truth, 0.5) for s in scores]
    best = int(np.argmax(f1))
    return round(float(scores[best]), 3), f1[best]


def f1_score(found: dict[str, Events], truth: dict[str, Events], tiou: float) -> float:
    """F1 of detections against truth, each truth matched once by the surest detection of its class."""
    hits = 0
    for video, events in truth.items():
        free = list(events)
        for d in sorted(found.get(video, Events()), key=lambda e: -e.score):
            for t in free:
                shared = min(d.end_s, t.end_s) - max(d.start_s, t.start_s)
                union = d.duration_s + t.duration_s - shared
                if d.label == t.label and shared >= tiou * union:
                    free.remove(t)
                    hits += 1
                    break
    total = sum(map(len, found.values())) + sum(map(len, truth.values()))
    return 2 * hits / total if total else 0.0


if __name__ == "__main__":
    main(tyro.cli(Settings))
