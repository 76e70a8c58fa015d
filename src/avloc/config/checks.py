"""Numbers with bounds: every setting is held against its own when it is read, so that none fails later."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

from avloc.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a number may be: finite in any case, and inside these."""

    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None

    def hold(self, value: float) -> bool:
        """Comparisons with a value that is not a number are false, so that it is refused as well."""
        return (
            _is_finite(value)
            and (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
        )

    def needed(self, instead_of: float) -> str:
        """The bounds in words."""
        words = {"at least": self.least, "above": self.above, "at most": self.most, "below": self.below}
        if self.most == _MOST_WHOLE and instead_of <= _MOST_WHOLE:
            del words["at most"]  # which nobody asked for
        told = " and ".join(f"{word} {bound:g}" for word, bound in words.items() if bound is not None)
        return told if told and _is_finite(instead_of) else f"a finite number {told}".rstrip()


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no floating one can hold
        return False


_MOST_WHOLE = 10_000_000
_MOST_SHOWN = 40


def number(
    default: Any = dataclasses.MISSING,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> Any:
    """A field of a settings class: a number, a tuple of numbers, or None where the type has it, in these bounds.

    A whole number without an upper bound of its own ends at ten million: more is a slip that would fill the memory.
    """
    if most is None and below is None and isinstance(default, int) and not isinstance(default, bool):
        most = _MOST_WHOLE
    return dataclasses.field(default=default, metadata={"bounds": Bounds(least, above, most, below)})


def share(default: float, *, below: float | None = None) -> Any:
    """A field that is a share: 0 to 1, or 0 to less than `below`."""
    return number(default, least=0, most=None if below else 1, below=below)


class Settings:
    """Base of all settings: frozen dataclasses whose numbers are inside their bounds from the start.

    Raises:
        ConfigError: a number is not.
    """

    group: ClassVar[str] = ""
    """Where the settings stand in a run's or a model's; the command line's flags begin with it."""

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):  # type: ignore[arg-type]
            bounds = f.metadata.get("bounds")
            if bounds is None:
                continue
            value = getattr(self, f.name)
            for one in value if isinstance(value, tuple) else (value,):
                if one is not None and not bounds.hold(one):
                    self.refuse(f.name, value, bounds.needed(one))
        self.check()

    def check(self) -> None:
        """What the bounds of single numbers cannot say."""

    def require(self, name: str, is_sound: bool, needed: str) -> None:
        """Raise ConfigError with what is needed, unless the setting is sound."""
        if not is_sound:
            self.refuse(name, getattr(self, name), needed)

    def refuse(self, name: str, value: object, needed: str) -> None:
        """Raise ConfigError: the setting is `value`."""
        where = f"{self.group}.{name}" if self.group else name
        shown = str(value)
        shown = shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}..."
        raise ConfigError(f"{where} is {shown}; {needed} is needed")
