"""Media folder > composed videos > evidence > the network > the model folder that ships as `default`.

    python tools/train_default.py MEDIA --work work/ --out src/avloc/weights/default

Everything made on the way stays in --work; composed videos are made once.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from avloc.media.planner import ComposeConfig

from avloc.config import DecodingConfig, FeatureConfig, GroundedConfig, ModelConfig
from avloc.datasets.labelled import LabelledVideo
from avloc.detector import Detector
from avloc.evaluation.mean_ap import mean_ap
from avloc.events import Event, Events
from avloc.features.extractors.embedded import CUES
from avloc.learning.focal import focal_loss
from avloc.learning.iou_loss import giou_loss
from avloc.learning.targets import Truth, assign_targets
from avloc.models.grounded import Grounded, Pyramid
from avloc.timegrid import pyramid_moments
from avloc.training.checkpoint import save_model
from avloc.training.export import export_model
from avloc.training.runner import TorchRunner
from composed import grid_of, make_set
from sequences import Parted, Placed, Sequence, batch, crop, measure_noise, sequences_of
from vocabulary import ALIKE, CLASSES, grounding

FEATURES = FeatureConfig(embeddings=False, cues=len(CUES))
WINDOW_STEPS = 256
LENGTHS = (24, 200)  # steps of a crop, drawn log-uniformly
BATCH_STEPS = 64 * 96  # steps of a batch, about
LEARNING_RATE, WARMUP, WEIGHT_DECAY, CLIP, AVERAGE = 2e-3, 100, 0.01, 1.0, 0.998
FOCAL_ALPHA, FOCAL_GAMMA = 0.4, 1.0
FULL, PARTED = 0.35, 0.3  # shares of a batch: sequences with events, sequences whose events are taken apart
MEMBERS = 4
ALMOST = 0.02  # of F1
ON_A_SURER_ONE = {"rival_share": 0.6, "rival_factor": 0.5, "other_factor": 0.75}  # chosen on the validation videos
TRAIN_SEED, VALIDATION_SEED, QUIET_SEED = 0, 1_000_000, 2_000_000  # of the composed videos
QUIET_VIDEOS = 60
NEGATIVE = replace(
    ComposeConfig(), events=(0, 0), silent_objects=(1, 4), offscreen_sounds=(1, 4), duration_s=(30.0, 60.0)
)


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
    videos: int = 600
    """Composed training videos."""
    validation_videos: int = 100
    """Composed videos of media that training never sees; they choose the threshold."""
    steps: int = 1500
    """Training steps of each member."""
    seed: int = 0
    """Of the network's start and the order of training; the composed videos are always the same."""


