"""The model of the task's difficulties: each does what its parameter says."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.datasets.simulation import (
    Objects,
    World,
    _drift,
    _gain,
    _overlapping,
    confusable_groups,
    make_world,
    plan_objects,
    simulate_video,
    steps_in,
    video_rng,
)
from avloc.datasets.strengths import SimulationConfig, strengths_of
from avloc.errors import ConfigError
from avloc.events import Events
from avloc.timegrid import TimeGrid

GRID = TimeGrid(0.25, 1.0)
CLASSES = 32
CALM = SimulationConfig(
    level=0, instance=0, wander=0, background=0, noise=0, sensor=0, gain=0, dropouts_per_10_s=0,
    distractors_per_event=0, asynchrony_s=0, scene=(0, 0), overlap=0,
)  # fmt: skip


def world(config: SimulationConfig = CALM, width: int = 80, seed: int = 0) -> World:
    share = np.full(CLASSES, 1 / CLASSES)
    return make_world(config, seed, GRID, (width, width), share, np.array([1.0, 4.0, 30.0]))


def one(start_s: float, end_s: float, label: int = 5, lag_s: float = 0) -> Objects:
    return Objects(
        np.array([label]), np.array([start_s]), np.array([end_s]), np.ones((1, 2)), np.array([[-lag_s, lag_s]])
    )


@given(st.integers(1, 200), st.integers(1, 6), st.integers(0, 9))
def test_no_two_classes_are_confusable_in_both_modalities(classes: int, size: int, seed: int) -> None:
    see, hear = confusable_groups(classes, size, np.random.default_rng(seed))
    assert len(set(zip(see.tolist(), hear.tolist(), strict=True))) == classes
    for groups in (see, hear):
        assert np.bincount(groups).max() <= size and groups.min() == 0
        if classes % size**2 == 0:
            assert (np.bincount(groups) == size).all()


def test_confusable_prototypes_are_as_similar_as_asked() -> None:
    made = world()
    see, hear = confusable_groups(CLASSES, 4, np.random.default_rng([0, 0]))
    for prototypes, groups in zip(made.prototypes, (see, hear), strict=True):
        cosine = prototypes @ prototypes.T
        assert np.allclose(np.diag(cosine), 1, atol=1e-5)
        alike = (groups[:, None] == groups) & ~np.eye(CLASSES, dtype=bool)
        assert abs(cosine[alike].mean() - 0.85) < 0.03 and abs(cosine[groups[:, None] != groups].mean()) < 0.05


def test_an_event_is_its_prototype_while_it_lasts() -> None:
    made = world()
    visual, audio = simulate_video(made, "v", 20.0, Events([5], [15], ["x"]), np.array([5]))
    assert visual.shape == audio.shape == (77, 80)
    start = GRID.window_starts_s(np.arange(77))
    for m, features in enumerate((visual, audio)):
        latent = features @ made.embeddings[m].T / 80  # rows of length sqrt(W) undo themselves
        outside, inside = (start + 1 <= 5) | (start >= 15), (start >= 6) & (start + 1 <= 14)
        assert np.allclose(latent[outside], 0, atol=1e-6)
        assert np.allclose(latent[inside], made.prototypes[m][5], atol=1e-5)
        assert math.isclose(float(np.sqrt((features[inside] ** 2).mean())), 1, rel_tol=1e-5)
        edge = np.linalg.norm(latent, axis=1)[~outside & ~inside]
        assert ((edge > 0) & (edge <= 1 + 1e-5)).all()


def test_the_latent_picture_does_not_depend_on_the_width() -> None:
    truth, labels = Events([5], [15], ["x"]), np.array([5])
    config = replace(SimulationConfig(), sensor=0)
    narrow, wide = world(config, 64), world(config, 200)
    for m in range(2):
        a = simulate_video(narrow, "v", 20.0, truth, labels)[m] @ narrow.embeddings[m].T / 64
        b = simulate_video(wide, "v", 20.0, truth, labels)[m] @ wide.embeddings[m].T / 200
        assert np.allclose(a, b, atol=1e-4)


def test_a_video_depends_on_seed_and_name_alone() -> None:
    config, truth, labels = SimulationConfig(), Events([1], [9], ["x"]), np.array([3])
    made = world(config)
    simulate_video(made, "before", 60.0, truth, labels)
    first, again = (simulate_video(w, "v", 12.0, truth, labels) for w in (made, world(config)))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    for other in (
        simulate_video(made, "w", 12.0, truth, labels),
        simulate_video(world(config, seed=1), "v", 12.0, truth, labels),
    ):
        assert not any(np.allclose(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("T", [1, 255, 256, 257, 700])
def test_drift_is_autoregressive_noise(T: int) -> None:
    """Against the recursion written out, across the blocks in which it is computed."""
    got = _drift(np.random.default_rng(1), T, 3, 4.0)
    white = np.random.default_rng(1).standard_normal((T, 3), np.float32).astype(float)
    keep = math.exp(-1 / 4)
    x = white[0]
    for t in range(T):
        x = white[0] if t == 0 else keep * x + math.sqrt(1 - keep**2) * white[t]
        assert np.allclose(got[t], x, atol=1e-5)


def test_distractors_are_of_other_classes_and_of_one_modality() -> None:
    made = world(replace(CALM, distractors_per_event=1.0))
    truth = Events([0, 5], [4, 9], ["x", "x"])
    counts = []
    for i in range(300):
        objects = plan_objects(made, 10.0, truth, np.array([7, 7]), video_rng(0, str(i)))
        assert objects.label[:2].tolist() == [7, 7] and (objects.strength[:2] > 0).all()
        others = objects.label[2:].tolist()
        counts.append(len(others))
        assert 7 not in others and len(set(others)) == len(others)
        assert ((objects.strength[2:] > 0).sum(axis=1) == 1).all()
        assert (objects.start_s >= 0).all() and (objects.end_s <= 10 + 1e-9).all()
    assert abs(np.mean(counts) - 2) < 0.25


def test_sight_and_sound_lie_apart_by_half_a_second_at_most() -> None:
    made = world(replace(CALM, asynchrony_s=0.5))
    apart = []
    for i in range(200):
        objects = plan_objects(made, 10.0, Events([2], [6], ["x"]), np.array([7]), video_rng(0, str(i)))
        apart.append(float(objects.lag_s[0, 1] - objects.lag_s[0, 0]))
    assert max(np.abs(apart)) <= 0.5 and max(apart) > 0.4 and min(apart) < -0.4
    rng = np.random.default_rng(0)
    see, hear = (
        _gain(world(replace(CALM, ramp_s=(1e-3, 1e-3))), m, one(5, 10, lag_s=0.25), np.array([0]), 60, rng)[:, 0]
        for m in range(2)
    )
    assert np.allclose(see[:-2], hear[2:])  # two steps of 0.25 s apart


def test_gain_varies_within_an_event_and_drops_out() -> None:
    rng, there = np.random.default_rng(0), np.array([0])
    steady = _gain(world(), 0, one(0, 60), there, 237, rng)[10:-10, 0]
    assert np.allclose(steady, 1)
    varied = np.log(_gain(world(replace(CALM, gain=0.4)), 0, one(0, 60), there, 237, rng)[10:-10, 0])
    assert 0.2 < varied.std() < 0.6
    config = replace(CALM, dropouts_per_10_s=2.0, dropout_gain=0.1)
    dropped = np.concatenate([_gain(world(config), 0, one(0, 60), there, 237, rng)[10:-10, 0] for _ in range(20)])
    assert math.isclose(dropped.min(), 0.1, rel_tol=1e-3) and dropped.max() == 1
    assert 0.1 < (dropped < 0.5).mean() < 0.35  # two in 10 s, of 1.25 s each, some over one another


def test_one_modality_is_far_from_enough() -> None:
    """Steps of single events told by a matched filter that knows the prototypes."""
    made = world(strengths_of(1))
    right = np.zeros((3, 0))
    rng = np.random.default_rng(0)
    for i in range(60):
        label = np.array([int(rng.integers(CLASSES))])
        features = simulate_video(made, str(i), 22.0, Events([2], [20], ["x"]), label)
        steps = slice(16, 65)
        scores = [features[m][steps] @ made.embeddings[m].T @ made.prototypes[m].T for m in range(2)]
        told = np.stack([s.argmax(axis=1) == label[0] for s in (*scores, scores[0] + scores[1])])
        right = np.concatenate([right, told], axis=1)
    visual, audio, both = right.mean(axis=1)
    assert max(visual, audio) < 0.75 and both > max(visual, audio) + 0.1 and both < 0.97


def test_overlapping_noise_is_shared_by_steps_whose_windows_overlap() -> None:
    noise = _overlapping(np.random.default_rng(0), 4000, 8, GRID)
    lasting = [float((noise[lag:] * noise[: len(noise) - lag]).mean()) for lag in range(6)]
    assert np.allclose(lasting, [1, 0.75, 0.5, 0.25, 0, 0], atol=0.03)


def test_in_the_control_both_modalities_move_together() -> None:
    moved = replace(CALM, modalities="together", level=0.3, gain=0.4, dropouts_per_10_s=2, asynchrony_s=0.5)
    made = world(moved)
    truth, label = Events([2], [18], ["x"]), np.array([5])
    see, hear = simulate_video(made, "v", 20.0, truth, label)
    gains = [
        (side @ made.embeddings[m].T / 80) @ made.prototypes[m][5] for m, side in enumerate((see, hear))
    ]  # rows of length sqrt(W) undo themselves
    assert np.allclose(gains[0], gains[1], atol=1e-4) and np.std(gains[0][8:60]) > 0.1
    apart = simulate_video(world(replace(moved, modalities="apart")), "v", 20.0, truth, label)
    gains = [(side @ made.embeddings[m].T / 80) @ made.prototypes[m][5] for m, side in enumerate(apart)]
    assert np.abs(gains[0] - gains[1]).max() > 0.2
    drift = world(replace(CALM, modalities="together", background=1.0))
    see, hear = simulate_video(drift, "v", 60.0, Events(), np.zeros(0, np.intp))
    mine, other = (
        side @ drift.embeddings[m].T / 80 @ drift.scenery.mixtures[m].T for m, side in enumerate((see, hear))
    )
    assert np.allclose(mine, other, atol=1e-4) and mine.std() > 0.1


def test_editions_differ_in_what_came_later_alone() -> None:
    first, second = strengths_of(1), strengths_of(2)
    assert (first.edition, second.edition) == (1, 2) and second == SimulationConfig()
    assert "scene" not in first.recorded() and "scene" in second.recorded()
    assert (first.name(), second.name()) == ("1", "2")
    changed = strengths_of(1, replace(second, noise=0.5))
    assert changed == replace(first, noise=0.5) and changed.name().startswith("1, strengths ")
    assert changed.name() != strengths_of(1, replace(second, noise=0.4)).name()
    with pytest.raises(ConfigError, match="no edition 3"):
        strengths_of(3)  # type: ignore[arg-type]


def test_no_event_at_all() -> None:
    visual, _ = simulate_video(world(SimulationConfig()), "v", 0.2, Events(), np.zeros(0, np.intp))
    assert visual.shape == (1, 80) and np.isfinite(visual).all()


def test_steps_are_those_of_the_released_features() -> None:
    assert steps_in(GRID, 60.0) == 237 and steps_in(TimeGrid(0.32, 0.96), 60.0) == 185 and steps_in(GRID, 0.5) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"latent": 0}, "latent is 0"),
        ({"similarity": 1.5}, "similarity is 1.5"),
        ({"noise": -1.0}, "noise is -1"),
        ({"gain": math.nan}, "gain is nan"),
        ({"wander_s": 0.0}, "wander_s is 0"),
        ({"ramp_s": (2.0, 1.0)}, "ramp_s is 2 to 1"),
        ({"dropout_s": (0.0, 1.0)}, "dropout_s is 0 to 1"),
        ({"scene": (1.0, -1.0)}, "scene is 1, -1"),
        ({"shared_directions": 65}, "shared_directions is 65; latent, 64, is the most"),
    ],
)
def test_strengths_out_of_range(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SimulationConfig(**wrong)  # type: ignore[arg-type]


def test_features_too_narrow() -> None:
    with pytest.raises(ConfigError, match="visual features of width 63 cannot hold 64 latent dimensions"):
        world(width=63)
