"""The page: whole in one file, readable without script, and no text of a video becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import FormatError, OutputError
from avloc.events import Event, Events
from avloc.report.evidence import Evidence
from avloc.report.index import Entry
from avloc.report.judging import Judging
from avloc.report.page import Shown, made_from_of, summary, video_url, write_page
from avloc.report.site import write_site
from avloc.report.timeline import clock, curve_svg, lanes, ticks

EVIL = '<script>alert("1")</script>\'</style>&amp;${x}$title'
EVENTS = Events(
    [3.0, 5.6, 6.2, 8.0],
    [5.1, 6.9, 12.4, 10.0],
    ["dog barking", "dog barking", "violin", EVIL],
    [0.93, 0.7, 0.5, 1.0],
)
VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """What a browser would read: elements with their attributes, and texts by the element they stand in."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.elements if t == tag and all(a.get(k) == v for k, v in wanted.items())]

    def said(self) -> str:
        return " ".join(text for tag, text in self.texts if tag not in ("script", "style"))


def page(folder: Path, events: Events = EVENTS, **changes: Any) -> Page:
    given_: dict[str, Any] = {
        "title": "a video.mp4",
        "video": Shown("a%20video.mp4"),
        "duration_s": 20.0,
        "levels": np.linspace(0, 1, 400, dtype=np.float32),
        "metadata": {"Model": "default"},
    }
    write_page(folder / "page.html", events=events, **{**given_, **changes})
    return Page((folder / "page.html").read_text(encoding="utf-8"))


def test_every_event_stands_in_the_table_and_on_the_timeline(tmp_path: Path) -> None:
    read = page(tmp_path)
    said = read.said()
    for e in EVENTS:
        for text in (e.label, clock(e.start_s, 2), clock(e.end_s, 2), f"{e.score:.2f}", f"{e.duration_s:.2f} s"):
            assert text in said
    bars = read.all("button", **{"class": "bar"})
    assert [b["data-label"] for b in bars] == ["dog barking", "dog barking", "violin", EVIL]
    assert [b["data-start"] for b in bars] == ["3.000", "5.600", "6.200", "8.000"]
    assert "left:15%;width:10.5%;" in str(bars[0]["style"])
    assert sorted(str(r["data-event"]) for r in read.all("tr") if "data-event" in r) == ["0", "1", "2", "3"]
    assert len(read.all("div", **{"class": "row"})) == 3
    assert "4 events of 3 classes in 20 s" in said


def test_the_table_is_in_the_order_of_time(tmp_path: Path) -> None:
    starts = [text for tag, text in page(tmp_path, EVENTS.take([3, 1, 0, 2])).texts if tag == "td"][::4]
    assert starts == ["0:03.00", "0:05.60", "0:06.20", "0:08.00"]


def test_texts_of_a_video_stay_texts(tmp_path: Path) -> None:
    read = page(
        tmp_path, title=EVIL, video=Shown(EVIL.replace("/", "_"), EVIL, EVIL, EVIL), metadata={EVIL: EVIL}, note=EVIL
    )
    assert len(read.all("script")) == 1
    assert len(read.all("style")) == 1
    assert not [a for _, a in read.elements if any(name.startswith("on") for name in a)]
    # title, heading, note, fact and its name, row, table, label's tip and button, three words on the video
    assert sum(text.count(EVIL) for _, text in read.texts) == 10
    assert read.all("video")[0]["src"] == EVIL.replace("/", "_")
    assert {str(a["aria-label"])[: len(EVIL)] for _, a in read.elements if "alert" in str(a.get("aria-label"))} == {
        EVIL,
        "Play " + EVIL[:-5],
    }


@settings(max_examples=40, deadline=None)
@given(
    label=st.text(min_size=1, max_size=12).filter(lambda s: s.strip() and s.isprintable()), title=st.text(max_size=12)
)
def test_any_label_can_be_read_back(tmp_path_factory: pytest.TempPathFactory, label: str, title: str) -> None:
    read = page(tmp_path_factory.mktemp("page"), Events([1], [2], [label]), title=title)
    assert [b["data-label"] for b in read.all("button", **{"class": "bar"})] == [label]
    assert len(read.all("script")) == 1


