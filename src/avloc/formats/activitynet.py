"""Events <-> JSON in the form of ActivityNet, which the field's benchmarks and evaluators share.

Detections:  {"version": ..., "results": {video: [{"segment": [start_s, end_s], "label": ..., "score": ...}]},
              "external_data": {...}}
Truth:       {"version": ..., "database": {video: {"duration": s, "subset": ...,
              "annotations": [{"segment": [start_s, end_s], "label": ...}]}}}

The form is that of the ActivityNet benchmark (Caba Heilbron et al. 2015) and of UnAV-100 (Geng et al. 2023).
Reading is strict: what is odd is an error that names file, video and entry. Other fields are ignored. Who gives
`odd` to `read_results` gets the odd entries told there instead, and the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.modality import modality_in
from avloc.formats.strict_json import as_list, as_number, as_object, as_text, dump_json, field, load_json
from avloc.formats.text import PathLike
from avloc.formats.truth import Odd, of_subset, subset_names
from avloc.formats.truth import Truth as Truth

VERSION = "1.0"

LabelOf = Callable[[object, str], str]
"""A label as a file has it, and the words for an error on it > the class; a class stays itself."""


def write_results(
    path: PathLike,
    results: Mapping[str, Events],
    external: Mapping[str, Any] | None = None,
    more: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> None:
    """Write detections of many videos, one event a line; times to the millisecond, scores to 6 digits.

    `external` becomes "external_data": whatever the reader should know of how the results were made. `more` has
    further fields of each event of a video.

    Raises:
        OutputError: the file cannot be written.
        FormatError: `external` holds what JSON cannot say.
    """
    body = {video: [_detection(event) for event in events] for video, events in results.items()}
    for video, fields in (more or {}).items():
        body[video] = [row | dict(told) for row, told in zip(body[video], fields, strict=True)]
    tail = dump_json(dict(external or {}), path, '"external_data"')
    _write(path, "results", {v: _listing(rows, path, indent=2) for v, rows in body.items()}, tail)


def read_results(path: PathLike, odd: Odd | None = None) -> dict[str, Events]:
    """Read detections; the order of videos and events is that of the file.

    odd: is told of each entry that is not in the form above; without it that is an error.

    Raises:
        FormatError: the file cannot be read or is not in the form above.
    """
    return read_detections(path, odd)[0]


def read_detections(path: PathLike, odd: Odd | None = None) -> tuple[dict[str, Events], dict[str, Any]]:
    """As `read_results`, and what the file says of how they were made; {} where that is no object."""
    return detections_of(load_json(path), path, odd)


def detections_of(
    content: object, path: PathLike, odd: Odd | None = None, label_of: LabelOf = as_text, *, unscored: bool = False
) -> tuple[dict[str, Events], dict[str, Any]]:
    """As `read_detections`, of the JSON that stands in the file.

    label_of: what a label means; without it a label that is no text is odd.
    unscored: a detection without a score has score 1; else it is odd.
    """
    videos = _videos_of(content, path, "results")
    about = content.get("external_data") if isinstance(content, dict) else None
    found = {
        video: _events(rows, _where(path, video), scored=None if unscored else True, odd=odd, label_of=label_of)
        for video, rows in videos.items()
    }
    return found, about if isinstance(about, dict) else {}


def scored_events(rows: object, path: PathLike, video: str, odd: Odd | None, label_of: LabelOf = as_text) -> Events:
    """The detections of one video from rows {"segment": [start_s, end_s], "label": ..., "score": ...}.

    Raises:
        FormatError: a row is odd, and there is no `odd` to tell; the video's rows are no list.
    """
    return _events(rows, _where(path, video), scored=True, odd=odd, label_of=label_of)


def read_external(path: PathLike) -> dict[str, Any]:
    """What a file of detections says of how they were made; {} where it says nothing.

    Raises:
        FormatError: the file cannot be read, or "external_data" is no object.
    """
    top = as_object(load_json(path), str(path), 'an object with "results"')
    return dict(as_object(top.get("external_data", {}), f'{path}: "external_data"', "an object"))


def write_truth(path: PathLike, truth: Mapping[str, Truth], labels: Sequence[str] = ()) -> None:
    """Write annotations of many videos, one event a line; times to the millisecond, scores are not written.

    With `labels` the file says the order of the classes as well, as "labels" and as each event's "label_id".

    Raises:
        OutputError: the file cannot be written.
        FormatError: an event's label is not among `labels`.
    """
    number = {label: k for k, label in enumerate(labels)}
    videos = {}
    for video, entry in truth.items():
        unknown = sorted(set(entry.events.labels) - set(number)) if number else []
        if unknown:
            raise FormatError(f"{path}: label {unknown[0]!r} of video {video!r} is not among the labels to write")
        rows = [
            {"segment": [_ms(e.start_s), _ms(e.end_s)], "label": e.label}
            | ({"label_id": number[e.label]} if number else {})
            for e in entry.events
        ]
        head = {"duration": _ms(entry.duration_s), "subset": entry.subset}
        videos[video] = dump_json(head, path, video)[:-1] + ', "annotations": ' + _listing(rows, path, indent=2) + "}"
    listed = dump_json(list(labels), path, '"labels"')
    _write(path, "database", videos, None, f'"labels": {listed},\n ' if labels else "")


def read_truth(path: PathLike, subset: str | None = None) -> dict[str, Truth]:
    """Read annotations, of one subset (capitals do not count) or of all; the order is that of the file.

    Raises:
        FormatError: the file cannot be read, is not in the form above, or has no video of `subset`.
    """
    truth = {video: _truth(entry, _where(path, video)) for video, entry in _videos(path, "database").items()}
    if subset is None:
        return truth
    chosen = of_subset(truth, subset)
    if not chosen:
        known = ", ".join(sorted(subset_names(truth))) or "none, for it has no video"
        raise FormatError(f"{path}: no video is of subset {subset!r}; the subsets there are: {known}")
    return chosen


def _detection(event: Event) -> dict[str, Any]:
    # Six digits, not four decimals: candidates of 0.00012 and 0.00013 must keep their ranks.
    score = float(f"{event.score:.6g}")
    return {"segment": [_ms(event.start_s), _ms(event.end_s)], "label": event.label, "score": score}


def _ms(seconds: float) -> float:
    return round(seconds, 3)


def _write(path: PathLike, key: str, videos: Mapping[str, str], tail: str | None, head: str = "") -> None:
    rows = ",\n".join(f"  {dump_json(str(video), path, 'a video name')}: {text}" for video, text in videos.items())
    text = f'{{"version": "{VERSION}",\n {head}"{key}": {{' + (f"\n{rows}\n }}" if rows else "}")
    text += "}\n" if tail is None else f',\n "external_data": {tail}}}\n'
    # A file name that is not UTF-8 reaches us with lone surrogates; \udcXX is how JSON spells them.
    replace_file(path, text.encode("utf-8", "backslashreplace"))


def _listing(rows: Iterable[Mapping[str, Any]], path: PathLike, indent: int) -> str:
    lines = [" " * (indent + 1) + dump_json(row, path, "an event") for row in rows]
    return "[\n" + ",\n".join(lines) + "]" if lines else "[]"


def _videos(path: PathLike, key: str) -> dict[str, Any]:
    return _videos_of(load_json(path), path, key)


def _videos_of(content: object, path: PathLike, key: str) -> dict[str, Any]:
    top = as_object(content, str(path), f'an object with "{key}"')
    if key not in top:
        other = {"results": ("database", "annotations"), "database": ("results", "detections")}[key]
        hint = f'; "{other[0]}" is there: these are {other[1]}' if other[0] in top else ""
        raise FormatError(f'{path}: there is no "{key}" at the top level{hint}')
    return as_object(top[key], f'{path}: "{key}"', "an object with one entry per video")


def _truth(entry: object, where: str) -> Truth:
    fields = as_object(entry, where, 'an object with "duration", "subset" and "annotations"')
    duration_s = as_number(field(fields, "duration", where), f'{where}, "duration"')
    if duration_s < 0:
        raise FormatError(f'{where}: "duration" is {duration_s:g}; seconds of 0 or more are needed')
    subset = as_text(field(fields, "subset", where), f'{where}, "subset"')
    return Truth(duration_s, subset, _events(field(fields, "annotations", where), where, scored=False))


def _events(
    rows: object, where: str, *, scored: bool | None, odd: Odd | None = None, label_of: LabelOf = as_text
) -> Events:
    """scored: whether rows must have a score; None: they may; those without it, and with False all, get 1."""
    found = []
    for i, row in enumerate(as_list(rows, where)):
        plain = None if scored is False else _plain(row)
        if plain is None:
            try:
                at = f"{where}, entry {i}"
                event = modality_in(row, at, _event(row, at, scored, odd, label_of))
            except FormatError as error:
                if odd is None:
                    raise
                odd.left_out.append(str(error))
                continue
            plain = event.start_s, event.end_s, event.label, event.score
        found.append(plain)
    start_s, end_s, labels, score = zip(*found, strict=True) if found else ((), (), (), ())
    return Events(start_s, end_s, labels, score)


def _plain(row: object) -> tuple[float, float, str, float] | None:
    """A detection that is beyond doubt, as nearly all are; None leaves it to `_event`, which takes longer."""
    if type(row) is not dict or len(row) != 3:
        return None
    segment, label, score = row.get("segment"), row.get("label"), row.get("score")
    if type(segment) is not list or len(segment) != 2 or type(label) is not str or type(score) is not float:
        return None
    start_s, end_s = segment
    if not label or type(start_s) is not float or type(end_s) is not float:
        return None
    # Of numbers that are not finite no comparison of the first two holds.
    return (
        (start_s, end_s, label, score) if -math.inf < start_s <= end_s < math.inf and math.isfinite(score) else None
    )


def _event(
    row: object, where: str, scored: bool | None, odd: Odd | None = None, label_of: LabelOf = as_text
) -> Event:
    fields = as_object(row, where, 'an object with "segment" and "label"')
    segment = as_list(field(fields, "segment", where), f'{where}, "segment"')
    if len(segment) != 2:
        raise FormatError(f'{where}: "segment" has {len(segment)} numbers; [start, end] in seconds is needed')
    start_s, end_s = (as_number(value, f'{where}, "segment"') for value in segment)
    label = label_of(field(fields, "label", where), f'{where}, "label"')
    told = scored or (scored is None and fields.get("score") is not None)
    score = as_number(field(fields, "score", where), f'{where}, "score"') if told else 1.0
    if end_s < start_s:
        backward = f"{where}: the segment [{start_s:g}, {end_s:g}] ends before it starts"
        if odd is None:
            raise FormatError(backward)
        odd.backward.append(backward)
    return Event(start_s, max(start_s, end_s), label, score)


def _where(path: PathLike, video: str) -> str:
    return f"{path}: video {video!r}"
