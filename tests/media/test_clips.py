"""Clips: cut at any time to within a picture, sound in step, looks kept."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from videos import FORMATS, FPS, beep, flash, index_of, need, onset_s, ramp

from avloc.errors import MediaError
from avloc.media.clips import cut_clip, picture_times, square_size
from avloc.media.orientation import Orientation
from avloc.media.probe import probe
from avloc.media.reader import read_audio, read_frames, read_views
from avloc.media.writer import write_video

FLASH_S = 1.6


def decoded(path: Path) -> tuple[list[tuple[float, NDArray[np.uint8]]], NDArray[np.float32], int]:
    """Pictures with their times and the first channel with its rate, read by libav alone; sound from time zero."""
    with av.open(str(path)) as container:
        pictures = [
            (float(f.time or 0.0), np.asarray(f.to_ndarray(format="gray"), np.uint8))
            for f in container.decode(video=0)
        ]
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].codec_context.sample_rate
        frames = list(container.decode(audio=0))
        lead = np.zeros(round(float(frames[0].time or 0.0) * rate), np.float32)
        return pictures, np.concatenate([lead, *(f.to_ndarray()[0] for f in frames)]), rate


def onsets_s(path: Path) -> tuple[float, float]:
    """When the flash and the beep begin."""
    pictures, sound, rate = decoded(path)
    return next(t for t, p in pictures if p.mean() > 130), onset_s(sound, rate)


def moment_s(source: Path, about_s: float) -> float:
    """When the flash begins on the file's own line of time: a transport stream's begins with the encoder's delay."""
    times = np.arange(about_s - 0.06, about_s + 0.06, 0.002)
    bright = [picture.mean() > 130 for picture in read_frames(source, times, (160, 120))]
    return float(times[bright.index(True)])


@pytest.mark.parametrize(("ending", "video", "audio", "rate"), FORMATS)
def test_flash_and_beep_stay_together(tmp_path: Path, ending: str, video: str, audio: str, rate: int) -> None:
    need(video, audio, "libx264")
    source = tmp_path / f"source.{ending}"
    write_video(source, flash(60, FLASH_S), FPS, beep(3.0, rate, FLASH_S), rate, video_codec=video, audio_codec=audio)
    moment = moment_s(source, FLASH_S)
    for start_s in (0.0, 0.777, 1.5):
        seen, heard = onsets_s(cut_clip(source, tmp_path / "clip.mp4", start_s, 2.4))
        assert abs(seen - (moment - start_s)) <= 0.005
        assert abs(heard - (moment - start_s)) <= 0.02
        assert abs(seen - heard) <= 0.02


@pytest.mark.parametrize("ending", ["mkv", "mp4", "ts"])
def test_a_clip_from_far_inside_is_found_without_drift(tmp_path: Path, ending: str) -> None:
    need("libx264", "aac")
    source = tmp_path / f"long.{ending}"
    write_video(source, flash(60 * FPS, 50.05), FPS, beep(60.0, 44100, 50.05, channels=2), 44100)
    clip = cut_clip(source, tmp_path / "clip.mp4", 49.313, 51.0)
    seen, heard = onsets_s(clip)
    moment = moment_s(source, 50.05)
    assert seen == pytest.approx(moment - 49.313, abs=0.005)
    assert heard == pytest.approx(seen, abs=0.02)
    info = probe(clip)
    assert info.audio is not None and (info.audio.channels, info.audio.sample_rate) == (2, 44100)
    assert info.duration_s == pytest.approx(51.0 - 49.313, abs=0.06)


def test_the_cut_is_exact_to_the_picture(tmp_path: Path) -> None:
    source = write_video(tmp_path / "ramp.mp4", ramp(60), FPS, beep(3.0, 16000, 1.0), crf=5)
    clip = cut_clip(source, tmp_path / "clip.mp4", 0.98, 2.0)
    times = [0.0, *(round(0.02 + k / FPS, 3) for k in range(20))]
    pictures, _, _ = decoded(clip)
    assert [t for t, _ in pictures] == pytest.approx(times, abs=0.001)
    assert [index_of(p) for p in read_frames(clip, [t + 1e-3 for t in times], (160, 120))] == list(range(19, 40))


