"""Settings as frozen dataclasses. Where the paper's text leaves a choice open, the choice is a field here."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from avloc.errors import ConfigError

T = TypeVar("T")


def _check(name: str, value: object, is_sound: bool, needed: str) -> None:
    """Comparisons with a value that is not a number are false, so that it is refused as well."""
    if not is_sound:
        raise ConfigError(f"{name} is {value}; {needed} is needed")


_RANGE = "a finite range above 0, its lower end first,"


@dataclass(frozen=True)
class AttentionConfig:
    """Cross-modal attention of the pyramid (paper, Section 3.4; variants of Tables 2c and 2d)."""

    kind: Literal["global", "fixed", "cdp", "none"] = "cdp"
    """none: the modalities meet in the fusion blocks alone, as in the base model of Tables 2a and 3."""
    window: int = 8
    """Base window in steps of the level; 0 is the whole length."""
    adapt_from: Literal["both", "key"] = "both"
    """Streams that window adaptation pools: key and query together, or the key stream alone."""

    def __post_init__(self) -> None:
        even = self.window >= 0 and self.window % 2 == 0
        _check("attention.window", self.window, even, "an even number of steps, or 0 for all,")


@dataclass(frozen=True)
class LccConfig:
    """Locality-aware correspondence correction (paper, Section 3.3)."""

    objective: Literal["learnable", "fixed", "softened", "diagonal"] = "learnable"
    sigma_steps: float = 1.5
    sigma_range_steps: tuple[float, float] = (0.3, 16.0)
    softening: float = 0.2
    divergence: Literal["cross-entropy", "kl"] = "cross-entropy"
    temperature: float = 0.07
    temperature_range: tuple[float, float] = (0.001, 0.5)

    def __post_init__(self) -> None:
        low, high = self.sigma_range_steps
        _check("lcc.sigma_range_steps", (low, high), 0 < low <= high < float("inf"), _RANGE)
        _check(
            "lcc.sigma_steps", self.sigma_steps, low <= self.sigma_steps <= high, f"{low:g} to {high:g}, its range,"
        )
        low, high = self.temperature_range
        _check("lcc.temperature_range", (low, high), 0 < low <= high < float("inf"), _RANGE)
        _check(
            "lcc.temperature", self.temperature, low <= self.temperature <= high, f"{low:g} to {high:g}, its range,"
        )
        _check("lcc.softening", self.softening, 0 <= self.softening <= 1, "a share from 0 to 1")


@dataclass(frozen=True)
class LocoConfig:
    """The network. Defaults are the paper's full width on ONE-PEACE features."""

    classes: int = 100
    visual_width: int = 1536
    audio_width: int = 1536
    width: int = 512
    heads: int = 4
    ffn_ratio: float = 4.0
    unimodal_blocks: int = 2
    self_window: int = 0
    """Window of self-attention in steps of its level; 0 is the whole length, as transformer blocks are in the paper.
    A window makes cost and memory linear in the length of the video."""
    position: bool = True
    """Whether sine and cosine position encoding is added; off, a shift of the input shifts the output."""
    levels: int = 6
    fusion_blocks: int = 1
    fusion_ffn_ratio: float | None = None
    """Feed-forward ratio of the fusion blocks, which are twice as wide; None takes `ffn_ratio`."""
    fusion_attention_width: int | None = None
    """Width of query, key and value in the fusion blocks; None is that of the block, 2 * `width`."""
    input_dropout: float = 0.0
    dropout: float = 0.0
    drop_path: float = 0.1
    class_prior: float = 0.01
    attention: AttentionConfig = field(default_factory=AttentionConfig)
    lcc: LccConfig = field(default_factory=LccConfig)

    def __post_init__(self) -> None:
        if self.heads < 1 or self.width < 2 or self.width % 2 or self.width % self.heads:
            raise ConfigError(
                f"network.width is {self.width} with {self.heads} heads; an even width that heads divide is needed"
            )
        inner = self.fusion_attention_width
        if inner is not None and (inner < 1 or inner % self.heads):
            raise ConfigError(
                f"network.fusion_attention_width is {inner} with {self.heads} heads; heads must divide it"
            )
        if not 1 <= self.levels <= 10:
            raise ConfigError(f"network.levels is {self.levels}; 1 to 10 levels are possible")
        even = self.self_window >= 0 and self.self_window % 2 == 0
        _check("network.self_window", self.self_window, even, "an even number of steps, or 0,")
        for name in ("classes", "visual_width", "audio_width"):
            _check(f"network.{name}", getattr(self, name), getattr(self, name) >= 1, "at least 1")
        for name in ("unimodal_blocks", "fusion_blocks"):
            _check(f"network.{name}", getattr(self, name), getattr(self, name) >= 0, "0 or more")
        for name in ("input_dropout", "dropout", "drop_path"):
            _check(f"network.{name}", getattr(self, name), 0 <= getattr(self, name) < 1, "a share from 0 to below 1")
        for name in ("ffn_ratio", "fusion_ffn_ratio"):
            ratio = getattr(self, name)
            _check(f"network.{name}", ratio, ratio is None or 0 < ratio < float("inf"), "a finite number above 0")
        _check("network.class_prior", self.class_prior, 0 < self.class_prior < 1, "a share between 0 and 1")


