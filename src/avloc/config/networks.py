"""Settings of the networks, one class a method. Where a paper's text leaves a choice open, the choice is a field."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

from avloc.config.checks import Settings, number, share

_RANGE = "a finite range above 0, its lower end first,"


@dataclass(frozen=True)
class NetworkConfig(Settings):
    """What every network has. `method` is the tag by which a file names the class of its settings."""

    group: ClassVar[str] = "network"
    method: ClassVar[str] = ""
    judges: ClassVar[Literal["points", "queries", "anchors"]] = "points"
    """What scores and segments are of; losses are for one of these."""

    classes: int = number(100, least=1)
    visual_width: int = number(1536, least=1)
    audio_width: int = number(1536, least=0)
    """0: the network sees alone."""

    def for_other_classes(self, classes: int) -> Self:
        """These settings for a network that starts from another's weights and learns so many classes of its own."""
        return replace(self, classes=classes)

    @property
    def multiple(self) -> int:
        """What lengths of the input are a multiple of."""
        return 1


class _Pyramid:
    """Networks of several levels, each at half the rate of the one before."""

    levels: int

    @property
    def multiple(self) -> int:
        """Stride of the coarsest level."""
        return 1 << (self.levels - 1)


@dataclass(frozen=True)
class AttentionConfig(Settings):
    """Cross-modal attention of the pyramid (paper, Section 3.4; variants of Tables 2c and 2d)."""

    group: ClassVar[str] = "attention"

    kind: Literal["global", "fixed", "cdp", "none"] = "cdp"
    """none: the modalities meet in the fusion blocks alone, as in the base model of Tables 2a and 3."""
    window: int = number(8, least=0)
    """Base window in steps of the level; 0 is the whole length."""
    adapt_from: Literal["both", "key"] = "both"
    """Streams that window adaptation pools: key and query together, or the key stream alone."""

    def check(self) -> None:
        """A window is even."""
        self.require("window", self.window % 2 == 0, "an even number of steps, or 0 for all,")


@dataclass(frozen=True)
class LccConfig(Settings):
    """Locality-aware correspondence correction (paper, Section 3.3)."""

    group: ClassVar[str] = "lcc"

    objective: Literal["learnable", "fixed", "softened", "diagonal"] = "learnable"
    sigma_steps: float = number(1.5, above=0)
    sigma_range_steps: tuple[float, float] = number((0.3, 16.0), above=0)
    softening: float = share(0.2)
    divergence: Literal["cross-entropy", "kl"] = "cross-entropy"
    temperature: float = number(0.07, above=0)
    temperature_range: tuple[float, float] = number((0.001, 0.5), above=0)

    def check(self) -> None:
        """Both start inside their ranges."""
        for name, range_name in (("sigma_steps", "sigma_range_steps"), ("temperature", "temperature_range")):
            low, high = getattr(self, range_name)
            self.require(range_name, low <= high, _RANGE)
            self.require(name, low <= getattr(self, name) <= high, f"{low:g} to {high:g}, its range,")


@dataclass(frozen=True)
class LocoConfig(_Pyramid, NetworkConfig):
    """The network. Defaults are the paper's full width on ONE-PEACE features."""

    method: ClassVar[str] = "loco"

    audio_width: int = number(1536, least=1)
    width: int = number(512, least=2)
    heads: int = number(4, least=1)
    ffn_ratio: float = number(4.0, above=0)
    unimodal_blocks: int = number(2, least=0)
    self_window: int = number(0, least=0)
    """Window of self-attention in steps of its level; 0 is the whole length, as transformer blocks are in the paper.
    A window makes cost and memory linear in the length of the video."""
    position: bool = True
    """Whether sine and cosine position encoding is added; off, a shift of the input shifts the output."""
    levels: int = number(6, least=1, most=10)
    fusion_blocks: int = number(1, least=0)
    fusion_ffn_ratio: float | None = number(None, above=0)
    """Feed-forward ratio of the fusion blocks, which are twice as wide; None takes `ffn_ratio`."""
    fusion_attention_width: int | None = number(None, least=1)
    """Width of query, key and value in the fusion blocks; None is that of the block, 2 * `width`."""
    input_dropout: float = share(0.0, below=1)
    dropout: float = share(0.0, below=1)
    drop_path: float = share(0.1, below=1)
    class_prior: float = number(0.01, above=0, below=1)
    attention: AttentionConfig = field(default_factory=AttentionConfig)
    lcc: LccConfig = field(default_factory=LccConfig)

    def check(self) -> None:
        """Heads divide widths; windows are even."""
        divides = self.width % 2 == 0 and self.width % self.heads == 0
        self.require("width", divides, f"an even width that {self.heads} heads divide")
        inner = self.fusion_attention_width
        divides = inner is None or inner % self.heads == 0
        self.require("fusion_attention_width", divides, f"a width that {self.heads} heads divide")
        self.require("self_window", self.self_window % 2 == 0, "an even number of steps, or 0,")


