"""Job: one video that was given to the server, and what became of it. It is told as JSON and kept as JSON."""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Literal, get_args

State = Literal["queued", "running", "done", "skipped", "failed"]
ENDED: frozenset[State] = frozenset({"done", "skipped", "failed"})

_ID = re.compile(r"[0-9a-f]{32}")
_KINDS: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "float": (int, float),
    "int": int,
    "bool": bool,
    "State": str,
}


def is_id(text: str) -> bool:
    """Whether a text may name a job."""
    return _ID.fullmatch(text) is not None


@dataclass(slots=True, eq=False)
class Job:
    """One video and its state; times are seconds since 1970.

    Attributes:
        id: Random, so that none can be guessed.
        video: Name of the video, or of a link to it, in the job's folder.
        uploaded: Whether the video is the server's own copy.
        page: Whether a page is made, for which the video is kept.
        size: Of an uploaded video, in bytes.
        progress: Share of the video that is done, 0 to 1.
        reason: Why there is no result.
        begun: How often it was begun by servers that did not end it.
    """

    video: str
    uploaded: bool
    page: bool = True
    size: int = 0
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    state: State = "queued"
    reason: str = ""
    progress: float = 0.0
    duration_s: float = 0.0
    created: float = field(default_factory=time.time)
    began: float = 0.0
    ended: float = 0.0
    begun: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in ENDED

    def line(self) -> bytes:
        """As it is kept."""
        return json.dumps(asdict(self)).encode() + b"\n"


def read_job(content: bytes) -> Job | None:
    """The reverse of `Job.line`; None for anything else."""
    try:
        told = json.loads(content)
        kinds = {f.name: _KINDS[str(f.type)] for f in fields(Job)}
        if not isinstance(told, dict) or told.keys() != kinds.keys():
            return None
        if not all(isinstance(value, kinds[name]) for name, value in told.items()):
            return None
        job = Job(**told)
    except (ValueError, TypeError, RecursionError):
        return None
    plain = "/" not in job.video and "\\" not in job.video and job.video not in ("", ".", "..")
    return job if is_id(job.id) and plain and job.state in get_args(State) else None