def test_nothing_is_fetched_from_anywhere(tmp_path: Path) -> None:
    read = page(tmp_path)
    addresses = [
        (t, n, str(a[n])) for t, a in read.elements for n in ("src", "href", "srcset", "action", "data") if n in a
    ]
    assert addresses[1:] == [("video", "src", "a%20video.mp4")]
    assert addresses[0][0] == "link"
    assert addresses[0][2].startswith("data:image/svg+xml,")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    text = re.sub(r"'sha256-[^']*'", "", text)  # its letters may begin with two slashes
    assert re.findall(r"(?:https?:)?//[a-z][^\s\"'<]*", text.replace("http://www.w3.org/2000/svg", "")) == []
    assert not re.search(r"url\(|@import", text)


def test_the_policy_lets_this_script_run_and_no_other(tmp_path: Path) -> None:
    read = page(tmp_path)
    policy = str(read.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"])
    script = next(text for tag, text in read.texts if tag == "script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}';" in policy
    assert "http" not in policy


def test_no_event_says_so_and_why(tmp_path: Path) -> None:
    read = page(tmp_path, Events(), note="The sound track is silent.")
    assert "No event was found." in read.said()
    assert "The sound track is silent." in read.said()
    assert "No event in 20 s" in read.said()
    assert [a["aria-label"] for _, a in read.elements if "hidden" in a and "aria-label" in a][-1] == "Table of events"
    assert "An event is shown where" in page(tmp_path, Events()).said()


@pytest.mark.parametrize(
    "levels", [np.zeros(0, np.float32), np.zeros(100, np.float32), np.full(9, np.nan, np.float32)]
)
def test_no_sound_is_said(tmp_path: Path, levels: np.ndarray) -> None:
    read = page(tmp_path, levels=levels)
    assert "no sound" in read.said()
    assert read.all("path", id="level") == []


def test_levels_that_nobody_measured_are_not_called_silence(tmp_path: Path) -> None:
    read = page(tmp_path, levels=None)
    assert "no sound" not in read.said()
    assert "Sound level" not in read.said()
    assert len(read.all("div", id="sound")) == 1


def test_a_page_that_is_made_anew_keeps_its_place_among_others(tmp_path: Path) -> None:
    page(tmp_path)
    write_site(tmp_path / "index.html", [Entry("a video", "page.html", 20.0, True, EVENTS)], title="", metadata={})
    assert [a["href"] for a in page(tmp_path).all("a")] == ["index.html"]


def test_a_page_knows_what_it_was_made_from(tmp_path: Path) -> None:
    assert page(tmp_path).all("a") == []
    assert made_from_of(tmp_path / "page.html") == ""
    page(tmp_path, made_from="0123abcd")
    assert made_from_of(tmp_path / "page.html") == "0123abcd"
    assert made_from_of(tmp_path / "absent.html") == ""


@pytest.mark.parametrize("video", ["https://example.org/a.mp4", "//example.org/a.mp4", "javascript:alert(1)"])
def test_a_video_on_the_network_is_refused(tmp_path: Path, video: str) -> None:
    with pytest.raises(FormatError, match="lies on the network"):
        page(tmp_path, video=Shown(video))


@pytest.mark.parametrize("duration_s", [0.0, -1.0, float("nan"), float("inf")])
def test_a_page_of_no_time_is_refused(tmp_path: Path, duration_s: float) -> None:
    with pytest.raises(FormatError, match="length in seconds"):
        page(tmp_path, duration_s=duration_s)


def test_an_unwritable_place_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder") as caught:
        page(tmp_path / "missing")
    assert "\n" not in str(caught.value)


def test_a_linked_video_is_named_from_the_page(tmp_path: Path) -> None:
    odd = os.fsdecode("50% #1 caf\u00e9?.mp4".encode())
    assert video_url(tmp_path / "videos" / odd, tmp_path / "out" / "page.html") == (
        "../videos/50%25%20%231%20caf%C3%A9%3F.mp4"
    )


def test_an_inlined_video_is_there_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "a.webm").write_bytes(bytes(range(256)))
    kind, content = video_url(tmp_path / "a.webm", tmp_path / "p.html", inline=True).split(",", 1)
    assert kind == "data:video/webm;base64"
    assert base64.b64decode(content) == bytes(range(256))
    with pytest.raises(FormatError, match="cannot be read"):
        video_url(tmp_path / "absent.mp4", tmp_path / "p.html", inline=True)


@pytest.mark.parametrize(
    ("seconds", "decimals", "text"),
    [(0, 0, "0:00"), (59.996, 2, "1:00.00"), (65.25, 2, "1:05.25"), (3725.5, 1, "1:02:05.5"), (-1.5, 1, "−0:01.5")],
)
def test_clock(seconds: float, decimals: int, text: str) -> None:
    assert clock(seconds, decimals) == text


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [(3.42, "in 3.42 s"), (59.99, "in 1:00 min"), (75, "in 1:15 min"), (3600, "in 1:00:00 h")],
)
def test_summary_names_the_length(duration_s: float, words: str) -> None:
    assert summary(EVENTS[:1], duration_s) == f"1 event of 1 class {words}"


