"""One safetensors file a video: features in 16-bit floats, grid, extractor and source hash in its header."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from avloc.errors import FeatureError
from avloc.features.sequence import Array, FeatureSequence
from avloc.files import replace_file
from avloc.timegrid import TimeGrid

_ARRAYS = ("visual", "audio", "visual_scores", "audio_scores")
_CUES = "cues"  # not in files of extractors that have none
_FORMAT = "avloc-features/1"
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


def save_features(features: FeatureSequence, path: str | Path) -> None:
    """Write `features` to `path`, whole or not at all.

    Raises:
        FeatureError: a value is not finite, or too large for a 16-bit float.
        OutputError: the file cannot be written.
    """
    header = {
        "format": _FORMAT,
        "extractor": features.extractor,
        "source_sha256": features.source_hash,
        "duration_s": repr(features.duration_s),
        "grid": json.dumps(
            {
                "stride_s": features.grid.stride_s,
                "window_s": features.grid.window_s,
                "offset_s": features.grid.offset_s,
            }
        ),
    }
    with np.errstate(over="ignore"):
        arrays = {name: np.ascontiguousarray(getattr(features, name), np.float16) for name in _ARRAYS}
        if features.cues.shape[1]:
            arrays[_CUES] = np.ascontiguousarray(features.cues, np.float16)
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise FeatureError(f"{path}: {name} holds values beyond 16-bit floats; it would not be readable")
    replace_file(path, save(arrays, header))


@dataclass(frozen=True, slots=True)
class StoreHeader:
    """What a file says before its values are read; `*_classes` are the encoders' own classes, 0 where none."""

    grid: TimeGrid
    duration_s: float
    steps: int
    visual_width: int
    audio_width: int
    visual_classes: int
    audio_classes: int
    extractor: str
    source_hash: str


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
        extractor=header.extractor,
        source_hash=header.source_hash,
        **arrays,
    )


def _read(path: Path, values: bool) -> tuple[StoreHeader, dict[str, Array]]:
    try:
        with safe_open(path, framework="numpy") as f:
            header = f.metadata() or {}
            if header.get("format") != _FORMAT:
                raise FeatureError(f"{path}: is not an avloc feature file; make one with `avloc extract`")
            names = (*_ARRAYS, _CUES) if _CUES in f.keys() else _ARRAYS  # noqa: SIM118 - no mapping
            shapes = {name: tuple(f.get_slice(name).get_shape()) for name in names}
            arrays = {name: f.get_tensor(name).astype(np.float32) for name in names if values}
        duration_s = float(header["duration_s"])
        if not (math.isfinite(duration_s) and duration_s > 0):
            raise ValueError(f"duration {duration_s} s")
        if any(len(shape) != 2 or shape[0] != shapes["visual"][0] for shape in shapes.values()):
            raise ValueError(f"arrays of shapes {', '.join(map(str, shapes.values()))}")
        grid = TimeGrid(**{k: float(v) for k, v in json.loads(header["grid"]).items()})
        visual, audio, visual_scores, audio_scores = (shapes[name] for name in _ARRAYS)
        return (
            StoreHeader(
                grid, duration_s, visual[0], visual[1], audio[1], visual_scores[1], audio_scores[1],
                header["extractor"], header["source_sha256"],
            ),
            arrays,
        )  # fmt: skip
    except _BROKEN as error:
        raise FeatureError(f"{path}: cannot be read as features ({_reason(error)}); extract them anew") from None


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no {error.args[0]} in it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).splitlines()[0] if str(error) else type(error).__name__
