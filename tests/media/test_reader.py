"""read_frames and read_audio: the right picture and sound at the right time, from any file."""

from __future__ import annotations

import gc
import itertools
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from videos import FORMATS, FPS, SIDES, STEP_LEVELS, beep, beep_in_hiss, cut, flash, index_of, need, onset_s, ramp

from avloc.errors import MediaError
from avloc.media.probe import probe
from avloc.media.reader import read_audio, read_frames
from avloc.media.writer import write_video

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real_dev"
SMALL = (16, 12)


def sound_of(path: Path, sample_rate: int = 16000) -> NDArray[np.float32]:
    return np.concatenate(list(read_audio(path, sample_rate=sample_rate)))


def indices(path: Path, times_s: list[float], *, exact: bool = False) -> list[int]:
    return [index_of(p) for p in read_frames(path, times_s, SMALL, exact=exact)]


def on_screen(starts_s: list[float], time_s: float) -> int:
    """The rule, plainly: the last picture that has begun; the first before that."""
    return max([i for i, start in enumerate(starts_s) if start <= time_s + 1e-4], default=0)


@pytest.mark.parametrize(("ending", "video", "audio", "rate"), FORMATS)
def test_flash_and_beep_are_in_step(tmp_path: Path, ending: str, video: str, audio: str, rate: int) -> None:
    need(video, audio)
    path = tmp_path / f"a.{ending}"
    write_video(path, flash(50, 1.0), FPS, beep(2.5, rate, 1.0), rate, video_codec=video, audio_codec=audio)
    times_s = np.arange(0, 2.5, 0.001)
    bright = np.array([p.mean() > 130 for p in read_frames(path, times_s.tolist(), SMALL)])
    seen_s = times_s[np.argmax(bright)]
    heard_s = onset_s(sound_of(path))
    assert abs(heard_s - seen_s) < 0.010
    # A transport stream has no way to cut the encoder's run-in off: it begins with it, sound and picture alike.
    assert seen_s == pytest.approx(1, abs=0.06 if ending == "ts" else 0.002)


@pytest.mark.parametrize("video", ["libx264", "libx265", "mpeg4", "libvpx-vp9", "mjpeg"])
@pytest.mark.parametrize("step_s", [0.03, 0.32, 1.1])
def test_picture_at_time(tmp_path: Path, video: str, step_s: float) -> None:
    need(video)
    pixels = "yuvj420p" if video == "mjpeg" else "yuv420p"
    path = write_video(
        tmp_path / "a.mkv",
        ramp(70),
        FPS,
        None,
        video_codec=video,
        pixel_format=pixels,
        video_options={"g": "24", "qmax": "3"} if video == "mpeg4" else {"g": "24"},
    )
    times_s = np.arange(0, 4.5, step_s).tolist()
    wanted = [on_screen([i / FPS for i in range(70)], t) for t in times_s]
    assert indices(path, times_s) == wanted  # beyond 3.5 s the last picture stays
    assert indices(path, times_s, exact=True) == wanted


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_variable_rate(tmp_path: Path, ending: str) -> None:
    rng = np.random.default_rng(3)
    starts_s = np.round(np.cumsum(rng.choice([0.01, 0.04, 0.3], 70)), 3)
    starts_s = (starts_s - starts_s[0]).tolist()
    path = write_video(
        tmp_path / f"a.{ending}", ramp(70), FPS, None, frame_times_s=starts_s, video_options={"g": "20"}
    )
    times_s = np.arange(0, starts_s[-1] + 1, 0.17).tolist()
    assert indices(path, times_s) == [on_screen(starts_s, t) for t in times_s]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-1, 5), max_size=12).map(sorted))
