"""Table 1: LoCo beside the other methods, each by its own recipe for the same features.

A method's recipe beside a LoCo recipe has its name with another method in front: `loco-small` > `unav-small`. Weights
that its authors released, imported into a model folder, stand in a row of their own and are tested alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from avloc import zoo
from avloc.config import RunConfig
from avloc.errors import ConfigError, ModelError
from avloc.experiments.grid import REFERENCE, Change, PaperTable, Row
from avloc.experiments.settings import with_settings
from avloc.recipes.table import RECIPES, origin_of

TABLE = "table1"
TITLES = {
    "vsgn": "VSGN",
    "tadtr": "TadTR",
    "actionformer": "ActionFormer",
    "tridet": "TriDet",
    "ccnet": "CCNet",
    "unav": "UnAV",
    "uniav": "UniAV",
    REFERENCE: "LoCo",
}
"""Methods in the order of the table, the paper's own last."""

_RELEASED = "-released"

MODALITIES = "modalities"
_ALONE = {"visual": "visual alone", "audio": "audio alone"}


def recipe_beside(recipe_name: str, method: str) -> str | None:
    """Name of a method's recipe for the features of a LoCo recipe; None where it has none."""
    name = recipe_name.replace(f"{REFERENCE}-", f"{method}-", 1)
    return name if name in RECIPES else None


def method_rows(recipe_name: str, settings: Sequence[str] = (), models: Path | None = None) -> tuple[Row, ...]:
    """The rows of Table 1 but LoCo's, quickest to train first as far as that is known.

    `settings` replace some of every recipe; `models` is a folder of model folders with released weights.

    Raises:
        ConfigError: a setting is unknown to a method, or its value of the wrong type.
        ModelError: a model folder is broken.
    """
    rows = []
    for method in TITLES:
        name = recipe_beside(recipe_name, method)
        if method == REFERENCE or name is None:
            continue
        rows.append(Row(method, (_by(name, settings),)))
    return (*rows, *_released(models, recipe_name))


def method_table(rows: Sequence[Row], recipe_name: str) -> PaperTable:
    """Table 1 of the rows that there are, with whose settings each has."""
    named = {row.name for row in rows} | {REFERENCE}
    lines: list[tuple[tuple[str, ...], str]] = []
    for method, title in TITLES.items():
        if method in named:
            beside = recipe_beside(recipe_name, method)
            lines.append(((title, "ours" if beside is None else origin_of(beside)), method))
        if f"{method}{_RELEASED}" in named:
            lines.append(((title, "released weights"), f"{method}{_RELEASED}"))
    return PaperTable(TABLE, "Table 1: methods", ("method", "settings"), tuple(lines))


def modality_rows(recipe_name: str, settings: Sequence[str] = ()) -> tuple[Row, ...]:
    """The methods that read both modalities as one stream: on both, and on one alone, quickest first.

    Raises:
        ConfigError: as `method_rows`.
    """
    rows = []
    for method in TITLES:
        name = recipe_beside(recipe_name, method)
        if name is None or RECIPES[name]().network.needs_both:
            continue
        rows.append(Row(method, (_by(name, settings),)))
        rows += [Row(f"{method}-{one}", (_by(name, [*settings, f'data.modalities=["{one}"]']),)) for one in _ALONE]
    return tuple(rows)


def modality_table(rows: Sequence[Row]) -> PaperTable:
    """Each method on both modalities and on one alone, with LoCo's line above, in Table 1's manner."""
    lines: list[tuple[tuple[str, ...], str]] = [((TITLES[REFERENCE], "both"), REFERENCE)]
    for row in rows:
        method, _, one = row.name.partition("-")
        lines.append(((TITLES[method], _ALONE.get(one, "both")), row.name))
    return PaperTable(MODALITIES, "One modality alone", ("method", "modalities"), tuple(lines))


def _by(name: str, settings: Sequence[str]) -> Change:
    """Another recipe on the same data, fitted to it."""
    try:
        other = with_settings(RECIPES[name](), settings)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}; --set needs settings that all methods have") from None

    def change(run: RunConfig) -> RunConfig:
        n, read = run.network, other.data.modalities or tuple(_ALONE)
        widths = (n.visual_width if "visual" in read else 0, n.audio_width if "audio" in read else 0)
        network = replace(other.network, classes=n.classes, visual_width=widths[0], audio_width=widths[1])
        return replace(other, data=replace(run.data, modalities=other.data.modalities), network=network)

    return change


def _released(models: Path | None, recipe_name: str) -> list[Row]:
    """Rows of model folders whose method and features are those of a row."""
    if models is None:
        return []
    if not models.is_dir():
        raise ModelError(f"{models}: is no folder; name one that holds model folders of avloc import")
    rows: list[Row] = []
    for folder in sorted(path for path in models.iterdir() if (path / zoo.CONFIG).is_file()):
        model = zoo.read_config(folder)
        method = model.network.method
        beside = recipe_beside(recipe_name, method)
        if beside is None or model.features.streams.visual != RECIPES[beside]().data.layout:
            continue
        name = f"{method}{_RELEASED}"
        if any(row.name == name for row in rows):
            raise ModelError(f"{models}: holds several models of {method} on these features; leave one")
        rows.append(Row(name, (_by(beside, ()),), weights=folder.resolve()))
    return rows
