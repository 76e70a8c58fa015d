"""Files of editors: whole frames at exact rates come back, and readers that are not ours find the same."""

from __future__ import annotations

import itertools
import random
import tempfile
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.events.filter import merge_near
from avloc.formats.chapters import chapters_of, events_of
from avloc.formats.files import FORMATS, read_events, read_truth, sniff, write_events
from avloc.formats.footage import Footage
from avloc.formats.timecode import Timecode
from avloc.formats.truth import Choices, Truth
from avloc.formats.youtube import too_few

RATES = {
    "29.97 drop": Timecode(Fraction(30000, 1001), True),
    "29.97": Timecode(Fraction(30000, 1001)),
    "23.976": Timecode(Fraction(24000, 1001)),
    "25": Timecode(Fraction(25)),
    "59.94 drop": Timecode(Fraction(60000, 1001), True),
}
FRAMES = [name for name, form in FORMATS.items() if form.frames]
LABELS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="|"), min_size=1, max_size=12)


def film(code: Timecode, start: str = "10:00:00:00", first_s: float = 0.0) -> Footage:
    return Footage(code, code.frame(start, ""), first_s, length_s=7200)


def need(name: str) -> None:
    if name == "otio":
        pytest.importorskip("opentimelineio", reason="opentimelineio is not installed")


def events_at(footage: Footage, rows: list[tuple[int, int, str, float]]) -> Events:
    return Events.of(Event(footage.seconds(a), footage.seconds(a + n), label, score) for a, n, label, score in rows)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", FRAMES)
@settings(max_examples=12, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 400_000),
            st.integers(1, 40_000),
            LABELS.filter(lambda text: text.strip() == text),
            st.floats(0, 1),
        ),
        max_size=4,
    ),
    start=st.sampled_from(["00:00:00:00", "01:00:00:00", "23:50:00:00"]),
)
def test_whole_frames_come_back(name: str, rate: str, rows: list[tuple[int, int, str, float]], start: str) -> None:
    need(name)
    footage = film(RATES[rate], start, 0.021)
    given_ = Truth(7200, "", events_at(footage, rows), footage=footage)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{FORMATS[name].endings[0]}"
        write_events(path, {"a": given_}, name)
        assert sniff(path) == name
        again = read_events(path, name, Choices(footage=lambda video: footage))["a"]
    assert again.labels == given_.events.labels
    assert again.score.tolist() == pytest.approx(given_.events.score.tolist(), rel=1e-12)
    assert again.start_s.tolist() == pytest.approx(given_.events.start_s.tolist(), abs=1e-9)
    assert again.end_s.tolist() == pytest.approx(given_.events.end_s.tolist(), abs=1e-9)


@pytest.mark.parametrize("name", FRAMES)
def test_seconds_go_to_the_nearest_frame_and_a_moment_has_one(name: str, tmp_path: Path) -> None:
    need(name)
    path = tmp_path / f"a{FORMATS[name].endings[0]}"
    footage = Footage(Timecode(Fraction(25)), 90_000)
    write_events(
        path,
        {"a": Truth(9, "", Events([1.53, 7], [5.01, 7], ["dog", "cat"]), footage=footage)},
        name,
    )
    again = read_events(path, name, Choices(footage=lambda video: footage))["a"]
    assert again == Events([1.52, 7], [5.0, 7.04], ["dog", "cat"])


@pytest.mark.parametrize("name", FRAMES)
def test_without_a_rate_nothing_is_guessed(name: str, tmp_path: Path) -> None:
    need(name)
    path = tmp_path / f"a{FORMATS[name].endings[0]}"
    with pytest.raises(FormatError, match="counts frames, and the video is not there to tell its rate"):
        write_events(path, {"a": Events([1], [2], ["dog"])}, name)
    assert not path.exists()
    write_events(path, {"a": Truth(9, "", Events([1], [2], ["dog"]), footage=film(RATES["25"]))}, name)
    if name in ("resolve", "premiere"):
        with pytest.raises(FormatError, match="name the rate with --fps"):
            read_events(path, name)


def written(folder: Path, name: str, footage: Footage) -> tuple[Path, Events]:
    """A file of three events, two of which overlap."""
    rows = [(45, 105, "dog barking", 0.93), (120, 300, "people & <b>", 0.5), (107892, 30, "été 犬", 0.25)]
    events = events_at(footage, rows)
    path = folder / f"a{FORMATS[name].endings[0]}"
    write_events(path, {"a": Truth(7200, "", events, "/videos/a.mp4", footage)}, name)
    return path, events


