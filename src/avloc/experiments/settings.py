"""Settings given as KEY=VALUE over a recipe, as strictly as a recipe's own flags."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from avloc.config import RunConfig, from_dict, to_dict
from avloc.errors import ConfigError


def with_settings(recipe: RunConfig, given: Sequence[str]) -> RunConfig:
    """The recipe with settings such as `train.epochs=2` or `network.attention.kind=fixed` replaced.

    Raises:
        ConfigError: a setting is unknown, or its value of the wrong type.
    """
    values = {}
    for one in given:
        key, equals, text = one.partition("=")
        if not equals or not all(_names(key)):
            raise ConfigError(f"{one!r} is no setting; KEY=VALUE is needed, such as train.epochs=2")
        values[key] = _value(text)
    return with_values(recipe, values)


def with_values(recipe: RunConfig, values: Mapping[str, Any], where: str = "recipe") -> RunConfig:
    """The recipe with settings replaced, by their names such as `train.epochs`, or by groups of such.

    Raises:
        ConfigError: as `with_settings`; `where` is what it calls the place of the settings.
    """
    data: dict[str, Any] = to_dict(recipe)
    for key, value in values.items():
        _put(data, _names(key), value)
    return from_dict(RunConfig, data, where=where)


def _put(data: dict[str, Any], names: Sequence[str], value: Any) -> None:
    place: Any = data
    for name in names[:-1]:
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            raise ConfigError(f"{'.'.join(names)}: {name} is no group of settings")
    if isinstance(value, Mapping) and isinstance(place.get(names[-1]), dict):
        for key, inner in value.items():
            _put(place[names[-1]], _names(str(key)), inner)
    else:
        place[names[-1]] = value


def _names(key: str) -> list[str]:
    return key.strip().replace("-", "_").split(".")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
