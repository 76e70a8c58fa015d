"""A run that is killed goes on exactly; several processes train as one; Ctrl-C leaves a state."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

SCRIPT = Path(__file__).with_name("tiny.py")


def start(folder: Path, mode: str, **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), str(folder), mode]
    return subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, **environment})


def start_as_torchrun(folder: Path, mode: str) -> list[subprocess.Popen[bytes]]:
    """A process on each of two nodes, both of this machine, as torchrun --nnodes 2 --nproc-per-node 1 starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    all_know = {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "1", "LOCAL_RANK": "0"}
    all_know |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [start(folder, mode, **all_know, RANK=rank, GROUP_RANK=rank) for rank in "01"]


def finish(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()[-2000:]


def wait_for_steps(path: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        if path.is_file() and len(path.read_text().splitlines()) >= count:
            return
        assert process.poll() is None, "the run ended before it could be stopped"
        time.sleep(0.05)
    raise AssertionError("the run made no step")


def epochs(path: Path) -> list[dict[str, object]]:
    """The last line of each epoch: one that was killed before its state was saved is told of again."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return list({row["number"]: row for row in rows}.values())


def same(first: Path, second: Path) -> None:
    a, b = load_file(first), load_file(second)
    assert set(a) == set(b)
    for name, tensor in a.items():
        assert torch.equal(tensor, b[name]), name


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_ends_with_the_same_bits(tmp_path: Path, how: signal.Signals) -> None:
    whole = start(tmp_path, "whole")
    finish(whole)
    first = start(tmp_path, "resumed")
    wait_for_steps(tmp_path / "resumed.steps", random.randint(1, 8), first)
    first.send_signal(how)
    first.communicate(timeout=60)
    assert first.returncode != 0
    finish(start(tmp_path, "resumed"))
    same(tmp_path / "whole.safetensors", tmp_path / "resumed.safetensors")
    assert epochs(tmp_path / "whole.epochs") == epochs(tmp_path / "resumed.epochs")


def test_two_processes_or_nodes_train_as_one_with_the_whole_batch(tmp_path: Path) -> None:
    finish(start(tmp_path, "processes=1"))
    finish(start(tmp_path, "processes=2"))
    for node in start_as_torchrun(tmp_path, "processes"):
        finish(node)
    alone, *together = (np.loadtxt(tmp_path / f"processes{n}.steps") for n in ("=1", "=2", ""))
    assert alone.shape == (12, 2) and alone[-1, 0] < 0.9 * alone[0, 0]
    # Weights themselves are no measure: where a gradient is zero, Adam walks by the sign of the rounding.
    assert all(np.allclose(alone, losses, rtol=1e-4) for losses in together)
    # Ctrl-C reaches one process alone: both stop after the same step, and the state is whole.
    stopped = start(tmp_path, "resumed-processes=2")
    wait_for_steps(tmp_path / "resumed-processes=2.steps", random.randint(1, 8), stopped)
    stopped.send_signal(signal.SIGINT)
    stopped.communicate(timeout=60)
    assert stopped.returncode == 130
    finish(start(tmp_path, "resumed-processes=2"))
    same(tmp_path / "processes=2.safetensors", tmp_path / "resumed-processes=2.safetensors")
    assert epochs(tmp_path / "processes=2.epochs") == epochs(tmp_path / "resumed-processes=2.epochs")