def test_uneven_times_stay_as_they_are(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.13, 0.5, 0.9, 1.0, 1.7, 1.75, 2.5]
    source = tmp_path / "uneven.mp4"
    write_video(source, ramp(9), FPS, beep(3.0, 16000, 1.0), frame_times_s=times, crf=5)
    assert picture_times(probe(source), 0.12, 1.72) == pytest.approx([0.13, 0.5, 0.9, 1.0, 1.7])
    pictures, _, _ = decoded(cut_clip(source, tmp_path / "clip.mp4", 0.12, 1.72))
    assert [t for t, _ in pictures] == pytest.approx([0.0, 0.01, 0.38, 0.78, 0.88, 1.58], abs=0.002)


def halves(count: int) -> list[NDArray[np.uint8]]:
    """Red over blue."""
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[:60], picture[60:] = (220, 30, 30), (30, 30, 220)
    return [picture] * count


def test_a_turned_video_is_cut_upright(tmp_path: Path) -> None:
    source = write_video(tmp_path / "turned.mp4", halves(20), FPS, beep(1.0, 16000, 0.2), rotation=90)
    info = probe(cut_clip(source, tmp_path / "clip.mp4", 0.2, 0.8)).video
    assert info is not None and (info.width, info.height, info.rotation) == (120, 160, 0)
    picture = next(read_frames(tmp_path / "clip.mp4", [0.0], (120, 160)))
    assert picture[80, 110].tolist() == pytest.approx([220, 30, 30], abs=25)  # the upper half is now the right one
    assert picture[80, 10].tolist() == pytest.approx([30, 30, 220], abs=25)


def test_wide_pixels_become_square(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "wide.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        for picture in halves(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    info = probe(cut_clip(tmp_path / "wide.mp4", tmp_path / "clip.mp4", 0.0, 0.5))
    assert info.video is not None and (info.video.width, info.video.height) == (232, 120)
    assert info.audio is None


@pytest.mark.parametrize(("matrix", "stated"), [(1, 6), (2, 2)])
def test_colours_stay(tmp_path: Path, matrix: int, stated: int) -> None:
    with av.open(str(tmp_path / "hd.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.colorspace = matrix
        for picture in halves(20):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=matrix)))
        container.mux(stream.encode(None))
    cut_clip(tmp_path / "hd.mp4", tmp_path / "clip.mp4", 0.1, 0.5)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        frame = next(container.decode(video=0))
    assert frame.colorspace == stated
    assert frame.to_ndarray(format="rgb24")[20, 80].tolist() == pytest.approx([220, 30, 30], abs=6)


def test_sound_alone_and_sound_that_ends_early(tmp_path: Path) -> None:
    spoken = write_video(tmp_path / "sound.mp4", None, 1, beep(2.0, 48000, 0.5), 48000)
    assert probe(cut_clip(spoken, tmp_path / "a.mp4", 0.25, 1.0)).video is None
    short = write_video(tmp_path / "short.mp4", ramp(60), FPS, beep(1.0, 16000, 0.5), 16000)
    assert probe(cut_clip(short, tmp_path / "b.mp4", 2.0, 2.5)).duration_s == pytest.approx(0.5, abs=0.07)


def test_ends_are_held_within_the_video(tmp_path: Path) -> None:
    source = write_video(tmp_path / "source.mp4", ramp(40), FPS, beep(2.0, 16000, 0.5), 16000)
    assert probe(cut_clip(source, tmp_path / "a.mp4", 1.5, 99.0)).duration_s == pytest.approx(0.5, abs=0.07)
    assert probe(cut_clip(source, tmp_path / "b.mp4", 1.0, 1.0)).duration_s == pytest.approx(0.1, abs=0.07)
    with pytest.raises(MediaError, match=r"ends at 2.0\d s; nothing can be cut out from 3.00 s on"):
        cut_clip(source, tmp_path / "c.mp4", 3.0, 4.0)
    with pytest.raises(ValueError, match="start <= end"):
        cut_clip(source, tmp_path / "c.mp4", 1.0, 0.5)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "b.mp4", "source.mp4"]


@given(st.integers(1, 4000), st.integers(1, 4000), st.floats(0.2, 5.0), st.sampled_from([0, 90, 180, 270]))
def test_square_sizes_are_even_and_of_the_same_shape(width: int, height: int, aspect: float, degrees: int) -> None:
    across, down = square_size(width, height, aspect, Orientation(degrees))
    if degrees in (90, 270):
        across, down = down, across
    assert across % 2 == down % 2 == 0
    assert across == pytest.approx(max(2, width * max(aspect, 1)), abs=1.01) or across == 16384
    assert down == pytest.approx(max(2, height / min(aspect, 1)), abs=1.01) or down == 16384


