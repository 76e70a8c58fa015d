"""Name > extractor: the only list of them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

from avloc.errors import FeatureError
from avloc.features.extractors.base import Extractor
from avloc.features.extractors.embedded import EmbeddedExtractor
from avloc.streams import Streams
from avloc.timegrid import TimeGrid

EXTRACTORS: Mapping[str, Callable[[int], Extractor]] = {"avloc-embedded": EmbeddedExtractor}
"""Each takes the number of CPU threads, 0 for all cores; nothing is loaded before it is used."""

DEFAULT = "avloc-embedded"


def build_extractor(name: str = DEFAULT, threads: int = 0) -> Extractor:
    """The extractor of this name.

    Raises:
        FeatureError: there is none.
    """
    if name not in EXTRACTORS:
        near = difflib.get_close_matches(name, EXTRACTORS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(EXTRACTORS)}"
        raise FeatureError(f"there is no extractor {name!r}; {hint}")
    return EXTRACTORS[name](threads)


def extractor_for(streams: Streams, grid: TimeGrid, threads: int = 0) -> Extractor:
    """The extractor that makes these streams; those without identity are not needed.

    Raises:
        FeatureError: there is none, or it does not work on the grid.
    """
    made = [build(threads) for build in EXTRACTORS.values()]
    found = next((extractor for extractor in made if not streams.unlike(extractor.streams)), None)
    if found is None:
        known = ", ".join(sorted({identity for extractor in made for _, identity in extractor.streams.items()}))
        raise FeatureError(f"needs features of {streams}, which avloc cannot make from a video: it makes {known}")
    found.require(grid)
    return found
