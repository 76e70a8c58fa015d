"""Throughput of the embedded encoders and of the log-mel front end, by batch size and number of threads.

    python bench/encoders.py [--repeats 10]

Prints milliseconds an item: the least wall-clock time, and the processor time of all threads in the median. The
second hardly changes where other work shares the cores.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors import yamnet
from avloc.features.extractors.onnx_encoder import OnnxEncoder
from avloc.features.logmel import log_mel

FOLDER = Path(yamnet.__file__).parent
BATCHES = (1, 2, 4, 8, 16, 32)
ITEMS = 32
SECONDS_OF_SOUND = 60


def measure(work: Callable[[], object], items: int, repeats: int) -> str:
    """Least wall-clock and median processor time of one item in milliseconds, after one run to warm up."""
    work()
    wall, processor = [], []
    for _ in range(repeats):
        before = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - before[0])
        processor.append(time.process_time() - before[1])
    return f"{min(wall) / items * 1e3:7.2f} ms wall {np.median(processor) / items * 1e3:7.2f} ms processor"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    random = np.random.default_rng(0)
    inputs: dict[str, NDArray[Any]] = {
        "efficientnet_lite0": random.integers(0, 256, (ITEMS, 224, 224, 3), dtype=np.uint8),
        "yamnet": (random.random((ITEMS, 96, 64)) * 8 - 7).astype(np.float32),
    }
    for name, items in inputs.items():
        for threads in (1, 2):
            for batch in BATCHES:
                encoder = OnnxEncoder(FOLDER / f"{name}.onnx", batch, threads)
                figures = measure(lambda encoder=encoder, items=items: encoder(items), ITEMS, repeats)  # type: ignore[misc]
                print(f"{name:>18}  threads {threads}  batch {batch:2d}  {figures}", flush=True)
    waveform = (random.random(SECONDS_OF_SOUND * 16_000) * 2 - 1).astype(np.float32)
    print(f"{'log_mel':>18}  a second of sound      {measure(lambda: log_mel(waveform), SECONDS_OF_SOUND, repeats)}")


if __name__ == "__main__":
    main()
