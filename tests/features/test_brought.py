"""Extractors with brought weights, on narrow networks: rows, times, odd videos, identities."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from narrow_weights import add_narrow

from avloc.errors import FeatureError, MediaError
from avloc.features.extractors import brought
from avloc.features.extractors.base import Resources
from avloc.features.extractors.build import build_extractor, extractor_for
from avloc.features.extractors.i3d_vggish import I3dVggish
from avloc.features.extractors.onepeace import OnePeace, OnePeaceImage
from avloc.features.layout import I3D_VGGISH, ONEPEACE
from avloc.features.sequence import FeatureSequence
from avloc.media.writer import write_video
from avloc.streams import Streams
from avloc.timegrid import TimeGrid

ANNOTATIONS = Path(__file__).parents[3] / "shared" / "data" / "unav100_annotations.json"
RATE = 16_000


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return add_narrow(tmp_path_factory.mktemp("brought") / "weights")


@pytest.fixture(scope="module")
def extractor(weights: Path) -> OnePeace:
    return OnePeace(Resources(threads=1, weights=weights))


def tone(seconds: float, from_s: float = 0.0) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    return np.where(t >= from_s, 0.3 * np.sin(2 * np.pi * 440 * t), 0.0).astype(np.float32)


def pictures(seconds: float, fps: int, bright_from_s: float) -> list[np.ndarray]:
    dark, bright = np.full((48, 64, 3), 40, np.uint8), np.full((48, 64, 3), 40, np.uint8)
    bright[:, :32] = 220
    return [bright if i / fps >= bright_from_s else dark for i in range(round(seconds * fps))]


def changes(rows: np.ndarray) -> tuple[int, int]:
    """The first row unlike the first, and the first of those that are like the last."""
    from_first, from_last = (np.abs(rows - rows[i]).max(axis=1) for i in (0, -1))
    span = from_first.max()
    return int((from_first > 0.1 * span).argmax()), int((from_last < 0.1 * span).argmax())


def test_rows_as_the_released_features_of_unav100() -> None:
    """237 rows of ONE-PEACE and 185 of I3D has the longest video, as the data set's own papers count them."""
    i3d, onepeace = I3dVggish(), OnePeace()
    assert onepeace.whole_windows(ONEPEACE.grid, 60.0) == 237 and i3d.whole_windows(I3D_VGGISH.grid, 60.0) == 185
    assert [i3d.whole_windows(I3D_VGGISH.grid, d) for d in (0.97, 1.0, 1.29, 1.32)] == [0, 1, 1, 2]
    assert [onepeace.whole_windows(ONEPEACE.grid, d) for d in (0.96, 1.0, 1.21, 1.25)] == [0, 1, 1, 2]
    if not ANNOTATIONS.is_file():
        pytest.skip(f"{ANNOTATIONS} is not there")
    durations = [entry["duration"] for entry in json.loads(ANNOTATIONS.read_bytes())["database"].values()]
    for made, layout, longest in ((onepeace, ONEPEACE, 237), (i3d, I3D_VGGISH, 185)):
        rows = np.array([made.whole_windows(layout.grid, d) for d in durations])
        assert rows.max() == longest and rows.min() >= 1
        inside = (np.array(durations) - layout.grid.window_s) / layout.grid.stride_s
        assert np.abs(rows - 1 - inside).max() < 1.2  # a window more or less


