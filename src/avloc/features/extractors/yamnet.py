"""YAMNet: the embedded audio encoder. log-mel patch > MobileNet v1 > embedding > 521 classes of AudioSet.

Legend: N patches.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors.onnx_encoder import OnnxEncoder, read_classes

Array = NDArray[np.float32]

BATCH_SIZE = 16


class YamNet:
    """Embedding and class probabilities of patches of `avloc.features.logmel.log_mel`.

    threads is the number of cores to use; 0 takes those that the process may use, at most 8. One object may be
    called from several threads at once.

    Raises:
        ModelError: the weight file is missing or broken.
    """

    name = "yamnet/1"
    embedding_width = 1024
    classes: tuple[str, ...] = read_classes("yamnet_classes.txt")

    def __init__(self, threads: int = 0) -> None:
        self._run = OnnxEncoder(Path(__file__).with_name("yamnet.onnx"), BATCH_SIZE, threads)

    def __call__(self, patches: Array) -> tuple[Array, Array]:
        """Embeddings (N, 1024) and probabilities (N, 521) of float32 log-mel patches (N, 96, 64); N may be 0.

        Raises:
            FeatureError: the patches have another shape or type.
        """
        return self._run(patches)
