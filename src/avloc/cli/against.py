"""Detections beside the truth that they are held against, and what a reader should know of how they fit."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from avloc.cli.predictions import counted, read_predictions
from avloc.cli.video_names import named_as
from avloc.errors import AvlocError, FormatError
from avloc.evaluation.duplicates import TOLERANCE_S, without_duplicates
from avloc.events import Events
from avloc.formats.activitynet import LabelOf
from avloc.formats.class_names import read_label_ids
from avloc.formats.desed import holds_desed, read_desed
from avloc.formats.files import read_truth, sniff
from avloc.formats.published import published_form, read_published
from avloc.formats.strict_json import as_text
from avloc.formats.truth import Choices, Odd, Truth, of_subset, subset_names

_WHOLE = re.compile(r"[0-9]{1,9}(\.0+)?")


@dataclass
class Against:
    """Detections and the truth of a split, by video, and what a reader should know of how they fit.

    Attributes:
        detections: By video, the videos outside the split among them.
        truth: By video, those without events among them; an event that stands there twice does so once here.
        durations_s: Lengths of the videos of the truth; infinite where the truth does not tell.
        odd: Entries that are no event, and were left out or count as false.
        duplicates_dropped: Events of the truth that stood there twice.
        notes: What was left out or is missing, a line each.
        videos_without_predictions: Those that are missing, and those whose list is empty.
        show_score: The score from which the detections are shown to people, where their files tell it.
    """

    detections: dict[str, Events]
    truth: dict[str, Events]
    durations_s: dict[str, float]
    odd: Odd = field(default_factory=Odd)
    duplicates_dropped: int = 0
    notes: list[str] = field(default_factory=list)
    videos_without_predictions: int = 0
    predictions_of_unknown_videos: int = 0
    predictions_of_unknown_labels: int = 0
    show_score: float | None = None


@dataclass(frozen=True)
class Goal:
    """The truth of a split, read once for any number of detections.

    Attributes:
        path: Where it was read.
        known: The videos of all splits.
        truth: Those of the split; an event that stands there twice does so once here.
        dropped: How many events were dropped, of the videos that had some twice.
        partly: Videos that a person looked at in part: they are left out.
    """

    path: Path
    known: Mapping[str, Truth]
    truth: Mapping[str, Events]
    dropped: Mapping[str, int]
    partly: tuple[str, ...] = ()

    @functools.cached_property
    def labels(self) -> set[str]:
        """The classes of all splits."""
        return {label for entry in self.known.values() for label in entry.events.labels}

    @functools.cached_property
    def names(self) -> Mapping[int, str]:
        """The class of each label_id; empty where the truth has none."""
        if self.path.is_dir() or published_form(self.path) or sniff(self.path) != "activitynet-truth":
            return {}
        return read_label_ids(self.path)


def read_goal(truth: Path, split: str | None = None, choices: Choices | None = None) -> Goal:
    """The truth of a split (None: of all); capitals of its name do not count.

    Raises:
        FormatError: the file cannot be read, or has no video of the split.
    """
    published = read_published(truth)
    if published is not None:
        known = published.videos
    else:
        # Folders of labels name no split, but for DESED's tables, which do so by the folders below.
        known = read_desed(truth) if split is not None and holds_desed(truth) else read_truth(truth, choices=choices)
    chosen = _of_split(known, split, truth)
    whole = {video: entry for video, entry in chosen.items() if entry.known is None}
    if not whole:
        raise FormatError(f"{truth}: no video was looked at whole; detections cannot be scored against a part of one")
    events = without_duplicates({video: entry.events for video, entry in whole.items()})
    return Goal(truth, known, *events, tuple(video for video in chosen if video not in whole))


def hold_against(
    predictions: Path,
    goal: Goal,
    *,
    strict: bool = False,
    split_only: bool = False,
    every_class: bool = False,
    unscored: bool = False,
    choices: Choices | None = None,
) -> Against:
    """Detections beside a truth, read as the field's evaluators read them.

    An event that stands twice in the truth does so once; a detection that ends before it starts is a false one; a
    label that is a number is the truth's label_id.

    strict: what would be a note on the detections is an error.
    split_only: leave detections of videos outside the split out.
    every_class: detections of classes that the truth lacks are to count; only what is said of them depends on it.
    unscored: a detection in JSON without a score has score 1; else it is odd.
    choices: what to read of the detections where a file holds more.

    Raises:
        FormatError: a file cannot be read, nothing in the two fits, or `strict` finds something odd.
    """
    odd = Odd()
    read = read_predictions(predictions, None if strict else odd, choices, _numbered(goal), unscored=unscored)
    if odd.left_out and not any(map(len, read.events.values())):
        raise FormatError(f"none of the {len(odd.left_out)} entries is an event; the first: {odd.left_out[0]}")
    named, numbers = _named_by_id(named_as(read.events, goal.known), goal)
    held = Against(
        named,
        dict(goal.truth),
        {video: goal.known[video].duration_s for video in goal.truth},
        odd,
        sum(goal.dropped.values()),
        show_score=read.show_score,
    )
    _require_common(held, predictions, goal.path)
    _note_odd(held)
    if goal.partly:
        held.detections = {video: events for video, events in named.items() if video not in goal.partly}
        videos = counted(len(goal.partly), "video")
        held.notes.append(f"{videos} of the truth looked at in part alone, such as {goal.partly[0]!r}: left out")
    if split_only:
        held.detections = {video: events for video, events in named.items() if video in goal.truth}
    _note_videos(held)
    _note_labels(held, goal.labels, every_class)
    if strict and held.notes:
        raise FormatError(f"{predictions}: {held.notes[0]}; --strict refuses that")
    if numbers:
        held.notes.append("the labels of the predictions are numbers, and were read as the truth's label_id")
    if goal.dropped:
        stand = "stands there twice and counts" if held.duplicates_dropped == 1 else "stand there twice and count"
        events = f"{counted(held.duplicates_dropped, 'event')} of the truth"
        first = f"the first: in {next(iter(goal.dropped))!r}"
        held.notes.append(f"{events} {stand} once (start and end within {TOLERANCE_S:g} s); {first}")
    return held


def _of_split(known: Mapping[str, Truth], split: str | None, path: Path) -> dict[str, Truth]:
    chosen = dict(known) if split is None else of_subset(known, split)
    if not chosen:
        subsets = ", ".join(sorted(set(subset_names(known)) - {""}))
        if not subsets:
            raise FormatError(f"{path}: names no split; leave --split out" if known else f"{path}: holds no video")
        raise FormatError(f"{path}: no video is of split {split!r}; the splits there are: {subsets}")
    return chosen


def _numbered(goal: Goal) -> LabelOf:
    """What a label in JSON means: a name is itself, a whole number is the label_id of the truth."""

    def label_of(label: object, where: str) -> str:
        if isinstance(label, bool) or not isinstance(label, int | float) or label != label // 1:
            return as_text(label, where)
        if not goal.names:
            raise AvlocError(f"{where} is {label}, and the truth has no label_id that tells the class of a number")
        if int(label) not in goal.names:
            raise FormatError(f"{where} is {label}, which is no label_id of the truth")
        return goal.names[int(label)]

    return label_of


def _named_by_id(detections: dict[str, Events], goal: Goal) -> tuple[dict[str, Events], bool]:
    """Detections of a format of text under the names of their classes, where all labels are numbers there.

    And whether they were: the truth has each as label_id, and none of them as a name.
    """
    given = {label for events in detections.values() for label in events.labels}
    if not given or given & goal.labels or not all(map(_WHOLE.fullmatch, given)):
        return detections, False
    number = {label: int(float(label)) for label in given}
    if not set(number.values()) <= goal.names.keys():
        return detections, False
    return {
        video: Events(e.start_s, e.end_s, [goal.names[number[label]] for label in e.labels], e.score)
        for video, e in detections.items()
    }, True


def _require_common(held: Against, predictions: Path, truth: Path) -> None:
    if held.detections and held.truth and not held.detections.keys() & held.truth.keys():
        raise FormatError(
            f"{predictions} and {truth} have no video in common: "
            f"the one names {_some(held.detections)}, the other {_some(held.truth)}"
        )


def _some(videos: Iterable[str]) -> str:
    names = [repr(video) for video in videos]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _note_odd(held: Against) -> None:
    left_out, backward = held.odd.left_out, held.odd.backward
    if left_out:
        entries = counted(len(left_out), "entry", "entries")
        held.notes.append(f"{entries} left out that are no events; the first: {left_out[0]}")
    if backward:
        said = "ends before it starts and counts" if len(backward) == 1 else "end before they start and count"
        held.notes.append(f"{counted(len(backward), 'prediction')} {said} as false; the first: {backward[0]}")


def _note_videos(held: Against) -> None:
    missing = [video for video in held.truth if video not in held.detections]
    held.videos_without_predictions = sum(not len(held.detections.get(video, ())) for video in held.truth)
    if not any(map(len, held.truth.values())):
        held.notes.append("the truth has no event: mAP says nothing")
    if missing:
        share = 100 * len(missing) / len(held.truth)
        held.notes.append(
            f"{len(missing)} of {counted(len(held.truth), 'video')} ({share:.1f} %) "
            f"{'is' if len(missing) == 1 else 'are'} not in the predictions; "
            f"the first: {missing[0]!r}"
        )
    strange = [video for video in held.detections if video not in held.truth]
    held.predictions_of_unknown_videos = count = sum(len(held.detections[video]) for video in strange)
    if strange:
        held.notes.append(
            f"{counted(count, 'prediction')} for {counted(len(strange), 'video')} outside the truth (the first: "
            f"{strange[0]!r}) count as false; --split-only leaves them out"
        )


def _note_labels(held: Against, known: set[str], every_class: bool) -> None:
    strange: dict[str, int] = {}
    for events in held.detections.values():
        for label in events.labels:
            if label not in known:
                strange[label] = strange.get(label, 0) + 1
    held.predictions_of_unknown_labels = count = sum(strange.values())
    if strange:
        held.notes.append(
            f"{counted(count, 'prediction')} with {counted(len(strange), 'label')} unknown to the truth (the first: "
            f"{next(iter(strange))!r}) "
            + ("count as wrong, but for mAP" if every_class else "left out of mAP, precision and F1")
        )
