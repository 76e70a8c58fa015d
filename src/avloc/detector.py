"""Detector: media > features > network > decoding in one object."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc import zoo
from avloc.config import DecodingConfig, ModelConfig
from avloc.decoding.candidates import Candidates, decode, find_candidates
from avloc.decoding.stitch import windows
from avloc.errors import FeatureError, ModelError
from avloc.events import Events
from avloc.events.filter import filter_of, within
from avloc.evidence.apart import ClassEvidence
from avloc.evidence.explained import against, weighed
from avloc.evidence.grounding import Grounding
from avloc.features.choice import Columns, chosen
from avloc.features.extractors.base import Extractor, OnBlock, OnSeconds, Resources
from avloc.features.extractors.build import extractor_for
from avloc.features.inputs import InputWindow, network_inputs
from avloc.features.resize import resized
from avloc.features.sequence import FeatureSequence
from avloc.runner import OnnxRunner
from avloc.timegrid import WHOLE, Stretch, TimeGrid

Float32 = NDArray[np.float32]
Runner = Callable[[Float32, Float32, NDArray[np.bool_]], tuple[Float32, Float32, Float32]]


@dataclass
class Timing:
    """Seconds spent by stage: features (decoding and encoders), network, soft-NMS."""

    features_s: float = 0.0
    network_s: float = 0.0
    nms_s: float = 0.0


@dataclass(frozen=True)
class Detection:
    """Everything found in one video: `events` to show to people, `all_events` for evaluation.

    notes tell what was chosen in reading the file, in a few words each.
    """

    events: Events
    all_events: Events
    duration_s: float
    timing: Timing = field(default_factory=Timing)
    notes: tuple[str, ...] = ()
    evidence: ClassEvidence | None = None


class Detector:
    """Finds audio-visual events in video files; made by `avloc.load`."""

    def __init__(
        self,
        config: ModelConfig,
        runner: Runner,
        *,
        threads: int = 0,
        weights: Path | None = None,
        grounding: Grounding | None = None,
    ) -> None:
        self.config = config
        self.labels = config.labels
        self.grid = TimeGrid(config.features.stride_s, config.features.window_s, config.features.offset_s)
        self._run = runner
        self._resources = Resources(threads, weights)
        self._extractor: Extractor | None = None
        self._grounding = grounding
        self._folder: Path | None = None

    @classmethod
    def load(cls, model: str | Path = "default", *, threads: int = 0, weights: Path | None = None) -> Detector:
        """By the name of a shipped model or the path of a model folder.

        weights is the folder of weights that the user brought, for models that read such features.

        Raises:
            ModelError: there is no such model, or its folder is broken.
        """
        folder = zoo.find_model(model)
        config = zoo.read_config(folder)
        runner = OnnxRunner(folder / zoo.ONNX, threads)
        widths = config.network.visual_width, config.network.audio_width
        if runner.window_steps != config.window_steps or runner.widths != widths:
            raise ModelError(
                f"{folder}: {zoo.ONNX} reads {runner.window_steps} steps of {runner.widths}, its config says "
                f"{config.window_steps} of {widths}; export the model anew"
            )
        if len(config.labels) != config.network.classes:
            raise ModelError(f"{folder}: {len(config.labels)} labels for {config.network.classes} classes")
        try:
            detector = cls(config, runner, threads=threads, weights=weights)
        except ValueError as error:  # a grid or a pyramid that there cannot be
            raise ModelError(f"{folder / zoo.CONFIG}: {error}") from None
        detector._folder = folder
        return detector

    def with_decoding(self, decoding: DecodingConfig) -> Detector:
        """The same network, whose candidates become events by other settings."""
        other = Detector(replace(self.config, decoding=decoding), self._run, grounding=self._grounding)
        other._resources, other._folder = self._resources, self._folder
        return other

    @property
    def extractor(self) -> Extractor:
        """What makes the features that the model reads; its encoders are loaded on first use.

        Raises:
            ModelError: avloc cannot make them from a video.
        """
        if self._extractor is None:
            try:
                self._extractor = extractor_for(self.config.features.read, self.grid, self._resources)
            except FeatureError as error:
                raise ModelError(f"model {self.config.name}: {error}; give feature files to it") from None
        return self._extractor

    @cached_property
    def grounding(self) -> Grounding:
        """What tells how strongly classes are seen and heard.

        Raises:
            ModelError: the model does not hold the two apart.
        """
        if self._grounding is not None:
            return self._grounding
        if self._folder is None:
            raise ModelError(
                f"model {self.config.name}: was not read from a folder, which alone tells seen and heard"
            )
        return Grounding.load(self._folder, self.config)

    def _inputs(self, features: FeatureSequence) -> tuple[Float32, Float32]:
        wanted = self.config.features
        read = chosen(features, Columns(wanted.visual_columns, wanted.audio_columns))
        return network_inputs(read, wanted.scores, embeddings=wanted.embeddings, cues=wanted.cues)

    def detect(
        self,
        path: str | Path,
        *,
        min_score: float | Mapping[str, float] | None = None,
        label: str | Iterable[str] | None = None,
        not_label: str | Iterable[str] | None = None,
        min_length_s: float = 0.0,
        merge_gap_s: float | None = None,
        start_s: float = 0.0,
        end_s: float = math.inf,
    ) -> Events:
        """Events of a video file in the order of time, those that are wanted (`avloc.events.filter`).

        Args:
            path: The video.
            min_score: Least score, of all classes or by class. Where it says nothing, the score from which the
                model's makers show events to people.
            label, not_label: Classes that are kept, and that are left out.
            min_length_s: Least length of an event.
            merge_gap_s: Events of one class with no more than this between them become one.
            start_s, end_s: A stretch of the video: nothing else of it is read, but some seconds around it.

        Raises:
            MediaError: the file cannot be read, has no picture or no sound, or ends before the stretch.
            ConfigError: a class is none of the model's, or a number is out of its range.
        """
        least = min_score if isinstance(min_score, int | float) else self.config.show_score
        by_class = min_score if isinstance(min_score, Mapping) else {}
        wanted = filter_of(label, not_label, least, by_class, min_length_s, merge_gap_s, start_s, end_s)
        wanted.require_known(self.labels)
        stretch = Stretch(max(start_s, 0.0), end_s)
        return wanted(self.detect_fully(path, stretch=stretch).all_events).by_time()

    def detect_fully(
        self,
        path: str | Path,
        *,
        on_sound: OnBlock | None = None,
        on_seconds: OnSeconds | None = None,
        stretch: Stretch = WHOLE,
        evidence: bool = False,
    ) -> Detection:
        """As `detect`, with all candidates, the duration and the time spent by stage.

        Of a `stretch` of the video no more is read than it needs; times stay those of the video. With `evidence` it
        tells too how strongly each class is heard and seen.

        Raises:
            MediaError: as `detect`.
            ModelError: evidence is asked for, and the model gives none.
        """
        grounding = self.grounding if evidence else None
        notes: list[str] = []
        part = {} if stretch.is_whole else {"stretch": stretch}  # extractors of others may know of none
        stream = self.extractor.stream(
            path, self.grid, on_sound=on_sound, on_seconds=on_seconds, on_note=notes.append, **part
        )
        return replace(self._detect(stream, stretch, grounding), notes=tuple(dict.fromkeys(notes)))

    def detect_features(self, features: FeatureSequence, *, evidence: bool = False) -> Detection:
        """Events of a video whose features are at hand; `evidence` as in `detect_fully`.

        Raises:
            FeatureError: the features are not those that the model was trained on.
        """
        self.config.features.read.require(features.streams, "the features")
        if features.grid != self.grid:
            raise FeatureError(f"the features lie on {features.grid}, the model needs {self.grid}")
        if len(features) != self.grid.length(features.duration_s):
            raise FeatureError(
                f"{len(features)} steps of features were given for {features.duration_s:g} s, "
                f"which the grid cuts into {self.grid.length(features.duration_s)}; extract them anew"
            )
        return self._detect(iter([features]), grounding=self.grounding if evidence else None)

    def _detect(
        self, stream: Iterator[FeatureSequence], stretch: Stretch = WHOLE, grounding: Grounding | None = None
    ) -> Detection:
        timing = Timing()
        parts: list[Candidates] = []
        perceived: list[Float32] = []
        line, others = self.config.decoding.explained, list[NDArray[np.float16]]()
        inputs = InputWindow(self.config.network.visual_width, self.config.network.audio_width)
        clock = time.perf_counter()
        first = next(stream)
        steps = self.config.features.resize_steps
        if steps is not None:  # needs the whole video at hand
            first, stream = resized(FeatureSequence.joined([first, *stream]), steps), iter(())
        whole = first.grid
        length = len(stretch.steps(self.grid, first.duration_s)) if steps is None else steps
        stream = itertools.chain([first], stream)
        for window in windows(length, self.config.window_steps):
            while inputs.end < min(window.first + window.size, length):
                inputs.add(*self._inputs(next(stream)))
            timing.features_s += time.perf_counter() - clock
            clock = time.perf_counter()
            arrays = inputs.read(window.first, window.size)
            scores, segments, place = self._run(*arrays)
            spoken = slice(window.speak_from - window.first, window.speak_to - window.first)
            if grounding is not None:
                perceived.append(grounding(*arrays)[:, spoken])
            if line:
                others.append(against(self.grounding, *arrays)[:, spoken])
            step = place + window.first
            keep = (step >= window.speak_from) & (step < window.speak_to)
            grid = whole.shifted(window.first)
            parts.append(find_candidates(scores, segments, grid, keep, self.config.decoding))
            timing.network_s += time.perf_counter() - clock
            clock = time.perf_counter()
        for _ in stream:  # the sound behind the last step is still to be read
            pass
        timing.features_s += time.perf_counter() - clock
        clock = time.perf_counter()
        keep_events = self.config.decoding.keep * len(parts)
        all_events = decode(
            Candidates.join(parts), self.labels, first.duration_s, self.config.decoding, keep=keep_events
        )
        if line:
            all_events = weighed(all_events, self.labels, whole, np.concatenate(others, axis=1), line)
        if not stretch.is_whole:
            all_events = within(all_events, stretch.start_s, stretch.end_s)
        timing.nms_s = time.perf_counter() - clock
        events = all_events.above(self.config.show_score).by_time()
        evidence = None
        if grounding is not None:
            evidence = ClassEvidence(whole, self.labels, np.concatenate(perceived, axis=1), grounding.alike)
        return Detection(events, all_events, first.duration_s, timing, evidence=evidence)