@pytest.mark.parametrize("rate", RATES)
def test_otio_reads_our_edl(rate: str, tmp_path: Path) -> None:
    pytest.importorskip("otio_cmx3600_adapter", reason="otio-cmx3600-adapter is not installed")
    import opentimelineio as otio

    footage = film(RATES[rate])
    path, events = written(tmp_path, "edl", footage)
    fps = float(footage.timecode.rate)
    timeline = otio.adapters.read_from_file(str(path), rate=fps)
    clips = list(timeline.video_tracks()[0])
    assert [clip.markers[0].name for clip in clips] == list(events.labels)
    assert {clip.name for clip in clips} == {"a.mp4"}
    for clip, event in zip(clips, events, strict=True):
        begin = clip.source_range.start_time.value - footage.start
        assert clip.source_range.start_time.rate == pytest.approx(fps)
        assert begin / fps == pytest.approx(event.start_s, abs=1e-6)
        assert clip.source_range.duration.value / fps == pytest.approx(event.duration_s, abs=1e-6)


MARKERS = [("otio", "opentimelineio", rate) for rate in RATES] + [
    ("fcpxml", "otio_fcpx_xml_adapter", "25")  # the adapter takes 29.97 for 29
]


@pytest.mark.parametrize(("name", "adapter", "rate"), MARKERS)
def test_otio_reads_our_markers(name: str, adapter: str, rate: str, tmp_path: Path) -> None:
    pytest.importorskip(adapter, reason=f"{adapter} is not installed")
    import opentimelineio as otio

    footage = film(RATES[rate])
    path, events = written(tmp_path, name, footage)
    found = otio.adapters.read_from_file(str(path))
    clip = next(clip for clip in found.find_clips() if clip.markers)
    assert [marker.name for marker in clip.markers] == list(events.labels)
    for marker, event in zip(clip.markers, events, strict=True):
        start_s = marker.marked_range.start_time.to_seconds() - float(footage.start / footage.timecode.rate)
        assert start_s == pytest.approx(event.start_s, abs=1e-6)
        assert marker.marked_range.duration.to_seconds() == pytest.approx(event.duration_s, abs=1e-6)


@pytest.mark.parametrize("rate", RATES)
def test_times_of_final_cut_are_whole_frames(rate: str, tmp_path: Path) -> None:
    path, events = written(tmp_path, "fcpxml", film(RATES[rate]))
    root = ElementTree.parse(path).getroot()
    frame = Fraction(root.find("resources/format").attrib["frameDuration"].removesuffix("s"))  # type: ignore[union-attr]
    assert 1 / frame == RATES[rate].rate
    times = [
        value for node in root.iter() for key, value in node.attrib.items() if key in ("start", "offset", "duration")
    ]
    assert len(times) == 2 + 1 + 3 + 12 and all(Fraction(time[:-1]) % frame == 0 for time in times)
    start = Fraction(root.find("resources/asset").attrib["start"][:-1])  # type: ignore[union-attr]
    marked = [Fraction(mark.attrib["start"][:-1]) - start for mark in root.iter("marker")]
    assert [float(time) for time in marked] == pytest.approx(events.start_s.tolist(), abs=1e-9)


def test_we_read_what_otio_writes(tmp_path: Path) -> None:
    pytest.importorskip("otio_fcpx_xml_adapter", reason="otio-fcpx-xml-adapter is not installed")
    pytest.importorskip("otio_cmx3600_adapter", reason="otio-cmx3600-adapter is not installed")
    import opentimelineio as otio

    path, _ = written(tmp_path, "otio", film(RATES["25"], "01:00:00:00"))
    timeline = otio.adapters.read_from_file(str(path))
    theirs = tmp_path / "b.fcpxml"
    otio.adapters.write_to_file(timeline, str(theirs))
    ours, again = read_events(path)["a"], read_events(theirs)["b"]
    assert again.labels == ours.labels and again.start_s == pytest.approx(ours.start_s)
    del timeline.tracks[1:]
    otio.adapters.write_to_file(timeline, str(tmp_path / "c.edl"), rate=25)
    whole = read_events(tmp_path / "c.edl", choices=Choices(footage=lambda v: film(RATES["25"], "01:00:00:00")))["c"]
    assert whole.start_s.tolist() == [0] and whole.end_s.tolist() == [7200]


