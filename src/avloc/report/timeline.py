"""The timeline of a page as static HTML and SVG: time axis, level curve, one row per class, one bar per event.

Places along the time axis are percentages of the video's duration, so that the page may have any width.
"""

from __future__ import annotations

import bisect
import hashlib
import math
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from avloc.events import Event, Events
from avloc.report.evidence import Evidence

MOST_LANES = 4  # of one row; events that overlap still more share the last lane
CURVE_POINTS = 1200
STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
TICKS = (8, 32, 128)  # at most so many at each level of zoom

# Hue in degrees and lightness step of OKLCH colours; page.css has chroma and lightness for light and dark. Found by a
# search for the set whose least distance is largest over ordinary sight and the three colour blindnesses at once.
# They come thrice, turned by half their usual distance.
PALETTE = ((255, 0), (35, 0), (225, 2), (85, 2), (170, 1), (280, 1), (330, 0), (55, 1))
_TURNS, _TURN = 3, 22
_SALT = (35142).to_bytes(8, "little")  # of 40,000 the one by which classes of one video of UnAV-100 differ most


def clock(seconds: float, decimals: int = 0) -> str:
    """`seconds` as m:ss or h:mm:ss, with decimals: 65.25 -> 1:05.25."""
    units = round(abs(seconds) * 10**decimals)
    whole, part = divmod(units, 10**decimals)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"
    sign = "\N{MINUS SIGN}" if seconds < 0 and units else ""
    return sign + text + (f".{part:0{decimals}d}" if decimals else "")


def tone(label: str) -> tuple[int, int]:
    """Hue in degrees and lightness step of a class: by its name alone, so that it is the same on every page."""
    digest = hashlib.blake2s(label.casefold().encode("utf-8", "surrogatepass"), salt=_SALT, digest_size=2).digest()
    turn, k = divmod(digest[0] % (_TURNS * len(PALETTE)), len(PALETTE))
    hue, step = PALETTE[k]
    return (hue + _TURN * turn) % 360, step


def colour(label: str) -> str:
    """Style of a class: the custom properties --h (hue) and --v (lightness step)."""
    hue, step = tone(label)
    return f"--h:{hue};--v:{step}"


def class_order(events: Events) -> list[str]:
    """Classes in the order of their first event."""
    return list(dict.fromkeys(events.by_time().labels))


def lanes(events: Sequence[Event]) -> list[int]:
    """Lane of each event, so that events of one lane do not overlap; the surest get the first lanes."""
    taken: list[list[tuple[float, float]]] = []
    lane_of = [0] * len(events)
    for i in sorted(range(len(events)), key=lambda i: -events[i].score):
        span = (events[i].start_s, events[i].end_s)
        free = next((k for k, spans in enumerate(taken) if _fits(spans, span)), len(taken))
        lane_of[i] = min(free, MOST_LANES - 1)
        if free == len(taken) < MOST_LANES:
            taken.append([])
        bisect.insort(taken[lane_of[i]], span)
    return lane_of


def _fits(spans: list[tuple[float, float]], span: tuple[float, float]) -> bool:
    k = bisect.bisect_left(spans, span)
    before_ends = k == 0 or spans[k - 1][1] <= span[0]
    return before_ends and (k == len(spans) or spans[k][0] >= span[1])


def ticks(duration_s: float) -> Iterator[tuple[float, int]]:
    """Time and level (1 to 3) of each mark of the axis; level 1 is always shown, the others when zoomed in."""
    seen: set[int] = set()
    for level, most in enumerate(TICKS, start=1):
        step_s = next((s for s in STEPS_S if duration_s / s <= most), duration_s / most)
        for k in range(int(duration_s / step_s + 1e-9) + 1):
            millisecond = round(k * step_s * 1000)
            if millisecond not in seen:
                seen.add(millisecond)
                yield k * step_s, level


def axis_html(duration_s: float) -> str:
    """Marks of the time axis, whose lines run down through all rows."""
    marks = sorted(ticks(duration_s))
    first = [time_s for time_s, level in marks if level == 1]
    spare = set(first[1::2])  # texts that a narrow screen does without
    return "".join(_tick(time_s, level, duration_s, time_s in spare) for time_s, level in marks)


