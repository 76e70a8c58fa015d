"""The colours of the classes stay apart, also for eyes that do not tell red, green or blue apart."""

from __future__ import annotations

import itertools
import re
from importlib import resources

import numpy as np
import pytest
from numpy.typing import NDArray

from avloc.report.timeline import PALETTE, colour, tone

Matrix = NDArray[np.float64]

# OKLab (Ottosson 2020): linear RGB -> cone responses, and their cube roots -> lightness and two colour axes.
CONES = np.array(
    [[0.41222147, 0.53633254, 0.05144599], [0.21190350, 0.68069955, 0.10739696], [0.08830246, 0.28171884, 0.62997870]]
)
LAB = np.array(
    [
        [0.21045426, 0.79361778, -0.00407205],
        [1.97799850, -2.42859220, 0.45059371],
        [0.02590404, 0.78277177, -0.80867577],
    ]
)
# Linear RGB as it is seen, at full severity (Machado, Oliveira and Fernandes 2009).
SIGHT = {
    "ordinary": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def themes() -> list[tuple[float, float]]:
    css = resources.files("avloc.report").joinpath("static", "page.css").read_text(encoding="utf-8")
    found = [[float(x) for x in re.findall(rf"--{name}: ([\d.]+);", css)] for name in ("base", "chroma")]
    assert len(found[0]) == 2, "a light and a dark theme"
    return list(zip(*found, strict=True))


def seen(lightness: float, chroma: float, hue: float, sight: Matrix) -> Matrix:
    turn = np.radians(hue)
    lab = np.array([lightness, chroma * np.cos(turn), chroma * np.sin(turn)])
    rgb = np.linalg.solve(CONES, np.linalg.solve(LAB, lab) ** 3).clip(0, 1)
    return np.asarray(LAB @ np.cbrt(CONES @ (sight @ rgb).clip(0, 1)))


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(("classes", "least"), [(4, 0.15), (8, 0.06)])
def test_classes_differ_by_several_times_what_an_eye_can_tell(sight: str, classes: int, least: float) -> None:
    for base, chroma in themes():
        colours = [seen(base + 0.09 * v, chroma, h, np.array(SIGHT[sight])) for h, v in PALETTE[:classes]]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)) > least


def test_a_class_has_one_colour_whatever_stands_beside_it() -> None:
    assert colour("dog barking") == colour("Dog barking") == "--h:57;--v:0"
    assert len({colour(f"class {k}") for k in range(400)}) == 24


def test_classes_that_often_come_together_look_different() -> None:
    for pair in (
        ("man speaking", "woman speaking"),
        ("man speaking", "people laughing"),
        ("people cheering", "people clapping"),
        ("male singing", "playing acoustic guitar"),
        ("sea waves", "wind noise"),
    ):
        for base, chroma in themes():
            a, b = (seen(base + 0.09 * v, chroma, h, np.eye(3)) for h, v in map(tone, pair))
            assert np.linalg.norm(a - b) > 0.06, pair
