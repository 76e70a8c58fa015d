"""One waveform from decoded pieces of sound, each put where its timestamp says."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame

from avloc.media.mix import Mixer, Waveform

_LONGEST_SILENCE_S = 6 * 3600.0


class Track:
    """Sound of one rate, laid end to end from time zero: pieces (S,) of one channel or (S, 2) of two.

    Timestamps jitter, so pieces follow each other without a break as long as their stamps stay near the running
    count of samples. One that strays starts a new stretch at its own place: behind silence, or trimmed.
    """

    def __init__(self, sample_rate: int, longest: int, channels: int = 1, *, clipped: bool = True) -> None:
        """Silence is given out in pieces of at most `longest` samples. What lies before time zero is left out.

        notes say how channels were mixed where that is not as usual; `refused` counts frames that cannot be mixed.
        """
        if channels not in (1, 2):
            raise ValueError(f"{channels} channels were asked for; 1 or 2 are possible")
        self.notes: list[str] = []
        self.refused = 0
        self._channels, self._clipped = channels, clipped
        self._shape = (-1,) if channels == 1 else (-1, channels)
        self._rate = sample_rate
        self._longest = longest
        self._written = 0
        self._trim = 0
        self._expected_s = 0.0
        self._silence_s = 0.0
        self._mixer: Mixer | None = None
        self._kind: tuple[str, str, int] | None = None

    def add(self, frame: AudioFrame, time_s: float | None, tolerance_s: float) -> Iterator[Waveform]:
        """Append a frame that begins at time_s (None: where the last one ended); yields what is finished."""
        if time_s is not None and self._silence_s + time_s - self._expected_s > _LONGEST_SILENCE_S:
            time_s = None  # damage, not a pause
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        strays = time_s is not None and (self._kind is None or not abs(time_s - self._expected_s) <= tolerance_s)
        if strays or kind != self._kind:
            yield from self.finish()
            if strays and time_s is not None:
                self._expected_s = time_s
            yield from self._move_to(round(self._expected_s * self._rate))
            self._mixer, self._kind = None, kind
        self._expected_s += frame.samples / frame.sample_rate
        frame.pts = None  # the place is kept here
        try:
            if self._mixer is None:
                self._mixer = Mixer(frame.layout, self._rate, self._channels)
            mixed = list(self._mixer.add(frame))
        except (av.FFmpegError, ValueError):  # a damaged frame with, say, a rate that cannot be
            if self._mixer is not None:
                yield from self._take(self._mixer.held())
            self._mixer = self._kind = None
            self.refused += 1
            return
        yield from self._take(mixed)

    def finish(self) -> Iterator[Waveform]:
        """What the resampler still holds."""
        if self._mixer is not None:
            yield from self._take(list(self._mixer.finish()))
            self._mixer = None

    def _move_to(self, sample: int) -> Iterator[Waveform]:
        self._trim = max(0, self._written - sample)
        while self._written < sample:
            silence = np.zeros((min(sample - self._written, self._longest), *self._shape[1:]), np.float32)
            self._written += len(silence)
            self._silence_s += len(silence) / self._rate
            yield silence

    def _take(self, pieces: list[Waveform]) -> Iterator[Waveform]:
        assert self._mixer is not None
        self.notes += [note for note in self._mixer.notes if note not in self.notes]
        for piece in pieces:
            cut = min(self._trim, len(piece))
            self._trim -= cut
            samples = np.clip(piece[cut:], -1.0, 1.0) if self._clipped else piece[cut:]
            self._written += len(samples)
            if len(samples):
                yield samples
