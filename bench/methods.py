"""Cost of every method of Table 1 at full width: size, one video's forward pass, a training step, memory.

    python bench/methods.py                                   # all of them; each measured in a process of its own
    python bench/methods.py unav ccnet --batch 4 --steps 1    # some, on smaller batches, one step after the first
    python bench/methods.py vsgn-stitched --only forward
    python bench/methods.py unav uniav --plain --batch 2      # beside the same arithmetic as the authors go about it
    python bench/methods.py unav --plain --batch 4 --usual    # on videos of usual lengths instead of the longest

Times are processor time, so that what else the machine does weighs little; steps are those of `avloc train` (forward,
losses, backward, clip, optimiser, moving average). Memory is how far the process grew above what it was before the
network was made: weights, gradients, the optimiser's state and the moving average are in it. A process that would
grow beyond --limit GB ends, not the machine. The numbers beside are those of the authors' own code, measured on two
cores of a machine of the kind this project is built on: seconds by the clock, so up to twice as much processor time.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from avloc.datasets.batch import Batch
from avloc.learning.losses import Truth
from avloc.recipes.table import RECIPES
from avloc.training.batches import Batches
from avloc.training.describe import describe
from avloc.training.fit import fit
from avloc.training.method import build_method
from avloc.training.watch import Step, Watch
from plain_blocks import plainly

EVENTS = 5


@dataclass(frozen=True)
class Row:
    """A recipe on videos of so many steps; what its authors' code needs, where that was measured."""

    recipe: str
    length: int = 224
    forward_ms: str = ""
    step_s: str = ""
    memory_gb: str = ""


ROWS = {
    "loco": Row("loco-unav100-i3d-vggish"),
    "unav": Row("unav-unav100-i3d-vggish", 224, "1250 to 1460", "3.7", "27 at batch 16"),
    "uniav": Row("uniav-unav100-onepeace", 256, "225", "0.48"),
    "uniav-i3d": Row("uniav-unav100-i3d-vggish"),
    "ccnet": Row("ccnet-unav100-i3d-vggish", 224, "", "", "13.5 at batch 4"),
    "actionformer": Row("actionformer-unav100-i3d-vggish"),
    "tridet": Row("tridet-unav100-i3d-vggish"),
    "tadtr": Row("tadtr-unav100-i3d-vggish"),
    "vsgn": Row("vsgn-unav100-i3d-vggish"),
    "vsgn-stitched": Row("vsgn-unav100-i3d-vggish-stitched", 224, "", "", "13.4 at batch 32 in one tensor"),
}


@dataclass(frozen=True)
class Cost:
    """Median seconds, of the clock as well; bytes that the process grew by; entries of the largest tensor."""

    processor_s: float
    clock_s: float
    memory: int
    largest: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", metavar="METHOD", help=f"some of {', '.join(ROWS)}; none: all")
    parser.add_argument("--batch", type=int, default=16, help="videos a training step")
    parser.add_argument("--steps", type=int, default=3, help="training steps that are timed, after one that is not")
    parser.add_argument("--passes", type=int, default=5, help="forward passes that are timed, after two that are not")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=float, default=15.0, help="GB beyond which a process ends")
    parser.add_argument("--only", choices=("forward", "step"), help="one of the two")
    parser.add_argument(
        "--usual", action="store_true", help="steps on videos as long as in a usual batch of UnAV-100"
    )
    parser.add_argument("--plain", action="store_true", help="instead: steps in turn with those of plain blocks")
    options = parser.parse_args()
    unknown = sorted(set(options.methods) - set(ROWS))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    print(f"{options.threads} thread(s), torch {torch.__version__}, batch {options.batch}")
    for name in options.methods or ROWS:
        row = ROWS[name]
        about = describe(RECIPES[row.recipe]().network, row.length)
        print(f"\n{name} ({row.recipe}, {row.length} steps)")
        print(
            f"  {about.parameters / 1e6:.2f} M parameters, {about.macs / 1e9:.2f} G multiply-accumulates", flush=True
        )
        if options.plain:
            own, plain = alone(
                both_costs, row, options.usual, options.batch, options.steps, options.threads, options.limit
            )
            print(f"  forward and backward, a video: {own:.3g} s, plain {plain:.3g} s: {plain / own:.2f} times")
            continue
        if options.only != "step":
            cost = alone(forward_cost, row, options.passes, options.threads, options.limit)
            tell("forward of one video", cost, 1e3, "ms", 1, row.forward_ms, "")
        if options.only != "forward":
            cost = alone(step_cost, row, options.usual, options.batch, options.steps, options.threads, options.limit)
            tell("training step, a video", cost, 1.0, "s", options.batch, row.step_s, row.memory_gb)


def tell(what: str, cost: Cost | None, unit: float, name: str, share: int, theirs: str, memory: str) -> None:
    """One line, and what is known of the authors' code."""
    if cost is None:
        print(f"  {what}: the process ended before it was done, for want of memory", flush=True)
        return
    times = f"{unit * cost.processor_s / share:.3g} {name} ({unit * cost.clock_s / share:.3g} by the clock)"
    largest = f", largest tensor {4 * cost.largest / 1e6:.0f} MB" if cost.largest else ""
    print(f"  {what}: {times}, {cost.memory / 1e9:.2f} GB{largest}")
    known = [f"{theirs} {name} by two cores' clock"] if theirs else []
    known += [f"{memory} GB"] if memory else []
    if known:
        print(f"    the authors' code: {', '.join(known)}", flush=True)


