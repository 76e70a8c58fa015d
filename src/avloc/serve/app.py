"""The server's answers: each of its paths, what it takes and what it says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from avloc import __version__
from avloc.config import ModelConfig
from avloc.errors import one_line
from avloc.scale.detect import Detected
from avloc.serve.board import Board
from avloc.serve.crew import Crew
from avloc.serve.door import Door
from avloc.serve.folders import Folders
from avloc.serve.job import Job
from avloc.serve.limits import Limits
from avloc.serve.metrics import Metrics
from avloc.serve.pages import docs_page, start_page
from avloc.serve.refused import RefusedError
from avloc.serve.said import ANSWERS, DETECT_BODY
from avloc.serve.store import PAGE, RESULT, video_name
from avloc.serve.upload import Upload, kind_of, let_end, pieces, receive, remove
from avloc.serve.view import job_view, model_view

_LARGEST_JSON = 64_000
_LOOK_S = 0.1
_BEAT_S = 15.0
_LONGEST_WAIT_S = 600.0

Score = Annotated[float | None, Query(ge=0, le=1, description="Show events from this score on.")]
Wait = Annotated[
    float, Query(ge=0, le=_LONGEST_WAIT_S, description="Seconds to wait for the end before the answer comes.")
]
WithPage = Annotated[bool, Query(description="Make a page, and keep the video for it as long as the result.")]


@dataclass
class Service:
    """All that the answers are made of."""

    board: Board
    crew: Crew[Detected]
    config: ModelConfig
    folders: Folders = field(default_factory=Folders)
    token: str | None = None


def make_app(service: Service) -> Door:
    """The application, behind its door."""
    answers = _Answers(service)
    app = FastAPI(
        title="avloc",
        version=__version__,
        description="Finds every event of a video that is seen and heard at once: its class, its start, its end.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=answers.living,
    )
    for kind in (RefusedError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _refusal)
    door = Door(app, service.token)
    answers.metrics = Metrics(service.board, service.crew, door.answered)
    answers.add_to(app)
    return door


@dataclass
class _Answers:
    service: Service
    metrics: Metrics | None = None

    def add_to(self, app: FastAPI) -> None:
        def add(path: str, answer: Callable[..., Any], method: str = "GET", **more: Any) -> None:
            known = {status: ANSWERS[status] for status in more.pop("refusals", ())}
            app.add_api_route(path, answer, methods=[method], response_model=None, responses=known, **more)

        body = {"requestBody": {"required": True, "content": DETECT_BODY}}
        refusals = (202, 400, 403, 404, 408, 413, 415, 422, 429, 503, 507)
        add("/detect", self.detect, "POST", refusals=refusals, openapi_extra=body)
        add("/jobs/{job_id}", self.job, refusals=(404, 422))
        add("/jobs/{job_id}", self.delete, "DELETE", status_code=204, refusals=(404,))
        add("/jobs/{job_id}/events", self.events, refusals=(404,))
        add("/jobs/{job_id}/{name}", self.file, refusals=(404,))
        add("/models", self.models)
        add("/healthz", self.health, refusals=(503,))
        add("/metrics", self.metrics_text)
        add("/", self.start, include_in_schema=False)
        add("/docs", lambda: HTMLResponse(docs_page(app.openapi())), include_in_schema=False)

    @asynccontextmanager
    async def living(self, app: FastAPI) -> AsyncIterator[None]:
        """The workers live as long as the server answers."""
        self.service.crew.start()
        yield
        self.service.board.closed = True
        await asyncio.to_thread(self.service.crew.stop, self.service.board.limits.grace_s)

    async def detect(self, request: Request, page: WithPage = True, wait: Wait = 0.0) -> Response:
        """Search a video: one that is sent, or one below a folder that this server may read."""
        board = self.service.board
        with board.place():
            job = await (
                self._path(request, page)
                if kind_of(request)[0] == "application/json"
                else self._upload(request, page)
            )
        self.service.crew.wake()
        if wait:
            await self._over(job, wait)
        told = await asyncio.to_thread(job_view, board, job)
        return JSONResponse(told, 200 if job.is_over else 202, {"Location": f"/jobs/{job.id}"})

    async def _upload(self, request: Request, page: bool) -> Job:
        board = self.service.board
        incoming, upload = board.store.incoming(), Upload(board.grow)
        try:
            await receive(request, incoming, board.limits, upload)
            job = Job(video_name(upload.ending), uploaded=True, page=page, size=upload.size)
            await asyncio.to_thread(board.add, job, incoming)
        finally:
            board.grow(-upload.size)
            remove(incoming)
        return job

    async def _path(self, request: Request, page: bool) -> Job:
        path = await asyncio.to_thread(
            self.service.folders.video, await _asked_path(request, self.service.board.limits)
        )
        job = Job(video_name(path.suffix), uploaded=False, page=page)
        await asyncio.to_thread(self.service.board.add, job, path)
        return job

    def job(self, job_id: str, min_score: Score = None) -> JSONResponse:
        """The state of a job, and its events once it is done."""
        board = self.service.board
        return JSONResponse(job_view(board, board.get(job_id), min_score))

    def delete(self, job_id: str) -> Response:
        """Remove a job and all its files; one that runs is ended."""
        board = self.service.board
        board.remove(board.get(job_id))
        return Response(status_code=204)

    async def events(self, job_id: str) -> StreamingResponse:
        """Progress of a job as server-sent events: `progress` while it waits and runs, `end` with the job."""
        job = self.service.board.get(job_id)
        return StreamingResponse(self._progress(job), media_type="text/event-stream")

    async def _progress(self, job: Job) -> AsyncIterator[str]:
        last, told_at = "", time.monotonic()
        while not (job.is_over or self.service.board.closed or self.service.board.is_gone(job)):
            now = json.dumps({"state": job.state, "progress": round(job.progress, 3)})
            if now != last:
                yield f"event: progress\ndata: {now}\n\n"
                last, told_at = now, time.monotonic()
            elif time.monotonic() - told_at > _BEAT_S:  # so that neither side believes the other gone
                yield ": \n\n"
                told_at = time.monotonic()
            await asyncio.sleep(_LOOK_S)
        if job.is_over and not self.service.board.is_gone(job):
            told = await asyncio.to_thread(job_view, self.service.board, job)
            yield f"event: end\ndata: {json.dumps(told)}\n\n"

    def file(self, job_id: str, name: str) -> FileResponse:
        """A file of a job that is done: its page, its video, or its events in the form of ActivityNet."""
        board = self.service.board
        job = board.get(job_id)
        if job.state != "done" or name not in ((RESULT, PAGE, job.video) if job.page else (RESULT,)):
            raise RefusedError(404, f"the job has no such file; it may have {RESULT} and {PAGE} when it is done")
        path = board.store.folder(job.id) / name
        if not path.is_file() or not (job.uploaded or name != job.video or self.service.folders.holds(path)):
            raise RefusedError(404, "the file is not there any more")
        return FileResponse(path)

    async def _over(self, job: Job, wait_s: float) -> None:
        ends = time.monotonic() + wait_s
        while not (job.is_over or self.service.board.closed) and time.monotonic() < ends:
            await asyncio.sleep(_LOOK_S / 2)

    def models(self) -> JSONResponse:
        """The model that this server has."""
        return JSONResponse({"models": [model_view(self.service.config)]})

    def health(self) -> JSONResponse:
        """Whether workers are there: 200 where one is ready, else 503 with what is wrong."""
        crew, board = self.service.crew, self.service.board
        ready, trouble = crew.processes.ready, crew.processes.trouble
        told = {"ready": ready, "workers": crew.workers, "waiting": board.waiting, "trouble": trouble}
        return JSONResponse(told, 200 if ready and not board.closed else 503)

    def metrics_text(self) -> Response:
        """Counters and gauges in the text format of Prometheus."""
        assert self.metrics is not None
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def start(self) -> HTMLResponse:
        """A page to drop a video on."""
        return HTMLResponse(start_page(self.service.config, self.service.board.limits))


async def _asked_path(request: Request, limits: Limits) -> str:
    body = bytearray()
    async for piece in pieces(request, limits):
        body += piece
        if len(body) > _LARGEST_JSON:
            raise RefusedError(413, f'the JSON has more than {_LARGEST_JSON} bytes; send {{"path": "my.mp4"}}')
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or told.keys() != {"path"} or not isinstance(told["path"], str):
        raise RefusedError(422, 'the body is no such JSON as {"path": "my.mp4"}; send that, or a video')
    return str(told["path"])


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    """One line for a person, whatever went wrong."""
    if isinstance(error, RefusedError):
        if error.status == 413:
            await let_end(request)
        return JSONResponse({"error": str(error)}, error.status, error.headers)
    if isinstance(error, RequestValidationError):
        wrong = error.errors()[0]
        where = ".".join(str(part) for part in wrong["loc"][1:]) or "the request"
        return JSONResponse({"error": one_line(f"{where}: {wrong['msg']}; see /docs")}, 422)
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": one_line(f"{error.detail}; see /docs")}, error.status_code, error.headers)
