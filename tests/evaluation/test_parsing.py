"""F scores of what is heard, seen and both: numbers worked out by hand, and the definition in plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.evaluation.parsing import best_parsing, parsing
from avloc.events import Event, Events
from avloc.events.modality import BOTH, modality_named, with_modality, without_modality

TEN = {"a": 10.0, "b": 10.0, "c": 10.0}


def test_one_clip_by_hand() -> None:
    """Speech is heard 0 to 4 and seen 2 to 6, so both at once 2 to 4; a dog is heard 8 to 10.

    Found: speech heard 0 to 2 and 3 to 4, seen 2 to 8; a car seen 0 to 1.
    Segments, heard: speech 3 right, 0 false, 1 missed: 6/7. Dog: 0. Mean 3/7.
    Seen: speech 4 right, 2 false, 0 missed: 8/10. Car: 0. Mean 2/5.
    Both: true in 2, 3; found in 3: 1 right, 1 missed: 2/3.
    Heard and seen together: speech 7 right, 2 false, 1 missed: 14/17; dog 0; car 0: mean 14/51.
    Events, heard: true speech 0-4; found 0-2 (tIoU 2/4, right) and 3-4 (1/4, false): 1 right, 1 false, 0 missed: 2/3;
    dog 0: mean 1/3. Seen: 2-6 with 2-8: 4/6, right: 1; car 0: mean 1/2. Both: 2-4 with 3-4: 1/2, right: 1.
    Together: speech 2 right, 1 false, 0 missed: 4/5; dog 0; car 0: mean 4/15.
    """
    truth = {"a": Events([0, 2, 8], [4, 6, 10], ["Speech (audio)", "Speech (visual)", "Dog (audio)"])}
    found = {
        "a": Events(
            [0, 3, 2, 0, 0],
            [2, 4, 8, 1, 9],
            ["Speech (audio)", "Speech (audio)", "Speech (visual)", "Car (visual)", "Dog (audio)"],
            [0.9, 0.5, 0.7, 0.6, 0.49],
        )
    }
    score = parsing(found, truth, TEN)
    segment, event = score.segment, score.event
    assert segment.audio == pytest.approx(3 / 7) and segment.visual == pytest.approx(2 / 5)
    assert segment.audio_visual == pytest.approx(2 / 3) and segment.by_event == pytest.approx(14 / 51)
    assert segment.by_type == pytest.approx((3 / 7 + 2 / 5 + 2 / 3) / 3)
    assert event.audio == pytest.approx(1 / 3) and event.visual == pytest.approx(1 / 2)
    assert event.audio_visual == 1.0 and event.by_event == pytest.approx(4 / 15)
    assert event.by_type == pytest.approx((1 / 3 + 1 / 2 + 1) / 3)


def test_means_are_over_videos_and_nothing_in_both_is_right() -> None:
    truth = {"a": Events([0], [5], ["Dog (audio)"]), "b": Events()}
    score = parsing({"a": Events([0], [5], ["Dog (audio)"])}, truth, TEN)
    assert (score.segment.audio, score.segment.visual, score.event.by_event) == (1.0, 1.0, 1.0)
    missed = parsing({}, truth, TEN)
    assert missed.segment.audio == 0.5 and missed.segment.visual == 1.0 and missed.event.by_event == 0.5
    false = parsing({"b": Events([0], [1], ["Dog (visual)"])}, truth, TEN)
    assert false.segment.visual == 0.5 and false.videos == 2
    # A plain class is of both.
    assert parsing({"a": Events([0], [5], ["Dog"])}, truth, TEN).segment.visual == 0.5
    with pytest.raises(ValueError, match="no video"):
        parsing({}, {}, {})


def test_the_best_threshold() -> None:
    truth = {"a": Events([0], [5], ["Dog (audio)"]), "b": Events()}
    found = {"a": Events([0, 5], [5, 9], ["Dog (audio)"] * 2, [0.9, 0.3]), "b": Events([0], [9], ["Cat"], [0.4])}
    best = best_parsing(found, truth, TEN)
    assert best.min_score == 0.9 and best.segment.by_type == best.event.by_event == 1.0
    assert best_parsing({}, truth, TEN).segment.audio == 0.5


def f_of(found: np.ndarray, goal: np.ndarray) -> float:
    """Mean F over the rows (classes) in which something is on."""
    values = []
    for p, y in zip(found, goal, strict=True):
        if p.any() or y.any():
            values.append(2 * (p & y).sum() / (2 * (p & y).sum() + (p & ~y).sum() + (~p & y).sum()))
    return float(np.mean(values)) if values else 1.0


def event_counts(p: np.ndarray, y: np.ndarray) -> tuple[int, int, int]:
    def parts(row: np.ndarray) -> list[set[int]]:
        sets: list[set[int]] = []
        for t, on in enumerate(row):
            if on and (t == 0 or not row[t - 1]):
                sets.append(set())
            if on:
                sets[-1].add(t)
        return sets

    def close(a: set[int], b: set[int]) -> bool:
        return len(a & b) >= 0.5 * len(a | b)

    mine, goal = parts(p), parts(y)
    right = sum(any(close(a, b) for b in goal) for a in mine)
    return right, len(mine) - right, sum(not any(close(a, b) for a in mine) for b in goal)


def mean_f(counts: list[tuple[int, int, int]]) -> float:
    values = [2 * t / (2 * t + f + m) for t, f, m in counts if t + f + m]
    return float(np.mean(values)) if values else 1.0


LABELS = ("x", "y", "z")


def arrays(events: Events) -> dict[str, np.ndarray]:
    on = {m: np.zeros((3, 10), bool) for m in ("audio", "visual")}
    for event in events:
        name, modality = without_modality(event.label)
        for m in on:
            if modality in (m, BOTH):
                for t in range(10):
                    on[m][LABELS.index(name), t] |= event.start_s <= t + 0.5 < event.end_s
    return {**on, "both": on["audio"] & on["visual"]}


whole = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.integers(1, 5),
        st.sampled_from([with_modality(n, m) for n in LABELS for m in ("audio", "visual", "audio-visual")] + ["x"]),
        st.sampled_from([0.2, 0.5, 0.8]),
    ),
    max_size=6,
).map(lambda rows: Events.of(Event(a, min(10, a + n), label, score) for a, n, label, score in rows))


@given(st.lists(st.tuples(whole, whole), min_size=1, max_size=3))
def test_as_the_plain_loops(pairs: list[tuple[Events, Events]]) -> None:
    names = ["a", "b", "c"][: len(pairs)]
    found = {v: p for v, (p, _) in zip(names, pairs, strict=True)}
    truth = {v: y for v, (_, y) in zip(names, pairs, strict=True)}
    rows = []
    for video in names:
        p, y = arrays(found[video].above(0.5)), arrays(truth[video])
        by = {m: [event_counts(a, b) for a, b in zip(p[m], y[m], strict=True)] for m in p}
        pooled = [tuple(map(sum, zip(a, b, strict=True))) for a, b in zip(by["audio"], by["visual"], strict=True)]
        sums = [
            (int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()))
            for m in ("audio", "visual")
            for a, b in zip(p[m], y[m], strict=True)
        ]
        together = [tuple(map(sum, zip(sums[k], sums[k + 3], strict=True))) for k in range(3)]
        rows.append(
            [*(f_of(p[m], y[m]) for m in p), mean_f(together), *(mean_f(by[m]) for m in by), mean_f(pooled)]  # type: ignore[arg-type]
        )
    want = np.mean(rows, axis=0)
    score = parsing(found, truth, TEN)
    got = [f for s in (score.segment, score.event) for f in (s.audio, s.visual, s.audio_visual, s.by_event)]
    assert got == pytest.approx(want.tolist())


@pytest.mark.parametrize(
    ("text", "named"), [("A", "audio"), ("visual", "visual"), ("AV", "audio-visual"), ("text", None), ("", None)]
)
def test_words_for_modalities(text: str, named: str | None) -> None:
    assert modality_named(text) == named


def test_classes_keep_what_is_no_modality() -> None:
    assert without_modality("Frying_(food) (visual)") == ("Frying_(food)", "visual")
    assert without_modality("Frying (food)") == ("Frying (food)", "audio-visual")
    assert without_modality(" (audio)") == (" (audio)", "audio-visual")
