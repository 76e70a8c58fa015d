"""What real features are like beside simulated ones: shares of variance, how long deviations last, what is shared.

Real clips: `--real FOLDER...` measures the clips of folders of videos with the package's extractor, and writes the
figures to bench/measured/real_clips.json, from where they are shown ever after. Those of another 176 clips of about
10 s, measured before with the same encoders and stride, stand in bench/measured/clips_176.json.
Simulated: stretches as long as the real clips, each around an event of another training video, on a grid of the
same stride and window (0.32 and 0.96 s); means over draws of as many stretches as there are real clips.
Run from the checkout: `python bench/feature_statistics.py unav100_annotations.json [--edition 1] [--set noise=0.5]`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.annotations import Annotations, read_annotations
from avloc.datasets.scenes import count_together
from avloc.datasets.simulate import choose_videos, world_of
from avloc.datasets.simulation import simulate_video
from avloc.datasets.statistics import LAGS, Statistics, same_label_share, statistics
from avloc.datasets.strengths import SimulationConfig, strengths_of
from avloc.features.extractors.build import build_extractor
from avloc.features.layout import I3D_VGGISH

MEASURED = Path(__file__).with_name("measured")
WIDTH = 64
Clip = tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]], frozenset[str]]
"""Visual and audio features (T, W) and the classes of events in it."""


def real_clips(folders: Sequence[Path]) -> Iterator[Clip]:
    extractor = build_extractor(threads=1)
    for folder in folders:
        database = json.loads((folder / "annotations.json").read_text())["database"]
        for entry in database.values():
            found = extractor.extract(folder / entry["file"], extractor.grid)
            yield found.visual, found.audio, frozenset(event["label"] for event in entry["annotations"])


def simulated_clips(
    config: SimulationConfig, annotations: Annotations, lengths: Sequence[int], draw: int
) -> Iterator[Clip]:
    """A stretch of `lengths` steps of as many training videos, around the middle of one of its events."""
    world = world_of(annotations, I3D_VGGISH.grid, (WIDTH, WIDTH), 0, config)
    number = {label: k for k, label in enumerate(annotations.labels)}
    rng = np.random.default_rng(draw)
    videos = list(choose_videos(annotations, {"train": 4000}, 0).items())
    for i, length in zip(rng.permutation(len(videos)), lengths, strict=False):
        video, truth = videos[i]
        labels = np.array([number[name] for name in truth.events.labels], np.intp)
        visual, audio = simulate_video(world, video, truth.duration_s, truth.events, labels)
        event = list(truth.events)[int(rng.integers(len(truth.events)))]
        middle = float(world.grid.to_steps((event.start_s + event.end_s) / 2))
        low = int(np.clip(round(middle - length / 2), 0, max(0, len(visual) - length)))
        low_s, high_s = world.grid.to_seconds([low, low + length])
        inside = frozenset(e.label for e in truth.events if e.start_s < high_s and e.end_s > low_s)
        yield visual[low : low + length], audio[low : low + length], inside


def figures(clips: Sequence[Clip], seed: int = 0) -> dict[str, Any]:
    visual, audio, labels = zip(*clips, strict=True)
    # A draw of folds says little with few clips: means over three.
    drawn = [statistics(visual, audio, seed=seed + i) for i in range(3)]
    found = asdict(_mean(drawn))
    found["same_label"] = [same_label_share(side, labels) for side in (visual, audio)]
    return found


def _mean(drawn: Sequence[Statistics]) -> Statistics:
    shared, moments = (np.mean([getattr(d, name) for d in drawn], axis=0) for name in ("shared", "moments"))
    rank = float(np.mean([d.own_rank for d in drawn]))
    return replace(drawn[0], shared=tuple(map(float, shared)), moments=tuple(map(float, moments)), own_rank=rank)


def averaged(draws: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {key: np.mean([np.asarray(draw[key], float) for draw in draws], axis=0).tolist() for key in draws[0]}


def cells(found: dict[str, Any]) -> list[str]:
    """As HEADS; empty where it was not measured."""

    def pair(name: str, form: str) -> list[str]:
        return [format(x, form) for x in found[name]] if name in found else ["", ""]

    shared = [_series(found["shared"]), f"{np.mean(found['shared']):.2f}", f"{found['own_rank']:.2f}"]
    lasting = [_series(side) for side in found["lasting"]]
    greatest = f"{max(found['moments']):.2f}"
    return [*pair("between", ".2f"), *lasting, *shared, greatest, *pair("same_label", ".2f"), *pair("spread", ".0f")]


def _series(values: Sequence[float]) -> str:
    return " ".join(f"{x:.2f}".replace("0.", ".") for x in values)


HEADS = (
    "between clips, visual", "between clips, audio", "lasting, visual", "lasting, audio", "shared by clips' means",
    "their mean", "rank of own sound", "shared by deviations, greatest", "same class, visual", "same class, audio",
    "directions of means, visual", "directions of means, audio",
)  # fmt: skip


def company_of_classes(annotations: Annotations) -> str:
    """How far a class of a video tells its others: fitted on training videos, held to validation videos."""
    number = {label: k for k, label in enumerate(annotations.labels)}

    def count(subset: str) -> NDArray[np.int64]:
        videos = annotations.split(subset).values()
        return count_together((np.array([number[x] for x in v.events.labels], np.intp) for v in videos), len(number))

    train, held = count("train"), count("validation")
    alone, pairs = np.diag(train).astype(float), held - np.diag(np.diag(held))
    others = train - np.diag(np.diag(train))
    company = others / np.maximum(others.sum(axis=1, keepdims=True), 1)
    share = np.tile(alone, (len(alone), 1)) * (1 - np.eye(len(alone)))
    share /= share.sum(axis=1, keepdims=True)
    weights = np.arange(0, 1, 0.01)
    nats = [-(pairs * np.log(w * company + (1 - w) * share + 1e-300)).sum() / pairs.sum() for w in weights]
    best = int(np.argmin(nats))
    return (
        f"another class of a video: {nats[0]:.2f} nats by class shares, {nats[best]:.2f} given one of its classes "
        f"({1 - nats[best] / nats[0]:.2f} less), with {weights[best]:.2f} of what comes with it in training videos"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("--real", type=Path, nargs="+", help="folders of clips with annotations.json")
    parser.add_argument("--edition", type=int, choices=(1, 2), default=2)
    parser.add_argument("--set", nargs="*", default=[], help="strengths to change, NAME=VALUE")
    parser.add_argument("--draws", type=int, default=6)
    given = parser.parse_args()
    kept = MEASURED / "real_clips.json"
    if given.real:
        clips = list(real_clips(given.real))
        origin = "avloc's encoders on real clips, by bench/feature_statistics.py --real; lengths in steps of 0.32 s"
        body = {"origin": origin, **figures(clips), "lengths": [len(clip[0]) for clip in clips]}
        kept.write_text(json.dumps(body, indent=1) + "\n")
    real = json.loads(kept.read_text())
    others = json.loads((MEASURED / "clips_176.json").read_text())
    changes = {name: json.loads(value) for name, _, value in (one.partition("=") for one in given.set)}
    changes = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    config = replace(strengths_of(given.edition), **changes)
    annotations = read_annotations(given.annotations)
    simulated = [
        averaged([figures(list(simulated_clips(config, annotations, lengths, draw))) for draw in range(draws)])
        for lengths, draws in ((real["lengths"], given.draws), ([31] * others["clips"], max(1, given.draws // 2)))
    ]
    columns = {
        f"real, {real['clips']} clips": cells(real),
        f"simulated, {real['clips']}": cells(simulated[0]),
        f"real, {others['clips']} clips": cells(others),
        f"simulated, {others['clips']}": cells(simulated[1]),
    }
    print(company_of_classes(annotations))
    print(f"simulation {config.name()}; lags of 'lasting' in s: {' '.join(f'{0.32 * lag:.2f}' for lag in LAGS)}")
    print(f"| | {' | '.join(columns)} |\n| :--- | {' | '.join('---:' for _ in columns)} |")
    for i, head in enumerate(HEADS):
        print(f"| {head} | {' | '.join(column[i] for column in columns.values())} |")


if __name__ == "__main__":
    main()
