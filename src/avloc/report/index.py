"""One HTML file that lists thousands of videos with their events, with filters: all is inside, nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template
from urllib.parse import quote

from avloc.events import Events
from avloc.files import replace_file
from avloc.report.timeline import clock, tone

_MOST_OPEN = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the index: name of the video (with folders, divided by /), place of its page relative to the
    index, length in seconds, whether its video can be played, its events, and name and mark of its result, by which
    verdicts know it."""

    name: str
    page: str
    duration_s: float
    playable: bool
    events: Events
    result: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A video that has no events: its name, what became of it ("failed" or "skipped"), and why."""

    name: str
    state: str
    reason: str


def write_index(
    path: str | os.PathLike[str],
    entries: Sequence[Entry],
    *,
    title: str,
    metadata: Mapping[str, str],
    missing: Sequence[Missing] = (),
) -> None:
    """Write the index of many videos; its order is that of the names.

    metadata: facts shown below the list, name -> value.
    missing: what is not in the list.

    Raises:
        OutputError: the file cannot be written.
    """
    script = "\n".join(map(_static, ("verdicts.js", "index_review.js", "index.js")))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = Template(_static("index.html")).substitute(
        title=escape(title),
        summary=escape(summary(entries)),
        policy=f"script-src 'sha256-{digest}'",
        icon=quote(_static("mark.svg"), safe=""),
        mark=_static("mark.svg"),
        style="\n".join(map(_static, ("page.css", "review.css", "index.css"))),
        script=script,
        data=data(entries),
        missing=_missing(missing),
        facts="".join(f"<div><dt>{escape(k)}</dt><dd><bdi>{escape(v)}</bdi></dd></div>" for k, v in metadata.items()),
    )
    # A name that is not UTF-8 reaches us with lone surrogates; \udcXX is how JSON spells them.
    replace_file(path, text.encode("utf-8", "backslashreplace"))


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """By name, whatever its capitals."""
    return sorted(entries, key=lambda entry: (entry.name.casefold(), entry.name))


def summary(entries: Sequence[Entry]) -> str:
    """One line: how many events of how many classes in how many videos of what length together."""
    events = sum(len(entry.events) for entry in entries)
    classes = len({label for entry in entries for label in entry.events.labels})
    whole_s = sum(entry.duration_s for entry in entries)
    found = f"{_many(events, 'event')} of {_many(classes, 'class', 'classes')}" if events else "No event"
    return (
        f"{found} in {_many(len(entries), 'video')}, {clock(whole_s)} {'h' if whole_s >= 3599.5 else 'min'} together"
    )


def data(entries: Sequence[Entry]) -> str:
    """What the script reads, as JSON that no HTML parser takes for an end of the script.

    {"classes": [[label, hue, lightness step], ...], the most frequent first,
     "videos": [[name, page, duration_s, playable, [start_s, end_s, class, score, ... of all events], result, mark]]}
    """
    count = Counter(label for entry in entries for label in entry.events.labels)
    order = sorted(count, key=lambda label: (-count[label], label))
    place = {label: k for k, label in enumerate(order)}
    videos = [_line(entry, place) for entry in in_order(entries)]
    body = {"classes": [[label, *tone(label)] for label in order], "videos": videos}
    # "<" alone could end the script or open a comment in it.
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _line(entry: Entry, place: Mapping[str, int]) -> list[object]:
    address = quote(os.fsencode(entry.page))
    columns = _columns(entry.events, place)
    about = [entry.name, address, _short(entry.duration_s, 3), int(entry.playable), columns]
    return [*about, entry.result, entry.mark] if entry.mark else about


def _missing(missing: Sequence[Missing]) -> str:
    """The list of videos without a result, open where it is short; "" where there is none."""
    if not missing:
        return ""
    rows = "".join(
        f'<tr><th scope="row"><bdi>{escape(m.name)}</bdi></th>'
        f"<td>{escape(m.state)}</td><td>{escape(m.reason)}</td></tr>"
        for m in sorted(missing, key=lambda m: (m.state, m.name))
    )
    count = Counter(m.state for m in missing)
    told = ", ".join(f"{count[state]:,} {state}" for state in sorted(count))
    return (
        f'<section class="missing"><details{" open" if len(missing) <= _MOST_OPEN else ""}>'
        f"<summary><h2>Without a result</h2><span>{escape(told)}</span></summary>"
        f"<table><thead><tr><th>Video</th><th>State</th><th>Why</th></tr></thead><tbody>{rows}</tbody></table>"
        "</details></section>"
    )


def _columns(events: Events, place: Mapping[str, int]) -> list[float]:
    flat: list[float] = []
    for e in events.by_time():
        flat += [_short(e.start_s, 3), _short(e.end_s, 3), place[e.label], _short(e.score, 4)]
    return flat


def _short(number: float, decimals: int) -> float:
    rounded = round(number, decimals)
    return int(rounded) if rounded == int(rounded) else rounded


def _many(n: int, one: str, more: str = "") -> str:
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def _static(name: str) -> str:
    return resources.files("avloc.report").joinpath("static", name).read_text(encoding="utf-8").strip()
