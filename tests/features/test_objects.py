"""The object detector against stored outputs of the original, and pictures of any size."""

from __future__ import annotations

from pathlib import Path

import encoder_inputs
import numpy as np
import pytest
from safetensors.numpy import load_file

from avloc.features.extractors.yolov3_tiny import YoloV3Tiny

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def objects() -> YoloV3Tiny:
    return YoloV3Tiny(threads=1)


def test_it_says_what_opencv_says_of_the_original(objects: YoloV3Tiny) -> None:
    stored = load_file(DATA / "yolov3_tiny_reference.safetensors")["scores"]
    scores = objects(list(encoder_inputs.images()))
    assert scores.shape == stored.shape == (12, 80) and scores.dtype == np.float32
    assert np.abs(scores - stored).max() < 0.08  # kernels of 8 bits; in single precision 6e-7
    assert np.corrcoef(scores.ravel(), stored.ravel())[0, 1] > 0.99
    assert stored.max() > 0.1  # so that there is something to agree on


def test_classes_stand_in_the_order_of_the_outputs() -> None:
    assert len(YoloV3Tiny.classes) == len(set(YoloV3Tiny.classes)) == 80
    some = {0: "person", 2: "car", 16: "dog", 36: "skateboard", 66: "keyboard", 79: "toothbrush"}
    assert {i: YoloV3Tiny.classes[i] for i in some} == some


@pytest.mark.parametrize("shape", [(224, 398), (398, 224), (224, 224), (37, 50), (224, 672)])
def test_pictures_may_have_any_size(shape: tuple[int, int], objects: YoloV3Tiny) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    scores = objects([picture, picture[:, ::-1]])
    assert scores.shape == (2, 80) and (scores >= 0).all() and (scores <= 1).all()


def test_a_picture_of_full_size_is_not_padded_and_one_does_not_change_another(objects: YoloV3Tiny) -> None:
    images = list(encoder_inputs.images()[:3])
    alone = np.concatenate([objects([image]) for image in images])
    assert np.array_equal(objects(images), alone)
    assert objects([]).shape == (0, 80)
