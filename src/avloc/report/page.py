"""One HTML file that shows a video and its events: everything is inside, nothing is fetched from anywhere.

The video is the one thing that may lie outside, beside the page; `video_url` names it or puts it inside.
"""

from __future__ import annotations

import base64
import hashlib
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from urllib.parse import quote, urlsplit

import numpy as np
from numpy.typing import NDArray

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.report.apart import apart_rows, apart_section
from avloc.report.evidence import Evidence, evidence_cells
from avloc.report.judging import Judging
from avloc.report.stills import Span, span_of, still_html
from avloc.report.timeline import axis_html, clock, colour, curve_svg, rows_html

REVIEW_SCRIPTS = ("verdicts.js", "drawing.js", "review.js")
STATIC = ("page.html", "page.css", "page.js", "review.html", "review.css", *REVIEW_SCRIPTS)
"""The files that pages of videos are made from."""

LARGEST_INLINE_BYTES = 200_000_000  # browsers give up on longer data: addresses
_HEAD_BYTES = 300
LINKS = re.compile(rb'<nav class="links">(.*?)</nav>', re.DOTALL)
_MADE_FROM = re.compile(rb'<meta name="made-from" content="([^"<>]*)">')
MEDIA_TYPES = {".webm": "video/webm", ".ogv": "video/ogg", ".mkv": "video/x-matroska"}


@dataclass(frozen=True, slots=True)
class Shown:
    """The video of a page.

    address: relative, or a data: URI, as `video_url` makes it.
    picture, sound: their codecs; "" where there is none, or nothing is known.
    unplayable: what browsers do not know about it, in a few words; "" where they play it.
    zero_s: where the time zero of events lies on the file's own clock.
    stills: JPEG pictures of events, by start and end. file: names the version of the file that they are of.
    """

    address: str
    picture: str = ""
    sound: str = ""
    unplayable: str = ""
    zero_s: float = 0.0
    stills: Mapping[Span, bytes] = field(default_factory=dict)
    file: str = ""


def write_page(
    path: str | os.PathLike[str],
    *,
    title: str,
    video: Shown,
    duration_s: float,
    events: Events,
    levels: NDArray[np.float32] | None,
    metadata: Mapping[str, str],
    note: str = "",
    made_from: str = "",
    review: Judging | None = None,
    evidence: Sequence[Evidence | None] = (),
    apart: Events = Events(),  # noqa: B008
) -> None:
    """Write the page of one video.

    duration_s: length of the video in seconds, positive.
    levels: (n,) peak levels of the sound, 0 to 1, in n equal parts of the duration; (0,) where there is no sound,
        None where it was not listened to.
    metadata: facts shown beside the video, name -> value.
    note: one sentence under the title, or, where there is no event, why that may be.
    made_from: a mark of what went into the page, for `made_from_of` to read.
    review: what people's verdicts on the events need; without it the page takes none.
    evidence: of each event, in their order, how surely it is seen and heard; nothing where that is not known.
    apart: what is heard only or seen only, with the modality in the class; it takes no verdicts.

    Raises:
        OutputError: the file cannot be written.
        FormatError: the video lies on the network, or duration_s is not positive.
    """
    address = video.address
    if urlsplit(address).scheme not in ("", "data", "file") or address.startswith("//"):
        raise FormatError(
            f"the video {address[:80]!r} lies on the network; a page links a file beside it or holds it"
        )
    if not (math.isfinite(duration_s) and duration_s > 0):
        raise FormatError(f"a page of {duration_s:g} s was asked for; the video's length in seconds is needed")
    ordered, told = _in_order(events, evidence)
    script = "\n".join(map(_static, (*REVIEW_SCRIPTS, "page.js") if review else ("page.js",)))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = Template(_static("page.html")).substitute(
        title=escape(title),
        summary=escape(summary(ordered, duration_s)),
        note=f'<p class="note">{escape(note)}</p>' if note and len(ordered) else "",
        policy=f"script-src 'sha256-{digest}'",
        icon=quote(_static("mark.svg"), safe=""),
        mark=_static("mark.svg"),
        style="\n".join(map(_static, ("page.css", "review.css") if review else ("page.css",))),
        script=script,
        video=escape(address),
        picture=escape(video.picture),
        heard=escape(video.sound),
        zero=f"{max(video.zero_s, 0.0):.3f}",
        kind=f" ({escape(video.unplayable)})" if video.unplayable else "",
        duration=f"{duration_s:.3f}",
        zoom=_largest_zoom(duration_s),
        facts=_facts(metadata),
        axis=axis_html(duration_s),
        curve="" if levels is None else curve_svg(levels) or '<p class="silent">no sound</p>',
        sound="Time" if levels is None else "Sound level",
        thin=" thin" if levels is None else "",
        made_from=escape(made_from),
        links=_links_in(path),
        file=escape(video.file),
        rows=(rows_html(ordered, duration_s, told) or _nothing(note)) + apart_rows(apart, duration_s),
        table=_table(ordered, video.stills, told),
        columns="with-seen" if told else "",
        seen_head='<th scope="col" class="seen">Seen</th><th scope="col" class="seen">Heard</th>' if told else "",
        apart=apart_section(apart),
        review=_static("review.html") if review else "",
        review_data=review.data() if review else "",
        hidden="" if len(ordered) else "hidden",
        count=len(ordered),
        least=f"{_least(ordered):.2f}",
    )
    replace_file(path, text.encode("utf-8", "replace"))


