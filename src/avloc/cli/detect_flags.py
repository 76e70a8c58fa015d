"""What a person can set of `avloc detect`, by flags or in a file of --config."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import tyro

from avloc.cli.batch import EngineName
from avloc.cli.choosing import Choosing
from avloc.cli.grammar import flags
from avloc.cli.settings_file import laid_over, named_file

_LISTS = ("label", "not_label", "min_score")
_TIMES = ("start", "end")


@flags
@dataclass(frozen=True)
class DetectFlags(Choosing):
    """Settings of a detection; each has a flag of its name."""

    model: str = "default"
    """Name of a shipped model, or a model folder."""
    out: Path | None = None
    """Folder for the JSON files; without it each lies beside its video."""
    report: Path | None = None
    """Folder for a page per video, NAME.html, and of several an index, index.html; they work offline."""
    inline: bool = False
    """Put the video inside its page instead of a link to it."""
    proxy: bool = False
    """Where browsers do not play a video (HEVC, ProRes, MPEG-2, AVI, MPEG-TS and others), make a small copy
    beside its page that they do: H.264, at most 360 lines. Also of one that is too large for --inline."""
    quick: bool = False
    """Leave the pictures of events out of the pages; they take some decoding of the video."""
    all: bool = False
    """Write all candidates to the JSON file, as evaluation wants them, whatever is chosen to be shown."""
    evidence: bool = False
    """Write NAME.evidence.json too: how surely each event is seen and heard, and what is heard only and seen only."""
    weights: Path | None = None
    """Folder of the encoders' weights, for models that read i3d-vggish or onepeace; see avloc weights."""
    threads: int = 0
    """CPU threads for the networks; 0 takes all cores, or one for each worker."""
    workers: int | None = None
    """Processes that work side by side on many videos, with --out; unless given, a core each, at most 4, and of Ray
    as many as have room."""
    time_limit: float | None = None
    """Seconds after which a video is given up, with --out."""
    retry_failed: bool = False
    """Try again what failed in an earlier run into --out."""
    engine: EngineName = "processes"
    """What runs the workers: processes on this machine, or ray, on this machine or on a cluster."""
    ray_address: str | None = None
    """Of a cluster that runs, auto for the one of this machine; without it Ray is started here."""
    ray_gpus: float | None = None
    """GPUs of a worker of Ray, such as 0.5; unless given, one for large networks where there are any."""


Flags = Annotated[DetectFlags, tyro.conf.arg(name="")]


def over_file(verb: Callable[..., int], arguments: Sequence[str], group: str = "settings") -> Callable[..., int]:
    """The verb, with the settings of the file that the command line names with --config; flags win over the file.

    group: the verb's parameter that is a DetectFlags.

    Raises:
        ConfigError: the file cannot be read, or a setting is unknown (the nearest one is named) or of a wrong type.
    """
    path = named_file(arguments, "--config")
    if path is None:
        return verb
    file = laid_over(DetectFlags(), path, _as_flags)

    def laid(*given: Any, **named: Any) -> int:
        return verb(*given, **{**named, group: _joined(file, named[group])})

    # A flag that may be given again would add to what the file has: lists are laid over afterwards.
    default = replace(file, label=(), not_label=(), min_score=())
    signature = inspect.signature(verb)
    laid.__doc__, laid.__annotations__ = verb.__doc__, get_type_hints(verb, include_extras=True)
    vars(laid)["__signature__"] = signature.replace(
        parameters=[p.replace(default=default) if p.name == group else p for p in signature.parameters.values()]
    )
    return laid


def _joined(file: DetectFlags, given: DetectFlags) -> DetectFlags:
    """The classes of the command line, or else of the file; thresholds of both, the last of a class counts."""
    return replace(
        given,
        label=given.label or file.label,
        not_label=given.not_label or file.not_label,
        min_score=(*file.min_score, *given.min_score),
    )


def _as_flags(settings: object) -> object:
    """As flags have it: a class or threshold alone is a list of one, and a number is a time or a threshold."""
    if not isinstance(settings, Mapping):
        return settings
    known = {field.name for field in fields(DetectFlags)}
    plain = {}
    for key, value in settings.items():
        name = key.replace("-", "_") if isinstance(key, str) and key.replace("-", "_") in known else key
        if name in _LISTS and value is not None:
            value = [_text(one) for one in (value if isinstance(value, list) else [value])]
        plain[name] = _text(value) if name in _TIMES else value
    return plain


def _text(value: object) -> object:
    return repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
