"""`avloc serve`: a server that videos are sent to, or paths of them, and that answers with their events."""

from __future__ import annotations

import logging
import math
import os
import sys
from functools import partial
from pathlib import Path

from avloc import __version__, zoo
from avloc.cli.inputs import require_least_score
from avloc.cli.page_media import PageVideo
from avloc.cli.pages import DetectionPage, classes_of
from avloc.errors import AvlocError
from avloc.events.filter import ALL_EVENTS, EventFilter
from avloc.scale.detect import Detect

_LEAST_TOKEN = 16


def serve(
    model: str = "default",
    host: str = "127.0.0.1",
    port: int = 8080,
    token: str | None = None,
    workers: int = 1,
    folder: tuple[Path, ...] = (),
    store: Path | None = None,
    min_score: float | None = None,
    proxy: bool = False,
    weights: Path | None = None,
    threads: int = 1,
    max_mb: float = 2000,
    max_hours: float = 12,
    max_store_mb: float = 20000,
    max_memory_mb: float = 4000,
    queue: int = 64,
    time_limit: float = 3600,
    keep_hours: float = 24,
    grace: float = 30,
) -> int:
    """Listen for videos and answer with their events: an interface for programs, and a page to drop a video on.

    It listens to this machine alone unless --host says otherwise, which needs a --token. POST /detect takes a video
    or the path of one below --folder; GET /jobs/ID tells what became of it; /docs tells the rest. Stopped by Ctrl-C
    or SIGTERM it finishes what runs, or returns it to the queue, which the same command goes on with.

    examples:
      avloc serve --port 8080 --workers 2
      avloc serve --folder videos/ --keep-hours 1
      AVLOC_TOKEN=... avloc serve --host 0.0.0.0

    Args:
        model: Name of a shipped model, or a model folder.
        host: Address to listen at.
        port: Port to listen at; 0 takes a free one.
        token: What every request must bear; better given as AVLOC_TOKEN, where other users of the machine do not
            see it.
        workers: Processes that work side by side, some 400 MB each.
        folder: Folders whose videos may be named by path; links that lead out of them are refused.
        store: Folder for uploads and results; without it one of the user's own, ~/.local/state/avloc/serve.
        min_score: Threshold: events with a lower score are not shown; without it the model's own.
        proxy: Make copies of videos that browsers do not play, for their pages.
        weights: Folder of the encoders' weights, for models that read i3d-vggish or onepeace; see avloc weights.
        threads: CPU threads of each worker.
        max_mb: Largest video in megabytes.
        max_hours: Longest video.
        max_store_mb: Most megabytes of uploads and results kept at a time.
        max_memory_mb: Most address space of a worker, on Linux; a video that needs more fails.
        queue: Most jobs that wait at a time.
        time_limit: Seconds after which a job is given up.
        keep_hours: Results and videos are removed so long after their job's end.
        grace: Seconds that running jobs get to finish when the server is stopped.
    """
    token = token if token is not None else os.environ.get("AVLOC_TOKEN") or None
    require_least_score(min_score)
    try:
        from avloc.serve.door import is_loopback
        from avloc.serve.folders import Folders
        from avloc.serve.limits import MEGABYTE, Limits
        from avloc.serve.server import Listening, run_server
    except ModuleNotFoundError as error:
        raise AvlocError(f"serving needs {error.name}: pip install 'avloc[serve]'") from None
    _check(host, port, token, workers, threads, is_loopback(host))
    numbers = {
        "max-mb": max_mb,
        "max-hours": max_hours,
        "max-store-mb": max_store_mb,
        "max-memory-mb": max_memory_mb,
        "queue": queue,
        "time-limit": time_limit,
        "keep-hours": keep_hours,
        "grace": grace,
    }
    for name, number in numbers.items():
        if not 0 < number < math.inf:
            raise AvlocError(f"--{name} is {number:g}; a positive number is needed")
    limits = Limits(
        upload=int(max_mb * MEGABYTE),
        store=int(max_store_mb * MEGABYTE),
        memory=int(max_memory_mb * MEGABYTE),
        queue=queue,
        job_s=time_limit,
        keep_s=keep_hours * 3600,
        video_s=max_hours * 3600,
        grace_s=grace,
    )
    made_by = f"avloc {__version__}"
    how, classes = PageVideo(proxy=proxy), classes_of(model)
    pages = partial(DetectionPage, how=how, made_by=made_by, name_of=_job_of, classes=classes)
    wanted = ALL_EVENTS if min_score is None else EventFilter(min_score=min_score)
    work = Detect(zoo.find_model(model), wanted, False, made_by, threads, pages, weights)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    return run_server(
        work,
        store or _own_store(),
        Listening(host, port, token),
        limits,
        workers=workers,
        folders=Folders.of(folder),
        on_listening=lambda address: print(f"avloc serves at {address}", flush=True),
    )


def _check(host: str, port: int, token: str | None, workers: int, threads: int, local: bool) -> None:
    if not 0 <= port <= 65535:
        raise AvlocError(f"--port is {port}; a number from 0 to 65535 is needed")
    if workers < 1:
        raise AvlocError(f"--workers is {workers}; 1 or more is needed")
    if threads < 0:
        raise AvlocError(f"--threads is {threads}; a number of threads is needed, or 0 for all cores")
    if token is not None and (len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable()):
        raise AvlocError(f"the token is too easy to guess, or no plain text; {_LEAST_TOKEN} plain signs are needed")
    if token is None and not local:
        raise AvlocError(
            f"--host {host} lets others in; give a --token (or AVLOC_TOKEN) that every request must then bear"
        )


def _job_of(page: Path) -> str:
    """The job that a page is of: verdicts on it go by this name, and no place on this machine's disk is told."""
    return page.parent.name


def _own_store() -> Path:
    """A folder of the user's own that stays."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "avloc" / "serve"
