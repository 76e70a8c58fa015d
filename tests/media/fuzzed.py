"""Damaged, lying and foreign files to read: mutations of tiny videos, and things that are no video at all."""

from __future__ import annotations

import os
import random
import re
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np

from avloc.media.writer import write_video

FORMATS = (
    ("mp4", "libx264", "aac"),
    ("mkv", "libx264", "aac"),
    ("mkv", "ffv1", "flac"),
    ("webm", "libvpx-vp9", "libopus"),
    ("avi", "mpeg4", "pcm_s16le"),
    ("ts", "libx264", "aac"),
    ("mov", "mpeg4", "pcm_s16le"),
)
Mutation = Callable[[bytes, random.Random], bytes]

_ABSURD = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x00FFFFFF, 0xFFFFFFFE, 0x41414141)
_ATOMS = rb"mvhd|mdhd|tkhd|stts|stsz|stco|stsc|ctts|elst|avc1|mp4a|mp4v|esds|avcC|stsd|hdlr|moov|trak|mdat|ftyp|stss"
_CHUNKS = rb"RIFF|hdrl|avih|strl|strh|strf|movi|idx1|LIST"
_EBML = (
    b"\x16\x54\xae\x6b",  # Tracks
    b"\x15\x49\xa9\x66",  # Info
    b"\x1f\x43\xb6\x75",  # Cluster
    b"\x1a\x45\xdf\xa3",
    b"\x44\x89",  # Duration
    b"\x2a\xd7\xb1",  # TimestampScale
    b"\xb0",  # PixelWidth
    b"\xba",  # PixelHeight
    b"\xb5",  # SamplingFrequency
    b"\x9f",  # Channels
    b"\x63\xa2",  # CodecPrivate
)


def base_files(folder: Path) -> list[Path]:
    """A tiny video of a second and a half in each container that can be written here."""
    t = np.arange(24_000) / 16_000
    wave = (0.3 * np.sin(2 * np.pi * 440 * t) * (t > 0.5)).astype(np.float32)
    found = []
    for i, (ending, video_codec, audio_codec) in enumerate(FORMATS):
        frames = (np.full((48, 64, 3), (12 * k + 30 * i) % 256, np.uint8) for k in range(15))
        path = folder / f"base{i}.{ending}"
        write_video(path, frames, 10, wave, 16_000, video_codec=video_codec, audio_codec=audio_codec)
        found.append(path)
    return found


