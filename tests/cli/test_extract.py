"""`avloc extract` writes what the detector can take."""

from pathlib import Path

import numpy as np
import pytest

from avloc import load
from avloc.cli.main import main
from avloc.features.store import load_features

SAMPLE = Path(__file__).parents[2] / "demo" / "sample.mp4"


def test_extracted_features_give_the_same_events(tmp_path: Path) -> None:
    assert main(["extract", str(SAMPLE), "--out", str(tmp_path)]) == 0
    features = load_features(tmp_path / "sample.features.safetensors")
    assert len(features.source_hash) == 64 and features.duration_s == pytest.approx(30, abs=0.2)
    detector = load("default")
    stored, direct = detector.detect_features(features).events, detector.detect(SAMPLE)
    assert stored.labels == direct.labels
    # The store keeps 16-bit floats.
    assert np.allclose(stored.start_s, direct.start_s, atol=0.05) and np.allclose(
        stored.end_s, direct.end_s, atol=0.05
    )


def test_a_wrong_stride_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["extract", str(SAMPLE), "--out", str(tmp_path), "--stride-s", "-1"]) == 1
    assert "stride" in capsys.readouterr().err
