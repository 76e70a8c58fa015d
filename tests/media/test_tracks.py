"""Of several tracks the ones a player would play, of one programme, and none that is silent or stands still."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from numpy.typing import NDArray

from avloc.media.probe import probe
from avloc.media.programmes import programmes
from avloc.media.reader import read_audio, read_frames
from avloc.media.writer import write_video

RATE = 48000
NONE, DEFAULT = Disposition(0), Disposition.default


def moving(level: int, seconds: float = 4.0) -> Iterator[NDArray[np.uint8]]:
    """A bright patch that walks over an even grey."""
    for i in range(round(10 * seconds)):
        picture = np.full((48, 64, 3), level, np.uint8)
        picture[20:28, i % 56 : i % 56 + 8] = 250
        yield picture


def still(level: int, seconds: float = 4.0) -> Iterator[NDArray[np.uint8]]:
    return iter([np.full((48, 64, 3), level, np.uint8)] * round(10 * seconds))


def tone(hertz: float, seconds: float = 4.0, amplitude: float = 0.3) -> NDArray[np.float32]:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def joined(path: Path, *tracks: tuple[Iterator[NDArray[np.uint8]] | NDArray[np.float32], Disposition]) -> Path:
    """A file with these tracks, each with its flags."""
    parts = []
    for number, (track, _) in enumerate(tracks):
        part = path.with_name(f"part{number}.mp4")
        sound = isinstance(track, np.ndarray)
        write_video(part, None if sound else track, 10, track if sound else None, RATE)
        parts.append(part)
    with av.open(str(path), "w") as target:
        sources = [av.open(str(part)) for part in parts]
        streams = [target.add_stream_from_template(source.streams[0]) for source in sources]
        for stream, (_, flags) in zip(streams, tracks, strict=True):
            stream.disposition = flags
        packets = [(p, s) for source, s in zip(sources, streams, strict=True) for p in source.demux() if p.size]
        for packet, stream in sorted(packets, key=lambda pair: float((pair[0].dts or 0) * pair[0].time_base)):
            packet.stream = stream
            target.mux(packet)
        for source in sources:
            source.close()
    return path


def pitch(path: Path) -> float:
    wave = np.concatenate(list(read_audio(path)))
    return float(np.argmax(np.abs(np.fft.rfft(wave[16000:32000]))))


def level(path: Path) -> float:
    return float(next(iter(read_frames(path, [1.0], (64, 48))))[:10].mean())


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_the_tracks_flagged_as_default(tmp_path: Path, ending: str) -> None:
    path = joined(
        tmp_path / f"a.{ending}",
        (moving(40), NONE), (moving(120), DEFAULT), (tone(500), NONE), (tone(900), DEFAULT),
    )  # fmt: skip
    assert (level(path), pitch(path)) == (pytest.approx(120, abs=4), 900)
    assert probe(path).notes == (
        "of 2 picture tracks number 2 is read",
        "of 2 sound tracks number 2 is read",
    )


@pytest.mark.parametrize("flags", [NONE, DEFAULT])
def test_tracks_that_stand_still_or_are_silent_are_passed_over(tmp_path: Path, flags: Disposition) -> None:
    silence = np.zeros(4 * RATE, np.float32)
    path = joined(
        tmp_path / "a.mkv",
        (still(40), flags), (moving(120), NONE), (silence, flags), (tone(900), NONE), (tone(700), NONE),
    )  # fmt: skip
    assert (level(path), pitch(path)) == (pytest.approx(120, abs=4), 900)


def test_the_first_where_all_are_alike(tmp_path: Path) -> None:
    path = joined(tmp_path / "a.mkv", (moving(40), DEFAULT), (tone(500), NONE), (tone(900), NONE))
    assert pitch(path) == 500
    silence = np.zeros(4 * RATE, np.float32)
    path = joined(tmp_path / "b.mkv", (still(40), NONE), (still(120), DEFAULT), (silence, NONE), (silence, NONE))
    assert level(path) == pytest.approx(120, abs=4)
    assert probe(joined(tmp_path / "c.mkv", (moving(40), DEFAULT), (tone(500), NONE))).notes == ()


def test_a_description_for_the_blind_is_not_the_film_s_sound(tmp_path: Path) -> None:
    path = joined(
        tmp_path / "a.mkv",
        (moving(40), DEFAULT), (tone(500), Disposition.visual_impaired), (tone(900), NONE),
    )  # fmt: skip
    assert pitch(path) == 900


def crc(data: bytes) -> bytes:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value.to_bytes(4, "big")


def table(pid: int, section: bytes) -> bytes:
    """A packet with one section of a table."""
    packet = bytes([0x47, 0x40 | pid >> 8, pid & 255, 0x10, 0]) + section + crc(section)
    return packet.ljust(188, b"\xff")


def with_programmes(path: Path, parts: Sequence[Path]) -> Path:
    """The streams of transport streams side by side, each file a programme, the packets taken in turns."""
    maps = [0x1000 + n for n in range(len(parts))]
    rows = b"".join((n + 1).to_bytes(2, "big") + (0xE000 | pid).to_bytes(2, "big") for n, pid in enumerate(maps))
    packets = [table(0, b"\0" + (0xB000 | 9 + len(rows)).to_bytes(2, "big") + b"\0\1\xc1\0\0" + rows)] * 2
    queues = []
    for number, part in enumerate(parts):
        content, queue = part.read_bytes(), []
        for at in range(0, len(content), 188):
            packet = bytearray(content[at : at + 188])
            pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
            if pid == 0x1000:
                section = packet[5 : 8 + (int.from_bytes(packet[6:8], "big") & 0xFFF) - 4]
                section[3:5] = (number + 1).to_bytes(2, "big")
                row = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
                places = [8]
                while row < len(section):
                    places.append(row + 1)
                    row += 5 + (int.from_bytes(section[row + 3 : row + 5], "big") & 0xFFF)
                for place in places:
                    moved = int.from_bytes(section[place : place + 2], "big") + 16 * number
                    section[place : place + 2] = moved.to_bytes(2, "big")
                queue.append(table(0x1000 + number, bytes(section)))
            elif 0x100 <= pid < 0x1000:
                packet[1:3] = (int.from_bytes(packet[1:3], "big") + 16 * number).to_bytes(2, "big")
                queue.append(bytes(packet))
        queues.append(queue)
    longest = max(map(len, queues))
    for step in range(longest):  # spread evenly: the files run side by side
        for queue in queues:
            packets += queue[step * len(queue) // longest : (step + 1) * len(queue) // longest]
    path.write_bytes(b"".join(packets))
    return path


def test_picture_and_sound_of_one_programme(tmp_path: Path) -> None:
    radio = write_video(tmp_path / "radio.ts", None, 10, tone(500), RATE)
    film = write_video(tmp_path / "film.ts", moving(120), 10, tone(900), RATE)
    other = write_video(tmp_path / "other.ts", moving(60), 10, tone(700), RATE)
    path = with_programmes(tmp_path / "a.ts", [radio, film])
    assert [len(p) for p in programmes(path)] == [1, 2]
    assert (level(path), pitch(path)) == (pytest.approx(120, abs=4), 900)
    path = with_programmes(tmp_path / "b.ts", [radio, other, film])
    assert (level(path), pitch(path)) == (pytest.approx(60, abs=4), 700)
    dead = write_video(tmp_path / "dead.ts", still(20), 10, np.zeros(4 * RATE, np.float32), RATE)
    path = with_programmes(tmp_path / "c.ts", [dead, film])
    assert (level(path), pitch(path)) == (pytest.approx(120, abs=4), 900)


def test_what_is_no_transport_stream_has_no_programmes(tmp_path: Path) -> None:
    for name, content in (("a", b""), ("b", b"\x47" * 5000), ("c", np.random.default_rng(0).bytes(5000))):
        (tmp_path / name).write_bytes(content)
        assert programmes(tmp_path / name) == []
