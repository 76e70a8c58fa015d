"""BlazeFace (full range): the embedded face detector. RGB image > scores of 2304 places > the surest face.

Legend: N images, H and W height and width in pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors.onnx_encoder import open_session

BATCH_SIZE = 4


class BlazeFace:
    """How sure it is that a face is in the picture, from 0 to 1; its makers take 0.6 for a face.

    threads as for the other encoders. One object may be called from several threads at once.

    Raises:
        ModelError: the weight file is missing or broken.
    """

    name = "blazeface-full/1"
    size = 192

    def __init__(self, threads: int = 0) -> None:
        self._session = open_session(Path(__file__).with_name("blazeface.onnx"), threads)

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scores (N,) of RGB images uint8 (N, 192, 192, 3); N may be 0."""
        scores = np.empty(len(images), np.float32)
        for start in range(0, len(images), BATCH_SIZE):
            block = slice(start, start + BATCH_SIZE)
            logits = self._session.run(None, {"images": images[block]})[0].max(axis=1)
            scores[block] = 1 / (1 + np.exp(-logits))
        return scores


def letterboxed(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """A picture (H, W, 3) shrunk to fit `size` with its proportions, black around it: (size, size, 3).

    Each pixel is the mean of the two by two that lie around its place: enough for a picture at most a few times
    larger.
    """
    height, width = picture.shape[:2]
    scale = size / max(height, width)
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    rows, columns = _around(height, h), _around(width, w)
    mean = np.zeros((h, w, 3), np.uint16)
    for r in rows:
        strip = picture[r]
        for c in columns:
            mean += strip[:, c]
    out = np.zeros((size, size, 3), np.uint8)
    top, left = (size - h) // 2, (size - w) // 2
    out[top : top + h, left : left + w] = (mean + 2) // 4
    return out


def _around(length: int, wanted: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Two pixels for each of `wanted` places: a quarter and three quarters into its stretch."""
    step = length / wanted
    first, second = ((np.arange(wanted) + share) * step for share in (0.25, 0.75))
    return first.astype(np.intp), second.astype(np.intp)
