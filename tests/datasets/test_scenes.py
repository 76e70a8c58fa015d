"""Scenes: classes that come together are near, both modalities share what is asked, distractors belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avloc.datasets.scenes import class_shares, count_together, make_scenery, scene_of
from avloc.datasets.strengths import SimulationConfig

CONFIG = replace(SimulationConfig(), latent=16, shared_directions=4, scene=(2.0, 1.0), shared=0.5)
TOGETHER = count_together((np.array(v, np.intp) for v in [[0, 1], [0, 1, 1], [0], [2, 3], [2], [4]]), 6)


def scenes(config: SimulationConfig, labels: list[int], count: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    scenery, rng = make_scenery(config, TOGETHER, np.random.default_rng(0)), np.random.default_rng(1)
    pairs = [scene_of(scenery, config, np.array(labels, np.intp), rng) for _ in range(count)]
    see, hear = (np.stack([p[m] for p in pairs]) @ np.eye(config.latent, dtype=np.float32) for m in range(2))
    return see, hear


def test_classes_are_counted_by_videos() -> None:
    assert TOGETHER[:2, :2].tolist() == [[3, 2], [2, 2]] and TOGETHER[2, 3] == 1 and TOGETHER[4].tolist()[4] == 1
    assert (TOGETHER == TOGETHER.T).all() and not TOGETHER[5].any()


def test_homes_are_near_for_classes_that_come_together() -> None:
    cosines = []
    for seed in range(200):
        homes = make_scenery(CONFIG, TOGETHER, np.random.default_rng(seed)).homes
        assert np.allclose(np.linalg.norm(homes[:5], axis=1), 2) and not homes[5].any()
        cosines.append([homes[0] @ homes[1], homes[2] @ homes[3], homes[0] @ homes[2], homes[0] @ homes[4]])
    mean = np.mean(cosines, axis=0) / 4
    assert mean[0] > 0.8 and mean[1] > 0.6 and np.abs(mean[2:]).max() < 0.15


def test_scenes_share_as_much_as_asked() -> None:
    see, hear = scenes(CONFIG, [])
    assert np.isclose((see**2).sum(axis=1).mean(), 4, rtol=0.05)
    assert np.isclose((hear**2).sum(axis=1).mean(), 1, rtol=0.05)
    scenery = make_scenery(CONFIG, TOGETHER, np.random.default_rng(0))
    a, b = (side @ mixture.T for side, mixture in zip((see, hear), scenery.mixtures, strict=True))
    correlation = [np.corrcoef(a[:, q], b[:, q])[0, 1] for q in range(4)]
    # In each of 4 of 16 directions 0.5 / 4 is shared, and (1 - 0.5) / 16 is each side's own.
    assert np.allclose(correlation, 0.125 / (0.125 + 0.03125), atol=0.04)
    see, hear = scenes(replace(CONFIG, shared=0), [])
    assert np.abs(see.T @ hear / len(see)).max() < 0.02


def test_classes_settle_a_part_of_the_scene() -> None:
    for belonging in (0.0, 0.27, 1.0):
        see, _ = scenes(replace(CONFIG, belonging=belonging, shared=1.0), [0])
        assert np.isclose((see.mean(axis=0) ** 2).sum() / 4, belonging, atol=0.02)


def test_distractors_come_with_the_video_s_classes() -> None:
    scenery = make_scenery(CONFIG, TOGETHER, np.random.default_rng(0))
    share = np.full(6, 1 / 6)
    share[0] = 0
    found = class_shares(scenery, 0.9, np.array([0, 0]), share)
    assert np.allclose(found, [0, 0.92, 0.02, 0.02, 0.02, 0.02])
    alone = np.where(np.arange(6) == 4, 0, 1 / 6)
    assert class_shares(scenery, 0.9, np.array([4]), alone) is alone  # nothing comes with it
