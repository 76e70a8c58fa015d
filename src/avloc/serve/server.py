"""The server as a process: it listens, works, and when it is stopped finishes or returns what runs."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from avloc.errors import AvlocError
from avloc.scale.detect import Detect
from avloc.serve.app import Service, make_app
from avloc.serve.board import Board
from avloc.serve.crew import Crew
from avloc.serve.door import MOST_HEADER
from avloc.serve.folders import Folders
from avloc.serve.guarded import guarded
from avloc.serve.limits import Limits
from avloc.serve.store import Store

_MOST_CONNECTIONS = 512
_LAST_ANSWERS_S = 3

log = logging.getLogger("avloc.serve")


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server listens, and what it asks for."""

    host: str = "127.0.0.1"
    port: int = 8080
    token: str | None = None

    def bound(self) -> socket.socket:
        """The socket, which takes calls from now on.

        Raises:
            AvlocError: the address is not to be had.
        """
        try:
            family = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0][0]
            bound = socket.socket(family, socket.SOCK_STREAM)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self.host, self.port))
            bound.listen()
        except (OSError, OverflowError, UnicodeError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise AvlocError(
                f"{self.host}:{self.port}: cannot be listened at ({reason}); give another --port or --host"
            ) from None
        return bound


def run_server(
    work: Detect,
    store: Path,
    listening: Listening,
    limits: Limits,
    *,
    workers: int,
    folders: Folders,
    on_listening: Callable[[str], None],
) -> int:
    """Serve until SIGINT or SIGTERM; the result is the exit status. on_listening is told the address.

    Raises:
        AvlocError: the address is taken, or the store is.
        ModelError: the model is missing or broken.
    """
    config, _ = work.config, work.digest
    with Store(store).opened() as jobs, listening.bound() as bound:
        board = Board(Store(store), limits, jobs)
        crew = Crew(board, partial(guarded, work, limits), workers)
        app = make_app(Service(board, crew, config, folders, listening.token))
        server = _Server(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                lifespan="on",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                log_config=None,
                h11_max_incomplete_event_size=MOST_HEADER,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
            ),
            board,
        )
        host, port = bound.getsockname()[:2]
        on_listening(f"http://{f'[{host}]' if ':' in host else host}:{port}/")
        if jobs:
            log.info("%d jobs of before, %d of them wait", len(jobs), board.waiting)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, frame: None)  # uvicorn raises what stopped it once more at its end
        server.run(sockets=[bound])
        left = board.waiting
        log.info("stopped%s", f"; {left} jobs wait for the next start" if left else "")
    return 0


class _Protocol(H11Protocol):
    """HTTP/1.1, whose refusal of what is none does not stumble over an answer that is under way."""

    def send_400_response(self, msg: str) -> None:
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:
            self.transport.close()


class _Server(uvicorn.Server):
    """Takes no more jobs from the moment it is told to stop, so that who follows one is let go."""

    def __init__(self, config: uvicorn.Config, board: Board) -> None:
        super().__init__(config)
        self._board = board

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._board.closed = True
        super().handle_exit(sig, frame)