@dataclass(frozen=True)
class GroundedConfig(_Pyramid, NetworkConfig):
    """The network of the default model (avloc.models.grounded): encoders' class scores instead of embeddings."""

    method: ClassVar[str] = "grounded"

    visual_width: int = number(1000 + 1 + 80, least=1)
    audio_width: int = number(521 + 2, least=3)
    sounds: int = number(1, least=1)
    """Most sound classes that ground one class."""
    objects: int = number(80, least=0)
    """Of visual_width, classes of the object detector; they come last, behind the face."""
    width: int = number(32, least=1)
    levels: int = number(6, least=1, most=10)
    members: int = number(1, least=1)
    """Pyramids, each trained from a start of its own, whose logits and offsets are averaged."""
    class_prior: float = number(0.02, above=0, below=1)

    def check(self) -> None:
        """Objects are a part of what is seen."""
        self.require("objects", self.objects < self.visual_width, f"0 to {self.visual_width - 1}")


@dataclass(frozen=True)
class FamilyConfig(_Pyramid, NetworkConfig):
    """What ActionFormer and the methods made from its code share (Zhang, Wu and Li 2022)."""

    steps: int = number(224, least=1)
    """Length to which inputs are padded inside the network where `reads_padding` is on; longer ones to the next
    multiple of what the coarsest level needs, and then positions are stretched from this length to theirs."""
    width: int = number(512, least=2)
    levels: int = number(6, least=1, most=10)
    embedding_blocks: int = number(2, least=1)
    embedding_kernel: int = number(3, least=1)
    embedding_norm: bool = True
    stem_blocks: int = number(2, least=0)
    head_width: int = number(512, least=1)
    head_blocks: int = number(2, least=0)
    """Convolutions of a head before its last."""
    head_kernel: int = number(3, least=1)
    head_norm: bool = True
    position: bool = True
    """Whether sine and cosine position encoding is added."""
    drop_path: float = share(0.1, below=1)
    """0: branches have no learned scale either, as published."""
    class_prior: float = number(0.01, above=0, below=1)
    reads_padding: bool = True
    """As published: convolutions read what stands in padded steps (a trained constant) at a video's end, so that a
    result depends on whether padding follows. Off, padding is neither read nor written."""

    def check(self) -> None:
        """Kernels are odd; lengths can be halved from level to level."""
        self.require("width", self.width % 2 == 0, "an even width")
        for name in ("embedding_kernel", "head_kernel"):
            self.require(name, getattr(self, name) % 2 == 1, "an odd kernel")
        needed = f"a multiple of {self.multiple}, for {self.levels} levels,"
        self.require("steps", self.steps % self.multiple == 0, needed)


@dataclass(frozen=True)
class OneStreamConfig(FamilyConfig):
    """Those of the family that read both modalities side by side, as one stream."""

    neck_norm: bool = True
    """Whether each level passes a norm of its own before the heads."""


@dataclass(frozen=True)
class ActionFormerConfig(OneStreamConfig):
    """ActionFormer (Zhang, Wu and Li 2022) on both modalities side by side."""

    method: ClassVar[str] = "actionformer"

    heads: int = number(4, least=1)
    windows: tuple[int, ...] = number((), least=-1)
    """Window of local attention in steps, level by level, each odd; 1 or less sees all. Empty: all levels see all."""

    def check(self) -> None:
        """Heads divide the width; a window for each level or none."""
        super().check()
        self.require("width", self.width % self.heads == 0, f"a width that {self.heads} heads divide")
        fits = len(self.windows) in (0, self.levels) and all(w % 2 == 1 or w < 1 for w in self.windows)
        self.require("windows", fits, f"one odd window for each of {self.levels} levels, or none,")


