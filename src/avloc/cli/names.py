"""File names made from any text: safe on every system, and no two alike."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_LONGEST_BYTES = 90
_DIGITS = 8


def slug(text: str, otherwise: str) -> str:
    """Letters and digits of any script, dots, dashes and underscores; each run of other signs becomes one dash.

    At most 90 bytes of UTF-8, no dot or dash at either end; `otherwise` where nothing is left.
    """
    kept = re.sub(r"[^\w.\-]+", "-", unicodedata.normalize("NFC", text))
    kept = re.sub(r"\.{2,}", ".", kept).strip("-._")
    short = kept.encode()[:_LONGEST_BYTES].decode(errors="ignore").rstrip("-._")
    return short or otherwise


def told_apart(names: Sequence[str], keys: Sequence[str]) -> list[str]:
    """`names`, with a few digits made from its key behind each that another one equals, on any file system.

    Names and keys go in pairs; keys are all different. A name depends on which keys there are, not on their order.
    """
    count = Counter(map(_folded, names))
    return [
        name if count[_folded(name)] == 1 else f"{name}_{_digest(key)}" for name, key in zip(names, keys, strict=True)
    ]


def _folded(name: str) -> str:
    """What a file system may hold for the same name: case and composed letters do not count."""
    return unicodedata.normalize("NFKC", name).casefold()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
