"""A grid goes on, and its tables are made, from the records of its runs alone."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_data import SETTINGS, make_data, recipe_on

from avloc.errors import ConfigError, FormatError
from avloc.experiments import worker
from avloc.experiments.compare import DRAWS, draws_of
from avloc.experiments.execute import execute
from avloc.experiments.grid import ROWS, TABLES
from avloc.experiments.key import identify
from avloc.experiments.learned import errors_table, learned_table
from avloc.experiments.records import errors_of, exchange, record_path
from avloc.experiments.runs import plan, read_metrics, read_summary, write_experiment
from avloc.experiments.session import Session, open_session
from avloc.experiments.settings import with_settings
from avloc.experiments.tables import Results, result_table
from avloc.formats.activitynet import read_truth
from avloc.report.tables import to_markdown
from avloc.training.data import fitted_to, open_split


def test_what_is_recorded_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_data(tmp_path)
    recipe = with_settings(recipe_on(data), (*SETTINGS, "train.epochs=1", "train.warmup_epochs=0"))
    recipe = fitted_to(recipe, open_split(recipe, "train"))
    identity = identify(data, data / "annotations.json", "onepeace")
    rows = (ROWS["loco"], ROWS["cdp"])
    runs, records = plan(recipe, rows, 1, identity, tmp_path / "out", "test"), tmp_path / "records"
    for run in runs:
        write_experiment(run)
        worker.make(run)
    exchange(records, runs)
    truth = {name: entry.events for name, entry in read_truth(data / "annotations.json", "test").items()}

    def shown(made: Results) -> list[str]:
        tables = (
            result_table(TABLES["table2a"], made),
            learned_table(made, list(ROWS)),
            errors_table(made, ("cdp",)),
        )
        return [to_markdown(table) for table in tables if table is not None]

    before = Results(runs, truth)
    first = (
        shown(before),
        before.spreads("loco")[0],
        draws_of(runs[0].folder, truth, DRAWS),
        before.difference("cdp"),
    )
    assert len(first[0]) == 3 and "which moment" in first[0][1] and "double detection" in first[0][2]
    assert all(record_path(records, run).stat().st_size < 60_000 for run in runs)

    shutil.rmtree(tmp_path / "out")
    monkeypatch.setattr("avloc.experiments.execute.subprocess.Popen", lambda *a, **k: pytest.fail("a run was made"))
    assert execute(runs, records=records) == []
    after = Results(runs, truth)
    assert shown(after) == first[0]
    spread = after.spreads("loco")[0]
    assert spread.encoded == pytest.approx(first[1].encoded, abs=1e-6)
    assert np.allclose(draws_of(runs[0].folder, truth, DRAWS), first[2], atol=1e-5)
    again = after.difference("cdp")
    assert again is not None and first[3] is not None
    assert np.allclose(again.seeded, first[3].seeded, atol=1e-4)
    assert read_summary(runs[0].folder) == before.summaries["loco", 0] and len(read_metrics(runs[0].folder)) == 1
    found = errors_of(runs[0].folder)
    assert found is not None and found.truths == sum(len(events) for events in truth.values())
    assert not list(runs[0].folder.glob("*.safetensors"))

    def opened(*seeds_of: str) -> Session:
        place = (data, data / "annotations.json", 1, tmp_path / "out")
        return open_session(("table2a", "table2b"), recipe, "loco-small", *place, records=records, seeds_of=seeds_of)

    session = opened("table2a=3", "table2b=2")
    seeds = {row: [run.seed for run in session.runs if run.row == row] for row in ("loco", "base", "diagonal")}
    assert seeds == {"loco": [0, 1, 2], "base": [0, 1, 2], "diagonal": [0, 1]}
    assert session.results().summaries.keys() == {("loco", 0), ("cdp", 0)}  # by the records' folder
    for bad in ("table2a", "table2a=0", "table9=3"):
        with pytest.raises(ConfigError, match=r"is no number of seeds of a table|0 seeds were asked for"):
            opened(bad)

    path = record_path(records, runs[0])
    other = replace(runs[0], folder=tmp_path / "else" / "runs" / runs[0].key)
    path.write_text(json.dumps({**json.loads(path.read_text()), "summary": {"key": "of another"}}))
    with pytest.raises(FormatError, match=r"is no record of a run \(it is of the run of another\); delete it"):
        exchange(records, [other])
    assert not other.folder.exists()
