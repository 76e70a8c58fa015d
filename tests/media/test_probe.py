"""probe: what a file holds, and one clear line for what is no media file."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from videos import FORMATS, FPS, SIDES, beep, cut, need, ramp

from avloc.errors import MediaError
from avloc.media.probe import probe
from avloc.media.writer import write_video

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real_dev"


def one_line(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        probe(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize(("ending", "video", "audio", "rate"), FORMATS)
def test_states_streams_and_length(tmp_path: Path, ending: str, video: str, audio: str, rate: int) -> None:
    need(video, audio)
    path = tmp_path / f"a.{ending}"
    write_video(path, ramp(40), FPS, beep(2, rate, 1, 2), rate, video_codec=video, audio_codec=audio)
    info = probe(path)
    assert info.path == path
    assert info.duration_s == pytest.approx(2, abs=0.1)
    assert info.video is not None and info.audio is not None
    assert (info.video.width, info.video.height) == SIDES
    assert info.video.fps == pytest.approx(FPS)
    assert info.video.duration_s == pytest.approx(2, abs=0.06)
    assert info.audio.channels == 2
    assert info.audio.sample_rate == rate
    assert min(info.video.start_s, info.audio.start_s) == 0


@pytest.mark.parametrize(
    ("ending", "options"), [("mp4", {"movflags": "faststart"}), ("mp4", {"movflags": "frag_keyframe"}), ("mkv", {})]
)
def test_a_file_that_ends_early_is_told(tmp_path: Path, ending: str, options: dict[str, str]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (80, 48, 64, 3), np.uint8)
    plain = write_video(tmp_path / "plain.mp4", iter(noise), FPS, beep(4, 16000, 1), 16000)
    whole, part = tmp_path / f"whole.{ending}", tmp_path / f"part.{ending}"
    with av.open(str(plain)) as read, av.open(str(whole), "w", options=options) as written:
        streams = {s.index: written.add_stream_from_template(s) for s in read.streams}  # type: ignore[arg-type]
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                written.mux(packet)
    assert probe(whole).notes == ()
    content = whole.read_bytes()
    part.write_bytes(content[: len(content) * 6 // 10])
    info = probe(part)
    assert 0.5 < info.duration_s < 3
    (note,) = info.notes
    assert "ends early" in note and f"{info.duration_s:.1f} s are there of the 4." in note


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_swaps_the_sides(tmp_path: Path, turn: int) -> None:
    info = probe(write_video(tmp_path / "a.mp4", ramp(10), FPS, None, rotation=turn))
    assert info.video is not None
    assert info.video.rotation == turn
    assert (info.video.width, info.video.height) == (SIDES if turn == 180 else SIDES[::-1])


def test_late_streams_start_relative_to_the_earliest(tmp_path: Path) -> None:
    info = probe(write_video(tmp_path / "a.mkv", ramp(40), FPS, beep(2, 48000, 1), 48000, video_start_s=0.7))
    assert info.video is not None and info.audio is not None
    assert info.video.start_s == pytest.approx(0.7, abs=0.03)
    assert info.audio.start_s == 0
    assert info.duration_s == pytest.approx(2.7, abs=0.03)


def test_one_stream_alone(tmp_path: Path) -> None:
    mute = probe(write_video(tmp_path / "mute.mp4", ramp(10), FPS, None))
    assert mute.video is not None and mute.audio is None
    sound = probe(write_video(tmp_path / "sound.mp4", None, FPS, beep(1, 16000, 0.5), 16000))
    assert sound.audio is not None and sound.video is None
    assert sound.duration_s == pytest.approx(1, abs=0.1)


def test_length_is_measured_where_the_header_lies_or_is_silent(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", ramp(40), FPS, beep(2, 48000, 1), 48000)
    content = bytearray(path.read_bytes())
    for box, at in ((b"mvhd", 20), (b"mdhd", 20)):
        place = content.find(box)
        while place >= 0:
            struct.pack_into(">I", content, place + at, 4_000_000_000)
            place = content.find(box, place + 1)
    path.write_bytes(content)
    assert probe(path).duration_s == pytest.approx(2, abs=0.1)

    need("libvpx-vp9", "libopus")
    live = write_video(
        tmp_path / "live.webm",
        ramp(40),
        FPS,
        beep(2, 48000, 1),
        48000,
        video_codec="libvpx-vp9",
        audio_codec="libopus",
        container_options={"live": "1"},
    )
    assert probe(live).duration_s == pytest.approx(2, abs=0.1)


def test_joined_transport_streams_go_on(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.ts", ramp(40), FPS, beep(2, 48000, 1), 48000)
    path.write_bytes(path.read_bytes() * 2)
    assert probe(path).duration_s == pytest.approx(4, abs=0.15)


def test_truncated(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", ramp(60), FPS, beep(3, 48000, 1), 48000)
    assert "whole" in one_line(cut(path, 0.6))  # the index lies at the end
    first = {"movflags": "faststart"}
    path = write_video(tmp_path / "b.mp4", ramp(60), FPS, beep(3, 48000, 1), 48000, container_options=first)
    assert 0.2 < probe(cut(path, 0.6)).duration_s < 2.8


def test_what_is_no_media_file(tmp_path: Path) -> None:
    assert "no such file" in one_line(tmp_path / "absent.mp4")
    assert "folder" in one_line(tmp_path)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "empty" in one_line(empty)
    for name in ("text.txt", "text.mp4", "text"):
        text = tmp_path / name
        text.write_text("no video at all\n" * 200)
        one_line(text)
    for name in ("picture.png", "picture.jpg"):
        picture = tmp_path / name
        Image.new("RGB", (64, 48)).save(picture)
        one_line(picture)
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(np.random.default_rng(0).bytes(50_000))
    one_line(noise)
    titles = tmp_path / "titles.srt"
    titles.write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n\n")
    assert "neither" in one_line(titles)


def test_a_playlist_opens_nothing_else(tmp_path: Path) -> None:
    write_video(tmp_path / "part.ts", ramp(20), FPS, None)
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\npart.ts\n#EXT-X-ENDLIST\n")
    one_line(playlist)


def test_absurd_size_is_refused(tmp_path: Path) -> None:
    need("ffv1")
    wide = (320, 258)
    path = write_video(tmp_path / "a.mkv", ramp(3, wide), FPS, None, video_codec="ffv1")
    width = b"\xb0\x82" + struct.pack(">H", wide[0])  # Matroska's PixelWidth
    content = path.read_bytes()
    assert content.count(width) == 1
    path.write_bytes(content.replace(width, b"\xb0\x82" + struct.pack(">H", 20_000)))
    assert "20000 x 258" in one_line(path)


def test_no_picture_decodes(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", ramp(20), FPS, None)
    content = bytearray(path.read_bytes())
    media = content.find(b"mdat")
    size = struct.unpack(">I", content[media - 4 : media])[0]
    content[media + 4 : media - 4 + size] = bytes(size - 8)
    path.write_bytes(content)
    assert "not one picture" in one_line(path)


def test_odd_names(tmp_path: Path) -> None:
    for name in ("a:b.mp4", "100%03d.mp4", "späße mit leer.mp4", "-x.mp4"):
        path = write_video(tmp_path / name, ramp(5), FPS, None)
        assert probe(path).video is not None


@pytest.mark.skipif(not REAL.is_dir(), reason="the real clips are not beside the checkout")
def test_real_clips() -> None:
    paths = sorted(REAL.glob("*.mp4"))
    assert paths
    for path in paths:
        info = probe(path)
        assert info.video is not None and info.audio is not None
        assert 7 < info.duration_s < 20


def test_a_long_step_between_pictures_out_of_order_is_no_length(tmp_path: Path) -> None:
    times_s = [*(0.04 * k for k in range(50)), 6.0, 6.04, 6.8, 6.84]
    path = write_video(tmp_path / "a.mp4", ramp(len(times_s)), FPS, beep(7, 48000, 1), 48000, frame_times_s=times_s)
    assert probe(path).duration_s == pytest.approx(7.0, abs=0.05)
