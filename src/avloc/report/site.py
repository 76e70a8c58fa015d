"""Pages of videos and the index over them, linked to one another: a folder that works offline."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from avloc.files import replace_file
from avloc.report.index import Entry, Missing, in_order, write_index
from avloc.report.page import LINKS, links_html

INDEX = "index.html"


def write_site(
    index: Path,
    entries: Sequence[Entry],
    *,
    title: str,
    metadata: Mapping[str, str],
    missing: Sequence[Missing] = (),
) -> None:
    """Write the index, and into each page, which is there already, where it and the pages before and behind are.

    metadata: facts shown below the list, name -> value. missing: what is not in the list.

    Raises:
        OutputError: a file cannot be written.
    """
    write_index(index, entries, title=title, metadata=metadata, missing=missing)
    for before, entry, after in _threes(in_order(entries)):
        page = index.parent / entry.page
        ends = (_link(entry, other) for other in (before, after))
        links = links_html(_seen_from(entry.page, index.name), *ends)
        _put_links(page, links.encode("utf-8", "replace"))


def _link(entry: Entry, other: Entry | None) -> tuple[str, str] | None:
    return None if other is None else (_seen_from(entry.page, other.page), other.name)


def _threes(entries: Sequence[Entry]) -> list[tuple[Entry | None, Entry, Entry | None]]:
    around = [None, *entries, None]
    return [(a, b, c) for (a, b), (_, c) in pairwise(pairwise(around)) if b is not None]


def _put_links(page: Path, links: bytes) -> None:
    """In place of those that are there; a page that is gone, or none of ours, is left alone."""
    try:
        text = page.read_bytes()
    except OSError:
        return
    changed = LINKS.sub(lambda _: b'<nav class="links">' + links + b"</nav>", text, count=1)
    if changed != text:
        replace_file(page, changed)


def _seen_from(page: str, other: str) -> str:
    """Address of another file of the site for a page; both by their places."""
    return quote(os.fsencode(os.path.relpath(other, Path(page).parent).replace(os.sep, "/")))
