"""What detection keeps of a video beside its result: all candidates and the level of the sound, some kilobytes.

    video, model > networks, decoding > kept > least score > events, page

What is shown is made of this alone, so another least score or another page needs neither video nor network. One
safetensors file; N candidates, the surest first, L levels:

    start_ms, end_ms (N,) uint32; score (N,) float32; label (N,) uint16, a place in `labels`
    level (L,) uint8: 255 times the square root of the peak level, as fine as a page draws it
    header: key of what was computed, labels, length, streams, notes
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from avloc.config import from_dict
from avloc.errors import ConfigError
from avloc.events import Events
from avloc.files import replace_file
from avloc.formats.files import ENDING as RESULT
from avloc.media.probe import AudioStream, MediaInfo, VideoStream

ENDING = ".candidates.safetensors"
LEVELS = 2000

_FORMAT = "avloc-candidates/1"
_BROKEN = (  # every way in which a reader of headers and JSON can stumble
    OSError,
    SafetensorError,
    ConfigError,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """All candidates of one video after decoding, before any least score, highest score first.

    key is that of what was computed; levels (L,) are peaks of the sound, 0 to 1, in equal parts of the duration;
    notes tell what was chosen in reading the file.
    """

    key: str
    info: MediaInfo
    duration_s: float
    events: Events
    levels: NDArray[np.float32]
    notes: tuple[str, ...] = ()

    def rounded(self) -> Kept:
        """As it is when it comes from a file: what is made at once and what is made later are the same."""
        return _unpacked(self.info.path, _packed(self), _about(self))


def kept_file(result: Path) -> Path:
    """The place beside a result file."""
    return result.with_name(result.name.removesuffix(RESULT) + ENDING)


def save_kept(path: Path, kept: Kept) -> None:
    """Write the file, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    # One entry: safetensors writes several in any order, and the same video should give the same file.
    replace_file(path, save(_packed(kept), {_FORMAT: json.dumps(_about(kept))}))


def read_kept(path: Path, video: Path) -> Kept | None:
    """What is kept of a video that lies at `video` now; None where there is no whole file of `save_kept`."""
    try:
        with safe_open(path, framework="numpy") as f:
            about = json.loads((f.metadata() or {})[_FORMAT])
            return _unpacked(video, {name: f.get_tensor(name) for name in f.keys()}, about)  # noqa: SIM118
    except _BROKEN:
        return None


def _packed(kept: Kept) -> dict[str, NDArray[Any]]:
    events = kept.events
    place = {label: k for k, label in enumerate(dict.fromkeys(events.labels))}
    return {
        "start_ms": np.round(events.start_s * 1000).astype(np.uint32),
        "end_ms": np.round(events.end_s * 1000).astype(np.uint32),
        "score": events.score.astype(np.float32),
        "label": np.array([place[label] for label in events.labels], np.uint16),
        "level": np.round(255 * np.sqrt(kept.levels)).astype(np.uint8),
    }


def _about(kept: Kept) -> dict[str, Any]:
    info = kept.info
    return {
        "key": kept.key,
        "labels": list(dict.fromkeys(kept.events.labels)),
        "duration_s": kept.duration_s,
        "container": info.container,
        "length_s": info.duration_s,
        "zero_s": info.zero_s,
        "video": None if info.video is None else asdict(info.video),
        "audio": None if info.audio is None else asdict(info.audio),
        "notes": list(kept.notes),
    }


def _unpacked(video: Path, arrays: dict[str, NDArray[Any]], about: dict[str, Any]) -> Kept:
    labels, notes, lengths_s = about["labels"], about["notes"], (about["duration_s"], about["length_s"])
    if not all(isinstance(text, str) for text in (about["key"], about["container"], *labels, *notes)):
        raise ValueError("a name is no text")
    if not all(math.isfinite(length_s) and length_s > 0 for length_s in lengths_s):
        raise ValueError(f"lengths {lengths_s}")
    streams = [
        None if about[name] is None else from_dict(stream, about[name])
        for name, stream in (("video", VideoStream), ("audio", AudioStream))
    ]
    info = MediaInfo(video, about["container"], lengths_s[1], *streams)  # type: ignore[arg-type]
    info = replace(info, zero_s=float(about["zero_s"]))
    events = Events(
        arrays["start_ms"] / 1000,
        arrays["end_ms"] / 1000,
        [labels[i] for i in arrays["label"].tolist()],
        arrays["score"],
    )
    levels = np.square(arrays["level"] / np.float32(255), dtype=np.float32)
    return Kept(about["key"], info, lengths_s[0], events, levels, tuple(notes))
