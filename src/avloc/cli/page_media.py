"""What a page of a video takes from it: where the page finds it or a small copy of it, and pictures of the events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avloc.errors import AvlocError
from avloc.events import Events
from avloc.formats.media_names import PROXY_ENDING
from avloc.media.playable import make_proxy, stills, unplayable
from avloc.media.probe import MediaInfo
from avloc.report.page import LARGEST_INLINE_BYTES, Shown, video_url
from avloc.report.stills import Span, span_of, stills_in

_STILL_LINES = 108
_MOST_STILLS = 300


def proxy_of(page: Path) -> Path:
    """The copy of a video beside its page."""
    return page.with_name(f"{page.stem}{PROXY_ENDING}")


@dataclass(frozen=True, slots=True)
class PageVideo:
    """How pages get their videos: put inside, as small copies where browsers would not play them, with pictures."""

    inline: bool = False
    proxy: bool = False
    pictures: bool = True

    def of(self, info: MediaInfo, page: Path, events: Events) -> Shown:
        """The video of a page; the copy, if one is needed, is made beside the page.

        Raises:
            MediaError, FormatError: the copy cannot be made, or the video not be put inside.
        """
        why = unplayable(info)
        large = self.inline and info.path.is_file() and info.path.stat().st_size > LARGEST_INLINE_BYTES
        played, zero_s = info.path, info.zero_s
        if self.proxy and (why or large):
            played, zero_s, why = make_proxy(info, proxy_of(page)), 0.0, ""
        return Shown(
            address=video_url(played, page, inline=self.inline),
            picture="" if info.video is None else info.video.codec,
            sound="" if info.audio is None else info.audio.codec,
            unplayable=why,
            zero_s=zero_s,
            stills=self._stills(info, events, page),
            file=_version(info.path),
        )

    def _stills(self, info: MediaInfo, events: Events, page: Path) -> dict[Span, bytes]:
        """Of the surest events, by their start and end; those of a page that was made before are taken from it."""
        if info.video is None or not self.pictures:
            return {}
        chosen = events.take(np.argsort(-events.score, kind="stable")[:_MOST_STILLS]) if len(events) else events
        spans = sorted({span_of(e.start_s, e.end_s) for e in chosen}, key=sum)
        known = stills_in(page, _version(info.path))
        lacking = [span for span in spans if span not in known]
        try:
            made = stills(info.path, [max(0.0, sum(span) / 2) for span in lacking], _STILL_LINES)
            known |= dict(zip(lacking, made, strict=True))
        except AvlocError:  # the page does without
            pass
        return {span: known[span] for span in spans if span in known}


def _version(video: Path) -> str:
    """Changes with the file; "" where it is gone."""
    try:
        now = video.stat()
    except OSError:
        return ""
    return f"{now.st_size}-{now.st_mtime_ns}"
