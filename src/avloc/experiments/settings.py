"""Settings given as KEY=VALUE over a recipe, as strictly as a recipe's own flags."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from avloc.config import RunConfig, from_dict, to_dict
from avloc.errors import ConfigError


def with_settings(recipe: RunConfig, given: Sequence[str]) -> RunConfig:
    """The recipe with settings such as `train.epochs=2` or `network.attention.kind=fixed` replaced.

    Raises:
        ConfigError: a setting is unknown, or its value of the wrong type.
    """
    data: dict[str, Any] = to_dict(recipe)
    for one in given:
        key, equals, text = one.partition("=")
        names = key.strip().replace("-", "_").split(".")
        if not equals or not all(names):
            raise ConfigError(f"{one!r} is no setting; KEY=VALUE is needed, such as train.epochs=2")
        place: Any = data
        for name in names[:-1]:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{one!r}: {name} is no group of settings")
        place[names[-1]] = _value(text)
    return from_dict(RunConfig, data, where="recipe")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
