"""The embedded encoders on a whole file: chunks, sound and pictures, endings."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from avloc.errors import FeatureError, MediaError, NothingToDoError
from avloc.features.extractors.embedded import CHUNK_STEPS, EmbeddedExtractor
from avloc.features.sequence import FeatureSequence
from avloc.files import file_hash
from avloc.media.reader import read_audio
from avloc.media.writer import write_video
from avloc.streams import STREAMS
from avloc.timegrid import ALIGNED_STEPS, Stretch, TimeGrid

RATE = 16_000
DURATION_S = 12.0
FPS = 8
GRID = TimeGrid(0.32, 0.96, -0.32)
SQUARE = 224
STEPS = 37  # (12 s - 0.16 s) / 0.32 s: the moments at 0.16 s, 0.48 s, ... inside the video


@pytest.fixture(scope="module")
def extractor() -> EmbeddedExtractor:
    return EmbeddedExtractor(threads=1)


def picture(time_s: float, height: int, width: int) -> NDArray[np.uint8]:
    """A disc on a smooth ground; both change every two seconds, so that a step's picture is told by its time."""
    scene = int(time_s // 2)
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    ground = np.stack([x, y, (x + y) / 2], axis=2)
    ground = 40 + 150 * np.roll(ground, scene, axis=2)
    disc = (x - 0.2 - 0.1 * scene) ** 2 + (y - 0.5) ** 2 < 0.03
    ground[disc] = np.roll([230, 40, 90], scene)
    return ground.astype(np.uint8)


def waveform(duration_s: float = DURATION_S) -> NDArray[np.float32]:
    t = np.arange(round(duration_s * RATE)) / RATE
    noise = np.random.default_rng(0).normal(0, 0.02, len(t))
    tone = 0.4 * np.sin(2 * np.pi * (300 + 200 * (t // 2)) * t) * (t % 2 < 1.2)
    return (tone + noise).astype(np.float32)


def frames(height: int, width: int, duration_s: float = DURATION_S) -> Iterator[NDArray[np.uint8]]:
    return (picture(i / FPS, height, width) for i in range(round(duration_s * FPS)))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of the encoder's own size and sound, both without loss: reading them changes nothing."""
    path = tmp_path_factory.mktemp("embedded") / "v.mkv"
    return write_video(
        path,
        frames(SQUARE, SQUARE),
        FPS,
        waveform(),
        RATE,
        video_codec="ffv1",
        pixel_format="bgr0",
        audio_codec="pcm_s16le",
    )


@pytest.fixture(scope="module")
def extracted(extractor: EmbeddedExtractor, video: Path) -> FeatureSequence:
    return extractor.extract(video, GRID)


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / length, np.float64)


def reading_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("avloc-")]


def test_one_step_for_every_cell_of_the_video(extracted: FeatureSequence, video: Path) -> None:
    assert extracted.duration_s == pytest.approx(DURATION_S, abs=0.05)
    assert len(extracted) == GRID.length(extracted.duration_s) == STEPS
    assert extracted.visual.shape == (STEPS, 1280) and extracted.visual_scores.shape == (STEPS, 1000)
    assert extracted.audio.shape == (STEPS, 1024) and extracted.audio_scores.shape == (STEPS, 521)
    assert extracted.grid == GRID == EmbeddedExtractor.grid and extracted.streams == EmbeddedExtractor.streams
    assert extracted.source_hash == file_hash(video)


def test_chunks_joined_are_the_whole(extractor: EmbeddedExtractor, extracted: FeatureSequence, video: Path) -> None:
    chunks = list(extractor.stream(video, GRID))
    assert [len(c) for c in chunks] == [CHUNK_STEPS, len(extracted) - CHUNK_STEPS]
    assert [c.grid for c in chunks] == [GRID, GRID.shifted(CHUNK_STEPS)]
    for name in STREAMS:
        assert getattr(extracted, name).shape[1] == extractor.widths[name]
        assert np.array_equal(np.concatenate([getattr(c, name) for c in chunks]), getattr(extracted, name)), name


def test_a_stretch_is_read_alone_and_as_in_the_whole(
    extractor: EmbeddedExtractor, extracted: FeatureSequence, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = FeatureSequence.joined(list(extractor.stream(video, GRID, stretch=Stretch(1.0, 2.5))))
    assert len(early) == 23 and early.grid == GRID and early.duration_s == extracted.duration_s  # to 7.5 s
    monkeypatch.setattr("avloc.timegrid.AROUND_S", 1.0)  # the video is short
    late = FeatureSequence.joined(list(extractor.stream(video, GRID, stretch=Stretch(11.5, 99.0))))
    assert ALIGNED_STEPS % CHUNK_STEPS == 0 and late.grid == GRID.shifted(32) and len(late) == len(extracted) - 32
    for part, first, count in ((early, 0, 20), (late, 32, 5)):  # of the 23 some have a nearer look in the whole
        for name in STREAMS:
            here = getattr(extracted, name)[first : first + count]
            assert np.allclose(getattr(part, name)[:count], here, atol=2e-3), name
    with pytest.raises(NothingToDoError, match=r"ends at 12\.\d+ s, and what is asked for begins at 60\.00 s"):
        next(iter(extractor.stream(video, GRID, stretch=Stretch(60.0))))


def test_a_file_says_what_its_pictures_and_sound_say(
    extractor: EmbeddedExtractor, extracted: FeatureSequence
) -> None:
    times_s = GRID.to_seconds(np.arange(len(extracted)))
    shown = np.stack([picture(np.floor(t * FPS + 1e-6) / FPS, SQUARE, SQUARE) for t in times_s])
    direct = extractor.embed(shown, waveform(), GRID)
    assert direct.grid == GRID and direct.duration_s == DURATION_S
    assert cosines(direct.audio, extracted.audio).min() > 0.9999
    assert np.abs(direct.audio_scores - extracted.audio_scores).max() < 0.01
    assert np.abs(direct.visual - extracted.visual).max() < 1e-3
    assert np.abs(direct.visual_scores - extracted.visual_scores).max() < 1e-3
    # And that tells steps apart: the scenes differ.
    assert cosines(direct.visual[:-8], extracted.visual[8:]).max() < 0.95


def test_every_sample_is_heard_once_and_time_goes_to_the_end(extractor: EmbeddedExtractor, video: Path) -> None:
    blocks: list[NDArray[np.float32]] = []
    times_s: list[float] = []
    coarse = TimeGrid.centred(4.0, 0.96)  # its last step ends long before the sound does

    def hear(block: NDArray[np.float32], sample_rate: int) -> None:
        assert sample_rate == RATE
        blocks.append(block)

    for _ in extractor.stream(video, coarse, on_sound=hear, on_seconds=times_s.append):
        pass
    assert np.array_equal(np.concatenate(blocks), np.concatenate(list(read_audio(video, sample_rate=RATE))))
    assert times_s == sorted(times_s) and times_s[-1] == pytest.approx(DURATION_S, abs=0.05)


def test_sound_shorter_than_the_pictures_is_silence_behind(extractor: EmbeddedExtractor, tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mkv", frames(64, 64, 4.0), FPS, waveform(1.5), RATE, audio_codec="pcm_s16le")
    found = extractor.extract(path, GRID)
    silent = extractor.embed(np.zeros((1, SQUARE, SQUARE, 3), np.uint8), np.zeros(RATE, np.float32), GRID)
    assert len(found) == 12
    assert np.allclose(found.audio[6:], silent.audio, atol=1e-4)
    assert not np.allclose(found.audio[3], silent.audio[0], atol=1e-1)


@pytest.mark.parametrize("missing", ["picture", "sound"])
def test_half_a_video_says_why_nothing_can_be_found(
    extractor: EmbeddedExtractor, tmp_path: Path, missing: str
) -> None:
    path = tmp_path / "half.mp4"
    write_video(
        path,
        None if missing == "picture" else frames(64, 64, 1.0),
        FPS,
        None if missing == "sound" else waveform(1.0),
    )
    with pytest.raises(MediaError, match=f"has no {missing}, so no event can be both seen and heard") as caught:
        extractor.extract(path, GRID)
    assert "\n" not in str(caught.value)
    assert reading_threads() == []


def test_windows_of_another_length_are_refused(extractor: EmbeddedExtractor, video: Path) -> None:
    with pytest.raises(FeatureError, match=r"works on TimeGrid\(stride_s=0\.32, window_s=0\.96.*, not on"):
        next(extractor.stream(video, TimeGrid(0.25, 1.0)))
    assert not extractor.works_on(TimeGrid(0.25, 1.0)) and extractor.works_on(TimeGrid(1.0, 0.96))


@pytest.mark.parametrize("taken", [0, 1])
def test_leaving_early_leaves_no_thread_behind(extractor: EmbeddedExtractor, video: Path, taken: int) -> None:
    stream = extractor.stream(video, TimeGrid.centred(0.1, 0.96))
    assert len(list(itertools.islice(stream, taken))) == taken
    assert len(reading_threads()) == taken
    stream.close()  # type: ignore[attr-defined]
    assert reading_threads() == []


def test_an_error_on_the_way_leaves_no_thread_behind(extractor: EmbeddedExtractor, video: Path) -> None:
    def stop(time_s: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extractor.extract(video, GRID, on_seconds=stop)
    assert reading_threads() == []


def test_a_file_lost_while_its_pictures_are_read_is_an_error(extractor: EmbeddedExtractor, tmp_path: Path) -> None:
    """What goes wrong in the reading thread is raised where the features are asked for."""
    whole = write_video(tmp_path / "v.ts", frames(64, 64, 4.0), FPS, waveform(4.0))
    stream = extractor.stream(whole, GRID)
    whole.unlink()
    with pytest.raises(MediaError):
        next(stream)
    assert reading_threads() == []
