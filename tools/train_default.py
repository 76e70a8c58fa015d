"""Media folder > composed videos > evidence > the network > the model folder that ships as `default`.

    python tools/train_default.py MEDIA --work work/ --out src/avloc/weights/default

Everything made on the way stays in --work; composed videos are made once.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro

from avloc.config import DecodingConfig, FeatureConfig, GroundedConfig, ModelConfig
from avloc.datasets.labelled import LabelledVideo
from avloc.detector import Detector
from avloc.evaluation.mean_ap import mean_ap
from avloc.events import Events
from avloc.learning.focal import focal_loss
from avloc.learning.iou_loss import giou_loss
from avloc.learning.targets import Truth, assign_targets
from avloc.media.planner import ComposeConfig
from avloc.models.grounded import Grounded
from avloc.timegrid import pyramid_moments
from avloc.training.checkpoint import save_model
from avloc.training.export import export_model
from avloc.training.runner import TorchRunner
from composed import grid_of, make_set
from sequences import CUES, Placed, Sequence, batch, crop, sequences_of
from vocabulary import ALIKE, CLASSES, grounding

FEATURES = FeatureConfig(embeddings=False, cues=CUES)
WINDOW_STEPS = 256
LENGTHS = (24, 200)  # steps of a crop, drawn log-uniformly
BATCH_STEPS = 64 * 96  # steps of a batch, about
LEARNING_RATE, WARMUP, WEIGHT_DECAY, CLIP, AVERAGE = 2e-3, 100, 0.01, 1.0, 0.998
FOCAL_ALPHA, FOCAL_GAMMA = 0.25, 2.0


@dataclass(frozen=True)
class Settings:
    media: Annotated[Path, tyro.conf.Positional]
    """Media folder of tools/build_media.py."""
    annotations: Path | None = None
    """UnAV-100's annotation file, for --placed."""
    placed: float = 0.0
    """Share of sequences in which evidence stands where UnAV-100's training part has events (tools/sequences.py)."""
    work: Path = Path("work")
    """Folder for composed features."""
    out: Path = Path("runs/default")
    """Model folder to write."""
    videos: int = 1000
    """Composed training videos."""
    validation_videos: int = 40
    """Composed videos of other scenes, from the training media, that choose the threshold."""
    steps: int = 1000
    """Training steps."""
    seed: int = 0


