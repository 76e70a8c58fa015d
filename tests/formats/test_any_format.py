"""Every format: what it can hold comes back equal, what it cannot is lost as the documentation says or refused."""

from __future__ import annotations

import math
import re
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.formats.files import FORMATS, read_events, read_truth, sniff, write_events
from avloc.formats.footage import Footage
from avloc.formats.timecode import Timecode
from avloc.formats.truth import Choices, Truth

NOT_READ = "youtube"  # a list of starts
FOOTAGE = Footage(Timecode(Fraction(25)))
STRIPPED = ("csv-truth", "edl", "resolve", "premiere", "ffmetadata")  # blanks at the ends of names are lost
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "formats.md"


@dataclass(frozen=True)
class Holds:
    """What a format can hold: decimals of times (None: all), characters that names may not have, and so on."""

    decimals: int | None
    refused: str = ""
    negative: bool = True
    least_ms: int = 0
    scores: str = "all"
    empty_videos: bool = True
    durations: bool = False


LINES = "\r\n\0"
HOLDS = {
    "activitynet": Holds(3, scores="6 digits", durations=True),
    "activitynet-truth": Holds(3, scores="none", durations=True),
    "csv": Holds(None, LINES, empty_videos=False),
    "csv-truth": Holds(None, LINES, scores="none", durations=True),
    "verdicts": Holds(3, LINES, scores="6 digits", durations=True),
    "dcase": Holds(3, LINES + "\t", scores="none"),
    "audioset": Holds(3, LINES + "\t", scores="none", empty_videos=False),
    "audacity": Holds(6, LINES + "\t", scores="none"),
    "raven": Holds(6, LINES + "\t"),
    "webvtt": Holds(3, "\0", negative=False, least_ms=1),
    "srt": Holds(3, LINES, negative=False, least_ms=1, scores="none"),
    "elan": Holds(3, "".join(map(chr, (*range(9), *range(11, 32), 0xFFFE, 0xFFFF))), False, 1, "none"),
    "praat": Holds(3, LINES, negative=False, least_ms=1, scores="none"),
    "rttm": Holds(3, negative=False, empty_videos=False),
    "label-studio": Holds(None, durations=True),
    "via": Holds(None, scores="none"),
    "fiftyone": Holds(None),
}  # those that count frames, and chapters: tests/formats/test_editors.py


def need(name: str) -> None:
    if name == "otio":
        pytest.importorskip("opentimelineio", reason="opentimelineio is not installed")


def names(refused: str) -> st.SearchStrategy[str]:
    characters = st.characters(exclude_categories=["Cs"], exclude_characters=refused)
    return st.text(characters, min_size=1, max_size=12).filter(lambda name: name.strip() == name)


def videos(name: str) -> st.SearchStrategy[dict[str, Truth]]:
    holds, least = HOLDS[name], 0.0
    if HOLDS[name].negative:
        least = -100.0
    number = st.floats(least, 1e5)
    if holds.decimals is not None:  # no halves of the last digit, which round up or down
        number = st.integers(int(least) * 10_000, 10**9).map(lambda n: (n + 0.3) / 10_000)
    label = names(holds.refused).filter(lambda text: name != "srt" or "-->" not in text)
    event = st.builds(
        lambda a, b, label, score: Event(min(a, b), max(a, b), label, score), number, number, label, st.floats(0, 1)
    )
    lengths = st.floats(0, 1e5) if name == "activitynet-truth" else st.floats(0, 1e5) | st.just(math.inf)
    truth = st.builds(Truth, lengths, st.sampled_from(["test", "train"]), st.lists(event, max_size=4).map(Events.of))
    if not FORMATS[name].several:
        return truth.map(lambda one: {"a": one})
    return st.dictionaries(names(holds.refused + "./\\\0"), truth, max_size=3)


def held(name: str, truth: Truth) -> list[tuple[float, float, str, float]]:
    """The events as they come back, in order of time."""
    holds, rows = HOLDS[name], []
    for event in truth.events:
        start_s, end_s = event.start_s, event.end_s
        if holds.decimals is not None:
            start_s, end_s = round(start_s, holds.decimals), round(end_s, holds.decimals)
        end_s = max(end_s, round(start_s + holds.least_ms / 1000, 3)) if holds.least_ms else end_s
        score = {"all": event.score, "6 digits": float(f"{event.score:.6g}"), "none": 1.0}[holds.scores]
        rows.append((start_s, end_s, event.label, score))
    return sorted(rows)