@given(st.floats(0.05, 1e6))
def test_the_axis_is_neither_bare_nor_crowded(duration_s: float) -> None:
    marks = list(ticks(duration_s))
    assert 1 <= sum(level == 1 for _, level in marks) <= 9
    assert len(marks) <= 140
    assert all(0 <= time_s <= duration_s * (1 + 1e-6) for time_s, _ in marks)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.floats(0, 1)), max_size=9))
def test_lanes_but_the_last_hold_no_overlap(spans: list[tuple[int, int, float]]) -> None:
    events = [Event(s, s + d, "a", p) for s, d, p in spans]
    lane_of = lanes(events)
    for i, a in enumerate(events):
        for j, b in enumerate(events[:i]):
            if lane_of[i] == lane_of[j] < 3:
                assert a.end_s <= b.start_s or b.end_s <= a.start_s


def test_a_long_curve_keeps_its_peaks() -> None:
    levels = np.zeros(50_000, np.float32)
    levels[33_333] = 1.0
    svg = curve_svg(levels)
    assert "667.1 2.0" in svg
    assert len(svg) < 60_000


def test_how_surely_an_event_is_seen_and_heard_stands_beside_its_score(tmp_path: Path) -> None:
    told = [Evidence(0.8, 0.7), None, Evidence(0.25, 1.0), None]
    html = page(tmp_path, EVENTS.take([1, 0, 3, 2]), evidence=told)
    first, second, violin, _ = sorted(
        html.all("button", **{"class": "bar"}), key=lambda bar: int(bar["data-event"] or 0)
    )
    assert (second["data-seen"], second["data-heard"]) == ("0.80", "0.70")
    assert "seen 0.80, heard 0.70" in str(second["aria-label"])
    assert "data-seen" not in first and "data-seen" not in violin
    assert html.said().count("Heard") == 1 and "0.25" in html.said()
    assert "Heard" not in page(tmp_path).said() and "Heard" not in page(tmp_path, evidence=[None] * 4).said()


def test_what_is_heard_only_or_seen_only_has_rows_of_its_own_and_no_verdicts(tmp_path: Path) -> None:
    alone = Events([1.0, 15.0, 4.0], [2.5, 30.0, 5.0], ["violin (audio)", f"{EVIL} (visual)", "violin (audio)"])
    html = page(tmp_path, apart=alone, review=Judging("v", "0" * 16))
    rows = html.all("div", **{"class": "row apart"})
    assert [row["aria-label"] for row in rows] == ["violin, heard only", f"{EVIL}, seen only"]
    marks = html.all("a", **{"class": "alone"})
    assert [mark["href"] for mark in marks] == ["#t=1.000", "#t=4.000", "#t=15.000"]
    assert "left:75%;width:25%" in str(marks[2]["style"])  # the page ends before it does
    assert len(html.all("button", **{"class": "bar"})) == len(EVENTS)
    assert len(html.all("tr")) - len(page(tmp_path, review=Judging("v", "0" * 16)).all("tr")) == 1 + 3
    assert not page(tmp_path).all("section", **{"class": "apart"})
    silent = page(tmp_path, Events(), apart=alone)
    assert "No event was found." in silent.said() and len(silent.all("a", **{"class": "alone"})) == 3


def test_only_a_page_that_is_told_what_it_is_of_takes_verdicts(tmp_path: Path) -> None:
    plain = page(tmp_path)
    assert not plain.all("section", id="review") and len(plain.all("script")) == 1
    judged = page(tmp_path, review=Judging(EVIL, "0" * 16, ["dog barking", EVIL]))
    assert judged.all("section", id="review") and len(judged.all("script")) == 2
    (data,) = [text for tag, text in judged.texts if tag == "script" and text.startswith("{")]
    assert json.loads(data)["name"] == EVIL and [row[0] for row in json.loads(data)["classes"]] == [
        "dog barking",
        EVIL,
    ]
