"""The embedded encoders against stored outputs of the originals, run by TensorFlow and by torch."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import encoder_inputs
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from avloc.errors import FeatureError, ModelError
from avloc.features.extractors import efficientnet_lite0, yamnet
from avloc.features.extractors.efficientnet_lite0 import EfficientNetLite0
from avloc.features.extractors.onnx_encoder import OnnxEncoder
from avloc.features.extractors.yamnet import YamNet
from avloc.features.logmel import log_mel

DATA = Path(__file__).parent / "data"
Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def hear() -> YamNet:
    return YamNet(threads=1)


@pytest.fixture(scope="module")
def see() -> EfficientNetLite0:
    return EfficientNetLite0(threads=1)


def patches() -> Array:
    return np.stack([log_mel(waveform) for waveform in encoder_inputs.waveforms()])


def smallest_cosine(a: Array, b: Array) -> float:
    x, y = a.astype(np.float64), b.astype(np.float64)
    return float(((x * y).sum(1) / (np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1))).min())


def test_yamnet_says_what_tensorflow_says(hear: YamNet) -> None:
    stored = load_file(DATA / "yamnet_reference.safetensors")
    embedding, scores = hear(patches())
    assert smallest_cosine(embedding, stored["embedding"]) > 0.9999
    assert smallest_cosine(scores, stored["scores"]) > 0.9999
    assert np.abs(embedding - stored["embedding"]).max() < 0.03
    assert np.abs(scores - stored["scores"]).max() < 0.01
    assert stored["embedding"].max() > 6  # so the inputs reach where a rectifier cut at 6 would differ


def test_efficientnet_says_what_the_original_package_says(see: EfficientNetLite0) -> None:
    stored = load_file(DATA / "efficientnet_lite0_reference.safetensors")
    embedding, logits = see(encoder_inputs.images())
    assert smallest_cosine(embedding, stored["embedding"]) > 0.9999
    assert smallest_cosine(logits, stored["logits"]) > 0.9999
    assert np.abs(embedding - stored["embedding"]).max() < 0.1
    assert np.abs(logits - stored["logits"]).max() < 0.1
    assert (logits.argmax(1) == stored["logits"].argmax(1)).all()


def test_inputs_are_those_of_the_stored_outputs() -> None:
    """A changed formula or generator would show as a difference of the encoders; this names the true cause."""
    digest = hashlib.sha256(encoder_inputs.images().tobytes()).hexdigest()
    assert digest == "b6ff99dce3f26cd1ae6c13219bd8e899ec80d8679ec95ebb0d7de6d44472851a"
    loudness = np.abs(encoder_inputs.waveforms()).mean(axis=1)
    np.testing.assert_allclose(
        loudness,
        [
            0.50929,
            0.088032,
            0.0031645,
            0.3522,
            0.191,
            0.014727,
            0.034844,
            0.13166,
            0.031796,
            0.23457,
            0.013977,
            0.02214,
        ],
        rtol=1e-4,
    )


def test_silence_is_silence_to_yamnet(hear: YamNet) -> None:
    _, scores = hear(log_mel(np.zeros(15_600, np.float32))[None])
    assert hear.classes[int(scores[0].argmax())] == "Silence"
    assert scores.min() >= 0
    assert scores.max() <= 1


@pytest.mark.parametrize("count", [0, 1, 5, 37])
def test_yamnet_does_not_depend_on_the_batch(count: int, hear: YamNet) -> None:
    items = np.resize(patches(), (count, 96, 64))
    embedding, scores = hear(items)
    assert embedding.shape == (count, hear.embedding_width)
    assert embedding.dtype == np.float32
    assert scores.shape == (count, len(hear.classes))
    assert scores.dtype == np.float32
    for row in range(0, count, 7):
        single = hear(items[row : row + 1])
        np.testing.assert_allclose(embedding[row], single[0][0], atol=1e-4)
        np.testing.assert_allclose(scores[row], single[1][0], atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 5, 9])
def test_efficientnet_does_not_depend_on_the_batch(count: int, see: EfficientNetLite0) -> None:
    items = encoder_inputs.images()[:count]
    embedding, logits = see(items)
    assert embedding.shape == (count, see.embedding_width)
    assert embedding.dtype == np.float32
    assert logits.shape == (count, len(see.classes))
    assert logits.dtype == np.float32
    for row in range(0, count, 4):
        single = see(items[row : row + 1])
        np.testing.assert_allclose(embedding[row], single[0][0], atol=1e-4)
        np.testing.assert_allclose(logits[row], single[1][0], atol=1e-4)


def test_input_need_not_be_contiguous(see: EfficientNetLite0) -> None:
    images = encoder_inputs.images()[:2]
    bgr = np.ascontiguousarray(images[..., ::-1])
    np.testing.assert_array_equal(see(bgr[..., ::-1])[1], see(images)[1])


def test_colour_order_matters(see: EfficientNetLite0) -> None:
    images = encoder_inputs.images()
    assert smallest_cosine(see(images)[0], see(np.ascontiguousarray(images[..., ::-1]))[0]) < 0.99


def test_one_encoder_serves_several_threads(hear: YamNet) -> None:
    items = patches()
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(hear, [items] * 6))
    for embedding, _ in results:
        np.testing.assert_array_equal(embedding, results[0][0])


def test_classes_stand_in_the_order_of_the_outputs() -> None:
    assert len(YamNet.classes) == len(set(YamNet.classes)) == 521
    assert (YamNet.classes[0], YamNet.classes[494], YamNet.classes[520]) == ("Speech", "Silence", "Field recording")
    assert len(EfficientNetLite0.classes) == len(set(EfficientNetLite0.classes)) == 1000
    some = {0: "tench", 150: "sea lion", 402: "acoustic guitar", 889: "violin", 999: "toilet paper"}
    assert {index: EfficientNetLite0.classes[index] for index in some} == some


@pytest.mark.parametrize(
    "bad", [np.zeros((96, 64), np.float32), np.zeros((1, 64, 96), np.float32), np.zeros((1, 96, 64)), [[0.0]]]
)
def test_yamnet_refuses_other_input_in_one_line(bad: Array, hear: YamNet) -> None:
    with pytest.raises(FeatureError, match=r"float32 \(N, 96, 64\) is needed$") as caught:
        hear(bad)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "bad", [np.zeros((224, 224, 3), np.uint8), np.zeros((1, 3, 224, 224), np.uint8), np.zeros((1, 224, 224, 3))]
)
def test_efficientnet_refuses_other_input_in_one_line(bad: NDArray[np.uint8], see: EfficientNetLite0) -> None:
    with pytest.raises(FeatureError, match=r"uint8 \(N, 224, 224, 3\) is needed$") as caught:
        see(bad)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"not a network", "truncated"])
def test_a_missing_or_broken_weight_file_is_told_in_one_line(content: bytes | str | None, tmp_path: Path) -> None:
    path = tmp_path / "yamnet.onnx"
    if content == "truncated":
        path.write_bytes(Path(yamnet.__file__).with_name("yamnet.onnx").read_bytes()[:100_000])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(ModelError, match="install avloc again") as caught:
        OnnxEncoder(path, 1, 1)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_importing_the_encoders_loads_no_onnxruntime() -> None:
    code = f"import sys, {yamnet.__name__}, {efficientnet_lite0.__name__}; print('onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
