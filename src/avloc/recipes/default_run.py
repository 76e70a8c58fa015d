"""Media > composed videos > evidence > members, one after the other > calibration > threshold > the model folder.

out/config.json, model.safetensors, model.onnx   the model folder, whole at the end
out/training.json                                 settings and figures
out/composed/                                     composed videos and clips as features, unless `work` names a folder
out/trainer/                                      what --resume goes on from, while the work lasts
"""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from avloc import zoo
from avloc.compose.folder import SEED_OF, Composed, Part, compose_folder
from avloc.compose.library import TRAIN, VALIDATION, open_library
from avloc.config import FeatureConfig, ModelConfig, to_dict
from avloc.datasets.evidence import Evidence, EvidenceBatches, EvidenceSequence, measured_noise, sequences_of
from avloc.datasets.labelled import LabelledVideo
from avloc.detector import Detector
from avloc.devices import Device, one_thread
from avloc.errors import ModelError
from avloc.evaluation.calibration import Line
from avloc.evaluation.mean_ap import mean_ap
from avloc.evaluation.operating_point import best_f1, judge, quiet_score
from avloc.events import Events
from avloc.evidence.grounding import Grounding
from avloc.features.extractors.embedded import CUES
from avloc.features.inputs import network_inputs
from avloc.files import replace_file
from avloc.learning.dense import DenseCriterion
from avloc.models.grounded import Grounded, Member
from avloc.recipes.default import GroundedRun
from avloc.recipes.vocabulary import PROCEDURAL, SHIPPED, read_vocabulary
from avloc.recipes.weighing import Clip, calibrate, clips_of, weigh
from avloc.training.checkpoint import save_model
from avloc.training.export import export_model
from avloc.training.fit import fit
from avloc.training.method import Method
from avloc.training.processes import make_fabric
from avloc.training.runner import TorchRunner
from avloc.training.watch import Step, Watch

RECORD, COMPOSED, CLIPS, TRAINER = "training.json", "composed", "clips", "trainer"
TIOU = 0.3
"""At which detections are right or wrong, for calibration and threshold."""
QUIET_SEED = 2_000_000


@dataclass(frozen=True)
class GroundedWatch:
    """What the caller wants to see on the way."""

    on_compose: Callable[[str, int, int], None] = lambda what, done, count: None
    on_stage: Callable[[str, int, int], None] = lambda name, number, count: None
    """A training begins: its name, its number, how many there are."""
    on_step: Callable[[Step], None] = lambda step: None
    on_note: Callable[[str], None] = lambda line: None


@dataclass(frozen=True, slots=True)
class Figures:
    """On validation videos: average mAP, and precision and recall of what is shown, at tIoU 0.3; events that are
    shown on the quiet videos, and their minutes."""

    average: float
    precision: float
    recall: float
    f1: float
    quiet_events: int
    quiet_minutes: float
    show_score: float
    calibration: Line | None
    explained: tuple[float, ...]
    """Of the explanations, bias first (avloc.evidence.explained)."""


def train_grounded(
    run: GroundedRun,
    out: Path,
    *,
    resume: bool = False,
    device: Device = "auto",
    watch: GroundedWatch = GroundedWatch(),
) -> Figures:
    """Make the model folder `out`.

    Raises:
        ConfigError, MediaError: settings, vocabulary or media are wrong.
        TrainingError: the composed videos do not give what is needed to learn from.
        ModelError: `out` holds a model already, or was begun with other settings.
        OutputError: `out` or `work` cannot be written to.
        KeyboardInterrupt: stopped; the same with `resume` goes on.
    """
    if (out / zoo.CONFIG).is_file():
        raise ModelError(f"{out}: holds a model already; name another folder")
    if (out / TRAINER).is_dir() and not resume:
        raise ModelError(f"{out}: holds a training already; go on with --resume, or name another folder")
    return GroundedTraining(run, out, device, watch).run()


