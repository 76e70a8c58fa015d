"""How functions become commands: flags named by their types, and help that says only what a person can use."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import tyro

MARKERS = (tyro.conf.FlagCreatePairsOff, tyro.conf.CascadeSubcommandArgs, tyro.conf.AvoidSubcommands)
Paths = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PATH [PATH ...]")]
"""Any number of paths that no flag stands before."""

_UNSAID = ("None", "False", "", "''")


def plainly(command: Callable[..., int]) -> Callable[..., int]:
    """The command, with a help that leaves out defaults that say nothing: no value, an empty list, a flag off."""

    def same(*given: Any, **named: Any) -> int:
        return command(*given, **named)

    # Not functools.wraps: types are read from what is wrapped.
    told = tyro.conf.arg(help_behavior_hint=_default)
    hints = get_type_hints(command, include_extras=True)
    same.__doc__ = command.__doc__
    same.__annotations__ = {name: Annotated[hint, told, *_none_unsaid(hint)] for name, hint in hints.items()}
    vars(same)["__signature__"] = inspect.signature(command)
    return same


def _none_unsaid(hint: Any) -> tuple[Any, ...]:
    """An option that may be left out need not be given as None; the settings of a recipe may."""
    return (tyro.conf.DisallowNone,) if type(None) in get_args(hint) else ()


def _default(said: str) -> str:
    return "" if said in _UNSAID else f"(default: {said})"
