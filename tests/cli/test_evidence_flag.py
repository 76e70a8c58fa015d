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
