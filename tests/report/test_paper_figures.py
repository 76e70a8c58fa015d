"""Figures are drawn, carry their words, and come out the same every time."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from avloc.events import Event, Events
from avloc.report.paper_figures import (
    Course,
    CsmPair,
    WindowsPanel,
    courses_figure,
    csm_figure,
    save,
    timeline_figure,
    windows_figure,
)

TRUTH = Events.of([Event(0.0, 4.0, "dog barking", 1.0), Event(3.0, 9.0, "rain", 1.0)])


def written(figure: object, folder: Path) -> str:
    png, svg = save(figure, folder / "figure")  # type: ignore[arg-type]
    assert png.read_bytes().startswith(b"\x89PNG") and len(png.read_bytes()) > 5000
    return svg.read_text()


def test_matrices(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pairs = [CsmPair(f"video{i}", rng.random((8, 8)), rng.random((8, 8)), 0.25) for i in range(4)]
    text = written(csm_figure(pairs, "the title"), tmp_path)
    assert all(words in text for words in ("the title", "video3", "sight (s)", "sound (s)", "cosine similarity"))
    assert f"after, std {pairs[2].after.std():.3f}" in text
    alone = written(csm_figure([CsmPair("only", None, np.eye(4), 0.25)], "no model without LCC"), tmp_path)
    assert "before" not in alone and "only" in alone


def test_timeline(tmp_path: Path) -> None:
    found = Events.of([Event(0.5, 4.5, "dog barking", 0.91), Event(5.0, 5.1, "siren", 0.42)])
    text = written(timeline_figure(TRUTH, [("global", Events.of([])), ("LoCo", found)], 10.0, "a video"), tmp_path)
    assert all(w in text for w in ("dog barking", "rain", "siren", "0.91", "0.42", "truth", "global", "LoCo"))
    assert "time (s)" in text


def test_windows(tmp_path: Path) -> None:
    start, end = np.array([0.0, 2.0]), np.array([2.0, 4.0])
    panels = [[WindowsPanel(f"level {n}, head 1", start, end, (("visual", start, end + 1),))] for n in range(2)]
    text = written(windows_figure(panels, TRUTH, 10.0, "where heads look"), tmp_path)
    assert all(w in text for w in ("level 0, head 1", "level 1, head 1", "base window", "visual", "true event"))


def test_courses(tmp_path: Path) -> None:
    courses = [Course("loco", [1, 2, 3], [1.5, 1.2, 0.9]), Course("kl", [1, 2, 3], [1.5, 1.6, 1.8])]
    text = written(courses_figure([("sigma (steps)", courses)], "over training"), tmp_path)
    assert all(w in text for w in ("sigma (steps)", "epoch", "loco", "kl"))


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in "ab":
        (tmp_path / name).mkdir()
        figure = timeline_figure(TRUTH, [("LoCo", TRUTH)], 10.0, "twice")
        made.append([path.read_bytes() for path in save(figure, tmp_path / name / "f", "svg")])
    assert made[0] == made[1]
    assert save(timeline_figure(TRUTH, [], 10.0, ""), tmp_path / "f", "pdf")[1].read_bytes().startswith(b"%PDF")