@dataclass(frozen=True)
class GroundedConfig:
    """The network of the default model (avloc.models.grounded): encoders' class scores instead of embeddings."""

    classes: int
    sounds: int
    """Most sound classes that ground one class."""
    visual_width: int = 1000 + 1 + 80
    audio_width: int = 521 + 2
    objects: int = 80
    """Of visual_width, classes of the object detector; they come last, behind the face."""
    width: int = 32
    levels: int = 6
    members: int = 1
    """Pyramids, each trained from a start of its own, whose logits and offsets are averaged."""
    class_prior: float = 0.02

    def __post_init__(self) -> None:
        for name in ("classes", "sounds", "width", "visual_width", "audio_width", "levels", "members"):
            if getattr(self, name) < 1:
                raise ConfigError(f"network.{name} is {getattr(self, name)}; at least 1 is needed")
        if not 0 <= self.objects < self.visual_width:
            raise ConfigError(f"network.objects is {self.objects}; 0 to {self.visual_width - 1} is needed")


@dataclass(frozen=True)
class LossConfig:
    """Weights and forms of Eq. 9."""

    lcc_weight: float = 0.1
    iou: Literal["giou", "diou"] = "giou"
    focal_alpha: float = 0.25
    focal_gamma: float = 2.0
    normalizer_start: float = 250.0
    normalizer_momentum: float = 0.9

    def __post_init__(self) -> None:
        finite = float("inf")
        _check("loss.lcc_weight", self.lcc_weight, 0 <= self.lcc_weight < finite, "a finite weight of 0 or more")
        _check("loss.focal_alpha", self.focal_alpha, 0 < self.focal_alpha < 1, "a share between 0 and 1")
        _check("loss.focal_gamma", self.focal_gamma, 0 <= self.focal_gamma < finite, "a finite number of 0 or more")
        _check("loss.normalizer_start", self.normalizer_start, 0 < self.normalizer_start < finite, "a number above 0")
        momentum = self.normalizer_momentum
        _check("loss.normalizer_momentum", momentum, 0 <= momentum < 1, "a share from 0 to below 1")


@dataclass(frozen=True)
class DecodingConfig:
    """From scores and offsets to events (paper, Section 3.5; values of the works it builds on)."""

    before_nms: int = 2000
    keep: int = 100
    min_score: float = 0.001
    nms: Literal["gaussian", "linear", "hard"] = "gaussian"
    """Soft-NMS with gaussian or linear decay, or hard NMS."""
    nms_sigma: float = 0.4
    """Width of the gaussian decay."""
    nms_iou: float = 0.1
    """Least tIoU that linear and hard suppression answer to."""
    voting_iou: float = 0.0
    """Least tIoU of the candidates that move a kept segment to their mean; 0 leaves it where it is."""
    rivals: tuple[tuple[str, ...], ...] = ()
    """Groups of classes that are hard to tell apart: where two are found at once, the less sure one loses score."""
    rival_share: float = 0.5
    """Least share of its length with which an event lies on a surer rival to lose."""
    rival_factor: float = 0.7
    """What is left of its score."""
    other_factor: float = 1.0
    """The same for an event that lies on a surer one of any other class; 1 leaves it all."""


