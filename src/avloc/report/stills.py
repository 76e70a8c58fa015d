"""Pictures of events inside a page, and out of a page that was made before: they take decoding the video."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

Span = tuple[float, float]
"""Start and end of an event in seconds, as pages tell them, to a millisecond."""

_HEAD_BYTES = 600
_FILE = re.compile(rb'<meta name="video-file" content="([^"<>]*)">')
_BAR = re.compile(rb'class="bar" data-event="(\d+)" data-start="([-\d.]+)" data-end="([-\d.]+)"')
_STILL = re.compile(rb'<tr data-event="(\d+)".*?</tr>', re.DOTALL)
_DATA = re.compile(rb'class="still" [^>]*src="data:image/jpeg;base64,([A-Za-z0-9+/=]+)"')


def span_of(start_s: float, end_s: float) -> Span:
    """By which a picture of an event is kept."""
    return round(start_s, 3), round(end_s, 3)


def still_html(still: bytes | None) -> str:
    """A JPEG picture as HTML; "" for none."""
    if still is None:
        return ""
    coded = base64.b64encode(still).decode()
    return f'<img class="still" alt="" loading="lazy" src="data:image/jpeg;base64,{coded}">'


def stills_in(page: str | os.PathLike[str], file: str) -> dict[Span, bytes]:
    """The pictures in a page; none where there is no page, or one of another version of the video's file."""
    try:
        with Path(page).open("rb") as opened:
            head = opened.read(_HEAD_BYTES)
            found = _FILE.search(head)
            if not file or found is None or found[1].decode() != file:
                return {}
            text = head + opened.read()
    except OSError:
        return {}
    spans = {number: span_of(float(start), float(end)) for number, start, end in _BAR.findall(text)}
    rows = ((row[1], _DATA.search(row[0])) for row in _STILL.finditer(text))
    return {spans[number]: base64.b64decode(data[1]) for number, data in rows if data and number in spans}
