"""The page of a video that `avloc detect` makes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from avloc.report.page import made_from_of, video_url, write_page
from avloc.scale.detect import Found
from avloc.scale.work import make_folder


class DetectionPage:
    """One page at `path`; `inline` puts the video inside."""

    def __init__(self, path: Path, *, inline: bool, made_by: str) -> None:
        self._path, self._inline, self._made_by = path, inline, made_by

    def is_of(self, mark: str) -> bool:
        """Whether the page is there, made of what `mark` stands for, in the same way."""
        return made_from_of(self._path) == self._made_from(mark)

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
            levels=found.levels,
            metadata=facts,
            note=read_notes(found.kept.notes),
            made_from=self._made_from(found.mark),
        )

    def _made_from(self, mark: str) -> str:
        told = repr((mark, self._inline, self._made_by))
        return hashlib.sha256(told.encode()).hexdigest()[:32]


def _channels(count: int) -> str:
    return {1: "mono", 2: "stereo"}.get(count, f"{count} channels")


def read_notes(notes: Sequence[str]) -> str:
    """What was chosen in reading a file, as one sentence under a page's title."""
    return f"Note: {'; '.join(notes)}." if notes else ""
