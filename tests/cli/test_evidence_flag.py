"""`avloc detect --evidence`: certainties in the result, what is heard only and seen only beside it, searched once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from avloc.cli.main import main
from avloc.formats.activitynet import read_results
from avloc.formats.files import read_events
from avloc.scale.detect import Detect
from avloc.scale.perceived import kept_evidence

SAMPLE = Path(__file__).parents[2] / "demo" / "sample.mp4"
SEARCH = ["detect", str(SAMPLE), "--workers", "1"]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("searched")
    assert main([*SEARCH, "--out", str(out), "--evidence"]) == 0
    return out


def rows(file: Path) -> list[dict[str, Any]]:
    return list(json.loads(file.read_text())["results"]["sample"])


def test_the_sample_s_off_screen_rooster_is_heard_only(searched: Path) -> None:
    told = rows(searched / "sample.evidence.json")
    both = [row for row in told if row["modality"] == "audio-visual"]
    assert [row["label"] for row in both] == list(read_results(searched / "sample.events.json")["sample"].labels)
    (heard,) = (row for row in told if row["modality"] == "audio")
    truth = json.loads(SAMPLE.with_name("sample.truth.json").read_text())["database"]["sample"]["other_events"]
    (rooster,) = (row for row in truth if row["modality"] == "A" and row["label"] == heard["label"])
    assert heard["segment"][0] < rooster["segment"][1] and rooster["segment"][0] < heard["segment"][1]
    assert heard["score"] > 0.8 > 0.2 > heard["evidence"]["visual"]
    for row in (*both, *rows(searched / "sample.events.json")):
        assert row["evidence"]["visual"] > 0.6 and row["evidence"]["audio"] > 0.6


def test_formats_keep_what_is_heard_only_apart(searched: Path, tmp_path: Path) -> None:
    for ending in ("csv", "eaf", "edl"):
        out = tmp_path / f"all.{ending}"
        assert main(["convert", str(searched / "sample.evidence.json"), str(out), "--fps", "25"]) == 0
        labels = [label for events in read_events(out).values() for label in events.labels]
        assert labels.count("rooster crowing (audio)") == 1 and labels.count("rooster crowing (audio-visual)") == 1
    only = tmp_path / "heard.csv"
    keep = ["--label", "rooster crowing (audio)"]
    assert main(["convert", str(searched / "sample.evidence.json"), str(only), *keep]) == 0
    assert read_events(only)["sample"].labels == ("rooster crowing (audio)",)


def test_other_thresholds_need_no_video(searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Detect, "make", None)
    out, before = tmp_path / "out", rows(searched / "sample.evidence.json")
    shutil.copytree(searched, out)
    result, beside = out / "sample.events.json", out / "sample.evidence.json"
    for flags in (["--evidence"], []):  # what is known stays told
        assert main([*SEARCH, "--out", str(out), "--label", "dog barking", *flags]) == 0
        assert [row["label"] for row in rows(result)] == ["dog barking"] and "evidence" in rows(result)[0]
        assert [r["label"] for r in rows(beside) if r["modality"] == "audio-visual"] == ["dog barking"]
    beside.unlink()
    assert main([*SEARCH, "--out", str(out), "--evidence"]) == 0
    assert rows(beside) == before


def test_pages_of_both_verbs_tell_it_and_are_made_anew_when_it_comes(searched: Path, tmp_path: Path) -> None:
    out, pages, site = tmp_path / "out", tmp_path / "pages", tmp_path / "site"
    shutil.copytree(searched, out)
    for name in ("sample.evidence.json", "sample.evidence.safetensors"):
        (out / name).unlink()
    again = [*SEARCH, "--out", str(out)]
    page, other = pages / "sample.html", site / "pages" / "sample.html"
    assert main([*again, "--report", str(pages), "--quick"]) == 0
    assert 'class="alone"' not in page.read_text() and "data-seen" not in page.read_text()
    shutil.copy(searched / "sample.evidence.safetensors", out)
    assert main([*again, "--evidence"]) == 0  # no page is asked for
    assert main([*again, "--evidence", "--report", str(pages), "--quick"]) == 0
    assert main(["report", str(out), "--out", str(site), "--quick"]) == 0
    for text in (page.read_text(), other.read_text()):
        assert text.count('class="alone"') == 1 and "rooster crowing, heard only" in text
        assert text.count("data-seen") == len(rows(out / "sample.events.json"))
    assert main(["report", str(out), "--out", str(site), "--quick", "--not-label", "rooster crowing"]) == 0
    assert 'class="alone"' not in other.read_text()


def test_a_stretch_and_classes_hold_for_what_is_apart(searched: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(searched, out)
    assert main([*SEARCH, "--out", str(out), "--evidence", "--not-label", "rooster crowing"]) == 0
    assert {row["modality"] for row in rows(out / "sample.evidence.json")} == {"audio-visual"}
    assert main(["detect", str(SAMPLE), "--out", str(out), "--evidence", "--start", "10", "--end", "16"]) == 0
    assert all(10 <= t <= 16 for row in rows(out / "sample.evidence.json") for t in row["segment"])


def test_what_is_kept_is_of_this_video_alone_and_whole(searched: Path, tmp_path: Path) -> None:
    result = tmp_path / "sample.events.json"
    key = json.loads((searched / "sample.events.json").read_text())["external_data"]["key"]
    kept = tmp_path / "sample.evidence.safetensors"
    shutil.copy(searched / kept.name, kept)
    assert kept_evidence(result, key) is not None and kept_evidence(result, "another") is None
    whole = kept.read_bytes()
    for broken in (whole[:-100], whole.replace(b"avloc-evidence/1", b"avloc-evidence/9"), b"", b"x" * 50):
        kept.write_bytes(broken)
        assert kept_evidence(result, key) is None


def test_a_model_that_cannot_tell_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["detect", str(SAMPLE), "--model", "loco", "--evidence", "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "--evidence needs a model of the method grounded, such as default" in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())
