"""One safetensors file a video: features in 16-bit floats, grid, streams and source hash in its header.

Files of format 1 name one extractor for all of their streams; they are read, and no longer written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from avloc.errors import FeatureError
from avloc.features.sequence import Array, FeatureSequence
from avloc.files import replace_file
from avloc.streams import STREAMS, Streams
from avloc.timegrid import TimeGrid

ENDING = ".features.safetensors"
"""What the names of feature files end in, one a video."""

_CUES = "cues"  # not in files of extractors that have none
_FORMAT, _FORMAT_1 = "avloc-features/2", "avloc-features/1"
_BROKEN = (  # every way in which a reader of headers and JSON can stumble
    OSError,
    SafetensorError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring columns of one side, visual or audio, that are an encoder's of their own."""

    side: str
    name: str
    width: int


def save_features(
    features: FeatureSequence, path: str | Path, *, parts: Sequence[Part] = (), rescaled: bool = False
) -> None:
    """Write `features` to `path`, whole or not at all.

    parts: of what several encoders made, in the order of the columns. rescaled: every file of the folder has as many
    steps, each on a grid of its own.

    Raises:
        FeatureError: a value is not finite, or too large for a 16-bit float.
        OutputError: the file cannot be written.
    """
    about: dict[str, Any] = {
        "streams": dict(features.streams.items()),
        "source_sha256": features.source_hash,
        "duration_s": features.duration_s,
        "grid": asdict(features.grid),
    }
    if parts:
        about["parts"] = [[part.side, part.name, part.width] for part in parts]
    if rescaled:
        about["rescaled"] = True
    with np.errstate(over="ignore"):
        arrays = {
            name: np.ascontiguousarray(getattr(features, name), np.float16)
            for name in STREAMS
            if name != _CUES or features.cues.shape[1]
        }
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise FeatureError(f"{path}: {name} holds values beyond 16-bit floats; it would not be readable")
    # One entry: safetensors writes several in any order, and the same features should give the same file.
    replace_file(path, save(arrays, {_FORMAT: json.dumps(about)}))


@dataclass(frozen=True, slots=True)
class StoreHeader:
    """What a file says before its values are read; `*_classes` are the encoders' own classes, 0 where none.

    `parts` and `rescaled` are those of `save_features`.
    """

    grid: TimeGrid
    duration_s: float
    steps: int
    visual_width: int
    audio_width: int
    visual_classes: int
    audio_classes: int
    streams: Streams
    source_hash: str
    parts: tuple[Part, ...] = ()
    rescaled: bool = False


def read_store_header(path: str | Path) -> StoreHeader:
    """Grid, length and widths of a file of `save_features`; no value is read.

    Raises:
        FeatureError: the file is missing, is no feature file, or its parts contradict one another.
    """
    return _read(Path(path), values=False)[0]


def load_features(path: str | Path) -> FeatureSequence:
    """Read a file of `save_features`.

    Raises:
        FeatureError: as `read_store_header`, or a value is not finite.
    """
    path = Path(path)
    header, arrays = _read(path, values=True)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise FeatureError(f"{path}: {name} holds values that are not finite; extract them anew")
    return FeatureSequence(
        grid=header.grid,
        duration_s=header.duration_s,
        streams=header.streams,
        source_hash=header.source_hash,
        **arrays,
    )


def _read(path: Path, values: bool) -> tuple[StoreHeader, dict[str, Array]]:
    try:
        with safe_open(path, framework="numpy") as f:
            header = f.metadata() or {}
            if _FORMAT not in header and header.get("format") != _FORMAT_1:
                raise FeatureError(f"{path}: is not an avloc feature file; make one with `avloc extract`")
            names = [name for name in STREAMS if name != _CUES or name in f.keys()]  # noqa: SIM118 - no mapping
            shapes = {name: tuple(f.get_slice(name).get_shape()) for name in names}
            arrays = {name: f.get_tensor(name).astype(np.float32) for name in names if values}
        about = json.loads(header[_FORMAT]) if _FORMAT in header else _of_format_1(header, shapes)
        duration_s = float(about["duration_s"])
        if not (math.isfinite(duration_s) and duration_s > 0):
            raise ValueError(f"duration {duration_s} s")
        if any(len(shape) != 2 or shape[0] != shapes["visual"][0] for shape in shapes.values()):
            raise ValueError(f"arrays of shapes {', '.join(map(str, shapes.values()))}")
        grid = TimeGrid(**{k: float(v) for k, v in about["grid"].items()})
        streams, source_hash = about["streams"], about["source_sha256"]
        if not all(isinstance(text, str) for text in (source_hash, *streams.values())):
            raise ValueError("a hash or an identity is no text")
        visual, audio, visual_scores, audio_scores = (shapes[name] for name in STREAMS if name != _CUES)
        return (
            StoreHeader(
                grid, duration_s, visual[0], visual[1], audio[1], visual_scores[1], audio_scores[1],
                Streams(**streams), source_hash,
                _parts(about.get("parts", []), visual[1], audio[1]), about.get("rescaled", False) is True,
            ),
            arrays,
        )  # fmt: skip
    except _BROKEN as error:
        raise FeatureError(f"{path}: cannot be read as features ({_reason(error)}); extract them anew") from None


def _parts(told: Any, visual: int, audio: int) -> tuple[Part, ...]:
    parts = tuple(Part(side, name, width) for side, name, width in told)
    for side, width in (("visual", visual), ("audio", audio)):
        mine = [part.width for part in parts if part.side == side]
        if mine and (not all(type(w) is int and w > 0 for w in mine) or sum(mine) != width):
            raise ValueError(f"parts of its {side} side of widths {mine}")
    if not all(part.side in ("visual", "audio") and isinstance(part.name, str) for part in parts):
        raise ValueError("a part that is neither visual nor audio, or has no name")
    return parts


def _of_format_1(header: dict[str, str], shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    there = [name for name, shape in shapes.items() if shape[1:] != (0,)]
    return {**header, "grid": json.loads(header["grid"]), "streams": dict.fromkeys(there, header["extractor"])}


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no {error.args[0]} in it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).splitlines()[0] if str(error) else type(error).__name__
