"""A watch that is killed, over files that are written slowly, renamed, cut short, overwritten and deleted.

    python bench/watch.py                        # 100 files, 3 times SIGKILL
    python bench/watch.py --files 20 --kills 1

The files are different stretches of the sample video. A program that the watch runs for each event writes down what
it was told. Then: was each event of the files, as they ended up, told once, and none twice?
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from avloc.formats.activitynet import read_results
from avloc.media.clips import cut_clip

SAMPLE = Path(__file__).parents[1] / "demo" / "sample.mp4"
KINDS = ("slow", "renamed", "cut short", "overwritten", "deleted", "overwritten early", "moved", "slow")
SETTLE_S = 2.0
NOTE = """import os, sys, time
line = sys.stdin.readline()
with open(sys.argv[1], "a") as f:
    f.write(line.rstrip("\\n")[:-1] + f', "told_at": {time.time()}' + "}\\n")
"""


@dataclass
class Written:
    """A file of the folder: what is done with it, the name it ends up with, when it was whole."""

    kind: str
    path: Path
    whole_at: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--min-score", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), options)


def run(work: Path, options: argparse.Namespace) -> None:
    lots = random.Random(options.seed)
    made = stretches(work / "made", options.files)
    camera, told = work / "camera", work / "told.jsonl"
    camera.mkdir()
    (work / "note.py").write_text(NOTE)
    told.touch()
    command = f"{sys.executable} {work / 'note.py'} {told}"
    more = ["--workers", str(options.workers), "--min-score", str(options.min_score), "--settle", str(SETTLE_S)]
    start = [
        sys.executable,
        "-m",
        "avloc",
        "watch",
        str(camera),
        "--out",
        str(work / "out"),
        "--on-event",
        command,
        *more,
    ]
    log = (work / "log").open("ab")
    process = subprocess.Popen(start, stdout=log, stderr=log, start_new_session=True)
    files = [Written(KINDS[i % len(KINDS)], camera / f"{i:03d}.mkv") for i in range(options.files)]
    writer = threading.Thread(target=write_all, args=(files, made, lots), daemon=True)
    began = time.monotonic()
    writer.start()
    for kill in range(options.kills):
        at = (kill + 1) * options.files / (options.kills + 1) / 2
        wait_for(lambda at=at: lines(told) >= at)  # type: ignore[misc]
        time.sleep(lots.uniform(0, 1.5))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        print(f"after {lines(told)} events: SIGKILL to the watch and its workers", flush=True)
        process = subprocess.Popen(start, stdout=log, stderr=log, start_new_session=True)
    writer.join()
    print(f"all is written after {time.monotonic() - began:.0f} s; {lines(told)} events are told", flush=True)
    time.sleep(10)  # it has just been started
    process.send_signal(signal.SIGTERM)
    print(f"SIGTERM: exit status {process.wait(60)}")
    last = subprocess.run([*start, "--once"], stdout=log, stderr=log, check=False)
    print(f"the last run, --once: exit status {last.returncode}; {time.monotonic() - began:.0f} s in all")
    judge(work, files, told)


def stretches(folder: Path, files: int) -> list[tuple[Path, Path]]:
    """For each file a stretch of the sample, five seconds long, and for those that are overwritten another."""
    folder.mkdir()
    made = []
    for i in range(files):
        at_s = 24.5 * i / files
        first = cut_clip(SAMPLE, folder / f"{i}.mkv", at_s, at_s + 5)
        again = KINDS[i % len(KINDS)].startswith("overwritten")
        at_s = (at_s + 12) % 24.5
        made.append((first, cut_clip(SAMPLE, folder / f"{i}-2.mkv", at_s, at_s + 5) if again else first))
    return made


def write_all(files: list[Written], made: list[tuple[Path, Path]], lots: random.Random) -> None:
    """Up to eight at a time, as many cameras would."""
    places = threading.Semaphore(8)

    def one(i: int, seed: int) -> None:
        with places:
            write(files[i], *made[i], random.Random(seed))

    threads = [threading.Thread(target=one, args=(i, lots.randrange(1 << 30))) for i in range(len(files))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def write(file: Written, first: Path, second: Path, lots: random.Random) -> None:
    path = file.path
    match file.kind:
        case "renamed":
            slowly(path.with_suffix(".part"), first, lots)
            path.with_suffix(".part").rename(path)
        case "cut short":
            slowly(path, first, lots)
            a_while(path, lots)
            os.truncate(path, path.stat().st_size * 2 // 3)
        case "overwritten":
            slowly(path, first, lots)
            a_while(path, lots)
            slowly(path, second, lots)
        case "overwritten early":
            slowly(path, first, lots, part=0.6)
            slowly(path, second, lots)
        case "deleted":
            slowly(path, first, lots, part=0.6)
            path.unlink()
        case "moved":
            slowly(path, first, lots)
            a_while(path, lots)
            file.path = path.with_name(f"{path.stem}-kept.mkv")
            path.rename(file.path)
        case _:
            slowly(path, first, lots)
    file.whole_at = time.time()


def a_while(path: Path, lots: random.Random) -> None:
    """Half of the time until the file was searched, else a few seconds."""
    result = path.parent.parent / "out" / f"{path.name}.events.json"
    ends = time.monotonic() + (300 if lots.random() < 0.5 else lots.uniform(0, 4 * SETTLE_S))
    while not result.exists() and time.monotonic() < ends:
        time.sleep(0.1)
    time.sleep(lots.uniform(0, 2 * SETTLE_S))


def slowly(path: Path, source: Path, lots: random.Random, part: float = 1.0) -> None:
    """In pieces, with pauses that are shorter than --settle."""
    content = source.read_bytes()
    content = content[: int(part * len(content))]
    with path.open("wb", buffering=0) as f:
        for i in range(0, len(content), len(content) // 5 + 1):
            f.write(content[i : i + len(content) // 5 + 1])
            time.sleep(lots.uniform(0.05, 0.5 * SETTLE_S))


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def wait_for(true: object) -> None:
    ends = time.monotonic() + 1800
    while not true() and time.monotonic() < ends:  # type: ignore[operator]
        time.sleep(0.05)


def judge(work: Path, files: list[Written], path: Path) -> None:
    told = [json.loads(line) for line in path.read_text().splitlines()]
    names = {path.name for path in (work / "camera").iterdir()}
    kinds = {file.path.name: file.kind for file in files}
    print(f"files: {dict(Counter(file.kind for file in files))}")
    print(f"events told: {len(told)}; ids told twice: {len(told) - len({one['id'] for one in told})}")
    missing, found, delays = 0, 0, []
    for file in files:
        result = work / "out" / f"{file.path.name}.events.json"
        if file.kind == "deleted":
            continue
        stem = "" if file.kind != "moved" else file.path.name.replace("-kept", "")
        mine = [one for one in told if Path(one["file"]).name in (file.path.name, stem)]
        for events in read_results(result).values():
            for event in events:
                found += 1
                same = [
                    one for one in mine if one["label"] == event.label and overlaps(one, event.start_s, event.end_s)
                ]
                missing += not same
                if same and file.kind in ("slow", "renamed"):
                    delays.append(same[0]["told_at"] - file.whole_at)
    print(f"events of the files as they ended up: {found}; not told: {missing}")
    twice = [
        (a, b)
        for i, a in enumerate(told)
        for b in told[:i]
        if a["label"] == b["label"] and a["file"] == b["file"] and overlaps(a, b["start_s"], b["end_s"])
    ]
    odd = [pair for pair in twice if not kinds.get(Path(pair[0]["file"]).name, "").startswith("overwritten")]
    replaced = sum(Path(one["file"]).name not in names for one in told)
    print(f"events told of files that were moved or deleted afterwards: {replaced}")
    print(f"told of one file, class and time twice: {len(twice)}, {len(odd)} of them not of overwritten files")
    log = (work / "log").read_text()
    print(f"uncertain (being told at a kill): {log.count('is not told again')}; tracebacks: {log.count('Traceback')}")
    left = [p for p in (work / "out").rglob("*") if p.name.endswith(".tmp")]
    print(f"temporary files left: {len(left)}")
    if delays:
        delays.sort()
        middle, late = statistics.median(delays), delays[int(0.95 * len(delays))]
        print(f"from whole to told: median {middle:.1f} s, 95 % {late:.1f} s, with --settle {SETTLE_S:g}")


def overlaps(one: dict[str, float], start_s: float, end_s: float) -> bool:
    shared_s = min(one["end_s"], end_s) - max(one["start_s"], start_s)
    return shared_s >= 0.5 * min(one["end_s"] - one["start_s"], end_s - start_s)


if __name__ == "__main__":
    main()
