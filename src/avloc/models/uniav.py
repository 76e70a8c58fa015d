"""UniAV: two streams > cross-modal pyramid > text classifier, regression; feed-forward parts are experts of a task.

UniAV: Unified Audio-Visual Perception for Multi-Task Video Event Localization (Geng et al. 2024), Section 3. Tasks
are audio-visual event localization (AVEL), temporal action localization (TAL) and sound event detection (SED), which
share attention and the trunks of the heads. A class is an embedding of a text about it, which points are held to.
Legend: B batch, T time, S steps of all levels in one row, P points, C channels, K classes, W width of a text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from avloc.config import UniavConfig
from avloc.models.attention import FeedForward
from avloc.models.blocks import ConvStack, MaskedConv, sinusoid, zero_biases
from avloc.models.conv_attention import OFFICIAL_BLOCK, ConvAttentionBlock
from avloc.models.family import OFFICIAL_NAMES, Embedding, Row, head, joined, padded, padded_length, spare_steps
from avloc.models.heads import distances
from avloc.models.network import Network
from avloc.models.outputs import DenseOutputs
from avloc.models.two_streams import Block, TwoStreams, official_streams

_TASKS = ("TAL", "AVEL", "SED")  # in the order of the authors' TASK1, TASK2, TASK3


class ExpertBlock(ConvAttentionBlock):
    """Attention that all tasks share, with a norm and a feed-forward part for each of them."""

    def __init__(self, config: UniavConfig, stride: int, tasks: list[str]) -> None:
        c = config
        super().__init__(
            c.width, c.heads, stride=stride, drop_path=c.drop_path, crossed=True, reads_padding=c.reads_padding
        )
        self.norm_ffn = nn.ModuleDict({task: nn.LayerNorm(c.width) for task in tasks})  # type: ignore[assignment]
        self.ffn = nn.ModuleDict({task: FeedForward(c.width, 4 * c.width, dropout=0.0) for task in tasks})  # type: ignore[assignment]

    def _expert(self, task: str) -> tuple[nn.Module, FeedForward]:
        return self.norm_ffn[task], self.ffn[task]  # type: ignore[index, return-value]


class TaskEmbedding(Embedding):
    """Its position code is as long as the longest task's."""

    def __init__(self, width_in: int, config: UniavConfig) -> None:
        super().__init__(width_in, config)
        self.config: UniavConfig = config

    def code(self, length: int) -> Float[Tensor, "T C"]:
        c = self.config
        longest = c.position_length
        if not c.squeezed_position:
            return sinusoid(length, c.width, longest if c.reads_padding else None)
        table = sinusoid(longest, c.width).T[None]  # (1, C, longest)
        return F.interpolate(table, max(c.steps, length), mode="linear", align_corners=False)[0].T[:length]


class ClassTexts(nn.Module):
    """For each task a table (K, W) of its classes: embeddings that are given, or learned ones."""

    def __init__(self, tables: Mapping[str, tuple[int, str]], width: int) -> None:
        super().__init__()
        for task, (classes, file) in tables.items():
            if file:
                self.register_buffer(task, torch.zeros(classes, width))
            else:
                start = torch.randn(classes, width) / math.sqrt(width)
                self.register_parameter(task, nn.Parameter(start))

    def forward(self, task: str) -> Float[Tensor, "K W"]:
        return getattr(self, task)  # type: ignore[no-any-return]


class TextClassifier(nn.Module):
    """Logits (B, T, K): the scaled cosine between what a point looks like and what a class is called."""

    def __init__(self, config: UniavConfig, tables: Mapping[str, tuple[int, str]]) -> None:
        super().__init__()
        self.convs = head(config, config.head_width, width_in=2 * config.width)
        self.texts = ClassTexts(tables, config.text_width)
        self.project = nn.Linear(config.text_width, config.head_width)
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        self.scale = nn.Parameter(torch.tensor(-math.log(config.temperature)))
        prior = -math.log((1 - config.class_prior) / config.class_prior)
        self.biases = nn.ParameterDict(
            {task: nn.Parameter(torch.full((classes,), prior)) for task, (classes, _) in tables.items()}
            if config.class_bias
            else {}
        )

    def forward(self, row: Row, task: str) -> Float[Tensor, "B S K"]:
        """Zero outside videos."""
        seen = F.normalize(self.convs(row.x, row.mask, row.real), dim=-1)
        named = F.normalize(self.project(self.texts(task)), dim=-1)
        logits = (seen @ named.T) * self.scale.exp()
        if task in self.biases:
            logits = logits + self.biases[task]
        return logits * row.mask[..., None].to(logits.dtype)