def main(settings: Settings) -> None:
    """Compose, train, choose the threshold for people, save, export."""
    compose, labels = ComposeConfig(), CLASSES
    composed = FeatureConfig()
    train_videos = make_set(
        settings.media,
        "train",
        compose,
        composed,
        settings.work / "train",
        settings.videos,
        settings.seed,
        look=False,
    )
    validation = make_set(
        settings.media,
        "train",
        compose,
        composed,
        settings.work / "validation",
        settings.validation_videos,
        settings.seed + 1_000_000,
    )
    began = time.perf_counter()
    torch.manual_seed(settings.seed)
    network = new_network(labels)
    rng = np.random.default_rng(settings.seed)
    sequences = [s for video in train_videos for s in sequences_of(network, video, labels, rng)]
    placed = None
    if settings.placed:
        if settings.annotations is None:
            raise SystemExit("--placed needs --annotations")
        placed = Placed(settings.annotations, sequences, grid_of(FEATURES))
    size = sum(p.numel() for p in network.parameters())
    print(f"{len(sequences)} sequences, {len(labels)} classes, {size / 1e3:.0f} k parameters", flush=True)
    average = train(network, sequences, placed, settings)
    config = ModelConfig(
        "default", labels, FEATURES, network.config, DecodingConfig(rivals=ALIKE), window_steps=WINDOW_STEPS
    )
    found = detect_all(Detector(config, TorchRunner(average)), validation)
    truth = {v.name: v.truth for v in validation}
    threshold = best_threshold(found, truth)
    save_model(settings.out, average, ModelConfig(**{**vars(config), "show_score": threshold}))
    exported = export_model(settings.out)
    shown = {name: events.above(threshold) for name, events in found.items()}
    result = {
        "validation_map": mean_ap(found, truth).average,
        "show_score": threshold,
        "shown_at_tiou_0.3": hits(shown, truth, 0.3),
        "training_minutes": round((time.perf_counter() - began) / 60, 1),
        "videos": settings.videos,
        "seed": settings.seed,
        "onnx_score_difference": exported.score_difference,
        "onnx_offset_difference": exported.offset_difference,
    }
    (settings.work / "result.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


def new_network(labels: tuple[str, ...]) -> Grounded:
    """The network with its constants in place."""
    constants = grounding(labels)
    network = Grounded(GroundedConfig(len(labels), constants["sound_index"].shape[1]))
    for name, values in constants.items():
        getattr(network.grounding, name).copy_(torch.from_numpy(values))
    return network


def train(network: Grounded, sequences: list[Sequence], placed: Placed | None, settings: Settings) -> Grounded:
    """The moving average of the weights; of the composed sequences of a batch two in five have events."""
    rng, steps = np.random.default_rng(settings.seed), settings.steps
    average = Grounded(network.config)
    average.load_state_dict(network.state_dict())
    weights = list(network.parameters())
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    full = [s for s in sequences if len(s.segments)]
    empty = [s for s in sequences if not len(s.segments)]
    normalizer, began = 200.0, time.perf_counter()
    for step in range(steps):
        rate = min(1.0, (step + 1) / WARMUP) * (0.5 * (1 + math.cos(math.pi * step / steps)) + 0.01)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * rate
        length = -(-int(np.exp(rng.uniform(*np.log(LENGTHS)))) // 32) * 32
        size = max(16, BATCH_STEPS // length)
        drawn = [] if placed is None else [placed.draw(length, rng) for _ in range(round(size * settings.placed))]
        positive_count = (size - len(drawn)) * 2 // 5
        drawn += [full[int(i)] for i in rng.integers(len(full), size=positive_count)]
        drawn += [empty[int(i)] for i in rng.integers(len(empty), size=size - len(drawn))]
        x, mask, segments, own = map(torch.from_numpy, batch([crop(s, length, rng) for s in drawn], length))
        logits, offsets, kept = network.detect(x, mask)
        moments = pyramid_moments(length, network.config.levels)
        targets = assign_targets(moments, Truth(segments, own), kept, 1)
        positive = targets.positive[..., 0]
        normalizer = 0.95 * normalizer + 0.05 * max(1, int(positive.sum()))
        found = focal_loss(logits[kept], positive[kept], FOCAL_ALPHA, FOCAL_GAMMA).sum()
        placed_well = giou_loss(offsets[positive], targets.offsets[:, :, 0][positive]).sum()
        optimizer.zero_grad()
        ((found + placed_well) / normalizer).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, CLIP)
        optimizer.step()
        keep = min(AVERAGE, (step + 1) / (step + 20))
        with torch.no_grad():
            for mean, new in zip(average.parameters(), weights, strict=True):
                mean.lerp_(new, 1 - keep)
        if step % 200 == 199:
            losses = f"{float(found.detach()) / normalizer:.3f} + {float(placed_well.detach()) / normalizer:.3f}"
            print(f"step {step + 1}: loss {losses}, {time.perf_counter() - began:.0f} s", flush=True)
    return average.eval()


def detect_all(detector: Detector, videos: list[LabelledVideo]) -> dict[str, Events]:
    """All candidates of each video."""
    return {v.name: detector.detect_features(v.features).all_events for v in videos}


def best_threshold(found: dict[str, Events], truth: dict[str, Events]) -> float:
    """The score above which detections match truth with the best F1 at tIoU 0.3."""
    scores = np.arange(0.1, 0.9, 0.02)
    f1 = [f1_score({v: e.above(float(s)) for v, e in found.items()}, truth, 0.3) for s in scores]
    return round(float(scores[int(np.argmax(f1))]), 3)


def hits(found: Mapping[str, Events], truth: Mapping[str, Events], tiou: float) -> tuple[int, int, int]:
    """Detections that match truth (each true event once, by the surest detection of its class), all, and all true."""
    right = 0
    for video, events in truth.items():
        free = list(events)
        for d in sorted(found.get(video, Events()), key=lambda e: -e.score):
            for t in free:
                shared = min(d.end_s, t.end_s) - max(d.start_s, t.start_s)
                if d.label == t.label and shared >= tiou * (d.duration_s + t.duration_s - shared):
                    free.remove(t)
                    right += 1
                    break
    return right, sum(map(len, found.values())), sum(map(len, truth.values()))


def f1_score(found: dict[str, Events], truth: dict[str, Events], tiou: float) -> float:
    """F1 of detections against truth, matched as by `hits`."""
    right, shown, events = hits(found, truth, tiou)
    return 2 * right / (shown + events) if shown + events else 0.0


if __name__ == "__main__":
    main(tyro.cli(Settings))