def flip_bits(data: bytes, lots: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(lots.choice((1, 3, 10, 50, 300))):
        out[lots.randrange(len(out))] ^= 1 << lots.randrange(8)
    return bytes(out)


def flip_header(data: bytes, lots: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(lots.choice((1, 2, 5, 20))):
        out[lots.randrange(min(len(out), 1024))] = lots.randrange(256)
    return bytes(out)


def truncate(data: bytes, lots: random.Random) -> bytes:
    return data[: lots.randrange(1, len(data))]


def behead(data: bytes, lots: random.Random) -> bytes:
    return data[lots.randrange(1, len(data)) :]


def blank(data: bytes, lots: random.Random) -> bytes:
    first = lots.randrange(len(data))
    size = lots.randrange(1, 1 + len(data) // 3)
    fill = bytes(size) if lots.random() < 0.5 else lots.randbytes(size)
    return (data[:first] + fill + data[first + size :])[: len(data)]


def shuffle(data: bytes, lots: random.Random) -> bytes:
    size = lots.choice((16, 188, 512, 2048))
    blocks = [data[i : i + size] for i in range(0, len(data), size)]
    for _ in range(lots.choice((1, 3, 10))):
        a, b = lots.randrange(len(blocks)), lots.randrange(len(blocks))
        match lots.randrange(3):
            case 0:
                blocks[a], blocks[b] = blocks[b], blocks[a]
            case 1:
                blocks.insert(a, blocks[b])
            case _ if len(blocks) > 2:
                del blocks[a]
    return b"".join(blocks)


def absurd_numbers(data: bytes, lots: random.Random) -> bytes:
    """Numbers behind the names of atoms, chunks and elements say something that cannot be."""
    out = bytearray(data)
    places = [m.end() for m in re.finditer(_ATOMS + b"|" + _CHUNKS, data)]
    places += [m.end() for name in _EBML for m in re.finditer(re.escape(name), data[:4096])]
    for _ in range(lots.choice((1, 1, 2, 5))):
        at = lots.choice(places or [0]) + lots.choice((-8, -4, 0, 1, 4, 8, 12, 16, 20, 24, 28, 72, 76))
        order = lots.choice((">I", "<I"))
        if 0 <= at <= len(out) - 4:
            struct.pack_into(order, out, at, lots.choice(_ABSURD))
    return bytes(out)


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    flip_header,
    truncate,
    behead,
    blank,
    shuffle,
    absurd_numbers,
    absurd_numbers,
)


def mutated(bases: list[Path], folder: Path, count: int, seed: int = 0) -> Iterator[tuple[str, Path]]:
    """Kind and path of `count` mutations; some have the head of one file, the tail of another, or a wrong ending."""
    lots = random.Random(seed)
    contents = [(base.suffix, base.read_bytes()) for base in bases]
    for i in range(count):
        ending, data = lots.choice(contents)
        if lots.random() < 0.06:
            kind, other = "splice", lots.choice(contents)[1]
            data = data[: lots.randrange(len(data))] + other[lots.randrange(len(other)) :]
        else:
            mutate = MUTATIONS[i % len(MUTATIONS)]
            kind, data = mutate.__name__, mutate(data, lots)
        if lots.random() < 0.1:
            ending = lots.choice(contents)[0]
        path = folder / f"{i:05d} {kind}{ending}"
        path.write_bytes(data)
        yield kind, path


def _atom(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def _nested(name: bytes, depth: int) -> bytes:
    body = b""
    for _ in range(depth):
        body = _atom(name, body)
    return body


def _nested_ebml(depth: int) -> bytes:
    head = bytes.fromhex(
        "1a45dfa3a34286810142f7810142f2810442f381084282886d6174726f736b6142878104428581 02".replace(" ", "")
    )
    return head + bytes.fromhex("18538067 01ffffffffffffff".replace(" ", "")) + bytes.fromhex("1254c367ff") * depth


def _bomb() -> bytes:
    """A movie header that says it is compressed, and grows a thousandfold."""
    packed = zlib.compress(bytes(200_000_000), 9)
    cmvd = _atom(b"cmvd", struct.pack(">I", 0xFFFFFFF0) + packed)
    return _atom(b"ftyp", b"qt  \0\0\0\0qt  ") + _atom(b"moov", _atom(b"cmov", _atom(b"dcom", b"zlib") + cmvd))


def _png(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def _wav(rate: int, channels: int, size: int) -> bytes:
    head = struct.pack("<HHIIHH", 1, channels, rate, 0xFFFFFFFF & (rate * channels * 2), 2 * channels % 65536, 16)
    return (
        b"RIFF\xff\xff\xff\xffWAVEfmt "
        + struct.pack("<I", 16)
        + head
        + b"data"
        + struct.pack("<I", size)
        + bytes(4000)
    )


FOREIGN: dict[str, bytes | Callable[[], bytes]] = {
    "empty.mp4": b"",
    "one byte.mkv": b"\0",
    "text.mp4": b"no video\n" * 200,
    "text.ts": b"G" * 40_000,
    "page.webm": b"<!doctype html><script>alert(1)</script>" * 30,
    "zeros.avi": bytes(300_000),
    "zeros.mp4": bytes(300_000),
    "noise.mp4": random.Random(1).randbytes(300_000),
    "noise.ts": random.Random(2).randbytes(300_000),
    "noise.mpg": random.Random(3).randbytes(300_000),
    "picture.mp4": _png(64, 64),
    "huge picture.mov": _png(2_000_000_000, 2_000_000_000),
    "huge.gif.mp4": b"GIF89a\xff\xff\xff\xff\xf7\0\0" + bytes(1000),
    "list.mp4": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
    "list.ts": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    "concat.mp4": b"ffconcat version 1.0\nfile /etc/hostname\nfile itself.mp4\n",
    "session.mp4": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "dash.mp4": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period/></MPD>',
    "subtitles.mkv": b"1\n00:00:01,000 --> 00:00:02,000\nhello\n\n" * 20,
    "archive.mp4": b"PK\x03\x04" + bytes(500),
    "packed.mp4": zlib.compress(bytes(1_000_000)),
    "raw.y4m.mp4": b"YUV4MPEG2 W99999 H99999 F25:1 Ip A1:1 C420\nFRAME\n" + bytes(1000),
    "flash.flv": b"FLV\x01\x05\0\0\0\x09\0\0\0\0\x12\xff\xff\xff" + bytes(7) + b"\x02\0\x0aonMetaData\x08\xff" * 50,
    "sound.wav.mp4": _wav(16_000, 1, 4000),
    "absurd sound.avi": _wav(0xFFFFFFFF, 65_535, 0xFFFFFFFF),
    "no rate.avi": _wav(0, 1, 4000),
    "nested atoms.mp4": _atom(b"ftyp", b"isom\0\0\0\0isom") + _nested(b"moov", 20_000),
    "nested tracks.mp4": _atom(b"ftyp", b"isom\0\0\0\0isom") + _atom(b"moov", _nested(b"trak", 20_000)),
    "nested elements.mkv": _nested_ebml(50_000),
    "many atoms.mp4": _atom(b"ftyp", b"isom\0\0\0\0isom") + _atom(b"free", b"") * 100_000,
    "many tracks.mp4": _atom(b"ftyp", b"isom\0\0\0\0isom") + _atom(b"moov", _atom(b"trak", b"") * 50_000),
    "zero atom.mp4": _atom(b"ftyp", b"isom\0\0\0\0isom") + b"\0\0\0\0moov" * 1000,
    "long atom.mp4": _atom(b"ftyp", b"isom\0\0\0\0isom") + b"\0\0\0\x01mdat" + b"\xff" * 8 + bytes(1000),
    "bomb.mov": _bomb,
}  # fmt: skip

NAMES = (
    "plain.mp4", "with space.mp4", " leading.mp4", "trailing .mp4", "-dash.mp4", "--help.mp4", "'quote'.mp4",
    '"double".mp4', "new\nline.mp4", "tab\there.mp4", "bell\x07.mp4", "escape\x1b[31m.mp4", "&amp;.mp4", "100%.mp4",
    "<b>html<script>.mp4", "%s %d.mp4", "%03d.mp4", "{braces}.mp4", "[brackets].mp4", "a:b.mp4", "pipe:1.mp4",
    "concat:a|b.mp4", "back\\slash.mp4", "star*?.mp4", "$HOME `x` $(x).mp4", "ünïcødé.mp4", "日本語 ビデオ.mp4",
    "עברית.mp4", "\U0001f469\u200d\U0001f467.mp4", "e\u0301.mp4", "\u202egnp.mp4", "\ufeff.mp4", "..mp4", "...mp4",
    ". .mp4", "CON.mp4", "a.events.json.mp4", "x" * 240 + ".mp4", "no ending", "#.mp4", "a;b.mp4", "a,b.mp4",
    "=cmd.mp4", "\udcff\udcfe.mp4",
)  # fmt: skip


def foreign(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files that are no video, or lie in their headers."""
    for name, content in FOREIGN.items():
        path = folder / name
        path.write_bytes(content() if callable(content) else content)
        yield "foreign", path


def special(folder: Path) -> Iterator[tuple[str, Path]]:
    """What lies in a folder and is no regular file."""
    (folder / "folder.mp4").mkdir()
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    (folder / "dangling.mp4").symlink_to(folder / "nowhere.mp4")
    (folder / "device.mp4").symlink_to("/dev/zero")
    (folder / "terminal.mp4").symlink_to("/dev/tty")
    os.mkfifo(folder / "pipe.mp4")
    names = ["folder.mp4", "loop.mp4", "dangling.mp4", "device.mp4", "terminal.mp4", "pipe.mp4"]
    here = Path.cwd()
    try:  # a socket's path may be no longer than 107 bytes
        os.chdir(folder)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket.mp4")
        names.append("socket.mp4")
    finally:
        os.chdir(here)
    for name in names:
        yield "special", folder / name


def many_streams(folder: Path, count: int = 300) -> Iterator[tuple[str, Path]]:
    """One file with hundreds of sound tracks before its picture."""
    for ending in ("mkv", "mp4"):
        path = folder / f"streams.{ending}"
        with av.open(str(path), "w") as container:
            sounds = [
                container.add_stream("pcm_s16le" if ending == "mkv" else "aac", rate=16_000) for _ in range(count)
            ]
            picture = container.add_stream("mpeg4", rate=10)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"  # type: ignore[union-attr]
            for i in range(10):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * i, np.uint8), "rgb24")
                frame.pts = i
                container.mux(picture.encode(frame))  # type: ignore[union-attr]
            container.mux(picture.encode(None))  # type: ignore[union-attr]
            for stream in sounds:
                frame = av.AudioFrame.from_ndarray(
                    np.zeros((1, 1024), np.int16 if ending == "mkv" else np.float32),
                    "s16" if ending == "mkv" else "fltp",
                    "mono",
                )
                frame.sample_rate, frame.pts = 16_000, 0
                container.mux(stream.encode(frame))  # type: ignore[union-attr]
                container.mux(stream.encode(None))  # type: ignore[union-attr]
        yield "many streams", path
