"""YOLOv3-tiny: the embedded object detector. RGB image > scores of boxes > the surest box of each of COCO's classes.

Legend: N images, H and W height and width in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors.onnx_encoder import open_session, read_classes

STRIDE = 32  # of the coarser of its two maps; sides must be multiples of it
_GREY = 127


class YoloV3Tiny:
    """How sure it is that an object of each class is somewhere in the picture, from 0 to 1.

    threads as for the other encoders. One object may be called from several threads at once.

    Raises:
        ModelError: the weight file is missing or broken.
    """

    name = "yolov3-tiny/1"
    classes: tuple[str, ...] = read_classes("coco_classes.txt")

    def __init__(self, threads: int = 0) -> None:
        self._session = open_session(Path(__file__).with_name("yolov3_tiny.onnx"), threads)

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Scores (N, 80) of RGB pictures uint8 (H, W, 3), each of its own size; N may be 0.

        It was trained on pictures of 416 pixels; a shorter side of 224 and a longer one to match serve as well.
        """
        scores = np.empty((len(pictures), len(self.classes)), np.float32)
        for row, picture in zip(scores, pictures, strict=True):
            row[:] = self._session.run(None, {"images": _padded(picture)[None]})[0][0]
        return scores


def _padded(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey to the right and below, up to multiples of STRIDE."""
    height, width = picture.shape[:2]
    if not (height % STRIDE or width % STRIDE):
        return picture
    out = np.full((-(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE, 3), _GREY, np.uint8)
    out[:height, :width] = picture
    return out