def _tick(time_s: float, level: int, duration_s: float, spare: bool) -> str:
    decimals = 0 if math.isclose(time_s, round(time_s), abs_tol=1e-6) else 1
    last = " last" if time_s > 0.95 * duration_s else ""  # its text goes to the left of the line
    return (
        f'<i class="tick t{level}{last}{" spare" if spare else ""}" style="left:{percent(time_s, duration_s)}">'
        f"<span>{clock(time_s, decimals)}</span></i>"
    )


def curve_svg(levels: NDArray[np.float32]) -> str:
    """The level curve, mirrored about the middle; "" where there is no sound at all.

    The height is the square root of the peak level: sounds 40 dB below full scale still show.
    """
    if not len(levels) or not np.nanmax(levels, initial=0.0) > 0:
        return ""
    peaks = np.clip(np.nan_to_num(levels.astype(np.float64)), 0.0, 1.0)
    if len(peaks) > CURVE_POINTS:
        starts = np.arange(CURVE_POINTS) * len(peaks) // CURVE_POINTS
        peaks = np.maximum.reduceat(peaks, starts)
    x = (np.arange(len(peaks)) + 0.5) * (1000 / len(peaks))
    half = np.maximum(48 * np.sqrt(peaks), 0.6)
    upper = [f"{a:.1f} {50 - b:.1f}" for a, b in zip(x, half, strict=True)]
    lower = [f"{a:.1f} {50 + b:.1f}" for a, b in zip(x[::-1], half[::-1], strict=True)]
    path = f"M0 {50 - half[0]:.1f}L{'L'.join(upper)}L1000 {50 - half[-1]:.1f}V{50 + half[-1]:.1f}L{'L'.join(lower)}"
    path += f"L0 {50 + half[0]:.1f}Z"
    return (
        '<svg class="curve" viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" '
        f'aria-label="Level of the sound over time"><path id="level" d="{path}"/>'
        '<path class="played" d="" aria-hidden="true"/></svg>'
    )


def rows_html(events: Events, duration_s: float, evidence: Sequence[Evidence | None] = ()) -> str:
    """One row per class with one button per event. `events` are in the order of the page's table."""
    rows = []
    for label in class_order(events):
        chosen = [i for i, name in enumerate(events.labels) if name == label]
        members = [events[i] for i in chosen]
        lane_of = lanes(members)
        bars = "".join(
            bar_html(i, event, lane, duration_s, evidence[i] if evidence else None)
            for i, event, lane in zip(chosen, members, lane_of, strict=True)
        )
        name = escape(label)
        rows.append(
            f'<div class="row" role="group" aria-label="{name}" style="{colour(label)}">'
            f'<div class="label" title="{name}"><b class="dot"></b><bdi>{name}</bdi>'
            f"<small>{len(chosen)}</small></div>"
            f'<div class="track" style="--lanes:{max(lane_of) + 1}">{bars}</div></div>'
        )
    return "\n".join(rows)


def bar_html(i: int, event: Event, lane: int, duration_s: float, evidence: Evidence | None = None) -> str:
    """The button of event i: placed by time, as strong in colour as the event is sure."""
    start_s, end_s = (min(max(t, 0.0), duration_s) for t in (event.start_s, event.end_s))
    sure = min(max(event.score, 0.0), 1.0)
    told = "" if evidence is None else f", seen {evidence.visual:.2f}, heard {evidence.audio:.2f}"
    times = f"{clock(event.start_s, 2)} to {clock(event.end_s, 2)}"
    words = escape(f"{event.label}: {times}, score {event.score:.2f}{told}")
    seen = "" if evidence is None else f'data-seen="{evidence.visual:.2f}" data-heard="{evidence.audio:.2f}" '
    return (
        f'<button type="button" class="bar" data-event="{i}" data-start="{event.start_s:.3f}" '
        f'data-end="{event.end_s:.3f}" data-score="{event.score:.6g}" data-label="{escape(event.label)}" '
        f"{seen}"
        f'aria-label="{words}" title="{words}" '
        f'style="left:{percent(start_s, duration_s)};width:{percent(end_s - start_s, duration_s)};'
        f'--lane:{lane};--sure:{sure:.3f}"></button>'
    )


def percent(seconds: float, duration_s: float) -> str:
    """A place along the time axis, or a length on it."""
    return f"{100 * seconds / duration_s if duration_s > 0 else 0:.4g}%"
