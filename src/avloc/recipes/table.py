"""Every recipe that trains on a data set, by the name under which it is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from avloc.config import RunConfig
from avloc.recipes.actionformer import (
    actionformer_anet_i3d,
    actionformer_small,
    actionformer_thumos_i3d,
    actionformer_unav100_i3d_vggish,
    actionformer_unav100_onepeace,
)
from avloc.recipes.ccnet import ccnet_small, ccnet_unav100_i3d_vggish, ccnet_unav100_onepeace
from avloc.recipes.loco import (
    loco_composed,
    loco_medium,
    loco_small,
    loco_unav100_i3d_vggish,
    loco_unav100_onepeace,
)
from avloc.recipes.other_sets import (
    actionformer_epic_sounds,
    loco_ave,
    loco_ave_small,
    loco_llp,
    loco_ov_ave,
)
from avloc.recipes.tadtr import tadtr_small, tadtr_thumos, tadtr_unav100_i3d_vggish
from avloc.recipes.tridet import (
    tridet_anet_tsp,
    tridet_hacs_i3d,
    tridet_small,
    tridet_thumos_i3d,
    tridet_unav100_i3d_vggish,
    tridet_unav100_onepeace,
)
from avloc.recipes.unav import unav_small, unav_unav100_i3d_vggish, unav_unav100_onepeace
from avloc.recipes.uniav import uniav_small, uniav_unav100_i3d_vggish, uniav_unav100_onepeace
from avloc.recipes.uniav_sets import (
    uniav_at_onepeace,
    uniav_at_small,
    uniav_stf_activitynet_onepeace,
    uniav_stf_desed_onepeace,
    uniav_stf_small,
    uniav_stf_unav100_onepeace,
)
from avloc.recipes.vsgn import (
    vsgn_small,
    vsgn_thumos,
    vsgn_unav100_i3d_vggish,
    vsgn_unav100_i3d_vggish_stitched,
)

FINE_TUNING = "-stf-"
"""In the names of recipes that go on from another's weights."""

RECIPES: dict[str, Callable[[], RunConfig]] = {
    "loco-unav100-onepeace": loco_unav100_onepeace,
    "loco-unav100-i3d-vggish": loco_unav100_i3d_vggish,
    "loco-small": loco_small,
    "loco-medium": loco_medium,
    "loco-composed": loco_composed,
    "loco-ave": loco_ave,
    "loco-ave-small": loco_ave_small,
    "loco-llp": loco_llp,
    "loco-ov-ave": loco_ov_ave,
    "actionformer-unav100-onepeace": actionformer_unav100_onepeace,
    "actionformer-unav100-i3d-vggish": actionformer_unav100_i3d_vggish,
    "actionformer-small": actionformer_small,
    "actionformer-thumos14": actionformer_thumos_i3d,
    "actionformer-anet-i3d": actionformer_anet_i3d,
    "actionformer-epic-sounds": actionformer_epic_sounds,
    "tridet-unav100-onepeace": tridet_unav100_onepeace,
    "tridet-unav100-i3d-vggish": tridet_unav100_i3d_vggish,
    "tridet-small": tridet_small,
    "tridet-thumos14": tridet_thumos_i3d,
    "tridet-anet-tsp": tridet_anet_tsp,
    "tridet-hacs-i3d": tridet_hacs_i3d,
    "tadtr-unav100-i3d-vggish": tadtr_unav100_i3d_vggish,
    "tadtr-small": tadtr_small,
    "tadtr-thumos14": tadtr_thumos,
    "unav-unav100-onepeace": unav_unav100_onepeace,
    "unav-unav100-i3d-vggish": unav_unav100_i3d_vggish,
    "unav-small": unav_small,
    "uniav-unav100-onepeace": uniav_unav100_onepeace,
    "uniav-unav100-i3d-vggish": uniav_unav100_i3d_vggish,
    "uniav-small": uniav_small,
    "ccnet-unav100-onepeace": ccnet_unav100_onepeace,
    "ccnet-unav100-i3d-vggish": ccnet_unav100_i3d_vggish,
    "ccnet-small": ccnet_small,
    "uniav-at-onepeace": uniav_at_onepeace,
    "uniav-at-small": uniav_at_small,
    "uniav-stf-unav100-onepeace": uniav_stf_unav100_onepeace,
    "uniav-stf-activitynet-onepeace": uniav_stf_activitynet_onepeace,
    "uniav-stf-desed-onepeace": uniav_stf_desed_onepeace,
    "uniav-stf-small": uniav_stf_small,
    "vsgn-unav100-i3d-vggish": vsgn_unav100_i3d_vggish,
    "vsgn-unav100-i3d-vggish-stitched": vsgn_unav100_i3d_vggish_stitched,
    "vsgn-small": vsgn_small,
    "vsgn-thumos14": vsgn_thumos,
}


def origin_of(name: str) -> str:
    """Whose settings a recipe has, as its own words say: "official", "the paper's" or "ours"."""
    words = " ".join((inspect.getdoc(RECIPES[name]) or "").split())
    _, _, settings = words.partition("Settings: ")
    return next((origin for origin in ("official", "the paper's") if settings.startswith(origin)), "ours")
