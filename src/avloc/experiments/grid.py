"""The rows of the paper's tables, each a recipe with settings replaced, and which rows a table shows.

Rows have one name over all tables, so that what several tables share is trained once. Two rows need a reading of the
text (Sections 4.4 and 4.5):

- The base model has neither LCC nor cross-attention: Table 3 adds global attention ("GB") to it, and the text calls
  the second row of Table 2a one without explicit cross-modal interaction. Its modalities meet in the fusion blocks.
- The window "Full" of Table 2d is the global attention of Table 2c: the text compares the one with the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from avloc.config import RunConfig
from avloc.errors import ConfigError
from avloc.experiments.of_loco import network_of, with_attention, with_lcc, with_loss

Change = Callable[[RunConfig], RunConfig]


@dataclass(frozen=True, slots=True)
class Row:
    """One model to train: its name in the grid, and what it changes in the recipe.

    `weights`: a model folder that is tested as it is, and not trained.
    """

    name: str
    changes: tuple[Change, ...]
    weights: Path | None = None

    def of(self, recipe: RunConfig, seed: int) -> RunConfig:
        """All settings of the row with one seed."""
        run = recipe
        for change in self.changes:
            run = change(run)
        return replace(run, train=replace(run.train, seed=seed))


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table of the paper: the words before its numbers, and the row of the grid that each line shows.

    reference: the row that the others are held against; against: whose it is, in words.
    """

    name: str
    title: str
    heads: tuple[str, ...]
    lines: tuple[tuple[tuple[str, ...], str], ...]
    reference: str = "loco"
    against: str = "LoCo's"

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of its rows, in order."""
        return tuple(row for _, row in self.lines)


def attention(kind: Literal["global", "fixed", "cdp", "none"]) -> Change:
    """Cross-attention of the pyramid."""

    def change(run: RunConfig) -> RunConfig:
        return with_attention(run, kind=kind)

    return change


def window(steps: int) -> Change:
    """Base window, in steps of its level."""

    def change(run: RunConfig) -> RunConfig:
        return with_attention(run, window=steps)

    return change


def objective(kind: Literal["learnable", "fixed", "softened", "diagonal"]) -> Change:
    """R of Eq. 4."""

    def change(run: RunConfig) -> RunConfig:
        return with_lcc(run, objective=kind)

    return change


def divergence(form: Literal["cross-entropy", "kl"]) -> Change:
    """Form of Eq. 2."""

    def change(run: RunConfig) -> RunConfig:
        return with_lcc(run, divergence=form)

    return change


def pooled_stream(stream: Literal["both", "key"]) -> Change:
    """What window adaptation pools (Eq. 7)."""

    def change(run: RunConfig) -> RunConfig:
        return with_attention(run, adapt_from=stream)

    return change


def negatives(kind: Literal["video", "others", "unlike"]) -> Change:
    """Negatives of Eq. 2."""

    def change(run: RunConfig) -> RunConfig:
        return with_lcc(run, negatives=kind)

    return change


def projection(kind: Literal["shared", "none"]) -> Change:
    """W of Eq. 2."""

    def change(run: RunConfig) -> RunConfig:
        return with_lcc(run, projection=kind)

    return change


def weight(lcc: float) -> Change:
    """Lambda of Eq. 9."""

    def change(run: RunConfig) -> RunConfig:
        return with_loss(run, lcc_weight=lcc)

    return change


def after_warmup(run: RunConfig) -> RunConfig:
    """LCC from the end of warm-up on."""
    return with_loss(run, lcc_after_warmup=True)


def residual_of_query(run: RunConfig) -> RunConfig:
    """CDP adds what is attended to the query's stream."""
    return with_attention(run, residual="query")


def network_with(**changes: Any) -> Change:
    """Other settings of LoCo's network."""

    def change(run: RunConfig) -> RunConfig:
        return replace(run, network=replace(network_of(run), **changes))

    return change


def without_lcc(run: RunConfig) -> RunConfig:
    """Eq. 9 without its last term."""
    return with_loss(run, lcc_weight=0.0)


