"""How events show themselves: in a notebook, in frames, in a plot; without the packages, an error that names them."""

from __future__ import annotations

import sys
from html.parser import HTMLParser

import pytest

from avloc import AvlocError, Events

EVENTS = Events([1.5, 4, 4], [5, 6, 4], ["dog barking", "<b>cat & co</b>", "dog barking"], [0.93, 0.5, 0.25])


class Rows(HTMLParser):
    """The texts of a table's cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_notebook_shows_a_table() -> None:
    rows = Rows(EVENTS._repr_html_())
    assert rows.tags.count("tr") == 4 and "b" not in rows.tags
    assert rows.texts[0] == "3 events" and "<b>cat & co</b>" in rows.texts and "0.930" in rows.texts
    many = Rows(Events(range(60), range(1, 61), ["a"] * 60)._repr_html_())
    assert many.tags.count("tr") == 51 and many.texts[-1] == "... 10 more"
    assert Rows(Events()._repr_html_()).texts[0] == "0 events"


def test_frames_hold_the_events_and_may_be_changed() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = EVENTS.to_pandas()
    assert list(frame.columns) == ["start_s", "end_s", "label", "score"]
    assert Events(frame.start_s, frame.end_s, frame.label, frame.score) == EVENTS
    frame.loc[0, "start_s"] = 0.0
    assert EVENTS.start_s[0] == 1.5 and isinstance(Events().to_pandas(), pandas.DataFrame)


def test_polars_holds_the_events() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = EVENTS.to_polars()
    assert Events(frame["start_s"], frame["end_s"], frame["label"], frame["score"]) == EVENTS
    assert Events().to_polars().schema["label"] == polars.String


@pytest.mark.parametrize(
    ("ask", "package"), [("to_pandas", "pandas"), ("to_polars", "polars"), ("plot", "matplotlib")]
)
def test_a_package_that_is_not_there_is_named(ask: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(AvlocError, match=f"pip install {package}"):
        getattr(EVENTS, ask)()


def test_a_plot_has_a_row_a_class_and_a_bar_an_event() -> None:
    figure_of = pytest.importorskip("matplotlib.figure", reason="matplotlib is not installed")
    axes = figure_of.Figure().add_subplot()
    assert EVENTS.plot(axes) is axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["dog barking", "<b>cat & co</b>"]
    bars = [[tuple(p.get_extents().intervalx) for p in row.get_paths()] for row in axes.collections]
    assert bars == [[(1.5, 5.0), (4.0, 4.0)], [(4.0, 6.0)]]
    Events().plot(figure_of.Figure().add_subplot())
