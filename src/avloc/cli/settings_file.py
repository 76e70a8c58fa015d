"""Settings from a YAML or JSON file laid over a recipe, strictly; flags are laid over both."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from avloc.cli.plain_settings import plain_settings
from avloc.config import from_dict, to_dict
from avloc.errors import ConfigError

C = TypeVar("C")


def named_file(arguments: Sequence[str], flag: str) -> Path | None:
    """The file that a command line names with `flag`, before the command line is read as a whole."""
    for i, argument in enumerate(arguments):
        if argument.startswith(f"{flag}="):
            return Path(argument.removeprefix(f"{flag}="))
        if argument == flag and i + 1 < len(arguments):
            return Path(arguments[i + 1])
    return None


def laid_over(recipe: C, path: Path, as_meant: Callable[[object], object] = lambda settings: settings) -> C:
    """The recipe with the settings that the file gives; `run.json` of a former run is such a file, too.

    as_meant: makes what people write into what the settings are, such as a list of what stands alone.

    Raises:
        ConfigError: the file cannot be read, or a setting is unknown (the nearest one is named) or of a wrong type.
        AvlocError: PyYAML is not installed, and the file is not of the plain kind that is read without it.
    """
    return with_settings(recipe, as_meant(read_settings(path)), path.name)


def with_settings(recipe: C, settings: object, where: str) -> C:
    """The recipe with settings laid over it, group by group; `where` names them in errors.

    Raises:
        ConfigError: a setting is unknown (the nearest one is named) or of a wrong type.
    """
    return from_dict(type(recipe), _merged(to_dict(recipe), settings), where=where)


def read_settings(path: Path) -> object:
    """What a YAML or JSON file holds.

    Raises:
        ConfigError: it cannot be read.
        AvlocError: PyYAML is not installed, and the file is not of the plain kind that is read without it.
    """
    try:
        import yaml
    except ImportError:
        return plain_settings(path)

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Reads 1e-4 as a number, as people and JSON mean it; plain YAML 1.1 takes it for a text."""

    number = re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+0123456789"))
    try:
        return yaml.load(path.read_text("utf-8"), Loader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join((getattr(error, "strerror", None) or str(error)).split())
        raise ConfigError(f"{path}: cannot be read as settings ({reason}); YAML or JSON is needed") from None


def _merged(settings: dict[str, Any], over: object) -> Any:
    """Group by group; what is no group in the file stands as it is, for the strict reading to judge.

    A group of another method than the recipe's begins with that method's own settings.
    """
    if not isinstance(over, Mapping):
        return settings if over is None else over  # an empty file, or a group without a line
    if "method" in settings and over.get("method", settings["method"]) != settings["method"]:
        return over
    merged: dict[Any, Any] = dict(settings)
    for key, value in over.items():
        inner = settings.get(key)
        merged[key] = _merged(inner, value) if isinstance(inner, dict) else value
    return merged