@dataclass(frozen=True)
class TrainConfig:
    """Optimisation (paper, Section 4.1; values of the works it builds on) and the random crop of training."""

    epochs: int = 45
    """Warm-up included: 5 and 40."""
    warmup_epochs: int = 5
    batch: int = 16
    pool_batches: int = 8
    """Batches that are drawn together and shared out by length, so that little of them is padding; 1: by chance."""
    learning_rate: float = 1e-4
    weight_decay: float = 1e-4
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    crop_share: tuple[float, float] = (0.9, 1.0)
    keep_share: float = 0.5
    """An event that a crop leaves less than this share of is no event of the crop."""
    longest_steps: int = 256
    """Longer crops are cut to this; detection uses windows of this length."""
    seed: int = 0
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"
    """auto: bf16-mixed on a GPU that has it, else 32-true."""
    compile: bool = False
    """torch.compile: pays on a GPU; on a CPU its first call takes half a minute and gains nothing."""
    devices: int = 1
    save_every_minutes: float = 5.0
    """Within an epoch the trainer's state is saved this often; at the end of an epoch always."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "longest_steps", "devices"):
            _check(f"train.{name}", getattr(self, name), getattr(self, name) >= 1, "at least 1")
        for name in ("warmup_epochs", "seed", "weight_decay", "save_every_minutes"):
            _check(f"train.{name}", getattr(self, name), getattr(self, name) >= 0, "0 or more")
        for name in ("learning_rate", "clip_norm"):
            _check(f"train.{name}", getattr(self, name), 0 < getattr(self, name) < float("inf"), "a number above 0")
        _check("train.ema_decay", self.ema_decay, 0 <= self.ema_decay < 1, "a share from 0 to below 1")
        _check("train.keep_share", self.keep_share, 0 <= self.keep_share <= 1, "a share from 0 to 1")
        low, high = self.crop_share
        _check("train.crop_share", (low, high), 0 < low <= high <= 1, "two shares of the video in (0, 1], in order,")


@dataclass(frozen=True)
class FeatureConfig:
    """Which features a model eats, on which grid."""

    extractor: str = "avloc-embedded/3"
    stride_s: float = 0.32
    window_s: float = 0.96
    offset_s: float = -0.32
    scores: bool = True
    """Whether the network reads the encoders' class scores beside the embeddings."""
    embeddings: bool = True
    """Whether the network reads the embeddings at all."""
    cues: int = 0
    """Number of the extractor's cues that the network reads."""


@dataclass(frozen=True)
class DataConfig:
    """Where a data set's features and annotations lie."""

    features: str = ""
    """Folder of feature files."""
    annotations: str = ""
    """Annotation file: UnAV-100's JSON schema, or CSV."""
    layout: Literal["onepeace", "i3d-vggish", "avloc"] = "onepeace"
    train_split: str = "train"
    validation_split: str = "validation"
    scores: bool = True
    """Whether the network reads the encoders' class scores beside the embeddings; the layout avloc alone has them."""
    cache: bool = True
    """Whether features stay in memory, in half precision, after they were read once; off, each is read every time."""


@dataclass(frozen=True)
class RunConfig:
    """All settings of one training run; a recipe is a function that returns one."""

    data: DataConfig = field(default_factory=DataConfig)
    network: LocoConfig = field(default_factory=LocoConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)

    def __post_init__(self) -> None:
        multiple, steps = 2 ** (self.network.levels - 1), self.train.longest_steps
        nearest = max(1, round(steps / multiple)) * multiple
        needed = f"a multiple of {multiple}, as {self.network.levels} levels halve the length, such as {nearest},"
        _check("train.longest_steps", steps, steps % multiple == 0, needed)


@dataclass(frozen=True)
class ModelConfig:
    """All that a model folder says of itself beside its weights."""

    name: str
    labels: tuple[str, ...]
    features: FeatureConfig
    network: LocoConfig | GroundedConfig
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
    window_steps: int = 256
    """Length of the fixed window that the exported network runs on."""
    show_score: float = 0.3
    """Events below this score are not shown to people unless asked for."""


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain data for JSON."""
    return dataclasses.asdict(config)


def from_dict(cls: type[T], data: Mapping[str, Any], where: str = "config") -> T:
    """Build a config from plain data, strictly.

    Raises:
        ConfigError: a key is unknown (the nearest known one is named), missing, or of the wrong type.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where} is {type(data).__name__}; a group of settings is needed")
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(fields)}"
            raise ConfigError(f"{where} has no setting {key!r}; {hint}")
    values = {name: _value(hints[name], data[name], f"{where}.{name}") for name in fields if name in data}
    for name, f in fields.items():
        no_default = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if name not in data and no_default:
            raise ConfigError(f"{where} lacks the setting {name!r}")
    return cls(**values)


def _fitting(kinds: tuple[Any, ...], value: Any) -> Any:
    """Of several groups of settings, the first that has all keys of `value`; the first of all where none has."""
    if isinstance(value, Mapping):
        for kind in kinds:
            if dataclasses.is_dataclass(kind) and set(value) <= {f.name for f in dataclasses.fields(kind)}:
                return kind
    return kinds[0]


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type[Any], hint), value, where)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value in args:
            return value
        raise ConfigError(f"{where} is {value!r}; one of {', '.join(map(repr, args))} is needed")
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} is {value!r}; a list is needed")
        item = [args[0]] * len(value) if args[-1] is Ellipsis else list(args)
        if len(item) != len(value):
            raise ConfigError(f"{where} has {len(value)} entries; {len(item)} are needed")
        return tuple(_value(h, v, f"{where}[{i}]") for i, (h, v) in enumerate(zip(item, value, strict=True)))
    if origin is types.UnionType:
        if value is None and type(None) in args:
            return None
        return _value(_fitting(args, value), value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ConfigError(f"{where} is larger than any float; {hint.__name__} is needed") from None
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        raise ConfigError(f"{where} is {value!r}; {hint.__name__} is needed")
    return value
