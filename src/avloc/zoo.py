"""Model folders: name > folder with config.json (labels, feature recipe), model.onnx and model.safetensors."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TypeVar

from avloc.config import ClassFigures, ModelConfig, from_dict, to_dict
from avloc.errors import ConfigError, ModelError
from avloc.files import replace_file

C = TypeVar("C")
SHIPPED = Path(__file__).parent / "weights"
CONFIG, ONNX, WEIGHTS = "config.json", "model.onnx", "model.safetensors"
FIGURES = "classes.json"
_LARGEST_CONFIG = 10_000_000


def shipped_names() -> tuple[str, ...]:
    """Names of the models inside the package."""
    return tuple(sorted(p.name for p in SHIPPED.iterdir() if (p / CONFIG).is_file())) if SHIPPED.is_dir() else ()


def find_model(model: str | Path) -> Path:
    """Folder of a model, by the name of a shipped one or by path.

    Raises:
        ModelError: there is neither.
    """
    if str(model) in shipped_names():
        return SHIPPED / str(model)
    folder = Path(model)
    with contextlib.suppress(OSError):  # a name too long, or a folder that one may not look into
        if (folder / CONFIG).is_file():
            return folder
    known = ", ".join(shipped_names()) or "none"
    what = "no model and no folder"
    with contextlib.suppress(OSError):
        what = f"a folder without a readable {CONFIG}" if folder.is_dir() else what
    raise ModelError(f"{model}: is {what}; give a model folder or a shipped model ({known})")


def read_config(folder: Path) -> ModelConfig:
    """The config of a model folder.

    Raises:
        ModelError: it is missing, no JSON, or has unknown or wrong settings.
    """
    return _read(folder / CONFIG, ModelConfig, "a model's config")


def read_figures(folder: Path) -> ClassFigures | None:
    """What is known of how good a model is, class by class; None where its folder says nothing.

    Raises:
        ModelError: the file is no JSON, or has unknown or wrong settings.
    """
    path = folder / FIGURES
    return _read(path, ClassFigures, "figures of a model") if path.is_file() else None


def write_figures(folder: Path, figures: ClassFigures) -> None:
    """Write the figures of a model, whole or not at all."""
    replace_file(folder / FIGURES, json.dumps(to_dict(figures), indent=1).encode() + b"\n")


def _read(path: Path, kind: type[C], what: str) -> C:
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise ModelError(f"{path}: is larger than {_LARGEST_CONFIG} bytes; this is no {what.split()[-1]} file")
        return from_dict(kind, json.loads(path.read_text("utf-8")), where=path.name)
    except (OSError, ValueError, RecursionError, ConfigError) as error:
        raise ModelError(f"{path}: cannot be read as {what} ({error})") from None


def write_config(folder: Path, config: ModelConfig) -> None:
    """Write the config of a model folder, whole or not at all."""
    replace_file(folder / CONFIG, json.dumps(to_dict(config), indent=1).encode() + b"\n")
