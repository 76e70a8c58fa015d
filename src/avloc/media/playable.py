"""Which videos browsers play, small copies of those that they do not, and pictures of moments.

Chromium, Firefox and Safari all play what is named here (MDN, "Media container formats" and "Web video codec guide");
what one of them alone plays is not counted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.codec import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from avloc.errors import MediaError
from avloc.media.clips import Quality, cut_clip, looks_of
from avloc.media.probe import MediaInfo
from avloc.media.reader import read_frames
from avloc.media.scaling import Picture

PROXY = Quality(crf=28, side=360, fps=30.0)

_PICTURES = {"mp4": {"h264", "av1", "vp9"}, "webm": {"vp8", "vp9", "av1"}}
_SOUNDS = {"mp4": {"aac", "mp3", "opus", "flac"}, "webm": {"opus", "vorbis"}}
_DEPTHS = {"h264": {"yuv420p", "yuvj420p"}}
_OTHERS = {"yuv420p", "yuvj420p", "yuv420p10le"}
_LATE_S = 0.5  # some browsers begin at the first picture then, others at zero
_JPEG_QUALITY = 5  # of 2, the best, to 31


def unplayable(info: MediaInfo) -> str:
    """What browsers do not know about a file, in a few words; "" where they all play it."""
    kind = "webm" if info.path.suffix.lower() == ".webm" else "mp4" if "mp4" in info.container else ""
    video, audio = info.video, info.audio
    if not kind:
        return info.container.split(",")[0]
    if video is not None and video.codec not in _PICTURES[kind]:
        return video.codec
    if video is not None and video.pixel_format not in _DEPTHS.get(video.codec, _OTHERS):
        return f"{video.codec} in {video.pixel_format}"
    if audio is not None and audio.codec not in _SOUNDS[kind]:
        return f"{audio.codec} sound"
    if info.zero_s > _LATE_S:
        return f"a clock that begins at {info.zero_s:.0f} s"
    return ""


def make_proxy(info: MediaInfo, path: Path) -> Path:
    """A small copy (H.264, at most 360 lines and 30 fps, AAC) that every browser plays, with the same times.

    One that was made of the same version of the file is kept: it bears the date of the file.

    Raises:
        MediaError: the file cannot be read, or the copy cannot be written.
    """
    made_from = info.path.stat().st_mtime_ns
    with suppress(OSError):
        if path.stat().st_mtime_ns == made_from:
            return path
    cut_clip(info.path, path, 0.0, info.duration_s, info=info, quality=PROXY)
    with suppress(OSError):
        os.utime(path, ns=(made_from, made_from))
    return path


def stills(path: Path, times_s: Iterable[float], side: int) -> Iterator[bytes]:
    """The picture on screen at each time as JPEG, its shorter side of at most `side` pixels; the times ascend.

    Raises:
        MediaError: the file cannot be read or has no picture.
    """
    wanted = list(times_s)
    if not wanted:
        return
    size, aspect, _ = looks_of(path, wanted[0], side)
    for picture in read_frames(path, wanted, size, pixel_aspect=aspect):
        yield _jpeg(picture)


def _jpeg(picture: Picture) -> bytes:
    encoder = CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(format="yuvj420p")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.qmin = encoder.qmax = _JPEG_QUALITY
    frame.pts = 0
    parts = [bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None))]
    if not parts:
        raise MediaError("a picture cannot be written as JPEG")
    return b"".join(parts)
