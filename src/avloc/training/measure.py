"""Time and memory of one forward pass, measured in a process of its own: `python -m avloc.training.measure`.

It reads {"network": settings, "length": steps} from standard input and writes Measured as JSON.
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

from avloc.config import AnyNetworkConfig, NetworkConfig, from_dict, read_as, to_dict
from avloc.errors import AvlocError
from avloc.models.build import build_network

_WARM_UP, _PASSES = 3, 20


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


def measure(network: NetworkConfig, length: int) -> Measured:
    """Measure in a fresh process, on the GPU if there is one.

    Raises:
        AvlocError: the process failed.
    """
    told = json.dumps({"network": to_dict(network), "length": length})
    process = subprocess.run(
        [sys.executable, "-m", "avloc.training.measure"], input=told, capture_output=True, text=True, check=False
    )
    if process.returncode:
        said = process.stderr.strip().splitlines()
        raise AvlocError(f"the network could not be measured ({said[-1] if said else 'no reason given'})")
    return from_dict(Measured, json.loads(process.stdout), where="measurement")


def measure_here(config: NetworkConfig, length: int) -> Measured:
    """Measure in this process, which should have done nothing else before."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        _wake(device)
        before = _memory_bytes(device)
        network = build_network(config).eval().to(device)
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
    return Measured(1e3 * min(times[_WARM_UP:]), memory / 1e6, name, torch.get_num_threads())


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
    config = read_as(AnyNetworkConfig, told["network"], "network")
    print(json.dumps(asdict(measure_here(config, int(told["length"])))))


if __name__ == "__main__":
    main()
