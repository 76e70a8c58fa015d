"""Which features a recipe's model reads, on which grid: for model folders that are made without a data set."""

from __future__ import annotations

from collections.abc import Callable

from avloc.config import FeatureConfig, RunConfig
from avloc.features.layout import LAYOUTS
from avloc.recipes.actionformer import actionformer_anet_i3d
from avloc.recipes.tadtr import tadtr_thumos
from avloc.recipes.tridet import tridet_anet_tsp, tridet_hacs_i3d
from avloc.recipes.vsgn import vsgn_thumos
from avloc.streams import Streams

Recipe = Callable[[], RunConfig]


def _grid(name: str, fps: float, stride: int, window: int) -> FeatureConfig:
    """Windows of `window` frames every `stride` frames, at `fps` frames a second."""
    return FeatureConfig(Streams(visual=name, audio=name), stride / fps, window / fps, 0.0, scores=False)


_OTHER: dict[Recipe, FeatureConfig] = {
    # As they are before each video is resized to 192 steps, whose length then depends on the video.
    actionformer_anet_i3d: _grid("i3d-activitynet-resized-192", 25, 16, 16),
    # Their grid is not stated: 128 steps are as long as the 256 of every fourth frame that others give this network.
    tadtr_thumos: _grid("i3d2s-thumos14", 30, 8, 16),
    tridet_anet_tsp: _grid("tsp-activitynet", 15, 16, 16),
    tridet_hacs_i3d: _grid("i3d-hacs", 2, 1, 1),
    vsgn_thumos: _grid("two-stream-thumos14", 30, 1, 1),
}
"""Features that no layout of avloc reads."""


def features_of(recipe: Recipe) -> FeatureConfig:
    """The recipe's features."""
    if recipe in _OTHER:
        return _OTHER[recipe]
    layout = next(layout for layout in LAYOUTS if layout.name == recipe().data.layout)
    grid = layout.grid
    return FeatureConfig(layout.streams, grid.stride_s, grid.window_s, grid.offset_s, scores=False)
