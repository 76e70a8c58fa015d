"""Items made ahead in a second thread: the same items, and no thread left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from avloc.ahead import ahead


def threads() -> int:
    return sum(t.name.startswith("avloc-") for t in threading.enumerate())


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("depth", [1, 2, 7])
def test_the_same_items_in_their_order(count: int, depth: int) -> None:
    assert list(ahead(iter(range(count)), depth)) == list(range(count))
    assert threads() == 0


def test_none_is_an_item_like_any_other() -> None:
    assert list(ahead(iter([1, None, 2]))) == [1, None, 2]


def test_no_more_are_made_than_asked_for() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(20):
            made.append(i)
            yield i

    stream = ahead(items(), 3)
    assert next(stream) == 0
    time.sleep(0.2)
    assert len(made) <= 5  # one taken, three waiting, one in the thread's hand
    stream.close()
    assert threads() == 0 and len(made) <= 6


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("broken")

    stream = ahead(items())
    assert [next(stream), next(stream)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(stream)
    assert threads() == 0


def test_closing_before_the_first_item_starts_nothing() -> None:
    ahead(iter([1])).close()
    assert threads() == 0
