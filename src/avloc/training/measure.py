"""Time and memory of one forward pass, measured in a process of its own: `python -m avloc.training.measure`.

It reads {"run": settings, "length": steps, "step": true or false} from standard input and writes Measured as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from avloc.config import RunConfig, from_dict, to_dict
from avloc.errors import AvlocError
from avloc.learning.losses import Truth
from avloc.training.method import Method, build_method

_WARM_UP, _PASSES = 3, 20
_BATCH, _EVENTS, _STEPS = 4, 5, 3  # of a training step: videos, events of each, how often


@dataclass(frozen=True, slots=True)
class Measured:
    """The least time of a number of forward passes on one video, and the memory that weights and a pass take.

    The least time, so that what else the machine does weighs little. Memory: on a GPU what torch held at most, on a
    CPU how far the process grew.
    """

    forward_ms: float
    memory_mb: float
    device: str
    threads: int
    step_ms: float | None = None
    """Of a training step, for one video of a batch: forward pass, losses, backward pass, optimiser."""


def measure(run: RunConfig, length: int, *, step: bool = False) -> Measured:
    """Measure in a fresh process, on the GPU if there is one; `step`: a training step as well.

    Raises:
        AvlocError: the process failed.
    """
    told = json.dumps({"run": to_dict(run), "length": length, "step": step})
    process = subprocess.run(
        [sys.executable, "-m", "avloc.training.measure"], input=told, capture_output=True, text=True, check=False
    )
    if process.returncode:
        said = process.stderr.strip().splitlines()
        raise AvlocError(f"the network could not be measured ({said[-1] if said else 'no reason given'})")
    return from_dict(Measured, json.loads(process.stdout), where="measurement")


def measure_here(run: RunConfig, length: int, *, step: bool = False) -> Measured:
    """Measure in this process, which should have done nothing else before."""
    config = run.network
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        _wake(device)
        before = _memory_bytes(device)
        method = build_method(run)
        network = method.network.eval().to(device)
        visual = torch.randn(1, length, config.visual_width, device=device)
        audio = torch.randn(1, length, config.audio_width, device=device)
        mask = torch.ones(1, length, dtype=torch.bool, device=device)
        times = []
        for _ in range(_WARM_UP + _PASSES):
            began = time.perf_counter()
            network(visual, audio, mask)
            if device.type == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - began)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    memory = _memory_bytes(device) - before
    step_ms = 1e3 * _step_s(method, length, device) if step else None
    return Measured(1e3 * min(times[_WARM_UP:]), memory / 1e6, name, torch.get_num_threads(), step_ms)


def _step_s(method: Method, length: int, device: torch.device) -> float:
    """Least seconds of a training step, for one of its videos."""
    network, criterion = method.network.train(), method.criterion.to(device)
    c = network.config
    visual = torch.randn(_BATCH, length, c.visual_width, device=device)
    audio = torch.randn(_BATCH, length, c.audio_width, device=device)
    mask = torch.ones(_BATCH, length, dtype=torch.bool, device=device)
    start = 0.6 * length * torch.rand(_BATCH, _EVENTS)
    segments = torch.stack([start, start + 0.3 * length * torch.rand(_BATCH, _EVENTS)], dim=-1)
    truth = Truth(segments.to(device), torch.randint(0, c.classes, (_BATCH, _EVENTS), device=device))
    optimizer = torch.optim.AdamW(network.parameters())
    times = []
    for _ in range(1 + _STEPS):
        began = time.perf_counter()
        criterion(network(visual, audio, mask), truth).total.backward()
        optimizer.step()
        optimizer.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return min(times[1:]) / _BATCH


def _wake(device: torch.device) -> None:
    """What torch loads at first use is not the network's."""
    x = torch.randn(1, 4, 64, 16, device=device)
    torch.nn.functional.scaled_dot_product_attention(x, x, x)
    torch.nn.functional.conv1d(x[0], torch.randn(8, 64, 3, device=device))


def _memory_bytes(device: torch.device) -> int:
    """The most that was held at any time so far."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    status = Path(f"/proc/{os.getpid()}/status")
    if status.is_file():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(peak.split()[1])
    import resource  # elsewhere than Linux; not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Measure what standard input tells."""
    told = json.load(sys.stdin)
    run = from_dict(RunConfig, told["run"], where="run")
    print(json.dumps(asdict(measure_here(run, int(told["length"]), step=bool(told["step"])))))


if __name__ == "__main__":
    main()
