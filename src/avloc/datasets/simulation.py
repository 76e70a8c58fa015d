"""A model of the task's difficulties: true events > features of two modalities that blur, miss and mislead.

    classes > prototypes > objects (events, and distractors of one modality) > + scene, drift and noise > features

This is no stand-in for features of real videos; docs/simulation.md says what it is good for. All that happens in a
video depends on the seed and the video's id alone.
Legend: T steps, N objects, D latent dimensions, K classes, W width of a modality's features, S points in a window.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avloc.datasets.scenes import Scenery, class_shares, make_scenery, scene_of
from avloc.datasets.strengths import SimulationConfig
from avloc.errors import ConfigError
from avloc.events import Events
from avloc.timegrid import TimeGrid

Float = NDArray[np.float32]

MODALITIES = ("visual", "audio")
_POINTS = 5
_BLOCK = 256
_OF_OBJECTS, _OF_SCENE = 1, 3  # streams of random numbers; 0 and 2 are the world's


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What all videos of a simulation share.

    prototypes: (K, D) of each modality; embeddings: (D, W) of each, with orthogonal rows of length sqrt(W), so that a
    latent vector of length 1 gives features of root mean square 1. class_share (K,) and durations_s (N,) are those of
    the training events: distractors are drawn from them.
    """

    config: SimulationConfig
    seed: int
    grid: TimeGrid
    prototypes: tuple[Float, Float]
    embeddings: tuple[Float, Float]
    class_share: NDArray[np.float64]
    durations_s: NDArray[np.float64]
    scenery: Scenery


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """N objects: `label`, `start_s`, `end_s` (N,); by modality (N, 2) `strength`, 0 if not perceived, and `lag_s`."""

    label: NDArray[np.intp]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    strength: NDArray[np.float64]
    lag_s: NDArray[np.float64]


def make_world(
    config: SimulationConfig,
    seed: int,
    grid: TimeGrid,
    widths: tuple[int, int],
    class_share: NDArray[np.float64],
    durations_s: NDArray[np.float64],
    together: NDArray[np.int64] | None = None,
) -> World:
    """Prototypes, embeddings and scenery of a seed. `widths` are of visual and audio features; `together` (K, K) is
    `count_together` of the training videos, without it every class is always alone.

    Raises:
        ConfigError: a width is below the latent dimensions.
    """
    for modality, width in zip(MODALITIES, widths, strict=True):
        if width < config.latent:
            raise ConfigError(
                f"{modality} features of width {width} cannot hold {config.latent} latent dimensions; widen them"
            )
    rng = np.random.default_rng([seed, 0])
    groups = confusable_groups(len(class_share), config.confusable, rng)
    visual, audio = (_prototypes(g, config, rng) for g in groups)
    see, hear = (_embedding(config.latent, width, rng) for width in widths)
    together = np.eye(len(class_share), dtype=np.int64) if together is None else together
    scenery = make_scenery(config, together, np.random.default_rng([seed, 2]))
    return World(config, seed, grid, (visual, audio), (see, hear), class_share, durations_s, scenery)


