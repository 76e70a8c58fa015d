"""Settings <-> plain data for JSON and YAML, strictly: no unknown key, no wrong type, no guessing."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from avloc.errors import ConfigError

T = TypeVar("T")
TAG = "method"
"""The key that says which of several classes of settings a group is."""


def to_dict(config: Any) -> dict[str, Any]:
    """Settings as plain data; groups of which there are several kinds begin with their tag."""
    tag = getattr(type(config), TAG, None)
    values = {f.name: _plain(getattr(config, f.name)) for f in dataclasses.fields(config)}
    return values if tag is None else {TAG: tag, **values}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    return type(value)(_plain(v) for v in value) if isinstance(value, list | tuple) else value


def from_dict(cls: type[T], data: Mapping[str, Any], where: str = "config") -> T:
    """Build settings from plain data. `cls` may have a tag, which `data` then must bear or leave out.

    Raises:
        ConfigError: a key is unknown (the nearest known one is named), missing, of the wrong type or out of bounds.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where} is {type(data).__name__}; a group of settings is needed")
    tag = getattr(cls, TAG, None)
    if tag is not None and data.get(TAG, tag) != tag:
        raise ConfigError(f"{where}.{TAG} is {data[TAG]!r}; {tag!r} is needed here")
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    of_method = "" if tag is None else f" of {tag}"
    for key in data:
        if key not in fields and not (key == TAG and tag is not None):
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(fields)}"
            raise ConfigError(f"{where}{of_method} has no setting {key!r}; {hint}")
    values = {name: _value(hints[name], data[name], f"{where}.{name}") for name in fields if name in data}
    for name, f in fields.items():
        no_default = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if name not in data and no_default:
            raise ConfigError(f"{where} lacks the setting {name!r}")
    return cls(**values)


def read_as(hint: Any, data: Any, where: str = "config") -> Any:
    """As `from_dict`, for any type that a field may have, such as a network of any method."""
    return _value(hint, data, where)


def _chosen(kinds: list[Any], value: Any, where: str) -> Any:
    """Of several classes of settings, the one whose tag the data bears."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} is {type(value).__name__}; a group of settings is needed")
    tags = {getattr(kind, TAG): kind for kind in kinds}
    if TAG not in value:
        raise ConfigError(f"{where} lacks the setting {TAG!r}; one of {', '.join(tags)} is needed")
    tag = value[TAG]
    if not isinstance(tag, str) or tag not in tags:
        near = difflib.get_close_matches(str(tag), tags, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(tags)}"
        raise ConfigError(f"{where}.{TAG} is {tag!r}; {meant}")
    return tags[tag]


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type[Any], hint), value, where)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value in args:
            return value
        raise ConfigError(f"{where} is {value!r}; one of {', '.join(map(repr, args))} is needed")
    if origin is tuple:
        return _tuple(args, value, where)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} is {type(value).__name__}; groups of settings by name are needed")
        return {str(key): _value(args[1], v, f"{where}.{key}") for key, v in value.items()}
    if origin is types.UnionType:
        if value is None and type(None) in args:
            return None
        kinds = [kind for kind in args if kind is not type(None)]
        return _value(kinds[0] if len(kinds) == 1 else _chosen(kinds, value, where), value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ConfigError(f"{where} is larger than any float; {hint.__name__} is needed") from None
    if hint is Path and isinstance(value, str):
        return Path(value)
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        raise ConfigError(f"{where} is {value!r}; {hint.__name__} is needed")
    return value


def _tuple(args: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{where} is {value!r}; a list is needed")
    item = [args[0]] * len(value) if args[-1] is Ellipsis else list(args)
    if len(item) != len(value):
        raise ConfigError(f"{where} has {len(value)} entries; {len(item)} are needed")
    return tuple(_value(h, v, f"{where}[{i}]") for i, (h, v) in enumerate(zip(item, value, strict=True)))
