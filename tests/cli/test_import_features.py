"""`avloc import-features` as it is typed, and training on what it wrote: all of it, and one modality alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avloc.cli.main import main

STEPS = ("--train.longest-steps", "32", "--network.steps", "32", "--network.levels", "3")
SMALL = ("--train.epochs", "1", "--train.warmup-epochs", "0", "--network.width", "16", *STEPS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = ["video,start,end,label,duration,subset"]
    rng = np.random.default_rng(0)
    for name in ("clip", "flow", "clap"):
        Path(name).mkdir()
    for i, subset in enumerate(["train"] * 4 + ["validation"] * 2 + ["test"] * 2):
        duration_s = 8.0 + i
        lines.append(f"v{i},2,5,{('dog', 'cat')[i % 2]},{duration_s},{subset}")
        for name, width, stride_s in (("clip", 5, 0.5), ("flow", 3, 0.25), ("clap", 4, 1.0)):
            steps = int((duration_s - 1) / stride_s) + 1
            np.save(f"{name}/v{i}.npy", rng.normal(size=(steps, width)).astype(np.float32))
    Path("mine.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_by_flags_and_one_modality_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    given = (
        "--visual clip/{id}.npy --stride 0.5 --window 1 --audio clap/{id}.npy --audio-stride 1 --durations mine.csv"
    )
    assert main(["import-features", *given.split(), "--out", "feats"]) == 0
    shown = capsys.readouterr().out
    assert "8 videos written" in shown and "clap, 4 wide, a row every 1 s" in shown
    assert "resampled to a row every 0.5 s, windows of 1 s" in shown and "clip, 5 wide" in shown
    data = ["--data.layout", "avloc", "--data.features", "feats", "--data.annotations", "mine.csv"]
    for name, modality, widths in (("ear", "audio", (0, 4)), ("eye", "clip", (5, 0))):
        more = ["--data.modalities", modality, "--out", name]
        assert main(["train", "actionformer-small", *data, *SMALL, *more]) == 0
        network = json.loads(Path(name, "config.json").read_text())["network"]
        assert (network["visual_width"], network["audio_width"]) == widths
        assert main(["test", name]) == 0
    capsys.readouterr()
    assert main(["train", "loco-small", *data, "--data.modalities", "audio", "--out", "no"]) == 1
    told = capsys.readouterr().err
    assert "audio alone, and network.method 'loco' reads both" in told and "actionformer" in told
    assert main(["train", "actionformer-small", *data, "--data.modalities", "adio", "--out", "no"]) == 1
    assert "did you mean 'audio'" in capsys.readouterr().err


def test_a_layout_in_yaml(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("yaml")
    Path("l.yaml").write_text(
        "visual:\n- {files: 'clip/{id}.npy', stride_s: 0.5, window_s: 1}\n"
        "- {files: 'flow/{id}.npy', stride_s: 0.25, window_s: 1.0, name: motion}\n"
        "audio: {files: 'clap/{id}.npy', stride_s: 1.0}\ndurations: mine.csv\ngrid: {stride_s: 0.5}\n"
    )
    assert main(["import-features", "l.yaml", "--out", "feats"]) == 0
    record = json.loads(Path("feats/import.json").read_text())
    assert record["widths"] == {"clip": 5, "motion": 3, "clap": 4} and record["grid"]["stride_s"] == 0.5
    Path("clap/v3.npy").unlink()
    assert main(["import-features", "l.yaml", "--out", "less"]) == 1
    told = capsys.readouterr()
    assert "7 videos written, 1 left out" in told.out and "left out: clap/v3.npy: there is no such file" in told.err
    Path("l.yaml").write_text("visual: {file: 'clip/{id}.npy', stride_s: 0.5}\n")
    assert main(["import-features", "l.yaml", "--out", "no"]) == 1
    assert "has no setting 'file'; did you mean 'files'" in capsys.readouterr().err
    assert main(["import-features", "l.yaml", "--stride", "1", "--out", "no"]) == 1
    assert "say it in l.yaml" in capsys.readouterr().err
    for flags in ("--window 2", "--offset 1", "--audio-offset 0", "--rescaled", "--transposed", "--grid-stride 0"):
        assert main(["import-features", "l.yaml", *flags.split(), "--out", "no"]) == 1
        assert f"{flags.split()[0]} is given and a layout as well" in capsys.readouterr().err
    seen = ["--visual", "clip/{id}.npy", "--stride", "0.5"]
    assert main(["import-features", *seen, "--audio-stride", "1", "--out", "no"]) == 1
    assert "--audio-stride is given and --audio is not" in capsys.readouterr().err