def alone(work: Callable[..., Any], *given: object) -> Any:
    """What it costs in a process of its own; None where that does not live."""
    try:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            return process.submit(work, *given).result()
    except (BrokenProcessPool, MemoryError):
        return None
    except RuntimeError as error:
        if "memory" in str(error):
            return None
        raise


def forward_cost(row: Row, passes: int, threads: int, limit_gb: float) -> Cost:
    """Of one video that fills its length."""
    before = begin(threads, limit_gb)
    network = build_method(RECIPES[row.recipe]()).network.eval()
    visual, audio, mask = (torch.from_numpy(x) for x in inputs(row, 1))
    with torch.no_grad():
        times = [took(lambda: network(visual, audio, mask)) for _ in range(2 + passes)][2:]
        memory = most_held() - before
        with Largest() as seen:
            network(visual, audio, mask)
    return Cost(*medians(times), memory, seen.entries)


def step_cost(row: Row, usual: bool, batch: int, steps: int, threads: int, limit_gb: float) -> Cost:
    """Of training as `avloc train` does it, on videos that fill their length or are of `usual` ones."""
    before = begin(threads, limit_gb)
    run = RECIPES[row.recipe]()
    videos = Videos(row, batch, usual)
    times: list[tuple[float, float]] = []
    began = time.process_time(), time.perf_counter()

    def on_step(_: Step) -> None:
        nonlocal began
        now = time.process_time(), time.perf_counter()
        times.append((now[0] - began[0], now[1] - began[1]))
        began = now
        if len(times) > steps:
            raise EnoughError

    with contextlib.suppress(EnoughError):
        fit(build_method(run), videos, replace(run.train, precision="32-true"), watch=Watch(on_step=on_step))
    return Cost(*medians(times[1:]), most_held() - before)


def both_costs(row: Row, usual: bool, batch: int, steps: int, threads: int, limit_gb: float) -> tuple[float, float]:
    """Seconds of the processor that forward, losses and backward take a video, and those of plain blocks; in turn, so
    that both meet the same machine. Plain ones get all that their authors pad to."""
    begin(threads, limit_gb)
    method = build_method(RECIPES[row.recipe]())
    method.network.train()

    def work(given: Batch) -> None:
        visual, audio, mask, segments, labels = (
            torch.from_numpy(x) for x in (given.visual, given.audio, given.mask, given.segments, given.labels)
        )
        method.criterion(method.network(visual, audio, mask), Truth(segments, labels)).total.backward()

    videos, own, plain = Videos(row, batch, usual), [], []
    for _ in range(1 + steps):
        own.append(took(lambda: work(videos.batch))[0])
        with plainly():
            plain.append(took(lambda: work(videos.padded))[0])
    return statistics.median(own[1:]) / batch, statistics.median(plain[1:]) / batch


class EnoughError(Exception):
    """All steps were seen."""


class Videos(Batches):
    """The same batch again and again; `padded` is it at the row's whole length.

    In batches of UnAV-100's videos, drawn by length, the longest has two thirds of the steps on average and the
    mean half of them.
    """

    steps = 1_000_000

    def __init__(self, row: Row, batch: int, usual: bool) -> None:
        classes = RECIPES[row.recipe]().network.classes
        rng = np.random.default_rng(0)
        share = np.linspace(0.44, 0.66, batch) if usual else np.ones(batch)
        lengths = (share * row.length).astype(int)
        segments = np.sort(rng.uniform(0, 1, (batch, EVENTS, 2)), axis=2) * lengths[:, None, None]
        truth = segments.astype(np.float32), rng.integers(0, classes, (batch, EVENTS))
        visual, audio, mask = inputs(row, batch)
        mask = mask & (np.arange(row.length) < lengths[:, None])
        longest = -(-lengths.max() // 32) * 32
        self.padded = Batch(visual, audio, mask, *truth)
        self.batch = Batch(*(np.ascontiguousarray(x[:, :longest]) for x in (visual, audio, mask)), *truth)

    def epoch(self, number: int, first: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        while True:
            yield self.batch


def inputs(row: Row, batch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of both modalities and a mask that is true everywhere."""
    network, rng = RECIPES[row.recipe]().network, np.random.default_rng(0)
    visual, audio = (
        rng.standard_normal((batch, row.length, width), dtype=np.float32)
        for width in (network.visual_width, network.audio_width)
    )
    return visual, audio, np.ones((batch, row.length), dtype=bool)


class Largest(TorchDispatchMode):
    """Notes the entries of the largest tensor that any operation makes; views that repeat entries are not larger."""

    entries = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        made = func(*args, **(kwargs or {}))
        for x in tree_leaves(made):
            if isinstance(x, torch.Tensor):
                self.entries = max(self.entries, x.untyped_storage().nbytes() // 4)
        return made


def begin(threads: int, limit_gb: float) -> int:
    """Bytes that the process had at most before there is a network; it ends at `limit_gb` more."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x = torch.randn(1, 4, 64, 16, requires_grad=True)
    torch.nn.functional.scaled_dot_product_attention(x, x, x).sum().backward()  # what torch loads at first use
    before = most_held()
    most = before + int(1e9 * limit_gb)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    return before


def most_held() -> int:
    """Bytes that the process had at most."""
    status = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in status if line.startswith("VmHWM")).split()[1])


def took(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor and of the clock."""
    began = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - began[0], time.perf_counter() - began[1]


def medians(times: list[tuple[float, float]]) -> tuple[float, float]:
    processor, clock = zip(*times, strict=True)
    return statistics.median(processor), statistics.median(clock)


if __name__ == "__main__":
    main()
