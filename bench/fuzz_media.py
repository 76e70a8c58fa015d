"""Thousands of damaged and lying files, each read under a limit of time and memory: what comes of them?

    python bench/fuzz_media.py                  # 2,400 mutations and some 80 other files
    python bench/fuzz_media.py --count 200 --seed 7 --keep bad/

Each file is opened, and its pictures and sound read at the steps of the detector, in processes that are ended when a
file takes longer than the limit and that get no more memory than the limit. A file that is neither read nor refused
with one clear line is kept.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avloc.errors import MediaError
from avloc.media.probe import probe
from avloc.media.reader import read_audio, read_frames
from avloc.scale.messages import Ended, Failed
from avloc.scale.pool import run_in_processes
from avloc.timegrid import TimeGrid

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "media"))
from fuzzed import base_files, foreign, many_streams, mutated, special

GRID = TimeGrid.centred(0.32, 0.96)
_MOST_STEPS = 2000


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file was read: "read" or the first words of the refusal; processor time; the process's peak memory."""

    outcome: str
    took_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Reader:
    """Made in each process; limits its address space."""

    limit_mb: int

    def __call__(self) -> Callable[[Path, object], Reading]:
        resource.setrlimit(resource.RLIMIT_AS, (self.limit_mb << 20, self.limit_mb << 20))
        return read


def read(path: Path, tell: object = None) -> Reading:
    """Open a file, read its pictures and its sound."""
    began = time.process_time()
    try:
        info = probe(path)
        if info.video is not None:
            steps = np.arange(min(GRID.length(info.duration_s), _MOST_STEPS))
            for _ in read_frames(path, GRID.to_seconds(steps).tolist(), (64, 64), threads=1):
                pass
        if info.audio is not None:
            for _ in read_audio(path):
                pass
        outcome = "read"
    except MediaError as error:
        message = str(error)
        if "\n" in message or len(message) > 2000:
            raise ValueError("the message is no single short line") from None
        outcome = "refused: " + message.removeprefix(f"{path}").lstrip(": ").split(" (")[0].split(";")[0][:60]
    return Reading(outcome, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit-s", type=float, default=20)
    parser.add_argument("--limit-mb", type=int, default=4096, help="address space of a process")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the files that are neither read nor refused")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bases = base_files(folder)
        cases = [*foreign(folder), *special(folder), *many_streams(folder)]
        cases += [("whole", base) for base in bases]
        cases += mutated(bases, folder, options.count, options.seed)
        tasks = [path for _, path in cases]
        outcomes: Counter[str] = Counter()
        times: list[tuple[float, str]] = []
        largest = 0.0
        began = time.perf_counter()
        make = Reader(options.limit_mb)
        for report in run_in_processes(make, tasks, options.workers, options.limit_s):
            if not isinstance(report, Ended):
                continue
            if isinstance(report.outcome, Failed):
                outcomes[f"BAD: {report.outcome.reason[:80]}"] += 1
                print(f"{tasks[report.number].name!r}: {report.outcome.reason}", flush=True)
                if options.keep and tasks[report.number].is_file():
                    options.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(tasks[report.number], options.keep)
                continue
            outcomes[report.outcome.outcome] += 1
            times.append((report.outcome.took_s, tasks[report.number].name))
            largest = max(largest, report.outcome.peak_mb)
        print(f"{len(cases)} files in {time.perf_counter() - began:.0f} s, peak memory {largest:.0f} MB")
        print(
            "most processor time: " + ", ".join(f"{name!r} {took_s:.1f} s" for took_s, name in sorted(times)[:-4:-1])
        )
        for outcome, number in outcomes.most_common():
            print(f"{number:6d}  {outcome}")


if __name__ == "__main__":
    main()