@dataclass(frozen=True)
class TriDetConfig(OneStreamConfig):
    """TriDet (Shi et al. 2023) on both modalities side by side."""

    method: ClassVar[str] = "tridet"

    position: bool = False
    hidden: int = number(768, least=1)
    """Width inside the feed-forward part of a block."""
    windows: tuple[int, ...] = number((1,), least=1)
    """Kernel of the window branch, odd: one for all blocks below the stem, or one for each level (the first is the
    stem's, which has kernel 1 whatever it says)."""
    window_growth: float = number(5.0, above=0, most=100)
    """The wider branch has round((window + 1) * window_growth) steps, made odd."""
    bins: int = number(16, least=1)
    """Bins to either side in which a boundary is looked for."""
    boundary_kernel: int = number(3, least=1)
    start_deviation: float = number(0.0, least=0)
    """Standard deviation of the depthwise convolutions' first weights."""
    input_noise: float = number(5e-4, least=0)
    """Standard deviation of the noise that is added to the input in training."""

    def check(self) -> None:
        """Kernels are odd; sixteen groups divide the width."""
        super().check()
        self.require("width", self.width % 16 == 0, "a multiple of 16")
        self.require("boundary_kernel", self.boundary_kernel % 2 == 1, "an odd kernel")
        fits = len(self.windows) in (1, self.levels) and all(w % 2 == 1 for w in self.windows)
        self.require("windows", fits, f"one odd window, or one for each of {self.levels} levels,")


@dataclass(frozen=True)
class TadTrConfig(NetworkConfig):
    """TadTR (Liu et al. 2022) on both modalities side by side. Defaults are the sizes of its THUMOS-14 settings."""

    method: ClassVar[str] = "tadtr"
    judges: ClassVar[Literal["points", "queries", "anchors"]] = "queries"

    width: int = number(256, least=2)
    heads: int = number(8, least=1)
    groups: int = number(32, least=1)
    """Of channels, each normed by itself over the whole video, behind the projection of the input."""
    queries: int = number(40, least=1)
    """Most segments that one input can have."""
    encoder_layers: int = number(4, least=1)
    decoder_layers: int = number(4, least=1)
    encoder_points: int = number(4, least=1)
    """Places that each head of an encoder layer samples for a step."""
    decoder_points: int = number(4, least=1)
    """Places that each head of a decoder layer samples for a query."""
    ffn_width: int = number(1024, least=1)
    activation: Literal["relu", "gelu"] = "relu"
    dropout: float = share(0.1, below=1)
    region_bins: int = number(16, least=1)
    """Bins into which the steps around a query's segment are gathered to judge its actionness."""
    region_size: float = number(1.5, above=0)
    """Length of these steps in lengths of the segment."""
    class_prior: float = number(0.01, above=0, below=1)
    reads_padding: bool = False
    """As published: padded steps count in the group norm, and regions of actionness are placed and cut as if the
    video filled its padded length. Off, a video is judged alike whatever it is padded to; for one that fills its
    input the two are the same."""

    def check(self) -> None:
        """Heads and groups divide the width."""
        self.require("width", self.width % 2 == 0, "an even width")
        self.require("heads", self.width % self.heads == 0, f"a divisor of the width {self.width}")
        self.require("groups", self.width % self.groups == 0, f"a divisor of the width {self.width}")


@dataclass(frozen=True)
class VsgnConfig(NetworkConfig):
    """VSGN (Zhao, Thabet and Ghanem 2021) on both modalities side by side. Defaults are for UnAV-100, not
    stitched."""

    method: ClassVar[str] = "vsgn"
    judges: ClassVar[Literal["points", "queries", "anchors"]] = "anchors"

    steps: int = number(256, least=1)
    """Length to which inputs are padded inside the network; longer ones to the next multiple of the coarsest
    stride. Padding counts, as published: a result depends on this length."""
    width: int = number(256, least=1)
    levels: int = number(5, least=1, most=10)
    stem_stride: int = number(1, least=1, most=2)
    """Of the first convolution; the finest level has twice this stride."""
    graph: bool = True
    """Whether levels have graph layers; off, a level is a convolution of stride 2."""
    neighbours: int = number(12, least=2)
    """Steps of like features that each step of a graph layer listens to, itself among them."""
    head_blocks: int = number(4, least=0)
    """Convolutions of the two towers, each followed by a group norm."""
    groups: int = number(32, least=1)
    scales: tuple[float, ...] = number((3.0, 7.5), above=0)
    """Lengths of a place's anchors in strides of its level."""
    stitch: bool = False
    """Self-stitching: a short clip stands beside a magnified copy of itself."""
    stitch_share: float = number(0.4, above=0, below=1)
    """Clips of at most this share of `steps` are short."""
    stitch_gap: int = number(30, least=0)
    """Empty steps between a clip and its copy."""
    least_probability: float = share(0.005)
    """A class of an anchor that is not likelier than this has a score of 0."""

    def check(self) -> None:
        """Levels can be halved, neighbours be found, a short clip be magnified."""
        coarsest = self.stem_stride << self.levels
        self.require("steps", self.steps % coarsest == 0, f"a multiple of {coarsest}, for {self.levels} levels,")
        self.require("groups", self.width % self.groups == 0, f"a divisor of the width {self.width}")
        self.require("scales", bool(self.scales), "a scale or more")
        if self.graph:
            fewest = 2 * self.steps // coarsest
            self.require("neighbours", self.neighbours <= fewest, f"at most {fewest}, the steps of the last graph,")
        if self.stitch:
            most = self.steps - int(self.stitch_share * self.steps) - 1
            self.require("stitch_gap", self.stitch_gap <= most, f"at most {most}, so that a copy has room,")