@pytest.mark.parametrize("name", HOLDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_a_format_holds_comes_back(name: str, data: st.DataObject) -> None:
    given_ = data.draw(videos(name))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{FORMATS[name].endings[0]}"
        write_events(path, given_, name)
        again = read_truth(path, name)
        assert FORMATS[sniff(path)].read(path, Choices()) == again if given_ else True
    holds = HOLDS[name]
    expected = {video: truth for video, truth in given_.items() if holds.empty_videos or len(truth.events)}
    assert list(again) == list(expected)
    for video, truth in again.items():
        rows = sorted((e.start_s, e.end_s, e.label, e.score) for e in truth.events)
        wanted = held(name, expected[video])
        assert [row[2:] for row in rows] == [row[2:] for row in wanted]
        near = 1e-9 if holds.decimals is None else 0.51 * 10.0**-holds.decimals
        for row, want in zip(rows, wanted, strict=True):
            assert row[:2] == pytest.approx(want[:2], abs=near, rel=1e-9)
        if holds.durations:
            assert truth.duration_s == pytest.approx(expected[video].duration_s, abs=0.00051)
        else:
            assert math.isinf(truth.duration_s)


HOSTILE = [
    *(
        "a\tb",
        "a\nb",
        "a\r\nb",
        "a\0b",
        '"quoted"',
        "it's",
        "a --> b",
        "<script>alert(1)</script>",
        "</ANNOTATION_VALUE>",
    ),
    *(
        "&amp; &lt;",
        "\u202eabc",
        "😀",
        " x ",
        "%20",
        "<NA>",
        "=1+1",
        ";; x",
        "\\\t1\t2",
        "a,b;c",
        "\ufeff",
        "\x1b[31m",
        " ",
    ),
]


@pytest.mark.parametrize("label", HOSTILE)
@pytest.mark.parametrize("name", [name for name in FORMATS if name != NOT_READ])
def test_a_hostile_label_comes_back_or_is_refused_in_one_line(name: str, label: str, tmp_path: Path) -> None:
    need(name)
    path = tmp_path / f"a{FORMATS[name].endings[0]}"
    given_ = {"a": Truth(9, "test", Events([1, 3], [2, 4], [label, "dog"]), footage=FOOTAGE)}
    try:
        write_events(path, given_, name)
    except FormatError as error:
        assert "\n" not in str(error) and str(path) in str(error) and not path.exists()
    else:
        wanted = label.strip() if name in STRIPPED else label
        again = read_events(path, name, Choices(footage=lambda video: FOOTAGE))["a"]
        assert [event.label for event in again.by_time()] == [wanted, "dog"]


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if not form.several])
def test_a_format_of_one_video_refuses_two(name: str, tmp_path: Path) -> None:
    need(name)
    path = tmp_path / f"a{FORMATS[name].endings[0]}"
    with pytest.raises(FormatError, match="holds one video, not 2; write a folder"):
        write_events(path, {"a": Events(), "b": Events()}, name)
    assert not path.exists()


@pytest.mark.parametrize("name", [name for name, holds in HOLDS.items() if not holds.negative])
def test_times_before_zero_are_refused_where_a_format_begins_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"'dog' starts at -1 s"):
        write_events(tmp_path / f"a{FORMATS[name].endings[0]}", {"a": Events([-1], [2], ["dog"])}, name)


def test_a_length_that_is_not_known_is_not_invented(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="length of each video, and that of 'a' is not known; use csv-truth"):
        write_events(tmp_path / "a.json", {"a": Events()}, "activitynet-truth")


def test_every_format_is_in_the_documentation() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|(.*)\|$", DOCUMENTATION.read_text("utf-8"), re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(FORMATS)
    for name, row in rows:
        assert all(f"`{ending}`" in row for ending in FORMATS[name].endings), name
