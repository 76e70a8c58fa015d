"""What is heard only and what is seen only on the page of a video: rows of their own, and a table; nothing to judge.

Events come with the modality in their class, "rooster crowing (audio)", and how surely that is so as their score.
Each is a link to its moment, which the page follows as it does addresses with a time.
"""

from __future__ import annotations

from html import escape

from avloc.events import Event, Events
from avloc.events.modality import AUDIO, VISUAL, without_modality
from avloc.report.timeline import class_order, clock, colour, percent

WORDS = {AUDIO: "heard only", VISUAL: "seen only"}


def apart_rows(apart: Events, duration_s: float) -> str:
    """A row for each class and modality in the timeline."""
    return "\n".join(_row([e for e in apart if e.label == name], duration_s) for name in class_order(apart))


def apart_section(apart: Events) -> str:
    """The table under that of the events; "" where nothing is apart."""
    if not len(apart):
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Class", "What", "Start", "End", "How surely"))
    rows = "\n".join(_line(event) for event in apart.by_time())
    return (
        '<section class="apart" aria-label="Heard only, seen only"><h2>Heard only, seen only</h2>'
        "<p>Weaker evidence than that of the events: heard only means heard, and not seen by the model.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></section>"
    )


def _row(events: list[Event], duration_s: float) -> str:
    label, words = _parts(events[0])
    name = escape(label)
    marks = "".join(_mark(event, duration_s) for event in events)
    return (
        f'<div class="row apart" role="group" aria-label="{name}, {words}" style="{colour(label)}">'
        f'<div class="label" title="{name}, {words}"><b class="dot"></b><bdi>{name}</bdi><small>{words}</small></div>'
        f'<div class="track">{marks}</div></div>'
    )


def _mark(event: Event, duration_s: float) -> str:
    label, words = _parts(event)
    start_s, end_s = (min(max(t, 0.0), duration_s) for t in (event.start_s, event.end_s))
    times = f"{clock(event.start_s, 2)} to {clock(event.end_s, 2)}"
    said = escape(f"{label}, {words}: {times}, {event.score:.2f}")
    place = f"left:{percent(start_s, duration_s)};width:{percent(end_s - start_s, duration_s)}"
    return f'<a class="alone" href="#t={event.start_s:.3f}" aria-label="{said}" title="{said}" style="{place}"></a>'


def _line(event: Event) -> str:
    label, words = _parts(event)
    start = f'<a href="#t={event.start_s:.3f}">{clock(event.start_s, 2)}</a>'
    return (
        f'<tr style="{colour(label)}"><th scope="row"><b class="dot"></b><bdi>{escape(label)}</bdi></th>'
        f"<td>{words}</td><td>{start}</td><td>{clock(event.end_s, 2)}</td><td>{event.score:.2f}</td></tr>"
    )


def _parts(event: Event) -> tuple[str, str]:
    label, modality = without_modality(event.label)
    return label, WORDS.get(modality, modality)
