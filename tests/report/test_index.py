"""The index: all of the data is inside, readable by JSON, and no name of a video becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import OutputError
from avloc.events import Events
from avloc.report.index import Entry, summary, write_index
from avloc.report.timeline import tone

EVIL = "</script><script>alert(1)</script><!-- ${x} $data \u2028"
EVENTS = Events([2.0, 0.5], [3.25, 1.0], ["violin", "dog"], [0.5, 0.98764])


def write(folder: Path, entries: list[Entry], title: str = "Index", **facts: str) -> str:
    write_index(folder / "index.html", entries, title=title, metadata=facts)
    return (folder / "index.html").read_text(encoding="utf-8")


class Scripts(HTMLParser):
    """The content of each script element, as a browser divides the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = False
        self.tags: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.inside = tag == "script"
        if self.inside:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found[-1] += data


def data_of(text: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(Scripts(text).found[0])
    return read


def test_the_data_are_those_that_were_given(tmp_path: Path) -> None:
    entries = [
        Entry("b/two", "pages/two.html", 61.25, True, EVENTS),
        Entry("a", "pages/a.html", 3.0, False, Events([1], [2], ["dog"])),
        Entry("c", "pages/c.html", 4.0, True, Events()),
    ]
    assert data_of(write(tmp_path, entries)) == {
        "classes": [["dog", *tone("dog")], ["violin", *tone("violin")]],
        "videos": [
            ["a", "pages/a.html", 3, 0, [1, 2, 0, 1]],
            ["b/two", "pages/two.html", 61.25, 1, [0.5, 1, 0, 0.9876, 2, 3.25, 1, 0.5]],
            ["c", "pages/c.html", 4, 1, []],
        ],
    }


def test_no_text_becomes_markup(tmp_path: Path) -> None:
    plain = Scripts(write(tmp_path, [Entry("a", "p.html", 1.0, True, Events([0], [1], ["b"]))], Made="x"))
    evil = Scripts(write(tmp_path, [Entry(EVIL, "p.html", 1.0, True, Events([0], [1], [EVIL]))], EVIL, Made=EVIL))
    assert evil.tags == plain.tags
    assert evil.found[1] == plain.found[1]
    assert json.loads(evil.found[0])["videos"][0][0] == EVIL


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=12), st.text(min_size=1, max_size=12))
def test_any_name_can_be_read_back(tmp_path_factory: pytest.TempPathFactory, name: str, label: str) -> None:
    text = write(tmp_path_factory.mktemp("i"), [Entry(name, "p.html", 1.0, True, Events([0], [1], [label]))])
    read = data_of(text)
    assert (read["videos"][0][0], read["classes"][0][0]) == (name, label)


def test_a_name_that_is_not_utf_8_is_still_json(tmp_path: Path) -> None:
    read = data_of(write(tmp_path, [Entry("a\udcff", "p.html", 1.0, True, Events())]))
    assert read["videos"][0][0] == "a\udcff"


def test_the_policy_lets_this_script_run_and_no_request_out(tmp_path: Path) -> None:
    text = write(tmp_path, [])
    digest = base64.b64encode(hashlib.sha256(Scripts(text).found[1].encode()).digest()).decode()
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy == [
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    ]
    assert re.findall(r"(?:https?:)?//[a-z][^\s\"'<]*", text.replace("http://www.w3.org/2000/svg", "")) == []


def test_summary_counts() -> None:
    entries = [Entry("a", "", 3000.0, True, EVENTS), Entry("b", "", 601.0, True, Events())]
    assert summary(entries) == "2 events of 2 classes in 2 videos, 1:00:01 h together"
    assert summary(entries[1:]) == "No event in 1 video, 10:01 min together"


def test_an_unwritable_place_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        write(tmp_path / "missing", [])
