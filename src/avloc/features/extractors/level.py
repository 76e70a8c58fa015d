"""Sound at a level that the encoders know: what is very quiet is raised, what is louder than full scale is lowered.

blocks > a minute is heard ahead > one gain for what was heard so far and that minute > blocks

The default model finds all events of its sample down to 20 dB below it, one of five at 40 dB below. Steady quiet
sound stays as it is: raised hiss would hide or make events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors.base import OnNote

Waveform = NDArray[np.float32]

_AHEAD_S = 60.0
_SHORT_S = 0.1
_QUIET = 0.03  # root mean square of the loudest tenth of a second; below it sound is raised to it
_STANDS_OUT = 3.0  # times the usual tenth of a second (the median)
_MOST = 50.0  # gain
_WORTH_TELLING = 2.0

RAISED = "its sound is very quiet: it is raised for the encoders"
LOWERED = "its sound is louder than full scale: it is lowered for the encoders"


def levelled(blocks: Iterator[Waveform], sample_rate: int, on_note: OnNote | None = None) -> Iterator[Waveform]:
    """The blocks (S,), each at the gain that what came before and the minute from it on ask for.

    Sound of a usual level is passed on as it is. Where louder sound comes near, the gain falls without a leap.
    """
    waiting: deque[Waveform] = deque()
    have = 0
    peak = before = 0.0
    tenths = np.zeros(0, np.float32)
    told: set[str] = set()
    blocks = iter(blocks)
    ended = False
    while True:
        while not ended and have < _AHEAD_S * sample_rate:
            block = next(blocks, None)
            if block is None:
                ended = True
                break
            waiting.append(block)
            have += len(block)
            tenths = np.concatenate([tenths, _tenths(block, sample_rate)])
            peak = max(peak, float(np.abs(block).max(initial=0)))
        if not waiting:
            return
        block = waiting.popleft()
        have -= len(block)
        gain = gain_of(tenths, peak)
        for note, said in ((RAISED, gain >= _WORTH_TELLING), (LOWERED, gain <= 1 / _WORTH_TELLING)):
            if said and on_note is not None and note not in told:
                told.add(note)
                on_note(note)
        yield _at(block, before or gain, gain)
        before = gain


def gain_of(tenths: Waveform, peak: float) -> float:
    """For sound whose tenths of a second (N,) have these root mean squares, and that reaches this peak."""
    if peak > 1:
        return 1 / peak
    loudest = float(tenths.max(initial=0))
    if not 0 < loudest < _QUIET or loudest < _STANDS_OUT * np.median(tenths):
        return 1.0
    return min(_QUIET / loudest, _MOST, 1 / peak)


def _tenths(block: Waveform, sample_rate: int) -> Waveform:
    short = max(1, min(len(block), round(_SHORT_S * sample_rate)))
    power = np.square(block[: len(block) // short * short].reshape(-1, short)).mean(axis=1)
    return np.asarray(np.sqrt(power), np.float32)


def _at(block: Waveform, before: float, gain: float) -> Waveform:
    if before == gain:
        return block if gain == 1 else np.asarray(block * np.float32(gain), np.float32)
    return np.asarray(block * np.linspace(before, gain, len(block), dtype=np.float32), np.float32)