def test_ffmpeg_reads_our_chapters(tmp_path: Path) -> None:
    events = Events([1.52, 4, 9], [5.03, 6, 12], ["dog; # = \\ x", "été 犬", "cat"])
    path = tmp_path / "a.ffmeta"
    write_events(path, {"a": Truth.of(events, 15)})
    with av.open(str(path), format="ffmetadata") as container:
        found = [
            (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]) for c in container.chapters()
        ]
    assert [(float(a), float(b), title["title"]) for a, b, title in found] == [
        (0, 1.52, "–"),
        (1.52, 4, "dog; # = \\ x"),
        (4, 5.03, "dog; # = \\ x + été 犬"),
        (5.03, 6, "été 犬"),
        (6, 9, "–"),
        (9, 12, "cat"),
        (12, 15, "–"),
    ]
    assert read_events(path)["a"] == events


SPANS = st.lists(
    st.tuples(st.integers(0, 9000), st.integers(1, 4000), st.sampled_from(["dog", "cat & co", "été = 犬", "a\\"])),
    max_size=6,
)


@settings(max_examples=40)
@given(SPANS)
def test_chapters_tell_what_goes_on(rows: list[tuple[int, int, str]]) -> None:
    events = Events.of(Event(a / 1000, (a + n) / 1000, label) for a, n, label in rows)
    truth = Truth.of(events, 13.5)
    chapters = chapters_of(truth, "a", "chapters")
    assert chapters[0].start_ms == 0 and chapters[-1].end_ms == 13500
    assert all(one.end_ms == two.start_ms for one, two in itertools.pairwise(chapters))
    assert events_of(chapters) == merge_near(events, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        write_events(Path(folder) / "a.ffmeta", {"a": truth})
        assert read_events(Path(folder) / "a.ffmeta")["a"] == merge_near(events, 0.0)


def test_odd_timelines_are_one_line(tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio", reason="opentimelineio is not installed")
    path, _ = written(tmp_path, "otio", film(RATES["25"]))
    whole = path.read_text("utf-8")
    odd = {
        "is not JSON": whole[:-40],
        "holds no timeline but 'Clip.2'": otio.adapters.write_to_string(otio.schema.Clip("a"), "otio_json"),
        "has no time": whole.replace('"rate": 25.0', '"rate": 0.0'),
        'marker 1 has no "name"': whole.replace('"name": "dog barking"', '"nom": "dog barking"'),
        "a number is needed": whole.replace('"score": 0.93', '"score": "much"'),
    }
    for said, text in odd.items():
        path.write_text(text, "utf-8")
        with pytest.raises(FormatError, match=said) as caught:
            read_events(path)
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("name", [*FRAMES, "ffmetadata"])
def test_damage_is_an_error_of_one_line_or_other_events(name: str, tmp_path: Path) -> None:
    need(name)
    chance = random.Random(5)
    path, _ = written(tmp_path, name, film(RATES["29.97 drop"]))
    whole = path.read_bytes()
    for _ in range(60):
        text = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text) - 30)
            signs = bytes(chance.choice(b'0123456789:;/-.e\n"{}[]<>|=') for _ in range(4))
            text[at : at + chance.randint(0, 20)] = chance.choice(
                [b"", signs, b"9" * 20, text[at // 2 : at // 2 + 30]]
            )
        path.write_bytes(text)
        try:
            read_events(path, name, Choices(footage=lambda video: film(RATES["29.97 drop"])))
        except FormatError as error:
            assert "\n" not in str(error)


def test_youtube_wants_ten_seconds_and_a_first_at_zero(tmp_path: Path) -> None:
    events = Events([12.4, 15, 3700, 30, 7195], [14, 20, 3710, 31, 7199], ["dog", "cat", "rain", "dog", "bell"])
    path = tmp_path / "a.youtube.txt"
    write_events(path, {"a": Truth.of(events, 7200)})
    assert path.read_text("utf-8") == "0:00 Start\n0:12 dog, cat\n0:30 dog\n1:01:40 rain, bell\n"
    assert not too_few({"a": Truth.of(events, 7200)}) and too_few({"a": Truth.of(events[:1])})
    with pytest.raises(FormatError, match="have no ends"):
        read_truth(path)


def test_files_of_the_programs_themselves(tmp_path: Path) -> None:
    """As Premiere, Resolve and Final Cut Pro write them."""
    premiere = tmp_path / "markers.csv"
    premiere.write_bytes(
        "Marker Name\tDescription\tIn\tOut\tDuration\tMarker Type\t\r\n"
        "dog\tloud\t00;01;00;02\t00;01;02;02\t00;00;02;00\tComment\t\r\n"
        "\tonly a comment\t00;00;01;00\t00;00;01;00\t00;00;00;00\tComment\t\r\n".encode("utf-16")
    )
    drop = Choices(footage=lambda video: Footage(RATES["29.97 drop"]))
    found = read_events(premiere, choices=drop)["markers"]
    assert found.labels == ("dog", "only a comment")
    assert found.start_s.tolist() == pytest.approx([1800 * 1.001 / 30, 1.001])
    resolve = tmp_path / "Timeline 1.edl"
    resolve.write_text(
        "TITLE: Timeline 1\nFCM: NON-DROP FRAME\n\n"
        "001  001      V     C        01:00:05:00 01:00:05:01 01:00:05:00 01:00:05:01  \n"
        "look here |C:ResolveColorBlue |M:dog |D:50\n\n"
    )
    assert read_events(resolve, choices=Choices(fps=25)) == {"Timeline 1": Events([5], [7], ["dog"])}
    final = tmp_path / "b.fcpxml"
    final.write_text(
        '<?xml version="1.0"?><!DOCTYPE fcpxml><fcpxml version="1.8"><resources>'
        '<asset id="r2" src="file:///x/my%20film.mov" start="3600s"/></resources>'
        '<library><event><asset-clip ref="r2"><keyword start="3601s" duration="5/2s" value="dog"/></asset-clip>'
        "</event></library></fcpxml>"
    )
    assert read_truth(final)["b"] == Truth.of(Events([1], [3.5], ["dog"]))
    assert read_truth(final)["b"].media == "/x/my film.mov"


EDIT = "001  AX V C 00:00:01:00 00:00:02:00 00:00:01:00 00:00:02:00\n"
ODD = [
    ("a.edl", "hello\n", "a.edl: has no line such as 001 AX V C"),
    ("a.edl", f"{EDIT}* RATE: x\n", "RATE is 'x'"),
    ("a.edl", f"{EDIT}* RATE: 0\n", "RATE is '0'"),
    ("a.edl", f"{EDIT}* RATE: 1e99999999\n", "RATE is '1e99999999'"),
    ("a.edl", EDIT, "name the rate with --fps"),
    ("a.edl", f"{EDIT.replace('01:00', '01:26')}* RATE: 25", "line 1 is '00:00:01:26'"),
    ("a.edl", f"{EDIT.replace('01:00', '03:00')}* RATE: 25", "before its start"),
    ("a.markers.edl", EDIT, "--fps"),
    ("a.fcpxml", "<fcpxml", "is not XML"),
    ("a.fcpxml", "<eaf/>", "no FCPXML"),
    ("a.fcpxml", '<!DOCTYPE fcpxml [<!ENTITY a "b">]><fcpxml>&a;</fcpxml>', "declares an entity"),
    ("a.fcpxml", '<fcpxml><clip><marker start="x" value="y"/></clip></fcpxml>', "'x'; a time such as"),
    ("a.fcpxml", '<fcpxml><clip><marker start="1/0s" value="y"/></clip></fcpxml>', "'1/0s'; a time such as"),
    ("a.fcpxml", '<fcpxml><clip><marker start="1e99999999s" value="y"/></clip></fcpxml>', "a time such as"),
    ("a.ffmeta", "hello", "begins with ;FFMETADATA1"),
    ("a.ffmeta", ";FFMETADATA1\n[CHAPTER]\nSTART=x\nEND=1\n", "chapter 1: START and END"),
    ("a.markers.csv", "a,b\n", "--fps"),
]


@pytest.mark.parametrize(("file", "content", "said"), ODD)
def test_what_is_odd_is_one_line(file: str, content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(content)
    with pytest.raises(FormatError) as caught:
        read_events(tmp_path / file)
    assert said in str(caught.value) and "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