class TaskRegression(nn.Module):
    """Distances (B, T, S, 2), from a trunk that tasks share and a last convolution for each."""

    def __init__(self, config: UniavConfig, outputs: Mapping[str, int]) -> None:
        super().__init__()
        c = config
        both, kernel = 2 * c.width, c.head_kernel
        self.trunk = ConvStack(
            both, c.head_width, c.head_blocks, kernel, normed=c.head_norm, reads_padding=c.reads_padding
        )
        width = c.head_width if c.head_blocks else both
        self.last = nn.ModuleDict(
            {task: MaskedConv(width, n, kernel, reads_padding=c.reads_padding) for task, n in outputs.items()}
        )
        self.scales = nn.Parameter(torch.ones(c.levels))

    def forward(self, row: Row, task: str) -> Float[Tensor, "B S N 2"]:
        y = self.last[task](self.trunk(row.x, row.mask, row.real), row.mask, row.real)
        return distances(y, self.scales, row.lengths)


class Uniav(Network):
    """Features of both modalities on one grid -> DenseOutputs. T must be a multiple of 2^(levels - 1)."""

    official_names: ClassVar = (
        *official_streams("cross_att_Va", "cross_att_Av"),
        (r"\.ln2_(TAL|AVEL|SED)\.", r".norm_ffn.\1."),
        (r"\.mlp_(TAL|AVEL|SED)\.", r".ffn.\1."),
        (r"^cls_head\.clip_proj\.", "classify.project."),
        (r"^cls_head\.vis_proj\.", "classify.convs.last."),
        (r"^cls_head\.logit_scale$", "classify.scale"),
        (r"^reg_head\.head\.(\d+)\.", r"regress.trunk.convs.\1."),
        (r"^reg_head\.norm\.(\d+)\.", r"regress.trunk.norms.\1."),
        *((rf"^reg_head\.offset_head\.TASK{i}\.", f"regress.last.{task}.") for i, task in enumerate(_TASKS, start=1)),
        *OFFICIAL_NAMES,
        *OFFICIAL_BLOCK,
    )

    official_hint: ClassVar = "class embeddings are not in it: name their file (network.class_embeddings)"

    def __init__(self, config: UniavConfig) -> None:
        super().__init__()
        self.config: UniavConfig = config
        self.multiple = 2 ** (config.levels - 1)
        c = config
        self.of_task: dict[str, UniavConfig] = {task: c.for_task(task) for task in c.tasks}
        self.tables = {task: (own.classes, own.class_embeddings) for task, own in self.of_task.items()}
        block: Block = lambda stride: ExpertBlock(c, stride, list(self.tables))  # noqa: E731
        self.streams = TwoStreams(c, block=block, embedding=lambda width: TaskEmbedding(width, c))
        zero_biases(self)
        self.classify = TextClassifier(c, self.tables)
        outputs = {task: 2 * own.classes if own.class_aware else 2 for task, own in self.of_task.items()}
        self.regress = TaskRegression(c, outputs)

    def forward(
        self,
        visual: Float[Tensor, "B T Dv"],
        audio: Float[Tensor, "B T Da"],
        mask: Bool[Tensor, "B T"],
        task: str = "",
    ) -> DenseOutputs:
        """`task`: whose experts look; the settings' own if it is not named."""
        T, c = mask.shape[1], self.config
        task = task or c.task
        length = padded_length(T, self.of_task[task], self.multiple, spare=spare_steps(c))
        (seen, m), (heard, _) = padded(visual, mask, length), padded(audio, mask, length)
        levels, masks = self.streams(seen, heard, m, task)
        row = joined(levels, masks, gap=c.head_kernel // 2)
        logits, offsets = self.classify(row, task), self.regress(row, task)
        return row.outputs(logits, offsets, T)

    def given(self) -> Mapping[str, str]:
        """Tables of class embeddings."""
        return {f"classify.texts.{task}": file for task, (_, file) in self.tables.items() if file}

    def leaves(self, name: str) -> bool:
        """What belongs to the experts of other tasks."""
        return any(f".{task}." in name for task in _TASKS if task not in self.tables)

    def remarks(self) -> tuple[str, ...]:
        """Where class embeddings come from."""
        learned = [task for task, (_, file) in self.tables.items() if not file]
        if not learned:
            return ()
        told = f" of {', '.join(learned)}" if len(self.tables) > 1 else ""
        return (
            f"class embeddings{told} are learned, since no setting class_embeddings names a file of them; the "
            "authors' are of texts about the classes",
        )

    def after_step(self) -> None:
        """Keep the scale of the cosine where the settings end it."""
        if self.config.most_scale is not None:
            with torch.no_grad():
                self.classify.scale.clamp_(max=math.log(self.config.most_scale))


def build(config: UniavConfig) -> Uniav:
    """The network of these settings."""
    return Uniav(config)
