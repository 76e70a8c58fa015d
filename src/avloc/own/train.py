"""Labels and videos > features > cross-validation > the model folder.

out/config.json, model.safetensors, model.onnx   the model folder, for `avloc detect --model`
out/README.md                                     its card: data, figures, limits
out/cross-validation.json                         what models found in videos that they had not seen
out/own.json                                      settings and figures
out/features/                                     a file a video
out/trainer/                                      what --resume goes on from, while the work lasts
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from avloc import zoo
from avloc.config import ModelConfig, to_dict
from avloc.detector import Detector
from avloc.devices import Device, one_thread
from avloc.errors import FeatureError, FormatError, ModelError
from avloc.evaluation.operating_point import best_f1
from avloc.events import Events
from avloc.features.extractors.build import extractor_for
from avloc.files import replace_file
from avloc.formats.activitynet import read_results, write_results
from avloc.learning.build import build_criterion
from avloc.models.network import Network
from avloc.own.card import write_card
from avloc.own.check import OwnVideos, look_over
from avloc.own.config import OwnConfig
from avloc.own.extract import Done, Kept, keep_features
from avloc.own.figures import Figures, measure
from avloc.own.folds import assign_folds, share_out
from avloc.own.matching import VideoFile
from avloc.own.samples import Repeated, StoredVideos, repetitions
from avloc.own.stretches import by_video, stretches, told_of
from avloc.timegrid import TimeGrid
from avloc.training.batches import CroppedBatches
from avloc.training.checkpoint import load_model, save_model
from avloc.training.export import export_model
from avloc.training.fit import fit
from avloc.training.method import Method
from avloc.training.processes import make_fabric
from avloc.training.runner import TorchRunner
from avloc.training.start import require_start, start_network
from avloc.training.watch import Step, Watch

RECORD, PREDICTIONS, FEATURES, TRAINER = "own.json", "cross-validation.json", "features", "trainer"
_SETTINGS = "settings.json"


@dataclass(frozen=True)
class OwnWatch:
    """What the caller wants to see on the way."""

    on_check: Callable[[int, int], None] = lambda done, count: None
    on_extract: Callable[[Done], None] = lambda done: None
    on_stage: Callable[[str, int, int], None] = lambda name, number, count: None
    """A training begins: its name, its number, how many there are."""
    on_step: Callable[[Step], None] = lambda step: None
    on_note: Callable[[str], None] = lambda line: None


@dataclass(frozen=True, slots=True)
class OwnResult:
    """The model folder, how it was measured, and the figures: without them nothing could be measured."""

    folder: Path
    how: str
    figures: Figures | None
    test: Figures | None
    show_score: float


def train_own(
    config: OwnConfig,
    out: Path,
    videos: Sequence[VideoFile],
    *,
    resume: bool = False,
    device: Device = "auto",
    watch: OwnWatch = OwnWatch(),
) -> OwnResult:
    """Make the model folder `out`; `videos` are those of the folder `config.data.videos`.

    With subsets in the labels the validation subset chooses the threshold and gives the figure; without it the
    training videos do, by cross-validation, and the model that stays is trained on all of them.

    Raises:
        ConfigError, FormatError, MediaError, FeatureError: settings, labels or videos are wrong.
        ModelError: `out` holds a training already and `resume` is not asked for, or it was of other settings.
        OutputError: `out` cannot be written to.
        KeyboardInterrupt: stopped; the same with `resume` goes on.
    """
    _require_free(out, resume)
    source = zoo.find_model(config.start)
    start = zoo.read_config(source)
    require_start(source)  # what is no model to start from is refused before hours of reading
    own = look_over(config.data.annotations, config.data.videos, videos, watch.on_check)
    for problem in own.report.problems if config.skip_bad else ():
        watch.on_note(f"left out or cut: {problem}")
    own = own.require(config.skip_bad)
    kept = _features(config, start, own, out, watch)
    work = _Work(config, out, source, start, own, kept, device, watch)
    with one_thread():
        return work.run(resume)


def _require_free(out: Path, resume: bool) -> None:
    is_own = (out / RECORD).is_file() or (out / TRAINER / _SETTINGS).is_file()
    if is_own and not resume:
        raise ModelError(
            f"{out}: holds a training already; go on with --resume, or name another folder (its features can be "
            f"used again: --data.features {out / FEATURES})"
        )
    if not is_own and (out / zoo.CONFIG).is_file():
        raise ModelError(f"{out}: holds another model; name a new folder")


def _features(config: OwnConfig, start: ModelConfig, own: OwnVideos, out: Path, watch: OwnWatch) -> Kept:
    f = start.features
    grid = TimeGrid(f.stride_s, f.window_s, f.offset_s)
    try:
        extractor = extractor_for(f.read, grid)
    except FeatureError as error:
        raise ModelError(f"model {start.name}: {error}; start from another model") from None
    kept = keep_features(
        own.files,
        {name: truth.duration_s for name, truth in own.truth.items()},
        Path(config.data.features) if config.data.features else out / FEATURES,
        grid,
        extractor,
        read=f.read,
        skip_bad=config.skip_bad,
        on_progress=watch.on_extract,
    )
    for problem in kept.problems:
        watch.on_note(f"left out: {problem}")
    return kept


class _Work:
    def __init__(
        self,
        config: OwnConfig,
        out: Path,
        source: Path,
        start: ModelConfig,
        own: OwnVideos,
        kept: Kept,
        device: Device,
        watch: OwnWatch,
    ) -> None:
        self.config, self.out, self.source, self.own, self.kept, self.watch = config, out, source, own, kept, watch
        self.labels, self.device = own.labels, device
        f, truth = start.features, {name: own.truth[name] for name in kept.paths}
        steps = {name: header.steps for name, header in kept.headers.items()}
        self.stretches = stretches(truth, steps, TimeGrid(f.stride_s, f.window_s, f.offset_s))
        if line := told_of(truth, self.stretches):
            watch.on_note(line)
        self.truth = {name: part.events for name, part in self.stretches.items()}
        self.hashes = {name: kept.headers[part.video].source_hash for name, part in self.stretches.items()}
        self.videos = StoredVideos.of(self.stretches, kept.paths, self.labels, f)
        subsets = {name: own.truth[part.video].subset for name, part in self.stretches.items()}
        self.parts = share_out(config.data, subsets)
        if not any(len(self.truth[name]) for name in self.parts.train):
            raise FormatError(f"{config.data.annotations}: none of the videos to train on has an event")
        self.settings = json.dumps({"config": to_dict(config), "data": self._digest()}, indent=1)
        self.folds = self._folds()

    def run(self, resume: bool) -> OwnResult:
        if resume and (self.out / RECORD).is_file():
            self.watch.on_note(f"{self.out}: was finished before")
            return self._finished()
        self._begin()
        found: dict[str, Events] = {}
        parts: list[dict[str, Events]] = []
        for number, names in enumerate(self.folds, 1):
            of_fold = self._fold(number, names)
            found |= of_fold
            parts.append(of_fold)
        network, config = self._train("all", self.parts.train, 1 + len(self.folds))
        how = f"{len(self.folds)}-fold cross-validation"
        if self.parts.validation:
            found, parts, how = self._detect(network, config, self.parts.validation), [], "validation videos"
        figures = measure(found, {name: self.truth[name] for name in found}, parts) if found else None
        if found:
            about = {"model": self.out.name, "by": how}
            write_results(self.out / PREDICTIONS, by_video(found, self.stretches), about)
        point = best_f1(found, {name: self.truth[name] for name in found}) if found else None
        config = replace(config, name=self.out.name, show_score=round(point.score, 3) if point else config.show_score)
        save_model(self.out, network, config)
        tested = None
        if self.parts.test:
            network, _ = load_model(self.out)  # as it is shipped: weights of 16 bits
            test_found = self._detect(network, config, self.parts.test)
            tested = measure(test_found, {name: self.truth[name] for name in test_found}, [])
        export_model(self.out)
        result = OwnResult(self.out, how if found else "not measured", figures, tested, config.show_score)
        self._finish(result, None if point is None else point.f1)
        return result

    def _digest(self) -> str:
        """What the model depends on beside the settings: truth and content of the videos."""
        rows = [
            (name, self.hashes[name], *(a.tolist() for a in (e.start_s, e.end_s)), e.labels)
            for name, e in self.truth.items()
        ]
        return hashlib.sha256(json.dumps([rows, self.labels]).encode()).hexdigest()

    def _folds(self) -> list[tuple[str, ...]]:
        if self.parts.validation or not self.config.folds:
            return []
        truth = {name: self.truth[name] for name in self.parts.train}
        groups = {name: self.hashes[name] for name in truth}
        fold_of = assign_folds(truth, groups, self.config.folds, self.config.train.seed)
        folds = [tuple(n for n in truth if fold_of[n] == f) for f in sorted(set(fold_of.values()))]
        if len(folds) < 2:
            self.watch.on_note("one video cannot be cross-validated: the model will have no figure")
            return []
        return folds

    def _begin(self) -> None:
        path = self.out / TRAINER / _SETTINGS
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_text("utf-8") != self.settings:
            raise ModelError(
                f"{self.out}: was begun with other settings, labels or videos; resume with the same, or name "
                "another folder"
            )
        replace_file(path, self.settings.encode())

    def _fold(self, number: int, held_out: Sequence[str]) -> dict[str, Events]:
        """What a model that has not seen them finds in the videos of a fold."""
        path = self.out / TRAINER / f"fold-{number}.json"
        if not path.is_file():
            rest = tuple(name for name in self.parts.train if name not in set(held_out))
            network, config = self._train(f"fold-{number}", rest, number)
            write_results(path, self._detect(network, config, held_out))
            self._state(f"fold-{number}").unlink(missing_ok=True)
        read = read_results(path)
        return {name: read[name] for name in held_out}

    def _state(self, stage: str) -> Path:
        return self.out / TRAINER / f"{stage}.safetensors"

    def _train(self, stage: str, names: Sequence[str], number: int) -> tuple[Network, ModelConfig]:
        c = self.config
        self.watch.on_stage(stage, number, 1 + len(self.folds))
        fresh, drop = c.from_scratch, c.input_dropout
        network, config = start_network(
            self.source, self.labels, seed=c.train.seed, from_scratch=fresh, input_dropout=drop
        )
        train = replace(c.train, longest_steps=config.window_steps)
        data = Repeated(self.videos, names, repetitions(len(names), c.steps, train))
        state = self._state(stage)
        average = fit(
            Method(network, build_criterion(c.loss, network.config)),
            CroppedBatches(data, train, network.multiple),
            train,
            watch=Watch(on_step=self.watch.on_step),
            fabric=make_fabric(train, self.device),
            state=state,
            resume=state.is_file(),
            settings=self.settings,
        )
        return average.cpu(), config

    def _detect(self, network: Network, config: ModelConfig, names: Sequence[str]) -> dict[str, Events]:
        """All candidates, found in the way in which `avloc detect` finds them."""
        detector = Detector(config, TorchRunner(network))
        return {name: detector.detect_features(self.videos.load(name).features).all_events for name in names}

    def _finish(self, result: OwnResult, f1: float | None) -> None:
        videos = len({self.stretches[name].video for name in self.parts.train})
        write_card(self.out, self.config, self.own.report, videos, result.how, result.figures, result.test,
                   result.show_score)  # fmt: skip
        record = {
            "config": to_dict(self.config),
            "how": result.how,
            "figures": None if result.figures is None else asdict(result.figures),
            "test": None if result.test is None else asdict(result.test),
            "show_score": result.show_score,
            "f1": f1,
        }
        replace_file(self.out / RECORD, (json.dumps(record, indent=1) + "\n").encode())
        shutil.rmtree(self.out / TRAINER, ignore_errors=True)

    def _finished(self) -> OwnResult:
        try:
            record = json.loads((self.out / RECORD).read_text("utf-8"))
            figures, test = (None if record[k] is None else Figures(**record[k]) for k in ("figures", "test"))
            return OwnResult(self.out, record["how"], figures, test, record["show_score"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{self.out / RECORD}: cannot be read ({error}); name another folder") from None
