"""EfficientNet-Lite0: the embedded visual encoder. RGB image > inverted residuals > embedding > ImageNet classes.

Legend: N images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors.onnx_encoder import OnnxEncoder, read_classes

Array = NDArray[np.float32]

BATCH_SIZE = 4


class EfficientNetLite0:
    """Embedding and class logits of images of 224 x 224 pixels.

    threads is the number of cores to use; 0 takes those that the process may use, at most 8. One object may be
    called from several threads at once.

    Raises:
        ModelError: the weight file is missing or broken.
    """

    name = "efficientnet-lite0/1"
    embedding_width = 1280
    size = 224
    classes: tuple[str, ...] = read_classes("imagenet_classes.txt")

    def __init__(self, threads: int = 0) -> None:
        self._run = OnnxEncoder(Path(__file__).with_name("efficientnet_lite0.onnx"), BATCH_SIZE, threads)

    def __call__(self, images: NDArray[np.uint8]) -> tuple[Array, Array]:
        """Embeddings (N, 1280) and logits (N, 1000) of RGB images uint8 (N, 224, 224, 3); N may be 0.

        Raises:
            FeatureError: the images have another shape or type.
        """
        return self._run(images)
