"""Where commands print: names stand as they are, whatever colons, brackets or letters they have."""

from __future__ import annotations

import sys

from rich.console import Console


def screen_console(width: int | None = None) -> Console:
    """Standard output. Nothing in a text is highlighted, and no :code: becomes a picture."""
    return Console(highlight=False, emoji=False, width=width)


def error_console() -> Console:
    """Standard error, as `screen_console`."""
    return Console(stderr=True, highlight=False, emoji=False)


def stand_any_text() -> None:
    """Characters that a stream's encoding lacks become escapes from now on, where they ended the run before.

    Windows writes files and pipes in an encoding of the country, and a file name may hold bytes that are no text.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and getattr(stream, "errors", None) in ("strict", "surrogateescape"):
            reconfigure(errors="backslashreplace")


def is_unicode() -> bool:
    """Whether standard output can hold every text; JSON is to be escaped its own way where it cannot."""
    return (sys.stdout.encoding or "utf-8").lower().replace("_", "-").startswith("utf")