@dataclass(frozen=True)
class TwoStreamConfig(FamilyConfig):
    """Those of the family with a stream for each modality, which ask one another on each level (Geng et al. 2023)."""

    audio_width: int = number(1536, least=1)
    heads: int = number(4, least=1)

    def check(self) -> None:
        """Heads divide the width."""
        super().check()
        self.require("width", self.width % self.heads == 0, f"a width that {self.heads} heads divide")


@dataclass(frozen=True)
class UnavConfig(TwoStreamConfig):
    """UnAV (Geng et al. 2023)."""

    method: ClassVar[str] = "unav"

    class_aware: bool = True
    """Whether each class of a point has a segment of its own."""
    dependency: bool = True
    """Whether classes look at one another and at themselves over time before the heads."""
    dependency_width: int = number(128, least=1)
    """Channels that each class has there."""


Task = Literal["AVEL", "TAL", "SED"]
"""What is looked for: audio-visual events, actions that are seen, events that are heard."""


@dataclass(frozen=True)
class UniavConfig(TwoStreamConfig):
    """UniAV (Geng et al. 2024): one network for several tasks, each with experts of its own."""

    method: ClassVar[str] = "uniav"

    steps: int = number(256, least=1)
    task: Task = "AVEL"
    """The task whose experts run; `classes` are its own."""
    class_aware: bool = True
    """Whether each class of a point has a segment of its own."""
    class_embeddings: str = ""
    """File of text embeddings of the classes: .npy (classes, text_width), in the order of the labels. It is read when
    a run begins, and kept with the weights. Empty: a table of that size is learned instead."""
    others: tuple[tuple[Task, int, str], ...] = ()
    """Tasks whose experts are there as well: each with its number of classes and the file of their embeddings. Their
    segments are class-agnostic for TAL, class-aware else."""
    text_width: int = number(1536, least=1)
    temperature: float = number(0.07, above=0)
    """Of the cosine between a point and a class, at the start; it is learned."""
    most_scale: float | None = number(None, above=0)
    """What the cosine is multiplied by at most; None lets it grow, as published."""
    class_bias: bool = False
    """Whether logits have a bias for each class, which starts at `class_prior`; off, as published, all scores start
    around one half."""
    position_steps: int | None = number(None, least=1)
    """Length of the position code, that of the task with the longest videos; None is `steps`."""
    squeezed_position: bool = False
    """Whether a task of fewer `steps` than that gets the whole code, squeezed, as the authors' evaluation does; off,
    it gets the code's beginning, as their training does."""

    def for_other_classes(self, classes: int) -> Self:
        """Nobody has embeddings of them: they are learned, from those of the known ones on."""
        return replace(self, classes=classes, class_embeddings="")

    def check(self) -> None:
        """Each task is there once."""
        super().check()
        names = [self.task, *(name for name, _, _ in self.others)]
        sound = len(set(names)) == len(names) and all(classes >= 1 for _, classes, _ in self.others)
        self.require("others", sound, f"each task once, and none of them {self.task}, with 1 class or more,")


@dataclass(frozen=True)
class CustomNetworkConfig(NetworkConfig):
    """A network that is not of this package: detection runs its exported file, and asks for no more than sizes."""

    method: ClassVar[str] = "custom"


AnyNetworkConfig = (
    LocoConfig
    | GroundedConfig
    | ActionFormerConfig
    | TriDetConfig
    | TadTrConfig
    | VsgnConfig
    | UnavConfig
    | UniavConfig
)
"""A network of any method; the tag `method` says which."""