def main(settings: Settings) -> None:
    """Compose, train, calibrate, choose the threshold for people, save, export."""
    labels, work, seed = CLASSES, settings.work, settings.seed
    scenes = ComposeConfig(), FeatureConfig()
    videos = make_set(settings.media, "train", *scenes, work / "train", settings.videos, TRAIN_SEED)
    validation = make_set(
        settings.media, "validation", *scenes, work / "validation", settings.validation_videos, VALIDATION_SEED
    )
    quiet = make_set(
        settings.media, "validation", NEGATIVE, scenes[1], work / "validation-negative", QUIET_VIDEOS, QUIET_SEED
    )
    began = time.perf_counter()
    torch.set_num_threads(1)  # the same seed gives the same weights, however many cores there are
    network = new_network(labels)
    measure_noise(network, videos, labels)
    rng = np.random.default_rng(seed)
    sequences = [s for video in videos for s in sequences_of(network, video, labels, rng)]
    placed = None
    if settings.placed:
        if settings.annotations is None:
            raise SystemExit("--placed needs --annotations")
        placed = Placed(settings.annotations, sequences, grid_of(FEATURES))
    size = sum(p.numel() for p in network.parameters())
    print(f"{len(sequences)} sequences, {len(labels)} classes, {size / 1e3:.0f} k parameters", flush=True)
    for i in range(MEMBERS):
        member = train(network.config, sequences, placed, settings, seed * MEMBERS + i)
        network.members[i].load_state_dict(member.state_dict())
    network.eval()
    decoding = DecodingConfig(rivals=ALIKE, **ON_A_SURER_ONE)
    config = ModelConfig("default", labels, FEATURES, network.config, decoding, window_steps=WINDOW_STEPS)
    detector, truth = Detector(config, TorchRunner(network)), {v.name: v.truth for v in validation}
    slope, offset = calibrate(network, detect_all(detector, validation), truth)
    found = detect_all(detector, validation)
    threshold = max(best_threshold(found, truth), quiet_threshold(detect_all(detector, quiet), quiet))
    save_model(settings.out, network, replace(config, show_score=threshold))
    exported = export_model(settings.out)
    shown = {name: events.above(threshold) for name, events in found.items()}
    result = {
        "validation_map": mean_ap(found, truth).average,
        "calibration": [slope, offset],
        "show_score": threshold,
        "shown_at_tiou_0.3": hits(shown, truth, 0.3),
        "training_minutes": round((time.perf_counter() - began) / 60, 1),
        "videos": settings.videos,
        "seed": seed,
        "onnx_score_difference": exported.score_difference,
        "onnx_offset_difference": exported.offset_difference,
    }
    (work / f"result-{seed}.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


def new_network(labels: tuple[str, ...]) -> Grounded:
    """The network with its constants in place."""
    constants = grounding(labels)
    network = Grounded(GroundedConfig(len(labels), constants["sound_index"].shape[1], members=MEMBERS))
    for name, values in constants.items():
        getattr(network.grounding, name).copy_(torch.from_numpy(values))
    return network


def train(
    config: GroundedConfig, sequences: list[Sequence], placed: Placed | None, settings: Settings, seed: int
) -> Pyramid:
    """The moving average of the weights; a batch has sequences with events, with parted ones, and without."""
    torch.manual_seed(seed)
    rng, steps = np.random.default_rng(seed), settings.steps
    network, average = Pyramid(config), Pyramid(config)
    average.load_state_dict(network.state_dict())
    weights = list(network.parameters())
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    full = [s for s in sequences if len(s.segments)]
    empty = [s for s in sequences if not len(s.segments)]
    parted = Parted(sequences)
    normalizer, began = 200.0, time.perf_counter()
    for step in range(steps):
        rate = min(1.0, (step + 1) / WARMUP) * (0.5 * (1 + math.cos(math.pi * step / steps)) + 0.01)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * rate
        length = -(-int(np.exp(rng.uniform(*np.log(LENGTHS)))) // 32) * 32
        size = max(16, BATCH_STEPS // length)
        drawn = [] if placed is None else [placed.draw(length, rng) for _ in range(round(size * settings.placed))]
        drawn += [parted.draw(length, rng) for _ in range(round((size - len(drawn)) * PARTED))]
        positive_count = round((size - len(drawn)) * FULL / (1 - PARTED))
        drawn += [full[int(i)] for i in rng.integers(len(full), size=positive_count)]
        drawn += [empty[int(i)] for i in rng.integers(len(empty), size=size - len(drawn))]
        x, mask, segments, own = map(torch.from_numpy, batch([crop(s, length, rng) for s in drawn], length))
        logits, offsets, kept = network(x, mask)
        moments = pyramid_moments(length, config.levels)
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
            print(
                f"member of seed {seed}, step {step + 1}: loss {losses}, {time.perf_counter() - began:.0f} s",
                flush=True,
            )
    return average.eval()


def detect_all(detector: Detector, videos: list[LabelledVideo]) -> dict[str, Events]:
    """All candidates of each video."""
    return {v.name: detector.detect_features(v.features).all_events for v in videos}


def best_threshold(found: dict[str, Events], truth: dict[str, Events]) -> float:
    """Of the scores above which detections match truth at tIoU 0.3 with almost the best F1, the highest.

    Where F1 is flat, fewer and surer events are worth more to people than more of them.
    """
    scores = np.arange(0.1, 0.9, 0.01)
    f1 = np.array([f1_score({v: e.above(float(s)) for v, e in found.items()}, truth, 0.3) for s in scores])
    return round(float(scores[np.flatnonzero(f1 >= f1.max() - ALMOST)[-1]]), 3)


def quiet_threshold(found: Mapping[str, Events], videos: list[LabelledVideo]) -> float:
    """The least score from which at most one event in five minutes is shown on videos without any."""
    scores = np.sort(np.concatenate([e.score for e in found.values()]))[::-1]
    allowed = math.floor(sum(v.features.duration_s for v in videos) / 300)
    return math.ceil(100 * float(scores[allowed])) / 100 if len(scores) > allowed else 0.0


def calibrate(network: Grounded, found: dict[str, Events], truth: dict[str, Events]) -> tuple[float, float]:
    """Fold a slope and an offset of the logits into the network, so that a score is the chance to be right.

    The two are those of the logistic curve through detections that are right or wrong at tIoU 0.3 (Platt 1999).
    Order is kept: mAP changes only by the share that soft-NMS takes.
    """
    rows = [
        (math.log(d.score / (1 - d.score)), float(is_right))
        for video, events in found.items()
        for d, is_right in judged(events.above(0.05), truth[video], 0.3)
    ]
    x, y = torch.tensor(rows, dtype=torch.float64).unbind(dim=1)
    line = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([line], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(line[0] * x + line[1], y)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[arg-type]
    slope, offset = line.detach().tolist()
    for member in network.members:
        member.rescale(slope, offset)  # type: ignore[operator]
    return slope, offset


def hits(found: Mapping[str, Events], truth: Mapping[str, Events], tiou: float) -> tuple[int, int, int]:
    """Detections that match truth (each true event once, by the surest detection of its class), all, and all true."""
    right = sum(r for v, events in truth.items() for _, r in judged(found.get(v, Events()), events, tiou))
    return right, sum(map(len, found.values())), sum(map(len, truth.values()))


def judged(found: Events, truth: Events, tiou: float) -> Iterator[tuple[Event, bool]]:
    """The detections of one video, the surest first, and whether each is right."""
    free = list(truth)
    for d in sorted(found, key=lambda e: -e.score):
        match = next((t for t in free if t.label == d.label and _tiou(d, t) >= tiou), None)
        if match is not None:
            free.remove(match)
        yield d, match is not None


def _tiou(a: Event, b: Event) -> float:
    shared = max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))
    return shared / (a.duration_s + b.duration_s - shared)


def f1_score(found: dict[str, Events], truth: dict[str, Events], tiou: float) -> float:
    """F1 of detections against truth, matched as by `hits`."""
    right, shown, events = hits(found, truth, tiou)
    return 2 * right / (shown + events) if shown + events else 0.0


if __name__ == "__main__":
    main(tyro.cli(Settings))
