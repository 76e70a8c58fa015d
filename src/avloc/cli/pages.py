"""The page of a video that `avloc detect` makes: it hears the sound while the video is searched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.files import make_folder
from avloc.report.levels import LevelMeter
from avloc.report.page import video_url, write_page
from avloc.scale.detect import Found

LEVELS = 2000


class DetectionPage:
    """One page at `path`; `inline` puts the video inside."""

    def __init__(self, path: Path, *, inline: bool, made_by: str) -> None:
        self._path, self._inline, self._made_by = path, inline, made_by
        self._meter = LevelMeter()

    def hear(self, block: NDArray[np.float32], sample_rate: int) -> None:
        """The next block of the waveform."""
        self._meter.add(block, sample_rate)

    def write(self, found: Found) -> None:
        """Write the page.

        Raises:
            OutputError: it cannot be written.
        """
        info, video = found.info, found.task.video
        assert info.video is not None and info.audio is not None
        rate = f", {info.video.fps:.4g} pictures a second" if info.video.fps else ""
        facts = {
            "Model": found.model,
            "Least score": f"{found.least_score:g}",
            "Picture": f"{info.video.codec}, {info.video.width} x {info.video.height}{rate}",
            "Sound": f"{info.audio.codec}, {info.audio.sample_rate} Hz, {_channels(info.audio.channels)}",
            "Made by": self._made_by,
        }
        make_folder(self._path.parent)
        write_page(
            self._path,
            title=video.name,
            video=video_url(video, self._path, inline=self._inline),
            duration_s=info.duration_s,
            events=found.shown,
            levels=self._meter.levels(LEVELS, info.duration_s),
            metadata=facts,
        )


def _channels(count: int) -> str:
    return {1: "mono", 2: "stereo"}.get(count, f"{count} channels")
