"""OpenTimelineIO <-> events: a timeline of the whole video as one clip, a marker an event. One video a file.

Markers count frames in the clip's own time, which begins at the video's timecode; the score stands in their metadata,
as the time of day does where it is known. In reading, markers of clips are events, or else those of the timeline; a
clip that shows its media later than the timeline is asked for the media's time. The library of the Academy Software
Foundation writes and reads: the extra `otio`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.footage import Footage, footage_to_write
from avloc.formats.media_names import from_file, seen_from
from avloc.formats.strict_json import as_number
from avloc.formats.text import PathLike, labelled, only_video, read_text, video_name
from avloc.formats.truth import Choices, Truth, clock_at

_OURS = "avloc"


def read_otio(path: PathLike, choices: Choices) -> dict[str, Truth]:
    """The markers of a timeline, under the file's name.

    Raises:
        FormatError: the file cannot be read, is no timeline, a marker is odd, or OpenTimelineIO is not installed.
    """
    library = _library()
    try:
        timeline = library.adapters.read_from_string(read_text(path, "an OpenTimelineIO file"), "otio_json")
    except (library.exceptions.OTIOError, ValueError) as error:
        raise FormatError(f"{path}: is no OpenTimelineIO file ({' '.join(str(error).split())[:120]})") from None
    if not isinstance(timeline, library.schema.Timeline):
        raise FormatError(f"{path}: holds no timeline but a {type(timeline).__name__}; export the timeline")
    known = choices.footage(video_name(path))
    first_s = known.first_s if known else 0.0
    clips = list(timeline.find_clips())
    marked = [(clip.markers, _begin(clip), f"{path}: clip {clip.name!r}") for clip in clips]
    if not any(markers for markers, _, _ in marked):
        marked = [(timeline.tracks.markers, library.opentime.RationalTime(0, 1), f"{path}: the timeline")]
    events = [event for markers, begin, where in marked for event in _events(markers, begin, first_s, where)]
    places: set[str] = {str(getattr(clip.media_reference, "target_url", "")) for clip in clips} - {""}
    media = from_file(places.pop(), path) if len(places) == 1 else ""
    return {video_name(path): Truth.of(Events.of(events), media=media)}


def write_otio(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write one video; an event of no length becomes one of one frame.

    Raises:
        FormatError: there are several videos, nothing tells the frame rate, an event starts before the first picture,
            or OpenTimelineIO is not installed.
        OutputError: the file cannot be written.
    """
    library = _library()
    truth = only_video(videos, path, "OpenTimelineIO")
    footage = footage_to_write(truth, path, "OpenTimelineIO")
    video = next(iter(videos))
    whole = _range(library, footage, 0, footage.count(truth))
    timeline = library.schema.Timeline(video, global_start_time=whole.start_time)
    if truth.began is not None:
        timeline.metadata[_OURS] = {"began": clock_at(truth, 0.0)}
    for kind in ("Video", "Audio") if footage.sound else ("Video",):
        track = library.schema.Track(kind, kind=kind)
        place = seen_from(truth.media, path) if truth.media else video
        media = library.schema.ExternalReference(target_url=place, available_range=whole)
        track.append(library.schema.Clip(Path(place).name, media_reference=media, source_range=whole))
        timeline.tracks.append(track)
    for event in truth.events:
        start, end = footage.frames(event, path, "OpenTimelineIO")
        if "\0" in event.label:
            raise FormatError(f"{path}: the name {event.label[:40]!r} has no place in OpenTimelineIO; rename it")
        said = {"score": event.score} | ({"clock": clock_at(truth, event.start_s)} if truth.began else {})
        marker = library.schema.Marker(
            event.label, _range(library, footage, start, end), color="GREEN", metadata={_OURS: said}
        )
        timeline.tracks[0][0].markers.append(marker)
    text = library.adapters.write_to_string(timeline, "otio_json")
    replace_file(path, text.encode("utf-8", "backslashreplace") + b"\n")


def _library() -> Any:
    try:
        import opentimelineio
    except ImportError:
        raise FormatError(
            "OpenTimelineIO files need opentimelineio; pip install opentimelineio, or avloc with its extra 'otio'"
        ) from None
    return opentimelineio


def _range(library: Any, footage: Footage, start: int, end: int) -> Any:
    rate = float(footage.timecode.rate)
    times = (library.opentime.RationalTime(frame, rate) for frame in (footage.start + start, end - start))
    return library.opentime.TimeRange(*times)


def _begin(clip: Any) -> Any:
    """Time of the media at which the video begins."""
    return clip.available_range().start_time if clip.media_reference.available_range else clip.source_range.start_time


def _events(markers: Any, begin: Any, first_s: float, where: str) -> Iterator[Event]:
    for marker in markers:
        start_s = (marker.marked_range.start_time - begin).to_seconds() + first_s
        end_s = start_s + marker.marked_range.duration.to_seconds()
        if not (isfinite(start_s) and isfinite(end_s)):
            raise FormatError(f"{where}, marker {marker.name!r}: has no time; is its rate 0?")
        ours = marker.metadata.get(_OURS, {})
        score = as_number(ours["score"], f"{where}, score") if "score" in ours else 1.0
        yield labelled(start_s, end_s, marker.name, f"{where}, marker {marker.name!r}", score)
