"""Which video a timeline shows when none is named, and which run is the one before LCC."""

import json
from dataclasses import replace
from pathlib import Path

from avloc.config import RunConfig, to_dict
from avloc.events import Event, Events
from avloc.experiments.similarity import twin_without_lcc
from avloc.report.telling import telling_video


def events(*labels: str) -> Events:
    return Events.of([Event(float(i), i + 1.0, label, 1.0) for i, label in enumerate(labels)])


def test_many_classes_then_many_events_then_the_name_and_not_too_many() -> None:
    truth = {
        "one": events("a"),
        "two": events("a", "b"),
        "more": events("a", "b", "b"),
        "also": events("b", "a", "a"),
    }
    assert telling_video(truth) == "also"
    assert telling_video({**truth, "crowd": events(*"abcdef")}) == "also"
    assert telling_video({"crowd": events(*"abcdef")}) == "crowd"


def test_the_run_before_lcc_differs_by_lcc_alone(tmp_path: Path) -> None:
    recipe = RunConfig()

    def run(name: str, config: RunConfig) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps(to_dict(config)))
        (folder / "model.safetensors").touch()
        return folder

    off = replace(recipe, loss=replace(recipe.loss, lcc_weight=0.0))
    loco = run("loco", recipe)
    run("other-seed", replace(off, train=replace(off.train, seed=1)))
    run("on-too", replace(recipe, train=replace(recipe.train, seed=2)))
    (tmp_path / "no-run").mkdir()
    assert twin_without_lcc(loco) is None
    twin = run("without", off)
    assert twin_without_lcc(loco) == twin