REFERENCE = "loco"
"""The row that all others of the paper are held against."""

ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        # In the order in which they are trained: what the first claims need comes first.
        Row("loco", ()),
        Row("global", (attention("global"),)),
        Row("cdp", (without_lcc,)),
        Row("fixed", (attention("fixed"),)),
        Row("base", (attention("none"), without_lcc)),
        Row("lcc", (attention("none"),)),
        Row("diagonal", (objective("diagonal"),)),
        Row("fixed-gaussian", (objective("fixed"),)),
        Row("softened", (objective("softened"),)),
        Row("window-4", (window(4),)),
        Row("window-16", (window(16),)),
        Row("window-32", (window(32),)),
        Row("base-global", (attention("global"), without_lcc)),
        Row("kl", (divergence("kl"),)),
        Row("key-stream", (pooled_stream("key"),)),
        Row("weight-0.03", (weight(0.03),)),
        Row("weight-0.01", (weight(0.01),)),
        Row("own-negatives", (negatives("video"),)),
        Row("other-negatives", (negatives("others"),)),
        Row("unlike-negatives", (negatives("unlike"),)),
        Row("after-warmup", (after_warmup,)),
        Row("shared-projection", (projection("shared"),)),
        Row("no-projection", (projection("none"),)),
        Row("query-residual", (residual_of_query,)),
        Row("residual-scales", (network_with(residual_scales=True),)),
        Row("fusion-by-level", (network_with(fusion_by_level=True),)),
    )
}

_ON, _OFF = "yes", "no"

TABLES: dict[str, PaperTable] = {
    table.name: table
    for table in (
        PaperTable(
            "table2a",
            "Table 2a: key components",
            ("LCC", "CDP"),
            (((_OFF, _OFF), "base"), ((_ON, _OFF), "lcc"), ((_OFF, _ON), "cdp"), ((_ON, _ON), "loco")),
        ),
        PaperTable(
            "table2b",
            "Table 2b: correspondence objective R",
            ("R",),
            (
                (("diagonal matrix",), "diagonal"),
                (("softened target",), "softened"),
                (("fixed gaussian",), "fixed-gaussian"),
                (("learnable gaussian",), "loco"),
            ),
        ),
        PaperTable(
            "table2c",
            "Table 2c: cross-attention",
            ("attention",),
            ((("global",), "global"), (("fixed",), "fixed"), (("CDP",), "loco")),
        ),
        PaperTable(
            "table2d",
            "Table 2d: base window",
            ("window",),
            (
                (("4",), "window-4"),
                (("8",), "loco"),
                (("16",), "window-16"),
                (("32",), "window-32"),
                (("full",), "global"),
            ),
        ),
        PaperTable(
            "table3",
            "Table 3: cost",
            ("model",),
            (
                (("base",), "base"),
                (("base + global attention",), "base-global"),
                (("base + CDP",), "cdp"),
                (("base + global attention + LCC",), "global"),
                (("base + LCC + CDP (LoCo)",), "loco"),
            ),
        ),
        PaperTable(
            "readings",
            "Other readings of the paper's text",
            ("reading",),
            (
                (("as above",), "loco"),
                (("KL(R, p) for cross-entropy (Eq. 2)",), "kl"),
                (("window adaptation pools the key's stream alone (Eq. 7)",), "key-stream"),
            ),
        ),
        PaperTable(
            "weights",
            "LCC's weight (lambda of Eq. 9)",
            ("weight",),
            ((("0.1",), "loco"), (("0.03",), "weight-0.03"), (("0.01",), "weight-0.01"), (("0",), "cdp")),
        ),
        PaperTable(
            "controls",
            "Controls: LCC and the network in other forms",
            ("form",),
            (
                (("as above",), "loco"),
                (("without LCC",), "cdp"),
                (("negatives of the own video alone",), "own-negatives"),
                (("negatives of other videos alone",), "other-negatives"),
                (("no negatives of a class that is on",), "unlike-negatives"),
                (("LCC after warm-up",), "after-warmup"),
                (("one projection for both modalities",), "shared-projection"),
                (("no projection",), "no-projection"),
                (("CDP's residual stream from the query",), "query-residual"),
                (("residual scales that start at 1e-4",), "residual-scales"),
                (("fusion blocks per level",), "fusion-by-level"),
            ),
        ),
    )
}

ALL = ("table2a", "table2b", "table2c", "table2d", "table3")
"""The paper's own tables: what `all` makes."""

BESIDE = ("readings", "weights", "controls")
"""Tables that the paper has not: what `all --also` makes."""


def paper_table(name: str) -> PaperTable:
    """One of TABLES.

    Raises:
        ConfigError: there is no such table.
    """
    if name not in TABLES:
        raise ConfigError(f"there is no table {name!r}; known are {', '.join(TABLES)}")
    return TABLES[name]