def video_url(video: str | os.PathLike[str], page: str | os.PathLike[str], *, inline: bool = False) -> str:
    """Address of a video for the page at `page`: relative to the page, or the whole video as a data: URI.

    Raises:
        FormatError: the video is to be put inside and cannot be read, or is larger than browsers take.
    """
    source = Path(video)
    if not inline:
        try:
            relative = os.path.relpath(source.absolute(), Path(page).absolute().parent)
        except ValueError:  # another drive of Windows
            return source.absolute().as_uri()
        return quote(os.fsencode(relative.replace(os.sep, "/")))
    try:
        size = source.stat().st_size
        if size > LARGEST_INLINE_BYTES:
            raise FormatError(
                f"{source} has {size / 1e6:.0f} MB; up to {LARGEST_INLINE_BYTES / 1e6:.0f} MB fit inside a page; "
                "leave it beside the page"
            )
        content = base64.b64encode(source.read_bytes()).decode()
    except OSError as error:
        raise FormatError(f"{source} cannot be read ({error.strerror}); name a video file") from error
    return f"data:{MEDIA_TYPES.get(source.suffix.lower(), 'video/mp4')};base64,{content}"


def page_style() -> tuple[str, str]:
    """What other pages of the house share with these: the style sheet, and the mark as SVG."""
    return _static("page.css"), _static("mark.svg")


def links_html(index: str, before: tuple[str, str] | None = None, after: tuple[str, str] | None = None) -> str:
    """Links to the index and to the pages before and after this one: address and name of the video."""
    links = [("index", index, "All videos", "All videos")]
    links += [("before", *before, "\N{LEFTWARDS ARROW} Previous")] if before else []
    links += [("next", *after, "Next \N{RIGHTWARDS ARROW}")] if after else []
    return "".join(
        f'<a class="{kind}" href="{escape(address)}" title="{escape(name)}">{words}</a>'
        for kind, address, name, words in links
    )


def _links_in(path: str | os.PathLike[str]) -> str:
    """The links of the page that was there before; "" where there was none."""
    try:
        found = LINKS.search(Path(path).read_bytes())
    except OSError:
        return ""
    return found[1].decode("utf-8", "replace") if found else ""


def made_from_of(path: str | os.PathLike[str]) -> str:
    """The mark that `write_page` put into a page; "" where there is no such page."""
    try:
        with Path(path).open("rb") as file:
            found = _MADE_FROM.search(file.read(_HEAD_BYTES))
    except OSError:
        return ""
    return found[1].decode() if found else ""


def summary(events: Events, duration_s: float) -> str:
    """One line: how many events of how many classes in how long a video."""
    classes = len(set(events.labels))
    many = f"{_counted(len(events), 'event')} of {_counted(classes, 'class', 'classes')}" if classes else "No event"
    if duration_s < 59.95:
        return f"{many} in {duration_s:.3g} s"
    return f"{many} in {clock(duration_s)} {'min' if duration_s < 3599.5 else 'h'}"


def _least(events: Events) -> float:
    """Where the slider begins: no event is below."""
    lowest = float(events.score.min(initial=1.0)) if len(events) else 0.0
    return min(max(math.floor(100 * lowest) / 100, 0.0), 1.0)


def _counted(n: int, one: str, more: str = "") -> str:
    return f"{n} {one}" if n == 1 else f"{n} {more or one + 's'}"


def _static(name: str) -> str:
    return resources.files("avloc.report").joinpath("static", name).read_text(encoding="utf-8").strip()


def _largest_zoom(duration_s: float) -> int:
    """Doublings until some twenty seconds fill the width, at most 64-fold."""
    return int(2 ** min(6, max(0, math.floor(math.log2(duration_s / 20)))))


def _facts(metadata: Mapping[str, str]) -> str:
    rows = "".join(f"<div><dt>{escape(k)}</dt><dd><bdi>{escape(v)}</bdi></dd></div>" for k, v in metadata.items())
    return f"<dl>{rows}</dl>" if rows else ""


def _nothing(note: str) -> str:
    why = note or "An event is shown where the same thing is seen and heard at once."
    return f'<div class="nothing"><p><strong>No event was found.</strong></p><p>{escape(why)}</p></div>'


def _in_order(events: Events, evidence: Sequence[Evidence | None]) -> tuple[Events, list[Evidence | None]]:
    """Events by time, and the evidence of each; no evidence at all is an empty list."""
    order = sorted(range(len(events)), key=lambda i: (events.start_s[i], events.end_s[i], events.labels[i]))
    told = [evidence[i] for i in order] if any(evidence) else []
    return events.take(order), told


def _table(events: Events, stills: Mapping[Span, bytes], told: Sequence[Evidence | None]) -> str:
    pictures = (stills.get(span_of(event.start_s, event.end_s)) for event in events)
    return "\n".join(
        _table_row(i, event, still, "" if not told else evidence_cells(told[i]))
        for i, (event, still) in enumerate(zip(events, pictures, strict=True))
    )


def _table_row(i: int, event: Event, still: bytes | None, seen: str) -> str:
    name = escape(event.label)
    sure = 100 * min(max(event.score, 0.0), 1.0)
    return (
        f'<tr data-event="{i}" style="{colour(event.label)}">'
        f'<td class="go"><button type="button" data-play="{i}" aria-label="Play {name} at '
        f'{clock(event.start_s, 2)}"><svg viewBox="0 0 10 10" aria-hidden="true"><path d="M2 1l7 4-7 4z"/></svg>'
        f'</button></td><th scope="row">{still_html(still)}<b class="dot"></b><bdi>{name}</bdi></th>'
        f"<td>{clock(event.start_s, 2)}</td><td>{clock(event.end_s, 2)}</td>"
        f'<td class="length">{event.duration_s:.2f} s</td>{seen}'
        f'<td class="score"><span class="meter"><i style="width:{sure:.1f}%"></i></span>{event.score:.2f}</td></tr>'
    )
