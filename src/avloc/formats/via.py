"""VIA 3 projects (VGG Image Annotator, JSON) <-> events of many videos: segments of time, in seconds.

    {"project": {...}, "config": {...}, "attribute": {"1": {"aname": "event", "anchor_id": "FILE1_Z2_XY0", ...}},
     "file": {"1": {"fid": "1", "fname": "a", "type": 4, "loc": 1, "src": "a"}}, "view": {"1": {"fid_list": ["1"]}},
     "metadata": {"1_1": {"vid": "1", "flg": 0, "z": [1.52, 5.03], "xy": [], "av": {"1": "dog barking"}}}}

A segment's label is the value of its first attribute of segments. Where that attribute has options, the value is the
key of one (radio, select) or of several, divided by commas (checkbox), and VIA shows the options' texts: several
chosen ones are several events. Metadata without two times (whole files, boxes on a frame) are left out. Files lie on
the user's disk (loc 1), so VIA asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from avloc.errors import FormatError
from avloc.events import Event, Events
from avloc.files import replace_file
from avloc.formats.media_names import address_path, names_of
from avloc.formats.strict_json import as_list, as_number, as_object, as_text, dump_json, field, load_json
from avloc.formats.text import PathLike, encoded, labelled
from avloc.formats.truth import Truth

_SEGMENT_OF_ONE_FILE = "FILE1_Z2_XY0"
_CHECKBOX, _SELECT, _VIDEO, _LOCAL = 2, 4, 4, 1  # kinds of attribute, of file and of place, as VIA numbers them


def read_via(path: PathLike) -> dict[str, Truth]:
    """Segments by file, under the file's name without folders and ending.

    Raises:
        FormatError: the file cannot be read or is not in the form above; the entry is named.
    """
    top = as_object(load_json(path), str(path), "a VIA 3 project")
    parts = {
        key: as_object(field(top, key, str(path)), f'{path}: "{key}"', "an object")
        for key in ("attribute", "file", "view", "metadata")
    }
    places = {view: _place(view, parts, f"{path}: view {view!r}") for view in parts["view"]}
    if len(set(places.values())) < len(places):
        raise FormatError(f"{path}: two files have one name; rename one of them")
    by_place = names_of(places.values())
    names = {view: by_place[place] for view, place in places.items()}
    videos: dict[str, list[Event]] = {name: [] for name in names.values()}
    for key, entry in parts["metadata"].items():
        where = f"{path}: metadata {key!r}"
        fields = as_object(entry, where, "an object")
        view = str(field(fields, "vid", where))
        if view not in names:
            raise FormatError(f"{where}: belongs to view {view!r}, which is not there")
        videos[names[view]] += _events(fields, parts["attribute"], where)
    return {video: Truth.of(Events.of(events)) for video, events in videos.items()}


def write_via(path: PathLike, videos: Mapping[str, Truth]) -> None:
    """Write a project; scores are lost.

    Raises:
        OutputError: the file cannot be written.
    """
    numbers = {video: str(number) for number, video in enumerate(videos, 1)}
    labels = sorted({label for truth in videos.values() for label in truth.events.labels})
    project = {
        "project": {
            "pid": "__VIA_PROJECT_ID__",
            "rev": "__VIA_PROJECT_REV_ID__",
            "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
            "pname": "avloc",
            "creator": "avloc",
            "created": 0,
            "data_format_version": "3.1.0",
            "vid_list": list(numbers.values()),
        },
        "config": {
            "file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}},
            "ui": {
                "file_content_align": "center",
                "file_metadata_editor_visible": True,
                "spatial_metadata_editor_visible": False,
                "temporal_segment_metadata_editor_visible": True,
                "spatial_region_label_attribute_id": "",
                "gtimeline_visible_row_count": "4",
            },
        },
        "attribute": {
            "1": {
                "aname": "event",
                "anchor_id": _SEGMENT_OF_ONE_FILE,
                "type": _SELECT,
                "desc": "Event that is seen and heard",
                "options": {label: label for label in labels},
                "default_option_id": "",
            }
        },
        "file": {n: {"fid": n, "fname": v, "type": _VIDEO, "loc": _LOCAL, "src": v} for v, n in numbers.items()},
        "view": {n: {"fid_list": [n]} for n in numbers.values()},
        "metadata": {
            f"{numbers[video]}_{i}": {
                "vid": numbers[video],
                "flg": 0,
                "z": [event.start_s, event.end_s],
                "xy": [],
                "av": {"1": event.label},
            }
            for video, truth in videos.items()
            for i, event in enumerate(truth.events, 1)
        },
    }
    replace_file(path, encoded(dump_json(project, path, "the project") + "\n"))


def _place(view: str, parts: Mapping[str, dict[str, Any]], where: str) -> PurePosixPath:
    """The path of a view's file: by where it lies, if that tells more than its name."""
    fields = as_object(parts["view"][view], where, "an object")
    files = as_list(field(fields, "fid_list", where), where)
    if not files or str(files[0]) not in parts["file"]:
        raise FormatError(f"{where}: names no file that is there")
    fields = as_object(parts["file"][str(files[0])], where, "an object")
    name = address_path(as_text(field(fields, "fname", where), f'{where}, "fname"'))
    source = fields.get("src")
    whole = address_path(source) if isinstance(source, str) and source else name
    return whole if whole.name == name.name else name


def _events(entry: Mapping[str, Any], attributes: Mapping[str, Any], where: str) -> Iterator[Event]:
    times = [as_number(value, f'{where}, "z"') for value in as_list(field(entry, "z", where), f'{where}, "z"')]
    if len(times) != 2:
        return
    values = as_object(field(entry, "av", where), f'{where}, "av"', "an object")
    given = [
        (value, as_object(attributes.get(number, {}), f"{where}, attribute {number!r}", "an object"))
        for number, value in values.items()
        if value not in ("", None)
    ]
    if not given:
        raise FormatError(f"{where}: the segment has no label; choose one in VIA")
    mine = (pair for pair in given if pair[1].get("anchor_id") == _SEGMENT_OF_ONE_FILE)
    for label in _labels(*next(mine, given[0]), where):
        yield labelled(times[0], times[1], label, where)


def _labels(value: object, attribute: Mapping[str, Any], where: str) -> list[str]:
    """What VIA shows for the value of an attribute: the texts of the options that it names."""
    options = as_object(attribute.get("options") or {}, f"{where}, options", "an object")
    key = str(value) if isinstance(value, int) else as_text(value, f'{where}, "av"')
    if not options:
        return [key]
    several = attribute.get("type") == _CHECKBOX and key not in options
    keys = [part for part in key.split(",") if part.strip()] if several else [key]
    for part in keys:
        if part not in options and part not in options.values():
            name = attribute.get("aname")
            raise FormatError(f"{where}: {part!r} is no option of attribute {name!r}; choose one in VIA")
    return [as_text(options.get(part, part), f'{where}, "av"') for part in keys]
