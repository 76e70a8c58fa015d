"""The detector with a tiny network of random weights: windows, chunks, and features that do not fit."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.config import DecodingConfig, FeatureConfig, LocoConfig, ModelConfig
from avloc.decoding.candidates import Candidates, decode, find_candidates
from avloc.detector import Detection, Detector
from avloc.errors import FeatureError, MediaError, ModelError
from avloc.features.resize import resized
from avloc.features.sequence import FeatureSequence
from avloc.media.writer import write_video
from avloc.streams import Streams
from avloc.timegrid import TimeGrid

torch = pytest.importorskip("torch")

from avloc.models.loco.network import Loco  # noqa: E402
from avloc.training.runner import TorchRunner  # noqa: E402

GRID = TimeGrid(0.32, 0.96, -0.32)
T = 32
EMBEDDED = Streams.all("avloc-embedded/3")


def detector(visual_width: int = 6, audio_width: int = 5, scores: bool = False) -> Detector:
    """Four levels, windows of 32 steps: four strides of the coarsest. Scores are high, so that much is found."""
    network = LocoConfig(
        classes=3,
        visual_width=visual_width,
        audio_width=audio_width,
        width=8,
        heads=2,
        ffn_ratio=1.0,
        unimodal_blocks=1,
        levels=4,
        class_prior=0.4,
    )
    torch.manual_seed(0)
    config = ModelConfig(
        "tiny",
        ("a", "b", "c"),
        FeatureConfig(scores=scores),
        network,
        DecodingConfig(min_score=0.01, keep=50),
        window_steps=T,
    )
    return Detector(config, TorchRunner(Loco(network).eval()), threads=1)


@pytest.fixture(scope="module")
def tiny() -> Detector:
    return detector()


def features(steps: int, visual_width: int = 6, audio_width: int = 5) -> FeatureSequence:
    rng = np.random.default_rng(steps)
    visual, audio = (rng.standard_normal((steps, w)).astype(np.float32) for w in (visual_width, audio_width))
    nothing = np.zeros((steps, 0), np.float32)
    return FeatureSequence(GRID, steps * 0.32, visual, audio, nothing, nothing, EMBEDDED)


def in_chunks(whole: FeatureSequence, sizes: Sequence[int]) -> list[FeatureSequence]:
    cuts = [0, *np.cumsum(sizes).tolist()]
    return [
        replace(
            whole,
            grid=whole.grid.shifted(a),
            visual=whole.visual[a:b],
            audio=whole.audio[a:b],
            visual_scores=whole.visual_scores[a:b],
            audio_scores=whole.audio_scores[a:b],
        )
        for a, b in itertools.pairwise(cuts)
    ]


def same(a: Detection, b: Detection) -> bool:
    return a.all_events == b.all_events and a.events == b.events and a.duration_s == b.duration_s


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_it_does_not_matter_in_which_chunks_features_come(tiny: Detector, sizes: list[int]) -> None:
    whole = features(sum(sizes))
    assert same(tiny.detect_features(whole), tiny._detect(iter(in_chunks(whole, sizes))))


@pytest.mark.parametrize("steps", [1, 31, 32, 33, 48, 49, 150])
def test_events_are_sound_whatever_the_length(tiny: Detector, steps: int) -> None:
    found = tiny.detect_features(features(steps))
    events = found.all_events
    assert len(events) > 0
    assert (events.start_s >= 0).all() and (events.end_s <= found.duration_s).all()
    assert (events.end_s > events.start_s).all() and (np.diff(events.score) <= 0).all()
    assert (events.score >= 0.01).all() and (events.score <= 1).all()
    assert found.events == events.above(tiny.config.show_score).by_time()


@pytest.mark.parametrize("steps", [1, 20, 32, 150])
def test_features_are_stretched_where_the_model_asks_for_it(tiny: Detector, steps: int) -> None:
    """A whole video is one window then, on a grid of its own: as validation sees it."""
    stretching = replace(tiny.config, features=replace(tiny.config.features, resize_steps=24))
    whole = features(steps)
    found = Detector(stretching, tiny._run).detect_features(whole)
    given = resized(whole, 24)
    inputs = (np.concatenate([x, np.zeros((8, x.shape[1]), np.float32)]) for x in (given.visual, given.audio))
    scores, segments, _ = tiny._run(*inputs, np.arange(T) < 24)  # type: ignore[call-arg]
    inside = np.concatenate([np.arange(T >> level) < 24 >> level for level in range(4)])
    wanted = decode(
        find_candidates(scores, segments, given.grid, inside, stretching.decoding),
        stretching.labels,
        whole.duration_s,
        stretching.decoding,
    )
    assert found.all_events == wanted and len(wanted) > 0
    assert same(found, Detector(stretching, tiny._run)._detect(iter(in_chunks(whole, [1] * steps))))


def test_a_longer_video_may_have_more_events(tiny: Detector) -> None:
    one, many = (len(tiny.detect_features(features(steps)).all_events) for steps in (32, 150))
    assert one <= tiny.config.decoding.keep < many


def test_what_lies_far_away_does_not_matter(tiny: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two videos that differ behind step 100 give the same candidates from the windows before it."""
    found: list[Candidates] = []
    join = Candidates.join

    def keep(parts: Sequence[Candidates]) -> Candidates:
        found.append(join(parts[:4]))  # windows [0, 32), [16, 48), [32, 64), [48, 80)
        return join(parts)

    monkeypatch.setattr(Candidates, "join", keep)
    one = features(150)
    other = replace(one, visual=one.visual.copy())
    other.visual[100:] = 9.0
    tiny.detect_features(one), tiny.detect_features(other)
    assert len(found[0]) > 0 and np.array_equal(found[0].score, found[1].score)
    assert np.array_equal(found[0].start_s, found[1].start_s)


