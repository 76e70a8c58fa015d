"""A way to Ray: one that is started on this machine for a run, or a cluster that runs already."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from avloc.errors import AvlocError, ConfigError, one_line

_ANSWER_S = 10.0
_STARTS = 4
_STORE_BYTES = 100 * 2**20  # what goes between head and workers is small


def require_ray() -> None:
    """Raise the error that names the extra where Ray is not installed."""
    if find_spec("ray") is None:
        raise AvlocError(
            "--engine ray needs ray; install avloc with its extra, in its checkout: pip install '.[ray]', or leave "
            "--engine out for processes on this machine"
        )


@contextlib.contextmanager
def connected(address: str | None, cores: int) -> Iterator[Any]:
    """Yields the module `ray`, connected: to the cluster at `address`, or without to one made here of `cores`.

    A connection that this process has already is used and left as it is.

    Raises:
        ConfigError: no cluster answers at the address, or it is none that this Ray can work with.
        AvlocError: Ray is not installed, or cannot be started.
    """
    require_ray()
    if address is None:
        _close_the_door()
    import ray

    if ray.is_initialized():
        yield ray
        return
    folder = None if address is not None else tempfile.mkdtemp(prefix="avloc-ray-", dir=_short_folder())
    try:
        with _signals_kept():
            if folder is None:
                _join(ray, address or "auto")
            else:
                _start(ray, cores, folder)
        _hush(ray)
        yield ray
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _join(ray: Any, address: str) -> None:
    try:
        _require_listener(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise ConfigError(
            f"--ray-address {address}: no cluster can be joined there ({_first_line(error)}); begin one with "
            "ray start --head, of the same versions of Ray and Python, or leave --ray-address out for this machine"
        ) from None


def _require_listener(address: str) -> None:
    """Raise OSError where nobody listens at HOST:PORT: Ray itself tries for many minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), _ANSWER_S).close()


def _start(ray: Any, cores: int, folder: str) -> None:
    for left in reversed(range(_STARTS)):
        try:
            ray.init(
                address="local",
                num_cpus=max(cores, os.cpu_count() or 1),
                include_dashboard=False,
                object_store_memory=_STORE_BYTES,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                _temp_dir=folder,
            )
            return
        except Exception as error:  # Ray raises this very class where a busy machine takes longer than 30 s
            ray.shutdown()
            if not left:
                raise AvlocError(
                    f"Ray cannot be started here ({_first_line(error)}); try again when the machine is less busy, or "
                    "leave --engine out for processes"
                ) from None


def _first_line(error: Exception) -> str:
    return one_line((str(error).strip() or type(error).__name__).splitlines()[0].rstrip("."))


def _close_the_door() -> None:
    """Ray listens on all addresses of the machine and runs what it is sent: only for those who know a secret. Nothing
    of its use is sent away. Whoever has set either otherwise has their way, and so has a Ray that is loaded already,
    which has read its settings."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _hush(ray: Any) -> None:
    """Lost workers are this engine's business; Ray would tell of them on standard output, among the results."""
    ray._private.worker._worker_logs_enabled = False


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray puts a handler of its own in place of the run's."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _short_folder() -> str | None:
    """Sockets lie below it, whose paths have at most 107 bytes."""
    return "/tmp" if len(tempfile.gettempdir()) > 20 else None


def places(ray: Any, cpus: float, gpus: float) -> int:
    """How many workers of that size the machines that are there have room for."""
    return sum(
        int(min(have.get(name, 0.0) // need for name, need in (("CPU", cpus), ("GPU", gpus)) if need > 0))
        for have in (node.get("Resources", {}) for node in ray.nodes() if node.get("Alive"))
    )


def gpus_there(ray: Any) -> float:
    """GPUs of all machines."""
    return float(ray.cluster_resources().get("GPU", 0.0))
