"""Events as a table of a notebook, of pandas and of polars; neither package is needed before it is asked for."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from avloc.errors import AvlocError
from avloc.events.event import Events

if TYPE_CHECKING:
    import pandas
    import polars

MOST_ROWS = 50


def as_html(events: Events) -> str:
    """A table with a bar for each event's place in time; of more than 50 events the first."""
    begin_s = min(events.start_s, default=0.0)
    length_s = max(max(events.end_s, default=0.0) - begin_s, 1e-9)
    rows = []
    for event in events[:MOST_ROWS]:
        left, width = 100 * (event.start_s - begin_s) / length_s, 100 * event.duration_s / length_s
        bar = (
            f'<div style="width:16em;background:#8883"><div style="margin-left:{min(left, 99.5):.2f}%;'
            f'width:{max(width, 0.5):.2f}%;height:0.8em;background:#0072b2"></div></div>'
        )
        cells = (
            f'<td style="text-align:left">{escape(event.label)}</td>',
            *(f"<td>{number}</td>" for number in _numbers(event.start_s, event.end_s, event.score)),
            f"<td>{bar}</td>",
        )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{title}</th>" for title in ("label", "start (s)", "end (s)", "score", ""))
    more = f"<p>... {len(events) - MOST_ROWS} more</p>" if len(events) > MOST_ROWS else ""
    said = f"{len(events)} event{'' if len(events) == 1 else 's'}"
    return (
        f"<table><caption>{said}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{more}"
    )


def to_pandas(events: Events) -> pandas.DataFrame:
    """Columns start_s, end_s, label, score.

    Raises:
        AvlocError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise _missing("pandas") from None
    return pandas.DataFrame(_columns(events))


def to_polars(events: Events) -> polars.DataFrame:
    """Columns start_s, end_s, label, score.

    Raises:
        AvlocError: polars is not installed.
    """
    try:
        import polars
    except ImportError:
        raise _missing("polars") from None
    return polars.DataFrame(_columns(events), schema_overrides={"label": polars.String})


def _columns(events: Events) -> dict[str, object]:
    # Copies: a frame may be changed, the events may not.
    return {
        "start_s": events.start_s.copy(),
        "end_s": events.end_s.copy(),
        "label": list(events.labels),
        "score": events.score.copy(),
    }


def _numbers(start_s: float, end_s: float, score: float) -> tuple[str, str, str]:
    return f"{start_s:.2f}", f"{end_s:.2f}", f"{score:.3f}"


def _missing(package: str) -> AvlocError:
    return AvlocError(f"this table needs {package}, which is not installed; pip install {package}")
