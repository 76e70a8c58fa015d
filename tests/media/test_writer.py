"""write_video: whole or not at all, and a clear line where it cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from videos import FPS, beep, need, ramp

from avloc.errors import MediaError
from avloc.media.probe import probe
from avloc.media.reader import read_audio, read_frames
from avloc.media.writer import write_video


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    need("ffv1")
    pictures = np.random.default_rng(0).integers(0, 256, (8, 32, 48, 3), np.uint8)
    sound = np.random.default_rng(1).uniform(-1, 1, 16000).astype(np.float32)
    path = write_video(
        tmp_path / "a.mkv",
        iter(pictures),
        8,
        sound,
        16000,
        video_codec="ffv1",
        audio_codec="pcm_s16le",
        pixel_format="bgr0",
    )
    back = np.stack(list(read_frames(path, np.arange(8) / 8 + 0.01, (48, 32))))
    assert np.array_equal(back, pictures)
    assert np.allclose(np.concatenate(list(read_audio(path))), sound, atol=2 / 32768)


def test_leaves_no_temporary_file(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", ramp(5), FPS, beep(0.25, 16000, 0.1), 16000)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", ramp(5), FPS, None)
    old = path.read_bytes()

    def breaks():
        yield from ramp(3)
        raise RuntimeError("the source failed")

    with pytest.raises(RuntimeError, match="source failed"):
        write_video(path, breaks(), FPS, None)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_streams_are_interleaved(tmp_path: Path) -> None:
    """A file cut in the middle has about half of both streams."""
    path = tmp_path / "a.ts"
    write_video(path, ramp(60), FPS, beep(3, 48000, 0, 2), 48000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    info = probe(path)
    assert info.video is not None and info.audio is not None
    assert info.video.duration_s is not None and info.audio.duration_s is not None
    assert abs(info.video.duration_s - info.audio.duration_s) < 1.2
    assert info.video.duration_s < 2.9


@pytest.mark.parametrize(
    ("name", "video", "audio"),
    [
        ("a.webm", "libx264", "libopus"),
        ("a.mp4", "no_such_encoder", "aac"),
        ("a.mp4", "libx264", "no_such_encoder"),
        ("a.no_such_ending", "libx264", "aac"),
        ("absent/a.mp4", "libx264", "aac"),
    ],
)
def test_cannot_be_written(tmp_path: Path, name: str, video: str, audio: str) -> None:
    with pytest.raises(MediaError) as caught:
        write_video(tmp_path / name, ramp(5), FPS, beep(1, 48000, 0), 48000, video_codec=video, audio_codec=audio)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_wrong_shapes(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="neither"):
        write_video(tmp_path / "a.mp4", [], FPS, None)
    with pytest.raises(ValueError, match="even"):
        write_video(tmp_path / "a.mp4", ramp(2, (31, 20)), FPS, None)
    with pytest.raises(ValueError, match="height, width, 3"):
        write_video(tmp_path / "a.mp4", [np.zeros((20, 20), np.uint8)], FPS, None)
    with pytest.raises(ValueError, match="same for all"):
        write_video(tmp_path / "a.mp4", [*ramp(1, (32, 20)), *ramp(1, (32, 24))], FPS, None)
    with pytest.raises(ValueError, match="channels"):
        write_video(tmp_path / "a.mp4", None, FPS, np.zeros((100, 5), np.float32), 16000)
    assert list(tmp_path.iterdir()) == []