def test_an_event_in_the_middle_is_found_where_it_is() -> None:
    """A network that sees one loud step and says so: the event lands on it, from whichever window speaks."""
    plain = detector()

    def run(visual: np.ndarray, audio: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, ...]:
        place = np.arange(T, dtype=np.float32)
        scores = np.zeros((T, 3), np.float32)
        scores[:, 1] = 0.9 * ((visual[:, 0] > 5) & mask)
        return scores, np.stack([place - 2, place + 2], axis=1)[:, None], place

    teller = Detector(plain.config, run)
    for at in range(2, 147):
        given = features(150)
        given.visual[:, 0], given.visual[at, 0] = 0.0, 9.0
        (event,) = teller.detect_features(given).all_events
        middle_s = float(GRID.to_seconds(at))
        assert event.label == "b" and event.score == pytest.approx(0.9)
        assert event.start_s == pytest.approx(middle_s - 0.64) and event.end_s == pytest.approx(middle_s + 0.64)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"streams": Streams.all("other/1")}, "are of other/1 (visual, audio), the model reads avloc-embedded/3"),
        ({"streams": replace(EMBEDDED, audio="")}, "are of nothing, the model reads avloc-embedded/3 (audio)"),
        ({"grid": TimeGrid(0.5, 0.96)}, "the model needs TimeGrid"),
        ({"duration_s": 99.0}, "40 steps of features were given for 99 s"),
        ({"visual": np.zeros((40, 7), np.float32)}, "7 and 5 wide, the model needs 6 and 5"),
        ({"audio": np.zeros((40, 1), np.float32)}, "6 and 1 wide"),
    ],
)
def test_features_of_another_kind_are_refused(tiny: Detector, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(FeatureError) as caught:
        tiny.detect_features(replace(features(40), **changes))  # type: ignore[arg-type]
    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_a_model_on_features_that_avloc_cannot_make(tmp_path: Path, tiny: Detector) -> None:
    config = replace(tiny.config, features=FeatureConfig(Streams.all("one-peace/1"), scores=False))
    with pytest.raises(ModelError, match=r"needs features of one-peace/1 \(visual, audio\), which avloc cannot make"):
        Detector(config, tiny._run).detect(tmp_path / "v.mp4")


def test_a_model_on_a_grid_that_its_extractor_has_not(tmp_path: Path, tiny: Detector) -> None:
    config = replace(tiny.config, features=FeatureConfig(stride_s=0.25, window_s=1.0, scores=False))
    with pytest.raises(ModelError, match=r"model tiny: avloc-embedded works on .* not on"):
        Detector(config, tiny._run).detect(tmp_path / "v.mp4")


@pytest.mark.parametrize("stream", ["visual_scores", "audio_scores", "cues"])
def test_a_stream_that_is_not_read_may_be_of_another_making(tiny: Detector, stream: str) -> None:
    given = features(40)
    other = replace(given, streams=replace(EMBEDDED, **{stream: "other/1"}))
    assert same(tiny.detect_features(other), tiny.detect_features(given))


def test_a_file_and_its_features_give_the_same_events(tmp_path: Path) -> None:
    """Twelve seconds: two chunks of the extractor, two windows of the network."""
    rng = np.random.default_rng(0)
    pictures = (np.full((64, 80, 3), 15 * (i // 8), np.uint8) for i in range(48))
    path = write_video(tmp_path / "v.mp4", pictures, 4, rng.normal(0, 0.1, 192_000).astype(np.float32))
    tiny = detector(1280 + 1000, 1024 + 521, scores=True)
    heard: list[int] = []
    found = tiny.detect_fully(path, on_sound=lambda block, rate: heard.append(len(block)))
    assert same(found, tiny.detect_features(tiny.extractor.extract(path, tiny.grid)))
    assert len(found.all_events) > 0 and sum(heard) >= 190_000
    assert tiny.detect(path, min_score=0.2) == found.all_events.above(0.2).by_time()
    assert tiny.detect(path) == found.events


def test_no_file_no_events(tmp_path: Path, tiny: Detector) -> None:
    with pytest.raises(MediaError):
        tiny.detect(tmp_path / "missing.mp4")
