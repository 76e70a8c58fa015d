"""VGGish against the public extractor: log-mel, examples, stages, embeddings at both hops, PCA, the way to 16 kHz."""

from __future__ import annotations

import re
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from avloc.features.extractors.pretrained.vggish import VggishNetwork, VggishPca
from avloc.features.logmel import PATCH_FRAMES, VGGISH_LOG_OFFSET, log_mel, mel_matrix
from avloc.media.reader import read_audio
from features import FeatureFixture, opened, parameters


@pytest.fixture(params=parameters("feat_vggish"), scope="module")
def fixture(request: pytest.FixtureRequest) -> FeatureFixture:
    return opened(request.param)


@pytest.fixture(scope="module")
def network(fixture: FeatureFixture) -> VggishNetwork:
    network = VggishNetwork()
    network.load_state_dict(fixture.weights(), strict=True)
    return network.eval()


def mel_of(fixture: FeatureFixture) -> NDArray[np.float32]:
    wave = fixture["in/wave_int16"].numpy() / 32768.0
    return log_mel(wave, offset=VGGISH_LOG_OFFSET, dtype=np.float64)


def examples(mel: NDArray[np.float32], hop: int) -> torch.Tensor:
    starts = range(0, len(mel) - PATCH_FRAMES + 1, hop)
    return torch.from_numpy(np.stack([mel[i : i + PATCH_FRAMES] for i in starts]))


def test_log_mel(fixture: FeatureFixture) -> None:
    np.testing.assert_allclose(mel_matrix(), fixture["mel_matrix"], atol=1e-6)
    mel = mel_of(fixture)
    np.testing.assert_allclose(mel, fixture["log_mel"], atol=2e-6)
    torch.testing.assert_close(examples(mel, 96)[:, None], fixture["examples"], atol=2e-6, rtol=0)


@torch.no_grad()
def test_stages_and_embeddings(fixture: FeatureFixture, network: VggishNetwork) -> None:
    mel = mel_of(fixture)
    x = examples(mel, 96)[:, None]
    for i, layer in enumerate(network.features):
        x = layer(x)
        if f"stage/features_{i}" in fixture.tensors:
            fixture.assert_mean_and_rms(f"features_{i}", x)
    torch.testing.assert_close(network(examples(mel, 96)), fixture["output"], atol=fixture.tolerance, rtol=0)
    close = examples(mel, 32)
    assert len(close) == int(fixture["examples_hop032_count"])
    torch.testing.assert_close(network(close), fixture["output_hop032"], atol=fixture.tolerance, rtol=0)


@torch.no_grad()
def test_pca(fixture: FeatureFixture) -> None:
    pca = VggishPca()
    pca.load_state_dict({f"pca_{name}": fixture[f"pca/{name}"] for name in ("eigen_vectors", "means")})
    apart = (pca(fixture["output"]) - fixture["pca/output"]).abs()
    assert apart.max() <= 1 and (apart > 0).float().mean() < 0.01  # what lies between two levels may go either way


def test_the_way_to_16_khz(fixture: FeatureFixture, tmp_path: Path) -> None:
    """Another resampler than the public extractor's: the same waveform to 16 bits, but at cut ends."""
    stereo = fixture["resample/stereo_int16"].numpy()
    meaning = fixture.about["tensors"]["resample/stereo_int16"]["meaning"]
    rate = round(1000 * float(re.findall(r"([\d.]+) kHz", meaning)[0]))
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(stereo.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(stereo.astype("<i2").tobytes())
    found = np.concatenate(list(read_audio(tmp_path / "sound.wav", sample_rate=16_000, clipped=False)))
    wanted = fixture["resample/mono_16k"].numpy()
    assert abs(len(found) - len(wanted)) <= 1  # of a length that is no whole number of samples
    np.testing.assert_allclose(found[200 : len(wanted) - 200], wanted[200:-200], atol=1e-4)
