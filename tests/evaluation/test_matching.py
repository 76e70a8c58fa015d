"""What detections find: nobody twice, never too little, and the columns say who is who."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.evaluation.matching import match, tiou
from avloc.events import Event, Events

Videos = dict[str, Events]


def videos(names: str) -> st.SearchStrategy[Videos]:
    event = st.builds(
        lambda start, length, label, score: Event(start, start + length, label, score),
        st.integers(0, 5).map(float),
        st.integers(0, 3).map(float),
        st.sampled_from("ab"),
        st.sampled_from([0.1, 0.5, 0.9]),
    )
    return st.dictionaries(st.sampled_from(names), st.lists(event, max_size=8).map(Events.of), max_size=3)


@settings(max_examples=200, deadline=None)
@given(videos("uvw"), videos("uvx"))
def test_a_truth_is_taken_once_by_a_detection_that_reaches_it(detections: Videos, truth: Videos) -> None:
    m = match(detections, truth, (0.2, 0.5, 1.0))
    d, g = m.detections, m.truth
    assert m.found.shape == (3, len(d)) and (m.hit == (m.found >= 0)).all()
    for t, limit in enumerate(m.thresholds):
        finders = np.flatnonzero(m.hit[t])
        taken = m.found[t, finders]
        assert len(set(taken.tolist())) == len(taken)
        assert (d.video[finders] == g.video[taken]).all() and (d.label[finders] == g.label[taken]).all()
        assert (tiou(d.start_s[finders], d.end_s[finders], g.start_s[taken], g.end_s[taken]) >= limit).all()
        missed = np.setdiff1d(np.arange(len(g)), taken)
        for i in np.setdiff1d(np.arange(len(d)), finders):  # whoever found nothing had nothing left to find
            same = missed[(g.video[missed] == d.video[i]) & (g.label[missed] == d.label[i])]
            assert (tiou(d.start_s[i], d.end_s[i], g.start_s[same], g.end_s[same]) < limit).all()


@settings(max_examples=100, deadline=None)
@given(videos("uvw"), videos("uvx"))
def test_columns_lead_back_to_the_events(detections: Videos, truth: Videos) -> None:
    m = match(detections, truth)
    assert m.videos[: m.truth_videos] == tuple(truth)
    for source, table in ((truth, m.truth), (detections, m.detections)):
        for i in range(len(table)):
            event = source[m.videos[table.video[i]]][int(table.row[i])]
            seen = Event(table.start_s[i], table.end_s[i], m.labels[table.label[i]], table.score[i])
            assert event == seen
    assert len(m.detections) + m.left_out == sum(map(len, detections.values()))
    stretches = list(m.by_class())
    assert len(stretches) == len(m.labels)
    for k, part in enumerate(stretches):
        assert (m.detections.label[part] == k).all()
        assert (np.diff(m.detections.score[part]) <= 0).all()
    assert m.truth_count.sum() == len(m.truth) and (m.truth_count > 0).all()


def test_tiou_of_nothing_and_nothing_is_nothing() -> None:
    zero, two = np.zeros(1), np.full(1, 2.0)
    assert tiou(zero, zero, zero, zero).tolist() == [0.0]
    assert tiou(zero, zero, zero, two).tolist() == [0.0]
    assert tiou(zero, two, -two, two).tolist() == [0.5]
