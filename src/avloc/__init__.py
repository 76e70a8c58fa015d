"""avloc finds, in untrimmed videos, every event that is seen and heard at once: its class, its start, its end.

import avloc
events = avloc.load("default").detect("my.mp4")

The verbs of the command line are functions here: avloc.train, avloc.test, avloc.evaluate and so on (avloc.verbs).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avloc.errors import AvlocError
from avloc.events import Event, Events

if TYPE_CHECKING:
    from pathlib import Path

    from avloc.detector import Detector
    from avloc.verbs import (
        check_data,
        check_features,
        clips,
        compare,
        convert,
        describe,
        detect,
        diagnose,
        evaluate,
        export,
        extract,
        import_features,
        import_model,
        labels,
        load_data,
        paper,
        plot,
        simulate,
        sweep,
        test,
        train,
        watch,
        weights,
    )

__version__ = "0.1.0"
_VERBS = (
    *("check_data", "check_features", "clips", "compare", "convert", "describe", "detect", "diagnose", "evaluate"),
    *("export", "extract", "import_features", "import_model", "labels", "load_data", "paper", "plot", "simulate"),
    *("sweep", "test", "train", "watch", "weights"),
)
"""Those of avloc.verbs whose names no room of the package has."""

__all__ = [
    "AvlocError", "Detector", "Event", "Events", "__version__", "check_data", "check_features", "clips", "compare",
    "convert", "describe", "detect", "diagnose", "evaluate", "export", "extract", "import_features", "import_model",
    "labels", "load", "load_data", "paper", "plot", "simulate", "sweep", "test", "train", "watch", "weights",
]  # fmt: skip


def load(model: str | Path = "default", *, threads: int = 0, weights: Path | None = None) -> Detector:
    """A detector by the name of a shipped model or by the path of a model folder.

    `threads` is the number of CPU threads for the networks; 0 takes all cores. `weights` is the folder of encoders'
    weights (`avloc weights`), for models that read such features; None is the usual one.

    Raises:
        ModelError: there is no such model, or its folder is broken.
    """
    from avloc.detector import Detector

    return Detector.load(model, threads=threads, weights=weights)


def __getattr__(name: str) -> object:
    if name == "Detector":
        from avloc.detector import Detector

        return Detector
    if name in _VERBS:
        from avloc import verbs

        return getattr(verbs, name)
    raise AttributeError(f"module 'avloc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
