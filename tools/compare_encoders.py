"""Prints how far the converted encoders are from the originals' stored outputs.

    python tools/compare_encoders.py yamnet|efficientnet REFERENCE [--inputs FILE] [--folder FOLDER]

REFERENCE and --inputs are files as `reference_outputs.py` writes and reads them; --folder holds the ONNX files, so
that those of `--full` makers can be compared too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from avloc.features.extractors import efficientnet_lite0, yamnet
from avloc.features.extractors.onnx_encoder import OnnxEncoder
from avloc.features.logmel import log_mel

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "features"))
import encoder_inputs


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine of each row of a with the same row of b."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    return np.asarray((x * y).sum(-1) / (np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)))


def report(name: str, ours: NDArray[Any], reference: NDArray[Any]) -> None:
    """One line: largest and mean absolute difference, largest value, smallest cosine, agreement of the top class."""
    difference = np.abs(ours - reference)
    same = (ours.argmax(-1) == reference.argmax(-1)).mean()
    print(
        f"{name:>10} {len(reference):3d} rows  max |d| {difference.max():.2e}  mean |d| {difference.mean():.2e}  "
        f"largest {np.abs(reference).max():.3f}  cosine >= {cosine(ours, reference).min():.7f}  same top {same:.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder", choices=["yamnet", "efficientnet"])
    parser.add_argument("reference", type=Path)
    parser.add_argument("--inputs", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(yamnet.__file__).parent)
    arguments = parser.parse_args()
    reference, inputs = load_file(arguments.reference), load_file(arguments.inputs) if arguments.inputs else {}
    if arguments.encoder == "yamnet":
        waveforms = inputs.get("waveforms", encoder_inputs.waveforms())
        items: NDArray[Any] = np.stack([log_mel(waveform) for waveform in waveforms])
        report("log_mel", items[: len(reference["log_mel"])], reference["log_mel"])
        path, names = arguments.folder / "yamnet.onnx", ("embedding", "scores")
        run = OnnxEncoder(path, yamnet.BATCH_SIZE, 1)
    else:
        items = inputs.get("images", encoder_inputs.images())
        path, names = arguments.folder / "efficientnet_lite0.onnx", ("embedding", "logits")
        run = OnnxEncoder(path, efficientnet_lite0.BATCH_SIZE, 1)
    for name, ours in zip(names, run(items), strict=True):
        report(name, ours, reference[name])


if __name__ == "__main__":
    main()
