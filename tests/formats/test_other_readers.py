"""Readers that are not ours agree on what was written: FFmpeg always, others where they are installed."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from av.subtitles.subtitle import AssSubtitle

from avloc.events import Events
from avloc.formats.files import read_events, write_events

EVENTS = Events(
    [1.52, 4, 4.5, 3600],
    [5.03, 6, 7, 3601.5],
    ["dog barking", "<script>alert(1)</script> & --> x", "dog barking", "été 犬"],
    [0.93, 0.5, 0.25, 1],
)
PLAIN = EVENTS.take([0, 2, 3])
ROWS = [(e.start_s, e.end_s, e.label) for e in EVENTS]


@pytest.mark.parametrize(("name", "events"), [("a.vtt", EVENTS), ("a.srt", PLAIN)])
def test_ffmpeg_shows_the_labels_at_their_times(tmp_path: Path, name: str, events: Events) -> None:
    path = tmp_path / name
    write_events(path, {"a": events})
    shown = []
    with av.open(str(path)) as container:
        for packet in container.demux():
            for line in packet.decode() if packet.size else ():
                assert isinstance(line, AssSubtitle) and packet.pts is not None and packet.duration is not None
                start_s, end_s = (float(t * packet.time_base) for t in (packet.pts, packet.pts + packet.duration))
                shown.append((start_s, end_s, line.dialogue.decode()))
    assert shown == [(e.start_s, e.end_s, e.label) for e in events]


def test_pympi_reads_our_elan_and_we_read_its(tmp_path: Path) -> None:
    elan = pytest.importorskip("pympi.Elan", reason="pympi-ling is not installed")
    write_events(tmp_path / "a.eaf", {"a": EVENTS})
    eaf = elan.Eaf(str(tmp_path / "a.eaf"))
    found = [
        (start / 1000, end / 1000, value)
        for tier in eaf.get_tier_names()
        for start, end, value in eaf.get_annotation_data_for_tier(tier)
    ]
    assert sorted(found) == sorted(ROWS)
    assert sorted(eaf.get_tier_names()) == [
        "<script>alert(1)</script> & --> x",
        "dog barking",
        "dog barking (2)",
        "été 犬",
    ]
    other = elan.Eaf(author="x")
    other.add_tier("dog")
    other.add_annotation("dog", 1520, 5030, "bark")
    other.to_file(str(tmp_path / "b.eaf"))
    assert read_events(tmp_path / "b.eaf") == {"b": Events([1.52], [5.03], ["bark"])}


def test_webvtt_py_reads_our_cues(tmp_path: Path) -> None:
    webvtt = pytest.importorskip("webvtt", reason="webvtt-py is not installed")
    write_events(tmp_path / "a.vtt", {"a": PLAIN})
    captions = webvtt.read(str(tmp_path / "a.vtt"))
    assert [(c.start_in_seconds, c.text) for c in captions] == [(int(e.start_s), e.label) for e in PLAIN]
    assert [c.end for c in captions] == ["00:00:05.030", "00:00:07.000", "01:00:01.500"]


def test_srt_reads_our_subtitles(tmp_path: Path) -> None:
    srt = pytest.importorskip("srt", reason="the package srt is not installed")
    write_events(tmp_path / "a.srt", {"a": PLAIN})
    found = srt.parse((tmp_path / "a.srt").read_text("utf-8"))
    assert [(s.start.total_seconds(), s.end.total_seconds(), s.content) for s in found] == [
        (e.start_s, e.end_s, e.label) for e in PLAIN
    ]


def test_crowsetta_reads_our_audacity_and_raven(tmp_path: Path) -> None:
    formats = pytest.importorskip("crowsetta.formats", reason="crowsetta is not installed")
    write_events(tmp_path / "a.txt", {"a": EVENTS})
    track = formats.seq.AudSeq.from_file(tmp_path / "a.txt")
    assert list(zip(track.start_times, track.end_times, track.labels, strict=True)) == ROWS
    write_events(tmp_path / "a.selections.txt", {"a": EVENTS})
    table = formats.bbox.Raven.from_file(tmp_path / "a.selections.txt").df
    assert list(zip(table.begin_time_s, table.end_time_s, table.annotation, strict=True)) == ROWS
