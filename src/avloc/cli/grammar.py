"""How functions become commands: flags named by their types, and help that says only what a person can use."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import tyro

from avloc.errors import AvlocError
from avloc.formats.truth import Choices

MARKERS = (tyro.conf.FlagCreatePairsOff, tyro.conf.CascadeSubcommandArgs, tyro.conf.AvoidSubcommands)
Paths = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PATH [PATH ...]")]
"""Any number of paths that no flag stands before."""
Fps = Annotated[float | None, tyro.conf.arg(metavar="RATE")]
Tiers = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")]
Annotator = Annotated[str | None, tyro.conf.arg(metavar="NAME")]
"""What to read of labels that hold more than one thing; `chosen` takes the three."""

C = TypeVar("C")
_UNSAID = ("None", "False", "", "''")


def chosen(fps: float | None, tier: tuple[str, ...], annotator: str | None) -> Choices:
    """What --fps, --tier and --annotator choose.

    Raises:
        AvlocError: the rate is none.
    """
    if fps is not None and not 0 < fps < math.inf:
        raise AvlocError(f"--fps is {fps:g}; a frame rate above 0 is needed")
    return Choices(fps, tier, annotator)


def plainly(command: Callable[..., int]) -> Callable[..., int]:
    """The command, with a help that leaves out defaults that say nothing: no value, an empty list, a flag off."""

    def same(*given: Any, **named: Any) -> int:
        return command(*given, **named)

    # Not functools.wraps: types are read from what is wrapped.
    hints = get_type_hints(command, include_extras=True)
    same.__doc__ = command.__doc__
    same.__annotations__ = {name: _plain(hint) for name, hint in hints.items()}
    vars(same)["__signature__"] = inspect.signature(command)
    return same


def flags(group: type[C]) -> type[C]:
    """A dataclass as flags that several commands have, with a help as plain as that of `plainly`.

    Commands take it as Annotated[Group, tyro.conf.arg(name="")].
    """
    hints = get_type_hints(group, include_extras=True)
    group.__annotations__ = {name: _plain(hints[name]) for name in group.__annotations__}
    return group


def _plain(hint: Any) -> Any:
    return Annotated[hint, tyro.conf.arg(help_behavior_hint=_default), *_none_unsaid(hint)]


def _none_unsaid(hint: Any) -> tuple[Any, ...]:
    """An option that may be left out need not be given as None; the settings of a recipe may."""
    return (tyro.conf.DisallowNone,) if type(None) in get_args(hint) else ()


def _default(said: str) -> str:
    return "" if said in _UNSAID else f"(default: {said})"