def confusable_groups(classes: int, size: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Group of every class (K,) by sight and by sound: groups of `size`; no two classes share both."""
    place = rng.permutation(classes)
    return place // size, place // size**2 * size + place % size


def steps_in(grid: TimeGrid, duration_s: float) -> int:
    """Windows that lie wholly inside the video, at least one: what released features have."""
    return max(1, math.floor((duration_s - grid.offset_s - grid.window_s) / grid.stride_s + 1e-6) + 1)


def simulate_video(
    world: World, video: str, duration_s: float, truth: Events, labels: NDArray[np.intp]
) -> list[Float]:
    """Features (T, W) of both modalities. `labels` (N,) are the class numbers of the events of `truth`."""
    rng = video_rng(world.seed, video)
    objects = plan_objects(world, duration_s, truth, labels, rng)
    T = steps_in(world.grid, duration_s)
    of_scene = video_rng(world.seed, video, _OF_SCENE)
    scene = scene_of(world.scenery, world.config, labels, of_scene)
    course = _common_course(world, objects, T, of_scene) if world.config.modalities == "together" else None
    return [_modality(world, m, objects, scene[m], course, T, rng) for m in range(len(MODALITIES))]


def video_rng(seed: int, video: str, part: int = _OF_OBJECTS) -> np.random.Generator:
    """Random numbers of one part of one video: the same wherever and whenever it is made."""
    words = np.frombuffer(hashlib.sha256(video.encode("utf-8", "backslashreplace")).digest()[:16], "<u4")
    return np.random.default_rng([seed, part, *words.tolist()])


def plan_objects(
    world: World, duration_s: float, truth: Events, labels: NDArray[np.intp], rng: np.random.Generator
) -> Objects:
    """The events, seen and heard, then distractors of classes that the video has not, each seen or heard."""
    share = world.class_share.copy()
    share[labels] = 0
    if world.config.company and share.any():
        share = class_shares(world.scenery, world.config.company, labels, share)
    count = int(rng.poisson(world.config.distractors_per_event * len(labels)))
    count = min(count, int(np.count_nonzero(share)))
    others = rng.choice(len(share), count, replace=False, p=share / share.sum()) if count else np.zeros(0, np.intp)
    length = np.minimum(rng.choice(world.durations_s, count), duration_s) if count else np.zeros(0)
    start = rng.uniform(0, duration_s - length)
    strength = np.exp(rng.normal(0, world.config.level, (len(labels) + count, 2)))
    strength[np.arange(count) + len(labels), rng.integers(0, 2, count)] = 0
    lag = world.config.asynchrony_s / 2 * rng.uniform(-1, 1, len(strength))  # each modality takes half of it
    if world.config.modalities == "together":
        strength[: len(labels)] = strength[: len(labels), :1]
        lag[:] = 0
    return Objects(
        np.concatenate([labels, others]),
        np.concatenate([truth.start_s, start]),
        np.concatenate([truth.end_s, start + length]),
        strength,
        np.stack([-lag, lag], axis=1),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """What both modalities have moment by moment in the control: gains (T, N), and the scene's drift (T, Q)."""

    gain: Float
    drift: Float


def _common_course(world: World, objects: Objects, T: int, rng: np.random.Generator) -> _Course:
    config = world.config
    equal = Objects(
        objects.label, objects.start_s, objects.end_s, np.ones_like(objects.strength), np.zeros_like(objects.lag_s)
    )
    gain = _gain(world, 0, equal, np.arange(len(equal.label)), T, rng)
    drift = _drift(rng, T, config.shared_directions, config.background_s / world.grid.stride_s)
    return _Course(gain, drift / np.float32(math.sqrt(config.shared_directions)))


def _modality(
    world: World, m: int, objects: Objects, scene: Float, course: _Course | None, T: int, rng: np.random.Generator
) -> Float:
    config, grid = world.config, world.grid
    there = np.flatnonzero(objects.strength[:, m])
    N, D = len(there), config.latent
    if course is None:
        gain = _gain(world, m, objects, there, T, rng)  # (T, N)
    else:
        gain = np.asarray(course.gain[:, there] * objects.strength[there, m], np.float32)
    unit = 1 / math.sqrt(D)
    where = world.prototypes[m][objects.label[there]] + config.instance * unit * _normal(rng, N, D)  # (N, D)
    latent = gain @ where
    if config.wander and N:
        wander = _drift(rng, T, N * D, config.wander_s / grid.stride_s).reshape(T, N, D)
        latent += config.wander * unit * np.einsum("tn,tnd->td", gain, wander)
    if course is None:
        latent += config.background * unit * _drift(rng, T, D, config.background_s / grid.stride_s)
    else:
        latent += config.background * course.drift @ world.scenery.mixtures[m]
    latent += config.noise * unit * _normal(rng, T, D)
    if config.overlap:
        latent += config.overlap * unit * _overlapping(rng, T, D, grid)
    latent += scene
    features: Float = latent @ world.embeddings[m]  # (T, W)
    if config.sensor:
        features += config.sensor * _normal(rng, *features.shape)
    return features


def _overlapping(rng: np.random.Generator, T: int, columns: int, grid: TimeGrid) -> Float:
    """Noise of variance 1 that is new at every stride and seen through the grid's windows: (T, columns)."""
    within = max(1, round(grid.window_s / grid.stride_s))
    new = _normal(rng, T + within - 1, columns)
    return sum((new[i : i + T] for i in range(1, within)), start=new[:T]) / np.float32(math.sqrt(within))


def _gain(world: World, m: int, objects: Objects, there: NDArray[np.intp], T: int, rng: np.random.Generator) -> Float:
    """How strongly each object at hand is perceived at each step: (T, N)."""
    config, grid = world.config, world.grid
    start, end = objects.start_s[there], objects.end_s[there]
    lag = objects.lag_s[there, m]
    points = (np.arange(_POINTS) + 0.5) / _POINTS * grid.window_s
    time = (grid.window_starts_s(np.arange(T))[:, None] + points)[:, None, :] - lag[:, None]  # (T, N, S)
    ramp = np.minimum(rng.uniform(*config.ramp_s, (2, len(there))), np.maximum((end - start) / 3, 1e-3))
    rise = ((time - start[:, None]) / ramp[0][:, None]).clip(0, 1)
    fall = ((end[:, None] - time) / ramp[1][:, None]).clip(0, 1)
    seen = rise * fall  # (T, N, S)
    for n in range(len(there)):
        gone = np.zeros(time[:, n].shape, bool)
        for low, high in _dropouts(config, start[n], end[n], rng):
            gone |= (time[:, n] >= low) & (time[:, n] < high)
        seen[:, n][gone] *= config.dropout_gain
    swing = config.gain * _drift(rng, T, len(there), config.gain_s / grid.stride_s)  # (T, N)
    strength = objects.strength[there, m] * seen.mean(axis=2) * np.exp(swing)
    return np.asarray(strength, np.float32)


def _dropouts(
    config: SimulationConfig, start_s: float, end_s: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    count = int(rng.poisson(config.dropouts_per_10_s * (end_s - start_s) / 10))
    low = rng.uniform(start_s, end_s, count)
    return list(zip(low, low + rng.uniform(*config.dropout_s, count), strict=True))


def _drift(rng: np.random.Generator, T: int, columns: int, tau_steps: float) -> Float:
    """Autoregressive noise of the first order with variance 1 and time constant `tau_steps`: (T, columns)."""
    result = _normal(rng, T, columns)
    keep = math.exp(-1 / tau_steps)
    new = np.float32(math.sqrt(1 - keep**2))
    for low in range(0, T, _BLOCK):
        block = result[low : low + _BLOCK]
        block[0 if low else 1 :] *= new
        if low:
            block[0] += np.float32(keep) * result[low - 1]
        n = len(block)
        result[low : low + _BLOCK] = _decay(keep)[:n, :n] @ block
    return result


@lru_cache(maxsize=8)
def _decay(keep: float) -> Float:
    """Lower triangle of powers of `keep`: sums that forget, as one product."""
    lag = np.arange(_BLOCK)[:, None] - np.arange(_BLOCK)
    return np.where(lag >= 0, keep ** np.maximum(lag, 0), 0).astype(np.float32)


def _prototypes(groups: NDArray[np.intp], config: SimulationConfig, rng: np.random.Generator) -> Float:
    common = _unit(_normal(rng, int(groups.max(initial=0)) + 1, config.latent))
    own = _unit(_normal(rng, len(groups), config.latent))
    mixed = math.sqrt(config.similarity) * common[groups] + math.sqrt(1 - config.similarity) * own
    return _unit(mixed)


def _embedding(latent: int, width: int, rng: np.random.Generator) -> Float:
    orthogonal = np.linalg.qr(rng.standard_normal((width, latent)))[0]
    return np.ascontiguousarray(orthogonal.T * math.sqrt(width), np.float32)


def _unit(vectors: Float) -> Float:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _normal(rng: np.random.Generator, *shape: int) -> Float:
    return rng.standard_normal(shape, np.float32)
