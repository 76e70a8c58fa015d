"""The face detector against stored outputs of the original, and the letterbox before it."""

from __future__ import annotations

from pathlib import Path

import encoder_inputs
import numpy as np
import pytest
from safetensors.numpy import load_file

from avloc.features.extractors.blazeface import BlazeFace, letterboxed

DATA = Path(__file__).parent / "data"


def test_it_says_what_tensorflow_lite_says() -> None:
    stored = load_file(DATA / "blazeface_reference.safetensors")["logits"]  # (12, 2304)
    pictures = np.ascontiguousarray(encoder_inputs.images()[:, 16:208, 16:208])
    scores = BlazeFace(threads=1)(pictures)
    assert scores.shape == (12,) and scores.dtype == np.float32
    assert scores == pytest.approx(1 / (1 + np.exp(-stored.max(axis=1))), abs=1e-3)
    assert np.ptp(scores) > 0.2  # so that pictures are told apart
    assert len(BlazeFace(threads=1)(pictures[:0])) == 0


@pytest.mark.parametrize(
    ("shape", "inner"),
    [((224, 398), (108, 192)), ((398, 224), (192, 108)), ((224, 224), (192, 192)), ((60, 90), (128, 192))],
)
def test_a_letterboxed_picture_keeps_its_proportions(shape: tuple[int, int], inner: tuple[int, int]) -> None:
    row, column = np.mgrid[: shape[0], : shape[1]]
    picture = np.stack([row * 200 // shape[0], column * 200 // shape[1], np.full(shape, 200)], axis=2).astype(
        np.uint8
    )
    out = letterboxed(picture, 192)
    lit = out[..., 2] == 200
    assert out.shape == (192, 192, 3) and lit.any(axis=1).sum() == inner[0] and lit.any(axis=0).sum() == inner[1]
    assert not out[~lit].any()
    inside = out[lit].reshape(*inner, 3).astype(float)
    want = (np.arange(inner[0]) + 0.5) / inner[0] * 200
    assert np.abs(inside[..., 0].mean(axis=1) - want).max() < 4