def test_any_times_as_if_all_were_decoded(tmp_path_factory: pytest.TempPathFactory, times_s: list[float]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mp4"
    if not path.exists():
        # open GOPs: pictures after a key picture that refer to what lies before it
        options = {"g": "15", "x264-params": "open-gop=1:bframes=4:b-pyramid=normal"}
        write_video(path, ramp(70), FPS, None, video_options=options)
    assert indices(path, times_s) == [on_screen([i / FPS for i in range(70)], t) for t in times_s]


def test_no_time_no_picture_and_endless_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", ramp(10), FPS, None)
    assert indices(path, []) == []
    endless = read_frames(path, (i * 0.1 for i in itertools.count()), SMALL)
    assert [index_of(next(endless)) for _ in range(9)] == [0, 2, 4, 6, 8, 9, 9, 9, 9]


def test_times_must_ascend(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", ramp(10), FPS, None)
    with pytest.raises(ValueError, match="ascend"):
        list(read_frames(path, [0.3, 0.1], SMALL))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_starting_late_in_a_long_file(tmp_path: Path, ending: str) -> None:
    pictures = (np.full((48, 64, 3), 20 + i // 4, np.uint8) for i in range(800))
    path = write_video(tmp_path / f"a.{ending}", pictures, FPS, None, video_options={"g": "60"})
    got = [float(p.mean()) for p in read_frames(path, [25.01, 30.01, 39.01], SMALL)]
    assert got == pytest.approx([20 + 125, 20 + 150, 20 + 195], abs=1.01)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_rotation(tmp_path: Path, turn: int) -> None:
    stored = np.full((SIDES[1], SIDES[0], 3), 60, np.uint8)
    stored[: SIDES[1] // 2, : SIDES[0] // 2] = 220  # a light corner, upper left
    path = write_video(tmp_path / "a.mp4", [stored] * 5, FPS, None, rotation=turn)
    (picture,) = read_frames(path, [0.1], (20, 30))
    assert picture.shape == (30, 20, 3)
    light = (picture[:, :, 0] > 140).reshape(2, 15, 2, 10).mean((1, 3)) > 0.5
    assert np.array_equal(light, np.rot90([[True, False], [False, False]], -turn // 90))


def test_pictures_are_let_go_at_once(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", ramp(60), FPS, None)
    gc.collect()
    gc.disable()  # what needs the collector stays
    try:
        before = sum(isinstance(o, VideoFrame) for o in gc.get_objects())
        for _ in read_frames(path, [i / FPS for i in range(60)], SMALL):
            pass
        assert sum(isinstance(o, VideoFrame) for o in gc.get_objects()) <= before + 2
    finally:
        gc.enable()


@pytest.mark.parametrize("pixels", ["yuv444p", "yuv420p10le", "gray", "yuv422p10le", "yuvj420p"])
def test_pixel_formats(tmp_path: Path, pixels: str) -> None:
    path = write_video(tmp_path / "a.mkv", ramp(40), FPS, None, pixel_format=pixels)
    got = [float(p.mean()) for p in read_frames(path, [0.0, 1.0, 1.9], SMALL)]
    slack = 16 if pixels == "gray" else 3  # the encoder does not mark grey as full or limited range
    assert got == pytest.approx([20, 20 + 20 * STEP_LEVELS, 20 + 38 * STEP_LEVELS], abs=slack)


def test_palette(tmp_path: Path) -> None:
    need("gif")
    path = write_video(tmp_path / "a.gif", ramp(40), FPS, None, video_codec="gif", pixel_format="rgb8")
    assert [float(p.mean()) for p in read_frames(path, [0.0, 1.0], SMALL)] == pytest.approx([20, 80], abs=6)


def test_squeezes_without_aliasing(tmp_path: Path) -> None:
    stripes = np.zeros((240, 320, 3), np.uint8)
    stripes[:, ::2] = 255
    path = write_video(tmp_path / "a.mp4", [stripes] * 3, FPS, None, crf=5)
    (picture,) = read_frames(path, [0.0], (32, 24))
    assert picture.std() < 12
    assert picture.mean() == pytest.approx(127, abs=12)


def test_resolution_changes_midway(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    parts = [
        write_video(tmp_path / f"{i}.ts", ramp(30, sides), FPS, None).read_bytes()
        for i, sides in enumerate([(160, 120), (320, 200)])
    ]
    path.write_bytes(b"".join(parts))  # the clock restarts as well
    got = indices(path, [0.5, 1.0, 2.0, 2.5])
    assert got[:2] == [10, 20]
    assert got[2:] == pytest.approx([10, 20], abs=1)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(("video_start_s", "audio_start_s"), [(0, 1.0), (0.7, 0), (5.0, 5.5)])
def test_streams_that_start_apart(tmp_path: Path, ending: str, video_start_s: float, audio_start_s: float) -> None:
    path = write_video(
        tmp_path / f"a.{ending}",
        flash(60, 1.0),
        FPS,
        beep(2, 48000, 0.5),
        48000,
        video_start_s=video_start_s,
        audio_start_s=audio_start_s,
    )
    times_s = np.arange(0, 4, 0.001)
    bright = [bool(p.mean() > 130) for p in read_frames(path, times_s.tolist(), SMALL)]
    seen_s = times_s[bright.index(True)]
    heard_s = onset_s(sound_of(path))
    assert heard_s - seen_s == pytest.approx(audio_start_s + 0.5 - video_start_s - 1.0, abs=0.01)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_channels_and_rates(tmp_path: Path, channels: int, rate: int) -> None:
    tone = beep(1, rate, 0.4, channels)
    path = write_video(tmp_path / "a.mkv", None, FPS, tone, rate, audio_codec="pcm_s16le")
    got = sound_of(path)
    assert got.dtype == np.float32
    assert len(got) == pytest.approx(16000, abs=2)
    assert onset_s(got) == pytest.approx(0.4, abs=0.001)
    # Equal channels mix to the same level; nothing is clipped.
    assert np.abs(got[7000:9000]).max() == pytest.approx(0.5, abs=0.02)


def test_blocks(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", None, FPS, beep(2.3, 22050, 1), 22050, audio_codec="pcm_s16le")
    blocks = list(read_audio(path, sample_rate=8000, block_s=0.5))
    assert [len(b) for b in blocks[:-1]] == [4000] * 4
    assert len(blocks[-1]) == pytest.approx(2400, abs=2)
    assert np.array_equal(np.concatenate(blocks), sound_of(path, 8000))


def test_gap_is_silence_and_overlap_is_trimmed(tmp_path: Path) -> None:
    def pieces(starts_s: list[float]) -> Path:
        path = tmp_path / "gap.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=16000)
            stream.codec_context.layout = "mono"
            for level, start_s in enumerate(starts_s, 1):
                samples = np.full((1, 16000), level * 1000, np.int16)
                frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
                frame.sample_rate = 16000
                for packet in stream.encode(frame):
                    packet.pts = packet.dts = round(start_s * 16000)
                    container.mux(packet)
        return path

    gap = np.round(sound_of(pieces([0.0, 1.5])) * 32.768).astype(int)
    assert len(gap) == 40000
    assert set(gap[:15900]) == {1}
    assert set(gap[16100:23900]) == {0}
    assert set(gap[24100:]) == {2}
    overlap = np.round(sound_of(pieces([0.0, 0.6])) * 32.768).astype(int)
    assert len(overlap) == 25600
    assert set(overlap[:15900]) == {1}
    assert set(overlap[16100:]) == {2}


def test_sample_rate_changes_midway(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    parts = [
        write_video(tmp_path / f"{rate}.ts", None, FPS, beep(1, rate, 0.5), rate, audio_codec="libmp3lame")
        for rate in (48000, 32000)
    ]
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    got = sound_of(path)
    first = onset_s(got)
    second = 0.9 + onset_s(got[14400:])
    assert first == pytest.approx(0.5, abs=0.08)
    assert second == pytest.approx(1.5, abs=0.2)
    spectrum = np.abs(np.fft.rfft(got[int((second + 0.02) * 16000) :][:2400]))
    assert np.argmax(spectrum) * 16000 / 2400 == pytest.approx(1000, abs=15)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_truncated_gives_what_is_there(tmp_path: Path, ending: str) -> None:
    first = {"movflags": "faststart"} if ending == "mp4" else {}
    path = write_video(
        tmp_path / f"a.{ending}", ramp(60), FPS, beep_in_hiss(3, 48000, 0.5), 48000, container_options=first
    )
    short = cut(path, 0.85)
    assert indices(short, [0.51, 1.01]) == pytest.approx([10, 20], abs=1)
    assert 0.5 < len(sound_of(short)) / 16000 < 2.9
    assert onset_s(sound_of(short)) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_damage_is_passed_over(tmp_path: Path, ending: str) -> None:
    path = write_video(
        tmp_path / f"a.{ending}",
        ramp(70),
        FPS,
        beep_in_hiss(3.5, 48000, 3.0),
        48000,
        container_options={"mkv": {"cluster_time_limit": "200"}}.get(ending, {}),
        video_options={"g": "10"},
    )
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(5)
    for place in rng.integers(len(content) * 3 // 10, len(content) * 5 // 10, 60):
        content[place] = rng.integers(256)
    path.write_bytes(content)
    got = indices(path, np.arange(0.01, 3.5, 0.25).tolist())
    assert len(got) == 14
    assert got[:3] == pytest.approx([0, 5, 10], abs=1)
    assert got[-1] == pytest.approx(65, abs=1)
    assert onset_s(sound_of(path)[46400:]) + 2.9 == pytest.approx(3.0, abs=0.05)


def test_missing_streams(tmp_path: Path) -> None:
    mute = write_video(tmp_path / "mute.mp4", ramp(10), FPS, None)
    with pytest.raises(MediaError, match="no audio"):
        next(read_audio(mute))
    dark = write_video(tmp_path / "dark.mp4", None, FPS, beep(1, 16000, 0.5), 16000)
    with pytest.raises(MediaError, match="no video"):
        next(read_frames(dark, [0.0], SMALL))


def test_nothing_decodes(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", ramp(20), FPS, beep(1, 16000, 0), 16000)
    content = bytearray(path.read_bytes())
    media = content.find(b"mdat")
    size = int.from_bytes(content[media - 4 : media], "big")
    content[media + 4 : media - 4 + size] = b"\xff" * (size - 8)
    path.write_bytes(content)
    with pytest.raises(MediaError, match="not one picture"):
        next(read_frames(path, [0.0], SMALL))
    with pytest.raises(MediaError, match="no sound"):
        next(read_audio(path))


@pytest.mark.skipif(not REAL.is_dir(), reason="the real clips are not beside the checkout")
def test_real_clips() -> None:
    for path in sorted(REAL.glob("*.mp4")):
        info = probe(path)
        times_s = np.arange(0, info.duration_s / 2, 2.3).tolist()
        fast = np.stack(list(read_frames(path, times_s, (64, 64)))).astype(float)
        exact = np.stack(list(read_frames(path, times_s, (64, 64), exact=True)))
        assert len(fast) == len(times_s)
        # The same instants, give or take the deblocking: a neighbouring picture would differ by far more.
        assert np.sqrt(((fast - exact) ** 2).mean((1, 2, 3))).max() < 8
        with av.open(str(path)) as container:  # of two tracks the sound may be the shorter
            track = container.streams.audio[0]
            assert track.duration is not None and track.time_base is not None
            sound_s = float((track.start_time + track.duration) * track.time_base)
        assert len(sound_of(path)) / 16000 == pytest.approx(min(sound_s, info.duration_s), abs=0.15)
