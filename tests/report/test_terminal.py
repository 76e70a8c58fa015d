"""Events on a terminal: within the width, in ASCII where nothing else is, with no control of the terminal."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from avloc.events import Events
from avloc.report.terminal import EventsTimeline, block_line, events_table

EVENTS = Events(
    [3.0, 5.6, 6.2, 12.0],
    [5.1, 6.9, 12.4, 12.05],
    ["dog barking", "dog barking", "Geige [b]", "狗叫"],
    [0.93, 0.2, 0.5, 1],
)


def shown(renderable: RenderableType, width: int = 80, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding, write_through=True) as file:
        Console(file=file, width=width).print(renderable)
        return raw.getvalue().decode(encoding)


def test_the_table_tells_every_event_in_order() -> None:
    lines = shown(events_table(EVENTS.take([2, 3, 0, 1]), title="[red]a[/red].mp4")).splitlines()
    assert lines[0].strip() == "[red]a[/red].mp4"
    rows = [line.split() for line in lines if line.strip().startswith("0:")]
    assert rows[0] == ["0:03.00", "0:05.10", "2.10", "s", "dog", "barking", "0.93", "━━━━━━━╌"]
    assert [row[0] for row in rows] == ["0:03.00", "0:05.60", "0:06.20", "0:12.00"]
    assert rows[2][4:6] == ["Geige", "[b]"]


def test_the_surest_are_shown_and_the_others_counted() -> None:
    text = shown(events_table(EVENTS, most=2))
    assert "狗叫" in text
    assert "0.93" in text
    assert "0.20" not in text
    assert "and 2 more" in text


def test_no_event_is_an_empty_table_and_no_timeline() -> None:
    assert "class" in shown(events_table(Events()))
    assert shown(EventsTimeline(Events(), 10.0)).strip() == ""


@pytest.mark.parametrize("width", [48, 60, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_lines_fit_and_encode(width: int, encoding: str) -> None:
    for renderable in (events_table(EVENTS), EventsTimeline(EVENTS, 20.0)):
        text = shown(renderable, width, encoding)
        assert max(cell_len(line) for line in text.splitlines()) <= width
        assert text.isascii() == (encoding != "utf-8")
        assert "0:03.00" in text or renderable.__class__ is EventsTimeline


def test_the_timeline_has_a_line_per_class_as_wide_as_the_terminal() -> None:
    lines = shown(EventsTimeline(EVENTS, 20.0), width=60).splitlines()
    assert [line.split("  ")[0].rstrip("· ▁▂▃▄▅▆▇█") for line in lines[:3]] == ["dog barking", "Geige [b]", "狗叫"]
    assert {cell_len(line) for line in lines} == {60}
    assert lines[3].split() == ["0:00", "0:20.0"]


def test_blocks_are_where_the_events_are() -> None:
    assert block_line(EVENTS, "dog barking", 10.0, 10) == "···██·▂···"
    assert block_line(EVENTS, "dog barking", 10.0, 10, ascii_only=True) == "...##.=..."
    assert block_line(EVENTS, "狗叫", 20.0, 10) == "······█···"  # far shorter than a cell, yet seen
    assert block_line(Events([25], [30], ["a"]), "a", 20.0, 4) == "···█"  # beyond the end
    assert block_line(Events([0], [20], ["a"], [0.0]), "a", 20.0, 4) == "▁▁▁▁"


def test_a_label_cannot_steer_the_terminal() -> None:
    evil = Events([1], [2], ["\x1b[2Jgone\r\nnext\x9b"])
    for renderable in (events_table(evil, title="\x1b]0;x\x07"), EventsTimeline(evil, 5.0)):
        text = shown(renderable)
        assert not any(not (c.isprintable() or c == "\n") for c in text)
        assert "[2Jgone??next?" in text
