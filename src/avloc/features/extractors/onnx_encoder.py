"""What the embedded encoders share: a session of onnxruntime on a weight file of the package, run in batches."""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from avloc.errors import FeatureError, ModelError

if TYPE_CHECKING:
    import onnxruntime

Array = NDArray[np.float32]

MOST_THREADS = 8  # the networks are too small to gain from more


def available_cores() -> int:
    """Cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_classes(file_name: str) -> tuple[str, ...]:
    """Class names of an embedded encoder, in the order of its outputs."""
    text = files(__package__).joinpath(file_name).read_text(encoding="utf-8")
    return tuple(text.splitlines())


class OnnxEncoder:
    """One network with one input (N, ...) and two outputs (N, width) and (N, classes).

    Raises:
        ModelError: the weight file is missing or cannot be loaded.
    """

    def __init__(self, path: Path, batch_size: int, threads: int) -> None:
        self._batch_size = batch_size
        self._session = open_session(path, threads)
        given = self._session.get_inputs()[0]
        self._input_name: str = given.name
        self._item_shape = tuple(int(size) for size in given.shape[1:])
        self._dtype = np.dtype(np.uint8 if given.type == "tensor(uint8)" else np.float32)
        self._widths = [int(output.shape[1]) for output in self._session.get_outputs()]

    def __call__(self, items: NDArray[Any]) -> tuple[Array, Array]:
        """Both outputs for items (N, ...); N may be 0.

        Raises:
            FeatureError: the items have another shape or type than the network takes.
        """
        if not isinstance(items, np.ndarray) or items.shape[1:] != self._item_shape or items.dtype != self._dtype:
            given = f"{items.dtype} {items.shape}" if isinstance(items, np.ndarray) else type(items).__name__
            expected = ", ".join(str(size) for size in self._item_shape)
            raise FeatureError(f"{self._input_name} are {given}; {self._dtype} (N, {expected}) is needed")
        first, second = (np.empty((len(items), width), np.float32) for width in self._widths)
        for start in range(0, len(items), self._batch_size):
            block = slice(start, start + self._batch_size)
            first[block], second[block] = self._session.run(None, {self._input_name: items[block]})
        return first, second


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """A session on a weight file of the package. Raises ModelError as OnnxEncoder."""
    import onnxruntime  # here, because loading it takes longer than all of avloc

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(available_cores(), MOST_THREADS)
    # Waiting threads sleep instead of spinning, so that decoding on the same cores is not held up; smaller shares of
    # work let a thread whose core is busy elsewhere be overtaken. Alone on the machine this costs nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.dynamic_block_base", "4")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    if not path.is_file():
        raise ModelError(f"the encoder's weights {path} are missing; install avloc again")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for every way a file can be broken
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"the encoder's weights {path} cannot be loaded ({reason}); install avloc again") from error
