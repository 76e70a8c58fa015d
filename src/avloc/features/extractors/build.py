"""Name > extractor: the only list of them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

from avloc.errors import FeatureError
from avloc.features.extractors.base import Extractor, Resources
from avloc.features.extractors.brought import BroughtExtractor
from avloc.features.extractors.embedded import EmbeddedExtractor
from avloc.features.extractors.i3d_vggish import I3dVggish, I3dVggishPca, Vggish, VggishPca
from avloc.features.extractors.onepeace import OnePeace, OnePeaceImage
from avloc.streams import Streams
from avloc.timegrid import TimeGrid

BROUGHT: Mapping[str, type[BroughtExtractor]] = {
    made.name: made for made in (I3dVggish, I3dVggishPca, OnePeace, OnePeaceImage, Vggish, VggishPca)
}
"""Those whose weights users bring (`avloc weights`)."""

EXTRACTORS: Mapping[str, Callable[[Resources], Extractor]] = {
    "avloc-embedded": lambda resources: EmbeddedExtractor(resources.threads),
    **BROUGHT,
}
"""Nothing is loaded before it is used."""

DEFAULT = "avloc-embedded"


def build_extractor(name: str = DEFAULT, resources: Resources | None = None) -> Extractor:
    """The extractor of this name.

    Raises:
        FeatureError: there is none.
    """
    if name not in EXTRACTORS:
        near = difflib.get_close_matches(name, EXTRACTORS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(EXTRACTORS)}"
        raise FeatureError(f"there is no extractor {name!r}; {hint}")
    return EXTRACTORS[name](resources or Resources())


def extractor_for(streams: Streams, grid: TimeGrid, resources: Resources | None = None) -> Extractor:
    """The extractor that makes these streams; those without identity are not needed.

    Raises:
        FeatureError: there is none, it lacks weights, or it does not work on the grid.
    """
    made = [build(resources or Resources()) for build in EXTRACTORS.values()]
    found = next((right for extractor in made if (right := extractor.for_streams(streams)) is not None), None)
    if found is None:
        raise FeatureError(
            f"needs features of {streams}, which avloc cannot make from a video: it makes {_made(made)}"
        )
    found.require(grid)
    return found


def is_brought(streams: Streams) -> bool:
    """Whether weights that users bring make these streams, be they there or not."""
    named = {identity for _, identity in streams.items()}
    layouts = {layout for made in BROUGHT.values() for layout in made.layouts}
    makers = [maker for made in BROUGHT.values() for maker in made.makers.values()]
    return any(identity in layouts or any(maker.makes(identity) for maker in makers) for identity in named)


def _made(extractors: Sequence[Extractor]) -> str:
    """What they make, without the weights by which."""
    known = set[str]()
    for extractor in extractors:
        if isinstance(extractor, BroughtExtractor):
            known |= {maker.identity for maker in extractor.makers.values()}
        else:
            known |= {identity for _, identity in extractor.streams.items()}
    return ", ".join(sorted(known))
