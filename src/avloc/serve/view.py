"""What is told of a job and of a model, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from avloc.config import ModelConfig
from avloc.events import Events
from avloc.scale.kept import kept_file, read_kept
from avloc.scale.shown import read_stored
from avloc.serve.board import Board
from avloc.serve.job import Job
from avloc.serve.refused import RefusedError
from avloc.serve.store import PAGE, RESULT


def job_view(board: Board, job: Job, min_score: float | None = None) -> dict[str, Any]:
    """A job; one that is done with its events, of another least score where one is given."""
    told: dict[str, Any] = {
        "id": job.id,
        "state": job.state,
        "progress": round(job.progress, 3),
        "created": _moment(job.created),
        "self": f"/jobs/{job.id}",
    }
    if job.reason:
        told["reason"] = job.reason
    if job.is_over:
        told |= {"took_s": round(job.ended - job.began, 3), "expires": _moment(job.ended + board.limits.keep_s)}
    if job.state == "done":
        told |= _found(board, job, min_score)
    return told


def _found(board: Board, job: Job, min_score: float | None) -> dict[str, Any]:
    result = board.store.result(job)
    stored = read_stored(result)
    if stored is None:
        raise RefusedError(404, "there is no such job, or its results were removed")
    events, about = stored.events.by_time(), stored.about
    if min_score is not None:
        kept = read_kept(kept_file(result), result)
        if kept is None:
            raise RefusedError(404, "the candidates of this job were removed; ask without min_score")
        events = kept.events.above(min_score).by_time()
    told = {
        "duration_s": stored.duration_s,
        "model": about.get("model", ""),
        "min_score": about.get("min_score") if min_score is None else min_score,
        "notes": about.get("notes", []),
        "events": events_view(events),
        "files": {"events": f"/jobs/{job.id}/{RESULT}"},
    }
    if job.page:
        told["files"] |= {"page": f"/jobs/{job.id}/{PAGE}", "video": f"/jobs/{job.id}/{job.video}"}
    return told


def events_view(events: Events) -> list[dict[str, Any]]:
    """Events as JSON, times in seconds."""
    return [
        {
            "label": event.label,
            "start_s": round(event.start_s, 3),
            "end_s": round(event.end_s, 3),
            "score": round(event.score, 4),
        }
        for event in events
    ]


def model_view(config: ModelConfig) -> Mapping[str, Any]:
    """What the server's model says of itself."""
    return {
        "name": config.name,
        "classes": len(config.labels),
        "labels": list(config.labels),
        "min_score": config.show_score,
        "stride_s": config.features.stride_s,
        "window_s": round(config.window_steps * config.features.stride_s, 3),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
