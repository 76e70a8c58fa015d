"""Sequences of evidence: what is chosen, cut, made fainter, taken apart; batches are functions of seed and place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.datasets.evidence import (
    HEARD,
    LESSER,
    OF_SIGHT,
    OF_SOUND,
    SEEN,
    Evidence,
    EvidenceBatches,
    EvidenceSequence,
    Mixture,
    crop_evidence,
    fainter,
    measured_noise,
    sequences_of,
    within,
)
from avloc.datasets.labelled import LabelledVideo
from avloc.errors import ConfigError, TrainingError
from avloc.events import Events
from avloc.features.sequence import FeatureSequence
from avloc.streams import Streams
from avloc.timegrid import TimeGrid

C, NOISE = 12, np.array([0.01, 0.01], np.float32)
GRID = TimeGrid.centred(0.5, 1.0)


def sequence(
    T: int = 60, events: tuple[tuple[float, float], ...] = ((10, 20),), fill: float = 0.5
) -> EvidenceSequence:
    channels = np.full((C, T), 0.1, np.float32)
    for a, b in events:
        channels[:, int(a) : int(b)] = fill
    return EvidenceSequence(channels, np.array(events, np.float32).reshape(-1, 2), NOISE)


def several() -> list[EvidenceSequence]:
    """With events, unseen and unheard."""
    return [sequence(), sequence(90, ((3, 40), (50, 80))), sequence(40, ()), sequence(200, ())]


def labelled(T: int, events: Events) -> LabelledVideo:
    nothing = np.zeros((T, 0), np.float32)
    features = FeatureSequence(GRID, T * 0.5, nothing, nothing, nothing, nothing, Streams.all("test"))
    return LabelledVideo("v", features, events)


def test_noise_is_what_videos_without_the_class_have() -> None:
    rng = np.random.default_rng(0)
    heard, seen = rng.uniform(0, 0.1, (2, 4000, 2)).astype(np.float32)
    heard[:2000, 0] = 0.9  # where it is, in the first video
    around = np.zeros((2000, 4), np.float32)
    videos = [Evidence(h, s, around) for h, s in zip(np.split(heard, 2), np.split(seen, 2), strict=True)]
    noise = measured_noise(videos, [np.array([True, False]), np.array([False, False])])
    # Twice the 0.9 quantile by ear and twice the median by eye.
    assert noise[0] == pytest.approx([0.18, 0.18], abs=0.01) and noise[1] == pytest.approx([0.1, 0.1], abs=0.01)
    everywhere = measured_noise(videos, [np.array([True, True])] * 2)
    assert everywhere.tolist() == [[np.float32(1e-3)] * 2, [np.float32(5e-4)] * 2]


def test_classes_with_events_and_those_taken_for_one_are_chosen() -> None:
    K, T = 30, 40
    labels = [f"c{k:02d}" for k in range(K)]
    channels = np.random.default_rng(0).uniform(0, 0.05, (K, C, T)).astype(np.float32)
    channels[3, :2, 10:20] = 0.9  # an event that is known
    channels[4, HEARD, 10:20] = 0.9  # an event that is not seen
    channels[7, :2, 30] = 0.8  # taken for one
    truth = Events([5.0, 5.0], [10.0, 10.0], ["c03", "c04"])
    found = sequences_of(labelled(T, truth), channels, labels, np.full((2, K), 0.01), np.random.default_rng(0))
    with_events = [s for s in found if len(s.segments)]
    assert len(with_events) == 1 and np.array_equal(with_events[0].channels, channels[3])
    assert with_events[0].segments == pytest.approx(np.array([[9.5, 19.5]]))  # of the grid's middles
    assert any(np.array_equal(s.channels, channels[7]) for s in found)
    assert len(found) == 1 + 8 + 4 + 2 + 2
    few = sequences_of(labelled(T, truth), channels[:5], labels[:5], np.full((2, 5), 0.01), np.random.default_rng(0))
    assert len(few) == 4  # no more than there are, without the event that is not seen


def test_an_event_has_at_least_one_step() -> None:
    channels = np.arange(24, dtype=np.float32).reshape(2, 12)
    assert within(channels, 3.2, 5.9).tolist() == [[4, 5], [16, 17]]
    assert within(channels, 3.2, 3.4).shape == (2, 1)
    assert within(channels, -3.0, -2.0).tolist() == [[0], [12]] and within(channels, 30, 40).tolist() == [[11], [23]]


@given(st.floats(0, 1), st.floats(0, 5), st.floats(1e-3, 0.2))
def test_fainter_evidence_is_that_share_of_the_evidence(evidence: float, by: float, noise: float) -> None:
    def bright(e: float) -> float:
        return float(np.log1p(e / noise) / np.log1p(1 / noise))

    assert fainter(np.array([bright(evidence)]), by, noise)[0] == pytest.approx(
        bright(evidence * np.exp(-by)), abs=1e-5
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 120))
def test_a_crop_keeps_events_where_they_are(seed: int, length: int) -> None:
    whole = sequence(90, ((3, 40), (50, 52), (55, 80)), fill=0.8)
    whole = EvidenceSequence(np.concatenate([whole.channels[:11], np.arange(90.0)[None]]), whole.segments, NOISE)
    cropped = crop_evidence(whole, length, np.random.default_rng(seed))
    first = float(cropped.channels[11, 0])  # the last channel says where the crop lies
    assert cropped.channels.shape == (C, min(length, 90))
    for start, end in cropped.segments:
        match = [s for s in whole.segments if s[0] - 0.5 <= start + first and end + first <= s[1] + 0.5]
        assert len(match) == 1
        assert end - start >= 4 or end - start > 0.35 * (match[0][1] - match[0][0])
    assert np.array_equal(whole.channels[2, :3], np.full(3, 0.1, np.float32))  # what was cropped is as it was


def test_batches_depend_on_seed_epoch_and_step_alone() -> None:
    mixture = Mixture(crop_steps=(8, 60), batch_steps=600, steps=4)
    one, other = EvidenceBatches(several(), mixture, 3, 8), EvidenceBatches(several(), mixture, 3, 8)
    whole, rest = list(one.epoch(2, 0, 0, 1)), list(other.epoch(2, 2, 0, 1))
    assert len(whole) == one.steps == 4
    for a, b in zip(whole[2:], rest, strict=True):
        assert all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("visual", "mask", "segments", "labels"))
    assert not np.array_equal(whole[0].visual, next(iter(one.epoch(3, 0, 0, 1))).visual)
    again = next(iter(EvidenceBatches(several(), mixture, 4, 8).epoch(2, 0, 0, 1)))
    assert whole[0].visual.shape != again.visual.shape or not np.array_equal(whole[0].visual, again.visual)


def test_a_batch_has_channels_of_one_class_and_no_sound() -> None:
    batches = EvidenceBatches(several(), Mixture(crop_steps=(8, 60), batch_steps=600), 0, 8)
    batch = next(iter(batches.epoch(1, 0, 0, 1)))
    B, T = batch.mask.shape
    assert batch.visual.shape == (B, T, C) and batch.audio.shape == (B, T, 0) and T % 8 == 0 and B >= 16
    assert set(np.unique(batch.labels)) == {-1, 0} and batch.mask.any(axis=1).all()
    share = (batch.labels >= 0).any(axis=1).mean()
    assert 0.1 < share <= 0.5  # of the third with events some are cut away


def test_processes_share_a_batch_evenly() -> None:
    mixture = Mixture(crop_steps=(8, 8), batch_steps=17 * 8, least_sequences=17, steps=1)
    alone = next(iter(EvidenceBatches(several(), mixture, 0, 8).epoch(1, 0, 0, 1)))
    parts = [next(iter(EvidenceBatches(several(), mixture, 0, 8).epoch(1, 0, rank, 2))) for rank in (0, 1)]
    assert parts[0].visual.shape == parts[1].visual.shape == (9, 8, C)
    assert np.array_equal(parts[0].visual, alone.visual[::2]) and np.array_equal(
        parts[1].visual[:8], alone.visual[1::2]
    )


def test_what_is_taken_apart_is_no_event() -> None:
    full, empty = sequence(60, ((0, 60),), 0.9), sequence(60, ())
    batches = EvidenceBatches([full, empty], Mixture(), 0, 8)
    heard_or_seen = set()
    for seed in range(20):
        x = batches._parted(64, np.random.default_rng(seed))
        assert not len(x.segments)
        by_ear, by_eye = float(x.channels[HEARD].mean()), float(x.channels[SEEN].mean())
        assert min(by_ear, by_eye) < 0.15 and max(by_ear, by_eye) > 0.25
        heard_or_seen.add(by_ear > by_eye)
        for both, heard, seen in LESSER:
            assert np.array_equal(x.channels[both], np.minimum(x.channels[heard], x.channels[seen]))
    assert heard_or_seen == {True, False}


@pytest.mark.parametrize(
    ("sequences", "says"),
    [([], "with events"), ([sequence(60, ())], "with events"), ([sequence()], "without seeing")],
)
def test_too_little_to_learn_from_is_one_clear_line(sequences: list[EvidenceSequence], says: str) -> None:
    with pytest.raises(TrainingError, match=f"none is {says}"):
        EvidenceBatches(sequences, Mixture(), 0, 8)


@pytest.mark.parametrize(
    "wrong", [{"full": 0.8}, {"parted": -0.1}, {"crop_steps": (0, 3)}, {"crop_steps": (9, 3)}, {"steps": 0}]
)
def test_a_wrong_mixture_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="mixture"):
        Mixture(**wrong)  # type: ignore[arg-type]


def test_channels_are_those_of_the_network() -> None:
    torch = pytest.importorskip("torch")
    from avloc.config import GroundedConfig
    from avloc.models.grounded import CHANNELS, Grounded

    assert CHANNELS == C == len({*OF_SOUND, *OF_SIGHT, *(both for both, _, _ in LESSER)})
    network = Grounded(GroundedConfig(3, 9, 8, objects=2))
    network.grounding.alike[0, 1] = network.grounding.alike[1, 0] = 1
    none, some = torch.zeros(1, 4, 3), torch.full((1, 4, 3), 0.5)
    silent, loud = torch.zeros(1, 4, 4), torch.full((1, 4, 4), 0.5)
    by_ear = network.channels(some, none, loud)[0, 0, :, 0]
    by_eye = network.channels(none, some, silent)[0, 0, :, 0]
    assert np.flatnonzero(by_ear.numpy()).tolist() == OF_SOUND.tolist()
    assert np.flatnonzero(by_eye.numpy()).tolist() == OF_SIGHT.tolist()
    both = network.channels(some, some / 2, loud)[0, 0, :, 0]
    assert all(both[b] == torch.minimum(both[h], both[s]) > 0 for b, h, s in LESSER)
