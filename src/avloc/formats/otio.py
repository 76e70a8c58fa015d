"""OpenTimelineIO <-> events: a timeline of the whole video as one clip, a marker an event. One video a file.

Markers count frames in the clip's own time, which begins at the video's timecode; the score stands in their metadata,
as the time of day does where it is known. In reading, markers of clips are events, or else those of the timeline; a
clip that shows its media later than the timeline is asked for the media's time. The library of the Academy Software
Foundation writes: the extra `otio`. What is read is plain JSON, which this module takes apart itself, for the
reader of the library may end the process on a damaged file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.footage import Footage, footage_to_write
from avloc.formats.media_names import from_file, seen_from
from avloc.formats.strict_json import as_list, as_number, as_object, as_text, field, load_json
from avloc.formats.text import PathLike, labelled, only_video, video_name
from avloc.formats.truth import Choices, Truth, clock_at

_OURS = "avloc"
_MOST = 1e12


def read_otio(path: PathLike, choices: Choices) -> dict[str, Truth]:
    """The markers of a timeline, under the file's name.

    Raises:
        FormatError: the file cannot be read, is no timeline, or a marker is odd.
    """
    top = as_object(load_json(path), str(path), "an OpenTimelineIO timeline")
    schema = str(top.get("OTIO_SCHEMA"))
    if not schema.startswith("Timeline."):
        raise FormatError(f"{path}: holds no timeline but {schema[:40]!r}; export the timeline")
    known = choices.footage(video_name(path))
    first_s = known.first_s if known else 0.0
    tracks = as_object(field(top, "tracks", str(path)), f'{path}: "tracks"', "an object")
    clips = [(clip, _media(clip)) for clip in _clips(tracks, path)]
    begins = [media.get("available_range") or clip.get("source_range") for clip, media in clips]
    marked = [(clip, begin) for (clip, _), begin in zip(clips, begins, strict=True) if clip.get("markers")]
    found = [event for node, begin in marked or [(tracks, None)] for event in _events(node, begin, first_s, path)]
    places = {place for _, media in clips if isinstance(place := media.get("target_url"), str) and place}
    media = from_file(places.pop(), path) if len(places) == 1 else ""
    return {video_name(path): Truth.of(Events.of(found), media=media)}


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
    whole = _stretch(library, footage, 0, footage.count(truth))
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
            event.label, _stretch(library, footage, start, end), color="GREEN", metadata={_OURS: said}
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


def _stretch(library: Any, footage: Footage, start: int, end: int) -> Any:
    rate = float(footage.timecode.rate)
    times = (library.opentime.RationalTime(frame, rate) for frame in (footage.start + start, end - start))
    return library.opentime.TimeRange(*times)


def _clips(tracks: dict[str, Any], path: PathLike) -> Iterator[dict[str, Any]]:
    """The clips of a stack, in order."""
    waiting: list[object] = [tracks]
    while waiting:
        node = as_object(waiting.pop(), f"{path}: a part of the timeline", "an object")
        if str(node.get("OTIO_SCHEMA")).startswith("Clip."):
            yield node
        children = node.get("children", [])
        waiting += reversed(as_list(children, f'{path}: "children"'))


def _media(clip: dict[str, Any]) -> dict[str, Any]:
    """What a clip shows; {} where it does not say."""
    several = clip.get("media_references")
    key = clip.get("active_media_reference_key", "DEFAULT_MEDIA")
    media = several.get(key) if isinstance(several, dict) and isinstance(key, str) else clip.get("media_reference")
    return media if isinstance(media, dict) else {}


def _events(node: dict[str, Any], begin: object, first_s: float, path: PathLike) -> Iterator[Event]:
    """The markers of a clip or a stack whose media begin at the start of `begin`, at zero where that is None."""
    where = f"{path}: {node.get('name')!r}"
    zero = (0.0, 1.0) if begin is None else _range(begin, f"{where}, range")[0]
    for number, given in enumerate(as_list(node.get("markers", []), f"{where}, markers"), 1):
        place = f"{where}, marker {number}"
        marker = as_object(given, place, "an object")
        start, length = _range(field(marker, "marked_range", place), place)
        start_s = _seconds(start, zero) + first_s
        ours = marker.get("metadata")
        ours = ours.get(_OURS) if isinstance(ours, dict) else None
        score = ours.get("score", 1.0) if isinstance(ours, dict) else 1.0
        label = as_text(field(marker, "name", place), f"{place}, name")
        yield labelled(start_s, start_s + _seconds(length), label, place, as_number(score, f"{place}, score"))


Time = tuple[float, float]
"""A number of frames, and how many a second has."""


def _range(given: object, where: str) -> tuple[Time, Time]:
    """Start and duration."""
    span = as_object(given, where, "a range of time")
    start, length = (_time(field(span, side, where), where) for side in ("start_time", "duration"))
    return start, length


def _time(given: object, where: str) -> Time:
    time = as_object(given, where, "a time")
    value, rate = (as_number(field(time, key, where), f"{where}, {key}") for key in ("value", "rate"))
    if not 0 < rate < _MOST or abs(value) > _MOST:
        raise FormatError(f"{where}: has no time such as frame 38 at a rate of 25")
    return value, rate


def _seconds(time: Time, since: Time = (0.0, 1.0)) -> float:
    """Of one rate frames are counted, which is exact."""
    if time[1] == since[1]:
        return (time[0] - since[0]) / time[1]
    return time[0] / time[1] - since[0] / since[1]
