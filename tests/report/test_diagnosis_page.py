"""The page of a diagnosis: whole in one file, true to the numbers, and no label becomes markup."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from avloc.errors import OutputError
from avloc.evaluation.diagnosis import Diagnosis, diagnose
from avloc.evaluation.sound_events import segment_based
from avloc.events import Event, Events
from avloc.report.diagnosis_page import write_diagnosis
from avloc.report.diagnosis_terminal import diagnosis_tables, f1_table
from avloc.report.figures import Line, Part, axis, bar, plot

EVIL = '<script>alert("1")</script></style>&amp;${x}$title'


def of(*events: tuple[float, float, str, float]) -> Events:
    return Events.of([Event(*event) for event in events])


TRUTH = {"v": of((0, 10, "dog", 1), (20, 30, EVIL, 1), (50, 60, "dog", 1))}
FOUND = {
    "v": of(
        (0, 10, "dog", 0.9), (1, 10, "dog", 0.8), (20, 29, "dog", 0.7), (27, 35, "dog", 0.5), (80, 90, "dog", 0.4)
    )
}


def full() -> Diagnosis:
    return diagnose(FOUND, TRUTH, {"v": 100.0}, seen_only={"v": of((80, 90, "dog", 1))}, heard_only={})


class Page(HTMLParser):
    """Elements with their attributes; every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and "style" not in self.open:
            self.words.append(data.strip())


def written(folder: Path, diagnosis: Diagnosis) -> tuple[Page, str]:
    path = folder / "diagnosis.html"
    write_diagnosis(path, diagnosis, title="a & b", metadata={"Truth": EVIL})
    text = path.read_text("utf-8")
    return Page(text), text


def test_the_page_fetches_nothing_and_runs_nothing(tmp_path: Path) -> None:
    page, text = written(tmp_path, full())
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "img"}
    assert set(re.findall(r"https?://[^\s\"'<)]*", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text
    loaded = [attrs.get(name) or "" for _, attrs in page.elements for name in ("href", "src")]
    assert all(address.startswith("data:") for address in loaded if address)
    assert "url(" not in text and "@import" not in text


def test_labels_stay_text(tmp_path: Path) -> None:
    page, _ = written(tmp_path, full())
    # In the facts, as a true class that was called dog, and in the table of classes.
    assert page.words.count(EVIL) == 3 and "a & b" in page.words


def test_the_numbers_are_there(tmp_path: Path) -> None:
    d = full()
    page, text = written(tmp_path, d)
    assert f"{100 * d.mean_ap:.1f}" in page.words
    assert re.search("Of 2 missed events: 0 with .*, 1 with another class .*, 1 with neither", text)
    titles = [word for word in page.words if word.startswith("True positive: ")]
    # Two dogs: one of the surest two detections is true, none of the next two or the last; and all of the class.
    assert titles == ["True positive: 1 of 2 (50.0 %)", "True positive: 1"]
    assert "seen only same class: 1 of 1 among 10 G" not in page.words
    assert "seen only same class: 1 of 4 among 10 G" in page.words
    assert [word for word in page.words if word in ("Length", "Coverage", "Instances", "Overlap")] == [
        "Length",
        "Coverage",
        "Instances",
        "Overlap",
    ]


@pytest.mark.parametrize("found", [{}, FOUND])
@pytest.mark.parametrize("truth", [{}, TRUTH])
@pytest.mark.parametrize("known", [None, {}])
def test_with_nothing_the_page_is_whole(
    tmp_path: Path, found: dict[str, Events], truth: dict[str, Events], known: dict[str, Events] | None
) -> None:
    d = diagnose(found, truth, seen_only=known, thresholds=(0.5,))
    page, text = written(tmp_path, d)
    assert "nan" not in " ".join(page.words).lower().split() and "inf" not in text.split()
    assert ("Which modality misled" in page.words) == (known is not None)
    shown = io.StringIO()
    console = Console(file=shown, width=80)
    for table in diagnosis_tables(d):
        console.print(table)
    assert "True positive" in shown.getvalue()


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        write_diagnosis(tmp_path / "no" / "x.html", full(), title="", metadata={})


@pytest.mark.parametrize("width", [60, 100])
def test_tables_on_a_terminal(width: int) -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=width)
    for table in (*diagnosis_tables(full()), f1_table({"segments": segment_based(FOUND, TRUTH)}, 0.5)):
        console.print(table)
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert [line.split()[-1] for line in lines if "Background" in line] == ["+0.00"]
    assert [line.split()[-2:] for line in lines if "segments" in line] == [
        [f"{100 * score:.1f}" for score in (segment_based(FOUND, TRUTH).macro, segment_based(FOUND, TRUTH).micro)]
    ]


@pytest.mark.parametrize("highest", [0.0, 1e-9, 0.013, 0.5, 0.99, 1.0, 3.0, 12.08, 99.9, 100.0])
def test_an_axis_reaches_the_highest_in_a_few_round_steps(highest: float) -> None:
    ticks = axis(highest)
    assert ticks[0] == 0 and highest <= ticks[-1] * (1 + 1e-6) and 2 <= len(ticks) <= 7
    assert highest == 0 or ticks[-2] < highest


def test_a_bar_s_parts_fill_it() -> None:
    text = bar([Part(1, "a", "one"), Part(0, "b", "nothing"), Part(3, "c", "<three>")], 4, "all", mark=2)
    widths = [float(w) for w in re.findall(r'width="([\d.]+)"', text)]
    assert widths == [25, 75] and "&lt;three&gt;" in text and 'd="M50 0V10"' in text
    assert "<rect" not in bar([Part(0, "a", "none")], 0, "nothing")


def test_a_plot_puts_heights_where_they_belong() -> None:
    text = plot([Line([0, 5, 10], "k1", "double")], ["a", "b", "c"], "words")
    assert 'd="M16.67 100L50 50L83.33 0"' in text
    assert plot([], [], "words").count("<path") == 2
