"""A model's network on onnxruntime.

Legend: T steps of the fixed window, P points, K classes, S segments a point (K or 1).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.errors import ModelError

Float32 = NDArray[np.float32]
OUTPUTS = ("scores", "segments", "place")


class OnnxRunner:
    """visual (T, Dv), audio (T, Da), mask (T,) -> scores (P, K) in [0, 1], segments (P, S, 2) in steps, place (P,).

    Raises:
        ModelError: the file is missing, broken, or not a network of avloc.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        import onnxruntime as ort

        if not path.is_file():
            raise ModelError(f"{path}: is missing; write it with `avloc export {path.parent}`")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own classes share no public base
            raise ModelError(
                f"{path}: cannot be loaded ({str(error).splitlines()[0]}); export the model anew"
            ) from None
        inputs = {i.name: i.shape for i in self.session.get_inputs()}
        if set(inputs) not in ({"visual", "audio", "mask"}, {"visual", "mask"}):
            raise ModelError(f"{path}: takes {', '.join(inputs)}, not visual, audio and mask; export the model anew")
        self._inputs = tuple(inputs)
        self.window_steps, self.widths = _sizes(path, inputs)
        outputs = [o.name for o in self.session.get_outputs()]
        if not set(OUTPUTS) <= set(outputs):
            raise ModelError(f"{path}: gives {', '.join(outputs)}, not {', '.join(OUTPUTS)}; export the model anew")

    def __call__(self, visual: Float32, audio: Float32, mask: NDArray[np.bool_]) -> tuple[Float32, Float32, Float32]:
        inputs = {"visual": visual[None], "audio": audio[None], "mask": mask[None]}
        scores, segments, place = self.session.run(OUTPUTS, {name: inputs[name] for name in self._inputs})
        return scores[0], segments[0], place[0]


def _sizes(path: Path, inputs: dict[str, list[int | str | None]]) -> tuple[int, tuple[int, int]]:
    """T, and Dv and Da, of visual (1, T, Dv), audio (1, T, Da) and mask (1, T); a size left open is no number."""
    match inputs["visual"], inputs.get("audio", [*inputs["visual"][:2], 0]), inputs["mask"]:
        case [1, int(T), int(Dv)], [1, int(T_a), int(Da)], [1, int(T_m)] if T == T_a == T_m:
            return T, (Dv, Da)
    shapes = ", ".join(f"{name} {tuple(shape)}" for name, shape in inputs.items())
    raise ModelError(f"{path}: takes {shapes}, not one window of fixed size; export the model anew")