def test_what_is_seen_and_heard_stands_at_its_time(extractor: OnePeace, tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", pictures(8, 20, 4.0), 20, tone(8, from_s=2.0))
    found = extractor.extract(video, extractor.grid)
    assert len(found) == extractor.grid.length(found.duration_s) and found.grid == ONEPEACE.grid
    assert found.visual.shape[1] == found.audio.shape[1] == 16
    # Step i looks at i / 4 to i / 4 + 1 s: the first that sees 4 s is 12.x, the first that sees nothing else is 16.
    first, whole = changes(found.visual)
    assert first in (12, 13) and whole in (15, 16)
    first, whole = changes(found.audio[:-1])  # the last hears silence behind the end
    assert first in (4, 5) and whole in (7, 8)


def test_variable_frame_rate_and_late_sound(extractor: OnePeace, tmp_path: Path) -> None:
    """Frames at 10 a second until 4 s and at 30 behind; the sound begins at 2 s."""
    path = tmp_path / "v.mkv"
    times = [i / 10 for i in range(40)] + [4 + i / 30 for i in range(120)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        sound = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for time, picture in zip(times, _by_time(times, 4.0), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        block = av.AudioFrame.from_ndarray((tone(6) * 32767).astype(np.int16)[None], format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = RATE, 2 * RATE, Fraction(1, RATE)
        container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    found = extractor.extract(path, extractor.grid)
    assert abs(len(found) - 30) <= 1
    first, whole = changes(found.visual)
    assert first in (12, 13) and whole in (15, 16)
    first, whole = changes(found.audio[:-1])
    assert first in (4, 5) and whole in (7, 8)


def test_a_turned_video_is_seen_upright(extractor: OnePeace, tmp_path: Path) -> None:
    upright = pictures(1, 20, 0.0)
    lying = [np.rot90(picture).copy() for picture in upright]
    one = extractor.extract(write_video(tmp_path / "a.mp4", upright, 20, tone(1)), extractor.grid)
    other = write_video(tmp_path / "b.mp4", lying, 20, tone(1), rotation=90)
    plain = write_video(tmp_path / "c.mp4", lying, 20, tone(1))
    near, far = (
        np.abs(extractor.extract(video, extractor.grid).visual - one.visual).max() for video in (other, plain)
    )
    assert near < 0.2 * far


def _by_time(times: list[float], bright_from_s: float) -> list[np.ndarray]:
    dark, bright = pictures(1, 2, 0.5)
    return [bright if time >= bright_from_s else dark for time in times]


def test_short_silent_and_soundless_videos(extractor: OnePeace, tmp_path: Path) -> None:
    short = write_video(tmp_path / "short.mp4", pictures(0.4, 20, 9), 20, tone(0.4))
    notes: list[str] = []
    rows = FeatureSequence.joined(list(extractor.stream(short, extractor.grid, on_note=notes.append)))
    assert (
        len(rows) == 1 and np.isfinite(rows.visual).all() and any("shorter than a window of 1 s" in n for n in notes)
    )
    silent = write_video(tmp_path / "silent.mp4", pictures(2, 20, 9), 20, np.zeros(2 * RATE, np.float32))
    found = extractor.extract(silent, extractor.grid)
    assert np.isfinite(found.audio).all() and np.ptp(found.audio, axis=0).max() < 1e-5
    none = write_video(tmp_path / "none.mp4", pictures(1, 20, 9), 20, None)
    with pytest.raises(MediaError, match="has no sound"):
        extractor.extract(none, extractor.grid)


def test_stretches_do_not_change_features(
    extractor: OnePeace, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = write_video(tmp_path / "v.mp4", pictures(3, 20, 1.5), 20, tone(3))
    heard: list[int] = []
    whole = FeatureSequence.joined(
        list(extractor.stream(video, extractor.grid, on_sound=lambda block, rate: heard.append(len(block))))
    )
    assert sum(heard) == pytest.approx(3 * RATE, abs=2000)
    monkeypatch.setattr(brought, "CHUNK_STEPS", 3)
    parts = OnePeace(Resources(threads=1, weights=weights, batch=2)).extract(video, extractor.grid)
    np.testing.assert_allclose(parts.visual, whole.visual, atol=1e-4)
    np.testing.assert_allclose(parts.audio, whole.audio, atol=1e-5)
    coarse = extractor.extract(video, TimeGrid(0.5, 1.0))
    np.testing.assert_allclose(coarse.visual, whole.visual[::2][: len(coarse)], atol=1e-4)


def test_half_the_width_is_near_enough(weights: Path, extractor: OnePeace, tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", pictures(1, 20, 0.5), 20, tone(1))
    whole = extractor.extract(video, extractor.grid)
    half = OnePeace(Resources(threads=1, weights=weights, precision="bfloat16")).extract(video, extractor.grid)
    for own, wanted in ((half.visual, whole.visual), (half.audio, whole.audio)):
        cosine = (own * wanted).sum(1) / (np.linalg.norm(own, axis=1) * np.linalg.norm(wanted, axis=1))
        assert cosine.min() > 0.999 and not np.array_equal(own, wanted)


def test_the_picture_in_the_middle(weights: Path, tmp_path: Path) -> None:
    extractor = OnePeaceImage(Resources(threads=1, weights=weights))
    video = write_video(tmp_path / "v.mp4", pictures(4, 20, 2.0), 20, tone(4))
    first, whole = changes(extractor.extract(video, extractor.grid).visual)
    assert first == whole and first in (6, 7)  # the step whose middle is 2 s


def test_identities_tell_the_weights(weights: Path, extractor: OnePeace, tmp_path: Path) -> None:
    streams = pickle.loads(pickle.dumps(OnePeace(Resources(weights=weights)))).streams
    assert streams.visual.startswith("onepeace-video/1+") and streams.audio.startswith("onepeace-audio/1+")
    resources = Resources(weights=weights)
    assert extractor_for(streams, ONEPEACE.grid, resources).name == "onepeace"
    with pytest.raises(FeatureError, match=r"onepeace works on .*, not on"):
        extractor_for(streams, TimeGrid(0.3, 1.0), resources)
    other = Resources(weights=add_narrow(tmp_path / "other", seed=1))
    with pytest.raises(FeatureError, match=r"needs onepeace-video/1\+.*make.*onepeace-video/1\+.*add those"):
        extractor_for(streams, ONEPEACE.grid, other)
    with pytest.raises(
        FeatureError, match=r"weights are missing in .*none: onepeace-video \(onepeace_video_k400.pth"
    ):
        extractor_for(streams, ONEPEACE.grid, Resources(weights=tmp_path / "none"))
    with pytest.raises(FeatureError, match="cannot make from a video"):
        extractor_for(replace(streams, audio="vggish/1+00000000"), ONEPEACE.grid, resources)


def test_released_features_are_taken_as_the_same_with_a_note(weights: Path, tmp_path: Path) -> None:
    released = Streams(visual="onepeace", audio="onepeace")
    extractor = extractor_for(released, ONEPEACE.grid, Resources(threads=1, weights=weights))
    assert extractor.streams == released
    video = write_video(tmp_path / "v.mp4", pictures(1, 20, 9), 20, tone(1))
    notes: list[str] = []
    next(iter(extractor.stream(video, ONEPEACE.grid, on_note=notes.append)))
    assert any("released layout onepeace" in note for note in notes)
    with pytest.raises(FeatureError, match=r"are missing.*i3d-rgb.*i3d-flow.*raft.*vggish"):
        extractor_for(Streams(visual="i3d-vggish", audio="i3d-vggish"), I3D_VGGISH.grid, Resources(weights=weights))


def test_it_says_what_is_needed_without_torch(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    monkeypatch.setattr(brought, "find_spec", lambda name: None)
    with pytest.raises(FeatureError, match=r"onepeace needs torch.*\[train\]"):
        build_extractor("onepeace", Resources(weights=weights)).load()
