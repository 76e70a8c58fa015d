"""What is told of tasks while they run, by whichever engine runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Task = TypeVar("Task")
Value = TypeVar("Value")

OnProgress = Callable[[float, float], object]
"""Is told how many seconds of the video are done, and of how many."""
Function = Callable[[Task, OnProgress], Value]


@dataclass(frozen=True, slots=True)
class Progress:
    """A task is so many seconds on, of so many in all."""

    number: int
    seconds: float
    of_seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a task has no value; `skipped` where nothing went wrong and there was nothing to do."""

    reason: str
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Ended(Generic[Value]):
    """What came of a task."""

    number: int
    outcome: Value | Failed
