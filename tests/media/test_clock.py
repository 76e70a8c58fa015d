"""Clocks of files that restart, leap or stray: one line of time, sound and picture in step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.packet import Packet
from videos import beep, need

from avloc.media.clock import JOINED, STRAYED
from avloc.media.probe import probe
from avloc.media.reader import read_audio, read_frames
from avloc.media.writer import write_video

RATE = 48000
FPS = 20
Change = Callable[[Packet, int, float], bool]  # packet, its number in its stream, its time > whether to shift it


def film(path: Path, video: str, audio: str, seconds: float = 12.0) -> Path:
    """A flash of 0.2 s and a beep at 1, 4, 7 ... s."""
    need(video, audio)
    count = round(seconds * FPS)
    frames = (np.full((48, 64, 3), 220 if i % 60 in range(20, 24) else 30, np.uint8) for i in range(count))
    sound = sum(beep(seconds, RATE, at) for at in np.arange(1.0, seconds, 3.0))
    return write_video(
        path,
        frames,
        FPS,
        np.asarray(sound, np.float32),
        RATE,
        video_codec=video,
        audio_codec=audio,
        video_options={"g": "30"},
    )


def moments(path: Path, duration_s: float) -> tuple[list[float], list[float]]:
    """When flashes and beeps begin."""
    times = np.arange(0, duration_s, 0.01)
    bright = np.array([False, *(p.mean() > 128 for p in read_frames(path, times.tolist(), (16, 12)))])
    wave = np.concatenate(list(read_audio(path)))
    loud = np.flatnonzero(np.abs(wave) > 0.1) / 16000
    return times[np.flatnonzero(bright[1:] & ~bright[:-1])].tolist(), loud[np.diff(loud, prepend=-1) > 0.5].tolist()


def check(path: Path, wanted_s: list[float], duration_s: float, note: str | None, loose_s: float = 0.12) -> None:
    info = probe(path)
    assert info.duration_s == pytest.approx(duration_s, abs=0.3)
    assert list(info.notes) == ([] if note is None else [note])
    seen, heard = moments(path, info.duration_s)
    assert seen == pytest.approx(wanted_s, abs=loose_s)
    assert heard == pytest.approx(wanted_s, abs=loose_s)
    assert np.abs(np.array(seen) - heard).max() < 0.06


def shifted(source: Path, target: Path, seconds: float, change: Change) -> Path:
    """A copy, the stamps of some packets moved."""
    options = {"flvflags": "no_duration_filesize"} if target.suffix == ".flv" else {}
    with av.open(str(source)) as old, av.open(str(target), "w", container_options=options) as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        counts = dict.fromkeys(streams, 0)
        for packet in old.demux():
            if packet.dts is None or packet.pts is None:
                continue
            index = packet.stream_index
            if change(packet, counts[index], float(packet.dts * packet.time_base)):
                packet.pts += round(seconds / packet.time_base)
                if seconds < 0 or change is leaps:
                    packet.dts += round(seconds / packet.time_base)
            counts[index] += 1
            packet.stream = streams[index]
            new.mux(packet)
    return target


def leaps(packet: Packet, number: int, time_s: float) -> bool:
    return time_s >= 6


def strays(packet: Packet, number: int, time_s: float) -> bool:
    return packet.stream.type == "video" and number in (100, 101)


@pytest.mark.parametrize(
    ("ending", "video", "audio"),
    [
        ("vob", "mpeg2video", "mp2"),
        ("mpg", "mpeg2video", "mp2"),
        ("ts", "libx264", "aac"),
        ("ts", "mpeg2video", "mp2"),
        ("webm", "libvpx", "libopus"),
        ("mkv", "libx264", "flac"),
    ],
)
@pytest.mark.parametrize("times", [2, 3])
def test_joined_files_go_on(tmp_path: Path, ending: str, video: str, audio: str, times: int) -> None:
    path = film(tmp_path / f"a.{ending}", video, audio, 12.0)
    if ending == "webm":  # as a browser records it
        with (
            av.open(str(path)) as old,
            av.open(str(tmp_path / "l.webm"), "w", container_options={"live": "1"}) as new,
        ):
            streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
            for packet in old.demux():
                if packet.size:
                    packet.stream = streams[packet.stream_index]
                    new.mux(packet)
        path = tmp_path / "l.webm"
    if (ending, times) == ("mkv", 3):
        pytest.skip("libav finds no third Matroska segment")
    alone = probe(path).duration_s
    seen, _ = moments(path, alone)
    path.write_bytes(path.read_bytes() * times)
    wanted = [moment + alone * k for k in range(times) for moment in seen]
    check(path, wanted, times * alone, JOINED, loose_s=0.1 * times)


@pytest.mark.parametrize("ending", ["flv", "ts"])
@pytest.mark.parametrize("seconds", [40.0, 9568.0])
def test_a_leap_of_the_whole_clock_is_taken_out(tmp_path: Path, ending: str, seconds: float) -> None:
    source = film(tmp_path / "a.mp4", "libx264", "aac")
    path = shifted(source, tmp_path / f"b.{ending}", seconds, leaps)
    check(path, [1, 4, 7, 10], 12, JOINED)


def test_a_gap_of_both_streams_stays_where_the_container_has_no_reason_to_leap(tmp_path: Path) -> None:
    path = shifted(film(tmp_path / "a.mp4", "libx264", "aac"), tmp_path / "b.mkv", 40.0, leaps)
    check(path, [1, 4, 47, 50], 52, None)


@pytest.mark.parametrize("ending", ["mkv", "ts", "mp4", "flv"])
@pytest.mark.parametrize("seconds", [30.0, 9568.0])
def test_stamps_of_pictures_that_stray_are_passed_over(tmp_path: Path, ending: str, seconds: float) -> None:
    path = shifted(film(tmp_path / "a.mp4", "libx264", "aac"), tmp_path / f"b.{ending}", seconds, strays)
    check(path, [1, 4, 7, 10], 12, None if ending == "mp4" else STRAYED)  # of mp4, probe reads the end alone


@pytest.mark.parametrize("seconds", [30.0, 9568.0])
def test_stamps_of_sound_that_stray_are_passed_over(tmp_path: Path, seconds: float) -> None:
    def change(packet: Packet, number: int, time_s: float) -> bool:
        return packet.stream.type == "audio" and number in (150, 151, 152)

    path = shifted(film(tmp_path / "a.mp4", "libx264", "aac"), tmp_path / "b.mkv", seconds, change)
    check(path, [1, 4, 7, 10], 12, STRAYED)


@pytest.mark.parametrize("ending", ["mkv", "ts", "mp4"])
def test_pictures_that_stand_long_are_no_leap(tmp_path: Path, ending: str) -> None:
    """Sound goes on: the pictures keep their times, though each stands for longer than a restart's leap."""
    starts = [0.0, 13.0, 27.0, 40.0, 55.0]
    frames = (np.full((48, 64, 3), 20 + 40 * i, np.uint8) for i in range(5))
    sound = beep(60.0, RATE, 40.0)
    path = write_video(tmp_path / f"a.{ending}", frames, FPS, sound, RATE, frame_times_s=starts)
    levels = [float(p.mean()) for p in read_frames(path, [12.8, 13.2, 26.8, 27.2, 39.8, 40.2, 54.8, 55.2], (16, 12))]
    assert levels == pytest.approx([20, 60, 60, 100, 100, 140, 140, 180], abs=3)
    assert probe(path).notes == ()
