"""Video files and files of events: detect, extract, convert."""

from __future__ import annotations

from pathlib import Path

from avloc.detector import Detector
from avloc.events import Events
from avloc.features.extractors.build import DEFAULT, build_extractor
from avloc.features.sequence import FeatureSequence
from avloc.formats.files import read_truth, write_events

PathLike = str | Path


def detect(video: PathLike, model: PathLike = "default", min_score: float | None = None) -> Events:
    """Events of one video file in the order of time; `avloc.load(model).detect` for many, so that it is read once.

    Raises:
        ModelError, MediaError, FeatureError: the model or the video cannot be read, or do not fit.
    """
    return Detector.load(model).detect(video, min_score=min_score)


def extract(video: PathLike, features: str = DEFAULT) -> FeatureSequence:
    """Features of one video file, on the extractor's own grid.

    Raises:
        FeatureError, MediaError: there is no such extractor, or the video cannot be read.
    """
    extractor = build_extractor(features)
    return extractor.extract(video, extractor.grid)


def convert(source: PathLike, target: PathLike, to: str | None = None) -> None:
    """Write what a file of any format holds into another; the ending tells the format, or `to`.

    Raises:
        FormatError: a format is unknown, or cannot hold what is given. OutputError: it cannot be written.
    """
    write_events(target, read_truth(source), to)
