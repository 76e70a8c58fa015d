"""Both engines over the same videos and over tasks that do nothing.

    python bench/engines.py videos               # 300 videos, 10 bad; workers of Ray killed 5 times, the head once
    python bench/engines.py tasks                # 100,000 tasks that do nothing, through each engine

Needs Ray (pip install '.[ray]'). Every run is in a process of its own, and its memory is that
process's peak.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import batch
from avloc.scale.engine import Engine, ProcessEngine
from avloc.scale.messages import Ended, OnProgress
from avloc.scale.ray_cluster import connected
from avloc.scale.ray_engine import RayEngine

ENGINES = ("processes", "ray")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("videos", "tasks", "_tasks"))
    parser.add_argument("--videos", type=int, default=300)
    parser.add_argument("--bad", type=int, default=10)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--engine", choices=ENGINES, default="processes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    match options.what:
        case "videos":
            videos(options)
        case "tasks":
            for engine in ENGINES:
                again("_tasks", engine, options.tasks, options.workers)
        case "_tasks":
            tasks(options.engine, options.tasks, options.workers)


def again(what: str, engine: str, count: int, workers: int) -> None:
    """This program in a fresh process."""
    more = ["--engine", engine, "--tasks", str(count), "--workers", str(workers)]
    subprocess.run([sys.executable, __file__, what, *more], check=True)


# Videos


def videos(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        batch.make_videos(work / "videos", options.videos, options.bad)
        print(f"{options.videos} videos, {options.bad} of them bad, {options.workers} workers", flush=True)
        took = {}
        for engine in ENGINES:  # by turns with what else the machine does: say the load beside it
            began, load = time.perf_counter(), os.getloadavg()[0]
            status = start(work, work / engine, engine, options.workers).wait()
            took[engine] = time.perf_counter() - began
            print(f"{engine}: {took[engine]:.0f} s, exit status {status}, load before it {load:.0f}", flush=True)
        print(f"ray / processes: {took['ray'] / took['processes']:.2f}")
        disturbed(work, options)
        for name in ("ray", "killed"):
            compare(work / "processes", work / name, options.videos - options.bad)
        sizes(work / "processes", options.videos)


def start(work: Path, out: Path, engine: str, workers: int) -> subprocess.Popen[bytes]:
    # A low score: the model knows no class of these videos, and the table should have rows.
    more = ["--out", str(out), "--min-score", "0.02", "--workers", str(workers), "--engine", engine]
    command = [sys.executable, "-m", "avloc", "detect", str(work / "videos"), *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def disturbed(work: Path, options: argparse.Namespace) -> None:
    """Workers are killed while they work, the head halfway."""
    lots, out, good = random.Random(options.seed), work / "killed", options.videos - options.bad
    made: dict[str, set[int]] = {}
    began = time.perf_counter()
    process = start(work, out, "ray", options.workers)
    for turn in range(options.kills + 1):
        until = good * (turn + 1) // (options.kills + 2)
        while len(list(out.rglob("*.events.json"))) < until:
            assert process.poll() is None, "the run ended before it could be disturbed"
            time.sleep(0.05)
        time.sleep(lots.uniform(0, 1))
        if turn == options.kills // 2:
            process.kill()
            process.wait()
            batch.look(out, made)
            print(f"  SIGKILL of the head after {len(made)} results", flush=True)
            process = start(work, out, "ray", options.workers)
            continue
        while not (workers := actors(process.pid)):
            time.sleep(0.05)
        victim = lots.choice(workers)
        os.kill(victim, signal.SIGKILL)
        print(f"  SIGKILL of a worker after {until} results", flush=True)
    status = process.wait()
    batch.look(out, made)
    twice = sum(len(times) > 1 for times in made.values())
    print(f"disturbed: {time.perf_counter() - began:.0f} s, exit status {status}")
    print(f"results: {len(made)} of {good} good videos, {twice} made more than once")
    print(f"left over: {len(list(out.rglob('.avloc-*.tmp')))} temporary files")


def actors(head: int) -> list[int]:
    """Workers of Ray below a process."""
    return [process for process in below(head) if named(process).startswith("ray::RayWorker")]


def below(head: int) -> list[int]:
    """All processes that a process has started, and those that they have."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found = []
    for process in parents:
        above = process
        while above in parents and above != head:
            above = parents[above]
        if above == head and process != head:
            found.append(process)
    return sorted(found)


