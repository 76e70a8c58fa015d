"""Making the next items in a second thread while the present one is worked on."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item], depth: int = 2) -> Generator[Item, None, None]:
    """The same items, made up to `depth` ahead. An error of theirs is raised here; closing stops the thread."""
    ready: queue.Queue[tuple[Item | None, BaseException | None, bool]] = queue.Queue(depth)
    stop = threading.Event()

    def put(item: Item | None, error: BaseException | None, more: bool) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                ready.put((item, error, more), timeout=0.1)
                return

    def work() -> None:
        try:
            for item in items:
                if stop.is_set():
                    return
                put(item, None, True)
            put(None, None, False)
        except BaseException as error:
            put(None, error, False)

    thread = threading.Thread(target=work, name="avloc-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error, more = ready.get()
            if error is not None:
                raise error
            if not more:
                return
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()
