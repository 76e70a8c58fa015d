"""What the head of a large run takes: manifest, table and list of jobs of 10,000 to 1,000,000 videos.

    python bench/head.py

The engine has done all at once: what remains is the head's work. Each number of videos is in a process of its own;
seconds are of processor time, memory is the process's peak.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from avloc.events import Event, Events
from avloc.scale.batch import Batch, Begun, Job
from avloc.scale.manifest import Entry, Manifest
from avloc.scale.messages import Ended, OnProgress
from avloc.scale.table import write_events_table
from avloc.scale.work import Done, Task, Work


def main() -> None:
    if len(sys.argv) > 1:
        head(int(sys.argv[1]))
        return
    for count in (10_000, 100_000, 1_000_000):
        subprocess.run([sys.executable, __file__, str(count)], check=True)


class Nowhere:
    """An engine that has done all at once, so that what remains is the head's own work."""

    def run(self, make: Any, tasks: Any) -> Any:
        for number, task in enumerate(tasks):
            yield Ended(number, outcome_of(task))


def outcome_of(task: Task) -> Done:
    """Of a video in which nothing was looked for."""
    return Done(key="0" * 64, duration_s=task.video.stat().st_size)


class Noted(Work[Done]):
    """Leaves no files: the manifest alone is looked at."""

    ending = ".nothing"

    def load(self) -> None:
        return

    def settings(self) -> tuple[str, ...]:
        return ("nothing",)

    def read(self, result: Path) -> Done | None:
        return None

    def make(self, task: Task, info: object, content: str, on_progress: OnProgress) -> Done:
        return outcome_of(task)


def head(count: int) -> None:
    """Seconds are of processor time, for the figures must not depend on who else computes meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        video = out / "video.mp4"
        video.touch()
        before = peak_mb()
        jobs = [Job(video, f"part {i // 1000}/clip {i:08d}") for i in range(count)]
        run = Batch(out, Noted(), Nowhere())
        began = time.process_time()
        with run.locked() as manifest:
            events = run.run(manifest, jobs)
            assert isinstance(next(events), Begun)
            ready = time.process_time() - began
            began = time.process_time()
            for _ in events:
                pass
            noted = time.process_time() - began
        size = (out / "manifest.jsonl").stat().st_size
        began = time.process_time()
        again = Manifest(out)
        read = time.process_time() - began
        assert len(again.entries) == count and isinstance(next(iter(again.entries.values())), Entry)
        peak = peak_mb()
        began = time.process_time()
        some = Events.of([Event(1.0, 2.5, "playing accordion", 0.5)] * 3)
        write_events_table(out / "events.csv", {job.name: some for job in jobs})
        table = time.process_time() - began
        told = {
            "videos": count,
            "until the first task s": round(ready, 1),
            "outcomes a second": round(count / noted),
            "manifest bytes a video, while running": round(size / count),
            "manifest read s": round(read, 1),
            "head MB": round(peak),
            "bytes a video in the head": round(1e6 * (peak - before) / count),
            "table of 3 rows a video s": round(table, 1),
            "head with it MB": round(peak_mb()),
        }
        print(json.dumps(told), flush=True)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
