"""From finished runs to tables and verdicts."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from avloc.config import RunConfig
from avloc.evaluation.matching import THRESHOLDS
from avloc.evaluation.mean_ap import mean_ap
from avloc.events import Event, Events
from avloc.experiments.claims import CLAIMS, Claim, judge, judge_costs, verdict_of
from avloc.experiments.cost import LIKE, PUBLIC, Cost
from avloc.experiments.grid import ROWS, TABLES
from avloc.experiments.key import DataIdentity
from avloc.experiments.runs import METRICS, PREDICTIONS, Run, Summary, plan, write_summary
from avloc.experiments.tables import Results, result_table
from avloc.formats.activitynet import write_results
from avloc.report.tables import to_markdown

TRUTH = {f"v{i:02d}": Events.of([Event(1.0, 5.0, "ab"[i % 2], 1.0)]) for i in range(30)}


def detections(right: Sequence[int]) -> dict[str, Events]:
    """Of the videos `right` the truth, of the others a wrong place; all with the same score."""
    return {
        video: Events.of([Event(1.0, 5.0, events[0].label, 0.5) if i in right else Event(8.0, 9.0, "a", 0.5)])
        for i, (video, events) in enumerate(TRUTH.items())
    }


def finish(run: Run, right: Sequence[int]) -> float:
    """As if the run had been made: its detections and its summary. The result is its average mAP."""
    run.folder.mkdir(parents=True)
    found = detections(right)
    write_results(run.folder / PREDICTIONS, found)
    result = mean_ap(found, TRUTH)
    by_threshold = tuple(float(x) for x in result.by_threshold)
    summary = Summary(
        run.row, run.seed, run.key, "0", "c", "cpu", 10.0, 1.0, 0.5, 1, len(TRUTH), THRESHOLDS, by_threshold
    )
    write_summary(run.folder, summary)
    return result.average


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    return plan(RunConfig(), tuple(ROWS.values()), 2, DataIdentity("a", "onepeace", "f", 2), tmp_path, "test")


def of(runs: Sequence[Run], row: str) -> list[Run]:
    return [run for run in runs if run.row == row]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.2, "reproduced"),
        (-0.2, -0.1, "not reproduced"),
        (-0.1, 0.1, "undecided"),
        (0.0, 0.1, "undecided"),
        (-0.1, 0.0, "undecided"),
    ],
)
def test_the_rule(low: float, high: float, verdict: str) -> None:
    assert verdict_of(low, high) == verdict


def test_verdicts_follow_the_runs(runs: list[Run]) -> None:
    for seed in range(2):
        finish(of(runs, "loco")[seed], range(28))
        finish(of(runs, "global")[seed], range(3 + seed))
        finish(of(runs, "fixed")[seed], range(1, 29))
    results = Results(runs, TRUTH, draws=200)

    def judged(better: str, worse: str) -> tuple[str, str]:
        found = judge(Claim("Table", "words", better, worse, "Avg."), results)
        return found.verdict, found.evidence

    assert judged("loco", "global")[0] == "reproduced"
    assert judged("global", "loco")[0] == "not reproduced"
    assert judged("loco", "fixed")[0] == "undecided"
    verdict, evidence = judged("loco", "diagonal")
    assert verdict == "not tried" and "diagonal" in evidence and "loco" not in evidence.replace("diagonal", "")
    verdict, evidence = judged("loco", "global")
    gap = np.mean([mean_ap(detections(range(28)), TRUTH).average] * 2)
    gap -= np.mean([mean_ap(detections(range(3 + seed)), TRUTH).average for seed in range(2)])
    assert evidence.startswith(f"{100 * gap:+.2f} [") and evidence.endswith("2 seeds")


def test_a_row_that_has_learned_nothing_decides_nothing(runs: list[Run]) -> None:
    def watched(run: Run, moment: float) -> None:
        told = {"lcc_video": 1.0, "lcc_video_guess": 2.0, "lcc_moment": moment, "lcc_moment_guess": 5.0}
        line = {"number": 1, "watched": {**told, "visual_inside": 0.3, "audio_inside": 0.4}}
        (run.folder / METRICS).write_text(json.dumps(line) + "\n")

    for seed in range(2):
        for row, right in (("loco", 28), ("diagonal", 3), ("softened", 3), ("global", 0)):
            finish(of(runs, row)[seed], range(right))
        for row, moment in (("loco", 4.2), ("diagonal", 4.98), ("softened", 4.9)):
            watched(of(runs, row)[seed], moment)
    results = Results(runs, TRUTH, draws=100)

    def judged(source: str, worse: str) -> tuple[str, str]:
        found = judge(Claim(source, "words", "loco", worse, "Avg."), results)
        return found.verdict, found.evidence

    verdict, evidence = judged("Table 2b", "diagonal")
    assert verdict == "not tried" and "diagonal has learned nothing of moments (4.98 nats, guessing 5.00)" in evidence
    assert judged("Table 2b", "softened")[0] == "reproduced"
    assert judged("Table 2c", "diagonal")[0] == "reproduced"  # nothing that LCC's local part decides
    verdict, evidence = judged("Table 2c", "global")
    assert verdict == "not tried" and "global has learned nothing (average mAP 0.00)" in evidence


def test_every_claim_names_rows_that_its_table_shows() -> None:
    for claim in CLAIMS:
        table = TABLES[claim.source.lower().replace(" ", "")]
        assert {claim.better, claim.worse} <= set(table.rows)


def test_a_table_is_what_plain_loops_make_of_the_summaries(runs: list[Run]) -> None:
    averages = [finish(run, range(10 + 5 * run.seed)) for run in of(runs, "global")]
    finish(of(runs, "loco")[0], range(25))
    results = Results(runs, TRUTH, draws=50)
    scores = results.scores("global")
    assert scores is not None and scores.deviation is not None
    mean = sum(averages) / 2
    assert scores.mean[-1] == pytest.approx(mean)
    assert scores.deviation[-1] == pytest.approx(sum((a - mean) ** 2 for a in averages) ** 0.5)
    table = result_table(TABLES["table2c"], results)
    by_word = {line[0].text: line for line in table.lines}
    assert by_word["global"][6].text == f"{100 * mean:.1f} ± {100 * scores.deviation[-1]:.1f}"
    assert not by_word["global"][6].best and by_word["CDP"][6].best
    assert by_word["fixed"][1].text == "missing" and "fixed" in to_markdown(table)
    assert any("1 of 2 runs of loco" in note for note in table.notes)
    found = results.difference("global")
    assert found is not None and found.seeds == 1  # the one that both have
    assert found.measured[-1] == pytest.approx(averages[0] - mean_ap(detections(range(25)), TRUTH).average)


def test_counts_hold_or_do_not() -> None:
    def wide(loco: int) -> dict[str, Cost]:
        sizes = {"loco": loco, "cdp": 45_000_000, "global": 45_100_000, PUBLIC: 75_000_000}
        return {row: Cost(row, 256, size, 10_000_000_000, 0, 0) for row, size in sizes.items()}

    others = {name: Cost(name, 256, 60_000_000, 11_000_000_000, 0, 0) for name in LIKE}
    assert [one.verdict for one in judge_costs(wide(45_300_000), others)] == ["reproduced"] * 4
    large = [one.verdict for one in judge_costs(wide(200_000_000), others)]
    assert large == ["not reproduced"] * 4
