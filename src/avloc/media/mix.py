"""Many channels to one or two, without a mix that loses what is heard.

channels (S, C) > mix by libswresample's own weights; where it cancels: the loudest channel, faded to and from

Legend: S samples, C channels, O channels of the mix (1 or 2).
"""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

Waveform = NDArray[np.float32]

_BLOCK_S = 0.125  # of sound that is mixed at once
_FADE_S = 0.02
_LOST, _FOUND = 0.1, 0.3  # of the power that channels without a common phase would mix to: mix given up, taken again
_LEFT_OUT, _TAKEN_IN = 1e-3, 3e-3  # of the power of the loudest channel: as where it has no weight in the mix
_SILENCE = 1e-9  # power
_PROBE = 64  # samples


class Mixer:
    """Frames of one kind to waveforms (S,) of one channel or (S, 2) of two, at another rate.

    Raises:
        av.FFmpegError: libswresample cannot read such frames.
    """

    def __init__(self, layout: AudioLayout, rate: int, channels: int) -> None:
        self.notes: list[str] = []
        self._shape = (-1,) if channels == 1 else (-1, channels)
        self._rate = rate
        self._weights = self._rule(layout, channels)  # (O, C)
        self._resampler = AudioResampler("flt", layout, rate)
        self._as_it_is = layout.nb_channels == channels
        self._judged = channels == 1 and layout.nb_channels > 1
        self._waiting: list[Waveform] = []
        self._have = 0
        self._loudest: int | None = None
        self._used: NDArray[np.float32] | None = None

    def add(self, frame: AudioFrame) -> Iterator[Waveform]:
        """What is finished once the frame is in."""
        yield from self._take(self._resampler.resample(frame), final=False)

    def finish(self) -> Iterator[Waveform]:
        """What is still held."""
        yield from self._take(self._resampler.resample(None), final=True)

    def held(self) -> list[Waveform]:
        """What waits to be mixed, where nothing can follow."""
        return list(self._take([], final=True))

    def _rule(self, layout: AudioLayout, channels: int) -> NDArray[np.float32]:
        count = layout.nb_channels
        if count == channels:
            return np.eye(count, dtype=np.float32)
        weights = weights_of(layout, channels)
        if weights is not None:
            return weights
        if layout.name.startswith("ambisonic"):
            self.notes.append(f"its sound is {layout.name}: the first channel, which hears all around, is read")
            return np.eye(1, count, dtype=np.float32).repeat(channels, axis=0)
        self.notes.append(f"nothing says how its sound ({layout.name}) is mixed: the mean of its channels is read")
        return np.full((channels, count), 1 / count, np.float32)

    def _take(self, frames: list[AudioFrame], final: bool) -> Iterator[Waveform]:
        for frame in frames:
            self._waiting.append(np.asarray(frame.to_ndarray(), np.float32))
            self._have += frame.samples
        if self._have and (final or self._have >= _BLOCK_S * self._rate):
            block = np.nan_to_num(np.concatenate(self._waiting, axis=1)).reshape(self._have, -1)
            self._waiting, self._have = [], 0
            if self._as_it_is:
                yield block.reshape(self._shape)
            else:
                yield self._mixed(block, self._judge(block) if self._judged else self._weights)

    def _mixed(self, samples: Waveform, weights: NDArray[np.float32]) -> Waveform:
        mix = samples @ weights.T
        if self._used is not None and not np.array_equal(self._used, weights):
            fade = min(len(samples), round(_FADE_S * self._rate))
            share = np.linspace(0, 1, fade, dtype=np.float32)[:, None]
            mix[:fade] = share * mix[:fade] + (1 - share) * (samples[:fade] @ self._used.T)
        self._used = weights
        return np.asarray(mix, np.float32).reshape(self._shape)

    def _judge(self, block: Waveform) -> NDArray[np.float32]:
        """Weights (1, C) for a block: of the mix, or of the loudest channel where the mix loses the sound."""
        power = np.mean(block.astype(np.float64) ** 2, axis=0)
        mix = float(np.mean((block @ self._weights[0]).astype(np.float64) ** 2))
        loudest = int(np.argmax(power))
        if power[loudest] > _SILENCE:
            given_up = self._loudest is not None
            apart = (_FOUND if given_up else _LOST) * float(power @ self._weights[0].astype(np.float64) ** 2)
            alone = (_TAKEN_IN if given_up else _LEFT_OUT) * float(power[loudest])
            if mix >= max(apart, alone):
                self._loudest = None
            elif self._loudest is None or power[loudest] > 2 * power[self._loudest]:
                self._loudest = loudest
        if self._loudest is None:
            return self._weights
        note = "its channels cancel out when they are mixed: there the loudest one is read"
        if note not in self.notes:
            self.notes.append(note)
        return np.eye(len(power), dtype=np.float32)[[self._loudest]]


def weights_of(layout: AudioLayout, channels: int) -> NDArray[np.float32] | None:
    """(O, C): what libswresample mixes of each channel to mono or stereo, never to more than full scale.

    None where it has no rule for the layout.
    """
    columns = []
    for k in range(layout.nb_channels):
        impulse = np.zeros((_PROBE, layout.nb_channels), np.float32)
        impulse[:, k] = 1
        # Without rematrix_maxval a mix of equal channels comes out 3 dB and more too loud.
        resampler = AudioResampler(
            "flt", "mono" if channels == 1 else "stereo", 48000, options={"rematrix_maxval": "1.0"}
        )
        try:
            frame = AudioFrame.from_ndarray(impulse.reshape(1, -1), format="flt", layout=layout.name)
            frame.sample_rate = 48000
            mixed = [*resampler.resample(frame), *resampler.resample(None)]
        except (av.FFmpegError, ValueError):
            return None
        columns.append(np.concatenate([f.to_ndarray().reshape(-1, channels) for f in mixed])[0])
    return np.asarray(np.stack(columns, axis=1), np.float32)