def named(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


def compare(plain: Path, other: Path, good: int) -> None:
    files = [p.relative_to(plain) for p in plain.rglob("*.*") if re.search("json$|tensors$", p.name)]
    same = sum(is_same(plain / name, other / name) for name in files)
    tables = [is_same(plain / name, other / name) for name in ("events.csv", "failed.csv")]
    results = len(list(other.rglob("*.events.json")))
    print(f"{other.name}: {results} results of {good}, {same} of {len(files)} files as with processes", end="; ")
    print(f"events.csv the same: {tables[0]}, failed.csv: {tables[1]}")


def is_same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def sizes(out: Path, count: int) -> None:
    rows = (out / "events.csv").read_bytes().splitlines(keepends=True)[1:]
    manifest = (out / "manifest.jsonl").stat().st_size
    results = sum(p.stat().st_size for p in out.rglob("*.events.json"))
    kept = sum(p.stat().st_size for p in out.rglob("*.safetensors"))
    print(
        f"manifest {manifest / count:.0f} bytes a video, table {sum(map(len, rows)) / max(len(rows), 1):.0f} a row,"
    )
    print(f"results {results / count:.0f} and candidates {kept / count:.0f} bytes a video")


# Tasks that do nothing


class Nothing:
    """Does nothing, and does it again."""

    def __call__(self, task: int, on_progress: OnProgress) -> int:
        return task


def tasks(engine: str, count: int, workers: int) -> None:
    runs: Engine = RayEngine(workers) if engine == "ray" else ProcessEngine(workers)
    before = peak_mb()
    began, first, seen = time.perf_counter(), 0.0, bytearray(count)
    helpers, own = "", 0.0
    for report in runs.run(Nothing, range(count)):
        if isinstance(report, Ended):
            if not first:
                first, own = time.perf_counter() - began, time.process_time()
            assert report.outcome == report.number and not seen[report.number]
            seen[report.number] = 1
            if report.number == count - 1 and engine == "ray":
                helpers = beside_mb()
    took, own = time.perf_counter() - began - first, time.process_time() - own
    assert all(seen)
    print(f"{engine}: {count} tasks, each ended once; first after {first:.1f} s, then {count / took:.0f} a second")
    each_us = 1e6 * own / count
    print(f"  head: {each_us:.0f} us of processor time a task, {before:.0f} MB before, {peak_mb():.0f} at most")
    if engine == "ray":
        print(f"  Ray's own processes at the end: {helpers}", flush=True)
        waits()


class Sleeper:
    """Is never done."""

    def sleep(self) -> None:
        time.sleep(3600)


def waits() -> None:
    """What a look at all workers costs the head, by how many there are."""
    with connected(None, 1) as ray:
        actor = ray.remote(Sleeper).remote()
        for count in (100, 1000, 10_000):
            busy = [actor.sleep.remote() for _ in range(count)]
            ray.wait(busy, timeout=0)
            began = time.process_time()
            for _ in range(10):
                ray.wait(busy, timeout=0)
            print(f"  a look at {count} workers: {1e2 * (time.process_time() - began):.1f} ms", flush=True)
        ray.kill(actor)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def beside_mb() -> str:
    """What Ray's own processes below this one hold, workers left out."""
    held = dict.fromkeys(("gcs_server", "raylet", "others"), 0.0)
    for process in below(os.getpid()):
        try:
            found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
        except OSError:
            continue
        command = named(process)
        if found and not command.startswith("ray::RayWorker"):
            program = command.split("\0")[0].rpartition("/")[2]
            held[program if program in held else "others"] += int(found[1]) / 1e3
    return ", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in held.items())


if __name__ == "__main__":
    main()
