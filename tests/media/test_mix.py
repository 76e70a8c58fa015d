"""Sound of many channels is never mixed to silence, and a user is told where the mix is not the usual one."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from numpy.typing import NDArray
from videos import beep

from avloc.errors import MediaError
from avloc.media.reader import read_audio
from avloc.media.track import Track
from avloc.media.writer import write_video

RATE = 16000


def tone(seconds: float, amplitude: float = 0.3) -> NDArray[np.float32]:
    return (amplitude * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def mixed(samples: NDArray[np.float32], layout: str, channels: int = 1) -> tuple[NDArray[np.float32], list[str]]:
    """Samples (S, C) of a layout through a track at the same rate, in frames of 1024."""
    track, found = Track(RATE, RATE, channels), []
    for at in range(0, len(samples), 1024):
        piece = np.ascontiguousarray(samples[at : at + 1024]).reshape(1, -1)
        frame = AudioFrame.from_ndarray(piece, format="flt", layout=layout)
        frame.sample_rate = RATE
        found += list(track.add(frame, None, 0.03))
    found += list(track.finish())
    assert not track.refused
    return np.concatenate(found), track.notes


def rms(wave: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(wave.astype(np.float64) ** 2)))


@pytest.mark.parametrize("codec", ["pcm_s16le", "aac"])
def test_inverted_stereo_is_heard(tmp_path: Path, codec: str) -> None:
    sound = beep(3.0, 48000, 1.3, 2) * np.array([1, -0.9], np.float32)
    path = write_video(tmp_path / "a.mkv", None, 1, sound, 48000, audio_codec=codec)
    notes: list[str] = []
    wave = np.concatenate(list(read_audio(path, sample_rate=RATE, on_note=notes.append)))
    assert np.abs(wave[21000:23000]).max() == pytest.approx(0.5, abs=0.04)
    assert len(notes) == 1 and "cancel" in notes[0]
    assert len(wave) == pytest.approx(3 * RATE, abs=1100)


def test_inverted_for_a_while_alone() -> None:
    """The usual mix before and behind, the louder channel between, and no click where they meet."""
    wave = tone(6.0)
    sign = np.ones(len(wave), np.float32)
    sign[2 * RATE : 4 * RATE] = -1
    got, notes = mixed(np.stack([wave, 0.8 * sign * wave], 1), "stereo")
    assert len(got) == len(wave) and notes
    assert np.allclose(got[: int(1.8 * RATE)], 0.9 * wave[: int(1.8 * RATE)], atol=1e-5)
    assert np.allclose(got[int(2.2 * RATE) : int(3.8 * RATE)], wave[int(2.2 * RATE) : int(3.8 * RATE)], atol=1e-5)
    assert np.allclose(got[int(4.2 * RATE) :], 0.9 * wave[int(4.2 * RATE) :], atol=1e-5)


@pytest.mark.parametrize(
    "layout",
    [
        *("mono", "stereo", "downmix", "2.1", "3.0", "quad", "5.0", "5.1", "5.1(side)", "6.1", "7.1", "cube", "22.2"),
        *("ambisonic 1", "ambisonic 3", "ambisonic 1+stereo", "binaural", "2 channels (FL+BR)", "4 channels"),
        *("11 channels", "5 channels (FL+FR+FC+TFL+TFR)"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_the_same_sound_in_all_channels_of_any_layout(layout: str, channels: int) -> None:
    wave = tone(1.2)
    got, notes = mixed(np.repeat(wave[:, None], av.AudioLayout(layout).nb_channels, 1), layout, channels)
    assert got.shape == ((len(wave),) if channels == 1 else (len(wave), 2))
    assert np.allclose(got, wave, atol=1e-3) if channels == 1 else rms(got) > 0.6 * rms(wave)
    ruled = not any(word in layout for word in ("ambisonic", "binaural", "BR", "11"))
    assert bool(notes) != (ruled or channels == av.AudioLayout(layout).nb_channels)


@pytest.mark.parametrize("layout", ["stereo", "5.1", "7.1", "22.2", "ambisonic 1", "quad", "2 channels (FL+BR)"])
def test_sound_in_one_channel_alone_is_heard(layout: str) -> None:
    """Whichever it is, also one that the usual mix leaves out."""
    wave, count = tone(1.2), av.AudioLayout(layout).nb_channels
    for k in range(1 if layout.startswith("ambisonic") else 0, count):
        samples = np.zeros((len(wave), count), np.float32)
        samples[:, k] = wave
        assert rms(mixed(samples, layout)[0]) > 0.08 * rms(wave)


def test_channels_without_a_common_phase_mix_as_usual() -> None:
    noise = np.random.default_rng(4).normal(0, 0.1, (3 * RATE, 2)).astype(np.float32)
    got, notes = mixed(noise, "stereo")
    assert np.allclose(got, noise.mean(1), atol=1e-5) and not notes
    assert not mixed(np.zeros((RATE, 6), np.float32), "5.1")[1]


def test_what_cannot_be_mixed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mkv", None, 1, beep(1.0, 48000, 0.3, 2), 48000, audio_codec="pcm_s16le")

    def refuse(*_: object, **__: object) -> None:
        raise av.error.ArgumentError(22, "Invalid argument")

    monkeypatch.setattr("avloc.media.track.Mixer", refuse)
    with pytest.raises(MediaError, match=r"its sound \(.*\) cannot be mixed"):
        list(read_audio(path))
