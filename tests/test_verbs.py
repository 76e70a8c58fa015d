"""Every verb of the command line is a function of the same name in Python; those that find something return it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import avloc
from avloc import verbs
from avloc.cli.main import VERBS
from avloc.config import RunConfig
from avloc.errors import AvlocError, ConfigError
from avloc.events import Event, Events
from avloc.media.writer import write_video

ROOMS = {"compose", "recipes", "report", "review", "serve"}
"""Verbs that are rooms of the package as well: functions of avloc.verbs alone."""

FOUND = {"a": Events([1, 8], [3, 9], ["dog", "cat"], [0.9, 0.8]), "b": Events([4], [6], ["cat"], [0.6])}
TRUTH = {"a": Events([1, 8], [3, 10], ["dog", "cat"]), "b": Events([0], [2], ["cat"])}


def name_of(verb: str) -> str:
    return "import_model" if verb == "import" else verb.replace("-", "_")


@pytest.mark.parametrize("verb", VERBS)
def test_the_same_name(verb: str) -> None:
    function = getattr(verbs, name_of(verb))
    assert callable(function) and name_of(verb) in verbs.__all__ and function.__doc__
    if name_of(verb) not in ROOMS:
        assert getattr(avloc, name_of(verb)) is function and name_of(verb) in dir(avloc)


def test_there_is_nothing_else() -> None:
    assert set(verbs.__all__) == {name_of(verb) for verb in VERBS} | {"load_data"}
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        avloc.trian  # type: ignore[attr-defined]  # noqa: B018


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    code = (
        "import avloc, sys; assert 'avloc.cli' not in sys.modules; avloc.evaluate; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def files(folder: Path) -> tuple[Path, Path]:
    rows = {v: [{"segment": [e.start_s, e.end_s], "label": e.label, "score": e.score} for e in events]
            for v, events in FOUND.items()}  # fmt: skip
    (folder / "found.json").write_text(json.dumps({"results": rows}))
    truth = ["video,start,end,label,duration,subset"]
    truth += [f"{v},{e.start_s},{e.end_s},{e.label},12,test" for v, events in TRUTH.items() for e in events]
    (folder / "truth.csv").write_text("\n".join(truth))
    return folder / "found.json", folder / "truth.csv"


def test_scores_of_files_and_of_events(tmp_path: Path) -> None:
    found, truth = files(tmp_path)
    # At 0.1 to 0.5 the cat of a is found (tIoU 1/2): AP of cats 1/2 (of two, one, first in rank); dogs 1.
    want = (5 * (1 + 0.5) / 2 + 4 * 1 / 2) / 9
    for p in (found, FOUND):
        for goal in (truth, TRUTH):
            assert avloc.evaluate(p, goal).average == pytest.approx(want)
            assert avloc.compare(p, p, goal, draws=10).average.difference[0] == 0
            assert avloc.diagnose(p, goal).mean_ap == pytest.approx(want)
    assert avloc.evaluate(found, truth, "test", thresholds=(0.9,)).average == pytest.approx(0.5)
    (tmp_path / "less.json").write_text(json.dumps({"results": {"a": []}}))
    with pytest.warns(UserWarning, match="1 of 2 videos .* not in the predictions"):
        assert avloc.evaluate(tmp_path / "less.json", truth).average == 0


def test_files_of_events(tmp_path: Path) -> None:
    found, _ = files(tmp_path)
    avloc.convert(found, tmp_path / "found.csv")
    assert (tmp_path / "found.csv").read_text().startswith("video,start,end,label,score")
    with pytest.raises(AvlocError, match=r"\.docx"):
        avloc.convert(found, tmp_path / "found.docx")


def test_settings_are_called_as_flags_are(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    assert "loco-small" in verbs.recipes() and avloc.describe("loco-small", 64).parameters > 0
    assert avloc.describe(RunConfig(), 64).parameters > avloc.describe("loco-small", 64).parameters
    with pytest.raises(ConfigError, match="train has no setting 'epoch'; did you mean 'epochs'"):
        avloc.train("loco-small", tmp_path, settings={"train.epoch": 3})
    with pytest.raises(ConfigError, match=r"data\.features is not set"):
        avloc.train("loco-small", tmp_path, settings={"train.epochs": 3, "train.warmup_epochs": 0})
    with pytest.raises(AvlocError, match="no recipe 'loco-smal'"):
        avloc.train("loco-smal", tmp_path)
    with pytest.raises(AvlocError, match="no data set 'unav'; known are unav100, "):
        avloc.check_data("unav", tmp_path, tmp_path)


def test_detect_and_extract(tmp_path: Path) -> None:
    frames = [np.full((32, 48, 3), 20 * i, np.uint8) for i in range(10)]
    video = write_video(tmp_path / "v.mp4", frames, 10, np.sin(np.arange(16_000) / 5).astype(np.float32))
    features = avloc.extract(video)
    assert len(features) == features.grid.length(features.duration_s) == 3
    assert all(isinstance(event, Event) for event in avloc.detect(video, min_score=0.0))


def test_loggers_remarks_and_repeated_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The logger of docs/training.md as it stands there; then a run of which some is left out."""
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    rows = ["video,start,end,label,duration,subset"]
    for i in range(12):
        subset = ("train", "train", "validation", "test")[i % 4]
        rows += [f"v{i},2,6,{('dog', 'cat')[i // 4 % 2]},12,{subset}"] * (1 + (subset == "test"))
    Path("mine.csv").write_text("\n".join(rows))
    made = avloc.simulate("mine.csv", "sim", width=64, workers=1)
    page = (Path(__file__).parents[1] / "docs" / "training.md").read_text("utf-8")
    (block,) = (b for b in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S) if "class Best" in b)
    exec(compile(block, "training.md", "exec"), {"__name__": "page"})
    shown = capsys.readouterr().out
    assert "training loco in" in shown and "last step of epoch 2" in shown and "done, " in shown
    seen = avloc.load_data(made.annotations, made.folder, modalities=["visual"])
    assert seen.widths[1] == 0 and seen.load(0).features.audio.shape[1] == 0
    (Path("sim") / "v0_one_peace_audio.npy").unlink()
    small = {"data.lenient": True, "train.epochs": 1, "train.warmup_epochs": 0, "network.width": 16}
    data = {"features": made.folder, "annotations": "mine.csv", "device": "cpu", "settings": small}
    with pytest.raises(AvlocError, match="no logger 'tensorbord'; known are tensorboard, wandb, mlflow"):
        avloc.train("actionformer-small", "no", loggers=["tensorbord"], **data)  # type: ignore[list-item, arg-type]
    with pytest.warns(UserWarning, match="0 events and 1 video left out"):
        run = avloc.train("actionformer-small", "lenient", **data).folder  # type: ignore[arg-type]
    tested = avloc.test(run, device="cpu")
    assert sum(map(len, tested.truth.values())) == 3  # each stands there twice
    assert avloc.evaluate(tested.detections, "mine.csv", "test").average == tested.scores.average
