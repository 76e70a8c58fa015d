"""PSDS: a case by hand, the definition in plain loops over thresholds, and sed_scores_eval where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from avloc.evaluation.psds import SCENARIOS, Scenario, psds
from avloc.events import Event, Events


def test_by_hand() -> None:
    """One hour of one clip, one class, two events. Thresholds: 0.9 finds one event; 0.8 adds one false; 0.7 finds the
    other. Up to one false in the hour half of the events, from there on all: (0.5 * 1 + 1 * 99) / 100."""
    truth = {"a": Events([0, 100], [10, 110], ["dog", "dog"])}
    found = {"a": Events([0, 50, 101], [10, 60, 110], ["dog", "dog", "dog"], [0.9, 0.8, 0.7])}
    score = psds(found, truth, {"a": 3600.0}, Scenario(dtc=0.7, gtc=0.7))
    assert score.value == pytest.approx((0.5 * 1 + 1.0 * 99) / 100) and score.labels == ("dog",)
    # Half an hour: two false by the hour.
    assert psds(found, truth, {"a": 1800.0}, Scenario(0.7, 0.7)).value == pytest.approx((0.5 * 2 + 98) / 100)
    # A second class that is never found: mean 1/2, deviation 1/2 of it: nothing is left.
    two = {"a": Events([0, 100, 5], [10, 110, 8], ["dog", "dog", "cat"])}
    assert psds(found, two, {"a": 3600.0}, Scenario(0.7, 0.7)).value == pytest.approx(0.0)
    assert psds(found, two, {"a": 3600.0}, Scenario(0.7, 0.7, alpha_st=0)).value == pytest.approx(0.4975)


def test_cross_triggers_cost() -> None:
    truth = {"a": Events([0, 100], [10, 136], ["dog", "cat"])}  # the cat: 36 s, a hundredth of an hour
    found = {"a": Events([100, 0], [130, 10], ["dog", "dog"], [0.9, 0.8])}
    free = psds(found, truth, {"a": 3600.0}, Scenario(0.5, 0.5, alpha_st=0))
    dear = psds(found, truth, {"a": 3600.0}, Scenario(0.5, 0.5, cttc=0.3, alpha_ct=0.5, alpha_st=0))
    assert free.by_label[1] == pytest.approx(0.99)  # one false an hour
    assert dear.by_label[1] == pytest.approx(0.49)  # 1 + 0.5 * 1 / 0.01 = 51 an hour


def case(seed: int) -> tuple[dict[str, Events], dict[str, Events], dict[str, float]]:
    """Detections and truth of which no two of a class touch, for that is what sed_scores_eval can tell."""
    rng = np.random.default_rng(seed)
    found, truth, durations = {}, {}, {}

    def score() -> float:
        return round(float(rng.uniform(0.01, 1)), 2)

    for clip in range(12):
        rows: dict[bool, list[Event]] = {True: [], False: []}
        for label in ("cat", "dog", "rain"):
            for is_truth in (True, False):
                at = float(rng.uniform(0, 3))
                while at < 9:
                    end = at + float(rng.uniform(0.3, 2.5))
                    if rng.random() < 0.5:
                        rows[is_truth].append(
                            Event(round(at, 3), round(end, 3), label, round(float(rng.uniform(0.01, 1)), 2))
                        )
                    at = end + float(rng.uniform(0.1, 2))
            for event in [e for e in rows[True] if e.label == label]:
                moved = Event(
                    round(event.start_s + 0.05, 3), event.end_s, label, round(float(rng.uniform(0.01, 1)), 2)
                )
                clear = all(
                    e.end_s < moved.start_s or e.start_s > moved.end_s for e in rows[False] if e.label == label
                )
                rows[False].extend([moved] if clear else [])
        found[f"c{clip}"], truth[f"c{clip}"] = Events.of(rows[False]), Events.of(rows[True])
        # Scores by frame have a threshold at which all of a clip is one detection: never right in clips so long.
        durations[f"c{clip}"] = 500.0
    return found, truth, durations


def by_loops(
    found: dict[str, Events], truth: dict[str, Events], durations: dict[str, float], scenario: Scenario
) -> float:
    """At every threshold anew, event by event; then the area, step by step of the rate."""
    labels = sorted({e.label for events in truth.values() for e in events})
    hours = sum(durations.values()) / 3600

    def shared(event: Event, others: list[Event]) -> float:
        return sum(max(0.0, min(event.end_s, o.end_s) - max(event.start_s, o.start_s)) for o in others)

    points: dict[str, list[tuple[float, float]]] = {label: [(0.0, 0.0)] for label in labels}
    for label in labels:
        count = sum(e.label == label for events in truth.values() for e in events)
        for threshold in {e.score for events in found.values() for e in events if e.label == label}:
            hits, false = 0, 0
            crossed = dict.fromkeys([other for other in labels if other != label], 0)
            for clip, goal in truth.items():
                mine = [e for e in found[clip] if e.label == label and e.score >= threshold]
                own = [e for e in goal if e.label == label]
                relevant = [e for e in mine if shared(e, own) >= scenario.dtc * e.duration_s - 5e-7]
                false += len(mine) - len(relevant)
                hits += sum(shared(e, relevant) >= scenario.gtc * e.duration_s - 5e-7 for e in own)
                for other in crossed if scenario.cttc else ():
                    theirs = [e for e in goal if e.label == other]
                    crossed[other] += sum(
                        e not in relevant and shared(e, theirs) >= (scenario.cttc or 0) * e.duration_s - 5e-7
                        for e in mine
                    )
            rate = false / hours
            for other, times in crossed.items():
                length_s = sum(e.duration_s for events in truth.values() for e in events if e.label == other)
                rate += scenario.alpha_ct * times / (length_s / 3600) / len(crossed)
            points[label].append((rate, hits / count))
    rates = sorted({rate for rows in points.values() for rate, _ in rows if rate <= scenario.max_efpr})
    area = 0.0
    for rate, following in zip(rates, [*rates[1:], scenario.max_efpr], strict=True):
        shares = [max(share for at, share in rows if at <= rate) for rows in points.values()]
        area += max(0.0, float(np.mean(shares) - scenario.alpha_st * np.std(shares))) * (following - rate)
    return area / scenario.max_efpr


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_as_the_plain_loops(name: str, seed: int) -> None:
    found, truth, durations = case(seed)
    for scenario in (SCENARIOS[name], Scenario(0.3, 0.5, 0.3, alpha_ct=1.0, alpha_st=0.0, max_efpr=9.0)):
        want = by_loops(found, truth, durations, scenario)
        assert psds(found, truth, durations, scenario).value == pytest.approx(want, abs=1e-12)
    assert by_loops(found, truth, durations, scenario) > 0.05  # the case tells something


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_as_sed_scores_eval(seed: int) -> None:
    oracle = pytest.importorskip("sed_scores_eval")
    frame = pytest.importorskip("sed_scores_eval.base_modules.scores").create_score_dataframe
    found, truth, durations = case(seed)
    labels = ["cat", "dog", "rain"]
    scores = {}
    for clip, events in found.items():
        edges = np.unique([0.0, durations[clip], *events.start_s, *events.end_s])
        values = np.zeros((len(edges) - 1, 3))
        for event in events:
            inside = (edges[:-1] >= event.start_s) & (edges[:-1] < event.end_s)
            values[inside, labels.index(event.label)] = event.score
        scores[clip] = frame(values, edges, labels)
    goal = {clip: [(e.start_s, e.end_s, e.label) for e in events] for clip, events in truth.items()}
    for scenario in (*SCENARIOS.values(), Scenario(0.3, 0.5, 0.3, 1.0, 0.0, 9.0)):
        value, single, *_ = oracle.intersection_based.psds(
            scores, goal, durations, dtc_threshold=scenario.dtc, gtc_threshold=scenario.gtc,
            cttc_threshold=scenario.cttc, alpha_ct=scenario.alpha_ct, alpha_st=scenario.alpha_st,
            max_efpr=scenario.max_efpr,
        )  # fmt: skip
        mine = psds(found, truth, durations, scenario)
        assert mine.value == pytest.approx(value, abs=1e-12)
        assert mine.by_label == pytest.approx([single[label] for label in labels], abs=1e-12)


def test_what_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="no event"):
        psds({}, {"a": Events()}, {"a": 10.0}, SCENARIOS["PSDS1"])
    with pytest.raises(ValueError, match="length of video 'a'"):
        psds({}, {"a": Events([0], [1], ["x"])}, {"a": float("inf")}, SCENARIOS["PSDS1"])
    for wrong in ({"dtc": 0}, {"gtc": 1.1}, {"cttc": 0.3}, {"alpha_ct": 1}, {"max_efpr": 0}):
        with pytest.raises(ValueError):
            Scenario(**{"dtc": 0.5, "gtc": 0.5} | wrong)  # type: ignore[arg-type]
    truth = {"a": Events([0], [1], ["x"])}
    assert psds({}, truth, {"a": 10.0}, SCENARIOS["PSDS1"]).value == 0.0
