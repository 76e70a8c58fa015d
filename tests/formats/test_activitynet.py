"""The ActivityNet form: what is written comes back, what is odd is named."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avloc.errors import FormatError, OutputError
from avloc.events import Event, Events
from avloc.formats.activitynet import Truth, read_results, read_truth, write_results, write_truth

UNAV100 = Path(__file__).parents[3] / "shared" / "data" / "unav100_annotations.json"

milliseconds = st.integers(0, 10**8).map(lambda ms: ms / 1000)
scores = st.integers(0, 10**6).map(lambda n: n / 10**6)
names = st.text(min_size=1, max_size=20)


@st.composite
def events(draw: st.DrawFn) -> Events:
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        start_s, end_s = sorted((draw(milliseconds), draw(milliseconds)))
        rows.append(Event(start_s, end_s, draw(names), draw(scores)))
    return Events.of(rows)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(results=st.dictionaries(st.text(), events(), max_size=3))
def test_results_come_back(tmp_path: Path, results: dict[str, Events]) -> None:
    write_results(tmp_path / "events.json", results)
    back = read_results(tmp_path / "events.json")
    assert back == results
    assert list(back) == list(results)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(truth=st.dictionaries(st.text(), st.tuples(milliseconds, names, events()), max_size=3))
def test_truth_comes_back(tmp_path: Path, truth: dict[str, tuple[float, str, Events]]) -> None:
    given_ = {v: Truth(d, s, Events(e.start_s, e.end_s, e.labels)) for v, (d, s, e) in truth.items()}
    write_truth(tmp_path / "truth.json", given_)
    assert read_truth(tmp_path / "truth.json") == given_


def test_the_written_form(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    write_results(path, {"a": Events([0.00049], [1.23456], ["Hund"], [0.123456789]), "b": Events()}, {"model": "m"})
    assert json.loads(path.read_text()) == {
        "version": "1.0",
        "results": {"a": [{"segment": [0.0, 1.235], "label": "Hund", "score": 0.123457}], "b": []},
        "external_data": {"model": "m"},
    }
    assert sum("segment" in line for line in path.read_text().splitlines()) == 1


def test_small_scores_keep_their_ranks(tmp_path: Path) -> None:
    scores = [0.000123456, 0.000123457, 1.5e-9]
    write_results(tmp_path / "e.json", {"v": Events([0] * 3, [1] * 3, ["a"] * 3, scores)})
    assert read_results(tmp_path / "e.json")["v"].score.tolist() == scores


def test_a_name_that_is_not_utf8_survives(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \xe2\x82\xac")
    write_results(tmp_path / "e.json", {name: Events()})
    assert list(read_results(tmp_path / "e.json")) == [name]


def results(rows: str) -> str:
    return f'{{"results": {{"v1": [{{"segment": [0, 1], "label": "a", "score": 1}}, {rows}]}}}}'


MALFORMED: dict[str, tuple[str | bytes, str]] = {
    "empty file": ("", "not JSON"),
    "not JSON": ("events!", "not JSON"),
    "cut off": ('{"results": {"v1": [', "not JSON"),
    "not text at all": (b"\x00\xff\xfe\x81", "not JSON"),
    "huge nesting": ("[" * 200_000, "nested too deeply"),
    "number of many digits": ('{"results": ' + "1" * 5000 + "}", "not JSON"),
    "list at the top": ("[]", "a list of 0; an object"),
    "no results": ("{}", 'no "results"'),
    "truth given": ('{"database": {}}', "these are annotations"),
    "results is a list": ('{"results": [1, 2]}', '"results" is a list of 2'),
    "results is null": ('{"results": null}', "is null"),
    "key twice at the top": ('{"results": {}, "results": {}}', "'results' stands there twice"),
    "video twice": ('{"results": {"v1": [], "v1": []}}', "'v1' stands there twice"),
    "entries not a list": ('{"results": {"v1": {}}}', "video 'v1' is an object; a list"),
    "entry not an object": (results("3"), "video 'v1', entry 1 is 3"),
    "key twice in an entry": (
        results('{"segment": [0, 1], "label": "a", "label": "b", "score": 1}'),
        "video 'v1', entry 1: the key 'label' stands there twice",
    ),
    "no segment": (results('{"label": "a", "score": 1}'), 'entry 1 has no "segment"'),
    "segment of one": (
        results('{"segment": [1], "label": "a", "score": 1}'),
        'entry 1: "segment" has 1 numbers',
    ),
    "segment of three": (results('{"segment": [1, 2, 3], "label": "a", "score": 1}'), "has 3 numbers"),
    "segment a text": (results('{"segment": "0-1", "label": "a", "score": 1}'), "is the text '0-1'"),
    "segment of texts": (results('{"segment": ["0", "1"], "label": "a", "score": 1}'), "is the text '0'"),
    "segment of truths": (results('{"segment": [false, true], "label": "a", "score": 1}'), "is false"),
    "reversed": (results('{"segment": [5, 2], "label": "a", "score": 1}'), "[5, 2] ends before it starts"),
    "NaN time": (results('{"segment": [0, NaN], "label": "a", "score": 1}'), 'entry 1, "segment" is nan'),
    "infinite time": (results('{"segment": [0, 1e999], "label": "a", "score": 1}'), "is inf"),
    "time beyond floats": (
        results('{"segment": [0, 1' + "0" * 400 + '], "label": "a", "score": 1}'),
        "is inf",
    ),
    "no label": (results('{"segment": [0, 1], "score": 1}'), 'no "label"'),
    "label a number": (results('{"segment": [0, 1], "label": 7, "score": 1}'), '"label" is 7; a text'),
    "label empty": (results('{"segment": [0, 1], "label": "", "score": 1}'), "an empty text"),
    "no score": (results('{"segment": [0, 1], "label": "a"}'), 'no "score"'),
    "score a text": (results('{"segment": [0, 1], "label": "a", "score": "high"}'), "is the text 'high'"),
    "NaN score": (results('{"segment": [0, 1], "label": "a", "score": NaN}'), '"score" is nan'),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_results_are_named_in_one_line(tmp_path: Path, case: str) -> None:
    content, words = MALFORMED[case]
    path = tmp_path / "events.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FormatError) as caught:
        read_results(path)
    message = str(caught.value)
    assert words in message
    assert str(path) in message
    assert "\n" not in message


def truth(**fields: object) -> str:
    return json.dumps({"database": {"v1": fields}})


MALFORMED_TRUTH = {
    "detections given": ('{"results": {}}', "these are detections"),
    "no duration": (truth(subset="test", annotations=[]), 'no "duration"'),
    "negative duration": (truth(duration=-1, subset="test", annotations=[]), '"duration" is -1'),
    "no subset": (truth(duration=1, annotations=[]), 'no "subset"'),
    "no annotations": (truth(duration=1, subset="test"), 'no "annotations"'),
    "odd annotation": (
        truth(duration=1, subset="test", annotations=[{"label": "a"}]),
        "'v1', entry 0 has no",
    ),
}


@pytest.mark.parametrize("case", MALFORMED_TRUTH)
def test_malformed_truth_is_named_in_one_line(tmp_path: Path, case: str) -> None:
    content, words = MALFORMED_TRUTH[case]
    path = tmp_path / "truth.json"
    path.write_text(content)
    with pytest.raises(FormatError) as caught:
        read_truth(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_subset_is_chosen_and_an_unknown_one_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    write_truth(path, {"a": Truth(1, "train", Events()), "b": Truth(2, "test", Events([0], [1], ["x"]))})
    assert list(read_truth(path, "test")) == ["b"]
    with pytest.raises(FormatError, match="'val'; the subsets there are: test, train"):
        read_truth(path, "val")


@pytest.mark.parametrize("place", ["missing/events.json", "folder", "zero\0byte.json"])
def test_an_unwritable_place_is_one_line_and_leaves_nothing(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="cannot be written") as caught:
        write_results(tmp_path / place, {"v": Events()})
    assert "\n" not in str(caught.value)
    assert ".tmp" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_what_json_cannot_say_is_an_error_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    write_results(path, {"v": Events()})
    before = path.read_bytes()
    for odd in ({"x": float("nan")}, {"x": object()}):
        with pytest.raises(FormatError, match="cannot be written as JSON"):
            write_results(path, {}, odd)
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="permissions as on POSIX")
def test_the_file_has_ordinary_permissions(tmp_path: Path) -> None:
    write_results(tmp_path / "events.json", {})
    (tmp_path / "plain").write_text("")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("events.json", "plain")}
    assert len(modes) == 1


@pytest.mark.parametrize("place", ["absent.json", "."])
def test_an_unreadable_file_is_one_line(tmp_path: Path, place: str) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        read_results(tmp_path / place)


@pytest.mark.skipif(not UNAV100.exists(), reason="the official UnAV-100 annotations are not beside the checkout")
def test_the_official_annotations_of_unav100() -> None:
    truth = read_truth(UNAV100)
    assert len(truth) == 10_790
    assert sum(len(entry.events) for entry in truth.values()) == 30_059
    assert len({label for entry in truth.values() for label in entry.events.labels}) == 100
    assert sum(len(read_truth(UNAV100, subset)) for subset in ("train", "validation", "test")) == 10_790