class GroundedTraining:
    """The work of `train_grounded`, step by step. Raises as it does."""

    def __init__(self, run: GroundedRun, out: Path, device: Device, watch: GroundedWatch) -> None:
        self.config, self.out, self.device, self.watch = run, out, device, watch
        self.media = Path(run.media) if run.media else None
        path = Path(run.vocabulary) if run.vocabulary else PROCEDURAL if self.media is None else SHIPPED
        self.vocabulary = read_vocabulary(path)
        self.labels = self.vocabulary.labels
        for split in (TRAIN, VALIDATION):
            self.vocabulary.require(open_library(self.media, split).classes, path)
        self.features = FeatureConfig(embeddings=False, cues=len(CUES))

    def run(self) -> Figures:
        """From the first video to the model folder."""
        c, seed = self.config, self.config.compose_seed
        composed = self.compose("train", Part(TRAIN, c.videos, seed + SEED_OF[TRAIN], c.scene))
        validation = self.compose(
            "validation", Part(VALIDATION, c.validation_videos, seed + SEED_OF[VALIDATION], c.scene)
        )
        quiet = self.compose("quiet", Part(VALIDATION, c.quiet_videos, seed + QUIET_SEED, c.quiet_scene))
        with one_thread():
            return self.finish(self.train(composed), validation, quiet)

    def train(self, composed: Composed) -> Grounded:
        """The network with all members, not yet calibrated."""
        network = self.new_network()
        sequences = self._sequences(network, composed)
        for i in range(self.config.network.members):
            member = self._train_member(i, sequences)
            network.members[i].load_state_dict(member.pyramid.state_dict())
        return network.eval()

    def new_network(self) -> Grounded:
        """The network with the vocabulary's constants in place."""
        constants = self.vocabulary.constants()
        sounds = constants["sound_index"].shape[1]
        network = Grounded(replace(self.config.network, classes=len(self.labels), sounds=sounds))
        for name, values in constants.items():
            getattr(network.grounding, name).copy_(torch.from_numpy(values))
        return network

    def detector(self, network: Grounded, explained: tuple[float, ...] = ()) -> Detector:
        """A detector of the network as it stands."""
        decoding = replace(self.config.decoding, explained=explained)
        decoding = decoding if decoding.rivals else replace(decoding, rivals=self.vocabulary.alike)
        steps = self.config.train.longest_steps
        config = ModelConfig(self.out.name, self.labels, self.features, network.config, decoding, steps)
        constants = {name: value.numpy() for name, value in network.grounding.state_dict().items()}
        grounding = Grounding.of(constants, network.config, self.out)
        return Detector(config, TorchRunner(network), grounding=grounding)

    @property
    def _work(self) -> Path:
        return Path(self.config.work) if self.config.work else self.out / COMPOSED

    def compose(self, what: str, part: Part) -> Composed:
        """Videos as features, in the folder `what` of those composed."""
        folder = self._work / what
        workers = self.config.workers or os.cpu_count() or 1
        return compose_folder(
            folder,
            self.media,
            [part],
            "features",
            workers,
            lambda done, count: self.watch.on_compose(what, done, count),
        )

    def _sequences(self, network: Grounded, composed: Composed) -> list[EvidenceSequence]:
        """Evidence of all training videos, once the noise of each class is measured in them."""
        evidence = [_evidence(network, video) for video in _videos(composed)]
        truth = [composed.truth[name].events for name in composed.truth]
        present = [np.array([label in set(events.labels) for label in self.labels]) for events in truth]
        noise = measured_noise(evidence, present)
        network.grounding.noise.copy_(torch.from_numpy(noise))
        found: list[EvidenceSequence] = []
        for i, (video, seen) in enumerate(zip(_videos(composed), evidence, strict=True)):
            rng = np.random.default_rng([self.config.train.seed, i])
            found += sequences_of(video, _channels(network, seen), self.labels, noise, rng)
        return found

    def _train_member(self, number: int, sequences: list[EvidenceSequence]) -> Member:
        """The moving average of a pyramid's weights, from a start and a seed of its own."""
        c = self.config
        name, train = f"member-{number}", replace(c.train, seed=(c.train.seed * c.network.members + number) % 2**63)
        self.watch.on_stage(name, number + 1, c.network.members)
        torch.manual_seed(train.seed)
        member = Member(c.network)
        batches = EvidenceBatches(sequences, c.mixture, train.seed, member.multiple)
        state = self.out / TRAINER / f"{name}.safetensors"
        state.parent.mkdir(parents=True, exist_ok=True)
        average = fit(
            Method(member, DenseCriterion(c.loss)),
            batches,
            train,
            watch=Watch(on_step=self.watch.on_step),
            fabric=make_fabric(train, self.device),
            state=state,
            resume=state.is_file(),
            settings=json.dumps(to_dict(replace(c, work="", workers=0))),
        )
        assert isinstance(average, Member)
        return average.cpu()

    def finish(
        self, network: Grounded, validation: Composed, quiet: Composed, is_calibrated: bool = False
    ) -> Figures:
        """Calibrate, weigh, choose the threshold, write the folder."""
        detector = self.detector(network)
        truth = {name: t.events for name, t in validation.truth.items()}
        line = None if is_calibrated else calibrate(network, detect_all(detector, validation), truth, TIOU)
        if line is None and not is_calibrated:
            self.watch.on_note("surer detections are not right more often on the validation videos: not calibrated")
        network.half().float()  # as it is shipped: weights of 16 bits
        detector, clips = self.detector(network), self.clips(detector)
        if clips:
            explained = weigh(detector, clips, itertools.chain(_videos(validation), _videos(quiet)), TIOU)
            detector = self.detector(network, explained)
        figures = self._figures(detector, validation, quiet, line, clips)
        save_model(self.out, network, replace(detector.config, show_score=figures.show_score))
        exported = export_model(self.out)
        record = {
            "config": to_dict(self.config),
            "figures": asdict(figures),
            "onnx_score_difference": exported.score_difference,
            "onnx_segment_difference": exported.segment_difference,
        }
        replace_file(self.out / RECORD, (json.dumps(record, indent=1) + "\n").encode())
        shutil.rmtree(self.out / TRAINER, ignore_errors=True)
        return figures

    def clips(self, detector: Detector) -> list[Clip]:
        """The real clips with their features, made where they are not at hand."""
        folders = [Path(folder) for folder in self.config.clips]
        return list(clips_of(folders, detector, self._work / CLIPS, partial(self.watch.on_compose, "clips")))

    def _figures(
        self, detector: Detector, validation: Composed, quiet: Composed, line: Line | None, clips: Sequence[Clip]
    ) -> Figures:
        truth = {name: t.events for name, t in validation.truth.items()}
        found, noisy = detect_all(detector, validation), detect_all(detector, quiet)
        quiet_s = sum(t.duration_s for t in quiet.truth.values())
        if clips:
            least = self.config.show_score_by_clips
        else:
            point = best_f1(found, truth, TIOU, self.config.almost)
            least = point.score if point else detector.config.show_score
        least = max(least, quiet_score(noisy, quiet_s, self.config.quiet_s))
        least = min(1.0, math.ceil(1000 * least) / 1000)
        shown = judge(found, truth, TIOU).at(least)
        quiet_events = sum(len(events.above(least)) for events in noisy.values())
        average = mean_ap(found, truth).average
        explained, minutes = detector.config.decoding.explained, quiet_s / 60
        return Figures(
            average, shown.precision, shown.recall, shown.f1, quiet_events, minutes, least, line, explained
        )


def detect_all(detector: Detector, composed: Composed) -> dict[str, Events]:
    """All candidates of each video."""
    return {video.name: detector.detect_features(video.features).all_events for video in _videos(composed)}


def _videos(composed: Composed) -> Iterator[LabelledVideo]:
    """One after the other, so that the features of one lie in memory."""
    for name, truth in composed.truth.items():
        yield LabelledVideo(name, composed.features(name), truth.events)


@torch.no_grad()
def _evidence(network: Grounded, video: LabelledVideo) -> Evidence:
    seen, heard = network_inputs(video.features, True, embeddings=False, cues=len(CUES))
    mask = torch.ones(1, len(seen), dtype=torch.bool)
    found = network.grounding(torch.from_numpy(seen)[None], torch.from_numpy(heard)[None], mask)
    return Evidence(*(x[0].numpy() for x in found))


@torch.no_grad()
def _channels(network: Grounded, evidence: Evidence) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """(K, C, T)."""
    rows = (torch.from_numpy(x)[None] for x in (evidence.heard, evidence.seen, evidence.around))
    return np.asarray(network.channels(*rows)[0].numpy(), np.float32)