@pytest.mark.parametrize("channels", [1, 2])
def test_sound_from_a_time_on_is_the_end_of_the_whole(tmp_path: Path, channels: int) -> None:
    """Both decode the same packets: sample for sample, but for the first that the resampler still fills."""
    source = write_video(tmp_path / "s.mkv", None, 1, beep(30.0, 16000, 25.3, channels), 16000, audio_codec="flac")
    whole = np.concatenate(list(read_audio(source, channels=channels)))
    part = np.concatenate(list(read_audio(source, start_s=25.0, channels=channels)))
    assert whole.ndim == channels
    assert len(part) == len(whole) - 25 * 16000
    assert np.allclose(part, whole[25 * 16000 :], atol=1e-4)
    assert list(read_audio(source, start_s=31.0)) == []


def changing(folder: Path) -> Path:
    """Two seconds of 160 x 120, then two of 320 x 120, each red above blue with a white square in its middle."""
    parts = []
    for width in (160, 320):
        picture = np.zeros((120, width, 3), np.uint8)
        picture[:60], picture[60:] = (220, 30, 30), (30, 30, 220)
        picture[40:80, width // 2 - 20 : width // 2 + 20] = 250
        part = write_video(folder / f"{width}.ts", [picture] * 40, FPS, beep(2.0, 48000, 0.5), 48000)
        parts.append(part.read_bytes())
    path = folder / "changing.ts"
    path.write_bytes(b"".join(parts))
    return path


def square_in(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """Height and width of the white square."""
    white = picture.min(axis=2) > 150
    return int(white.any(1).sum()), int(white.any(0).sum())


@pytest.mark.parametrize(("start_s", "sides"), [(0.5, (160, 120)), (2.5, (320, 120))])
def test_pictures_of_another_size_keep_their_proportions(
    tmp_path: Path, start_s: float, sides: tuple[int, int]
) -> None:
    clip = cut_clip(changing(tmp_path), tmp_path / "clip.mp4", start_s, 3.8)
    with av.open(str(clip)) as container:
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert pictures[0].shape == (sides[1], sides[0], 3)
    for picture in (pictures[0], pictures[-1]):
        height, width = square_in(picture)
        assert height == pytest.approx(width, abs=4)
    if start_s < 2:
        assert pictures[-1][:25].max() < 30 and pictures[-1][60 - 15, 30, 0] > 150  # black above, red below it


def test_views_keep_their_proportions_where_the_size_changes(tmp_path: Path) -> None:
    views = [view for _, view in read_views(changing(tmp_path), [0.5, 1.0, 2.5, 3.5], 96, 1) if view is not None]
    assert [v.shape for v in views] == [(96, 128, 3), (96, 128, 3), (96, 256, 3), (96, 256, 3)]
    for view in views:
        height, width = square_in(view)
        assert height == pytest.approx(width, abs=4)


def track_ends_s(path: Path) -> tuple[float, float]:
    """When picture and sound end, by what the file states."""
    with av.open(str(path)) as container:
        tracks = container.streams.video[0], container.streams.audio[0]
        picture, sound = (float((t.start_time + t.duration) * t.time_base) for t in tracks)  # type: ignore[operator]
        return picture, sound


@pytest.mark.parametrize(
    "times", [[0.0], [0.0, 12.0], [0.0, 2.0, 4.0, 6.0, 8.0], [0.0, 0.1, 0.2, 0.3], [k / 3 for k in range(25)]]
)
@pytest.mark.parametrize(("start_s", "end_s"), [(0.0, 6.0), (1.3, 7.9), (5.5, 5.9)])
def test_pictures_last_as_long_as_their_sound(
    tmp_path: Path, times: list[float], start_s: float, end_s: float
) -> None:
    source = tmp_path / "still.mp4"
    write_video(source, ramp(len(times)), FPS, beep(8.0, 48000, 5.6), 48000, frame_times_s=times)
    clip = cut_clip(source, tmp_path / "clip.mp4", start_s, end_s)
    picture_s, sound_s = track_ends_s(clip)
    assert sound_s == pytest.approx(end_s - start_s, abs=0.07)
    assert picture_s == pytest.approx(sound_s, abs=0.3)
    last = [index_of(p) for p in read_frames(clip, [0.0, end_s - start_s - 0.01], (16, 12))]
    assert last == [max(i for i, t in enumerate(times) if t <= moment + 1e-3) for moment in (start_s, end_s - 0.01)]
