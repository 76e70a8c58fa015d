"""Many short videos, some of them bad, in a run that is killed again and again.

    python bench/batch.py                        # 300 videos, 10 of them bad, 5 times SIGKILL
    python bench/batch.py --videos 40 --bad 4 --kills 3

Makes the videos from the package's own procedural media in four containers, runs `avloc detect` over them undisturbed
and, into another folder, killed with SIGKILL at random moments (all processes, as a power cut, or only
the first process) and started again. Then: is the table the same byte for byte, are all result files, was each made
once, and are the bad ones listed with their reasons?
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from avloc.compose import procedural
from avloc.media.writer import write_video

SIDES = (160, 120)
FPS = 10
RATE = 16_000
KINDS = (
    (".mp4", "libx264", "aac"),
    (".mkv", "libx264", "aac"),
    (".avi", "mpeg4", "pcm_s16le"),
    (".mov", "mpeg4", "pcm_s16le"),
)
BAD = ("text", "empty", "cut", "silent", "blind", "noise")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=300)
    parser.add_argument("--bad", type=int, default=10)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--model", default="default")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        make_videos(work / "videos", options.videos, options.bad)
        # A low score: the model knows no class of these videos, and the table should have rows.
        command = ["--workers", str(options.workers), "--model", options.model, "--min-score", "0.02"]
        print(f"{options.videos} videos, {options.bad} of them bad, {options.workers} workers")
        began = time.perf_counter()
        run(work / "videos", work / "plain", command).communicate()
        plain_s = time.perf_counter() - began
        print(f"undisturbed: {plain_s:.0f} s", flush=True)
        began = time.perf_counter()
        made = disturbed(work, command, options.kills, plain_s, random.Random(options.seed))
        print(f"killed {options.kills} times: {time.perf_counter() - began:.0f} s in all")
        report(work, made, options.videos, options.bad)


def make_videos(folder: Path, videos: int, bad: int) -> None:
    folder.mkdir()
    for i in range(videos - bad):
        ending, video_codec, audio_codec = KINDS[i % len(KINDS)]
        # Few names, so that many videos differ by their ending or folder alone.
        one = folder / f"part {i // 40}" / f"clip {i % 40 // 2}{ending}"
        one.parent.mkdir(exist_ok=True)
        write_clip(one, i, video_codec=video_codec, audio_codec=audio_codec)
    (folder / "bad").mkdir()
    for i in range(bad):
        write_bad(folder / "bad" / f"{BAD[i % len(BAD)]} {i}.mp4", BAD[i % len(BAD)], i)


def write_clip(path: Path, seed: int, *, picture: bool = True, sound: bool = True, **codecs: str) -> Path:
    """Two to three seconds of one procedural class, seen and heard."""
    label = procedural.CLASSES[seed % len(procedural.CLASSES)]
    seconds = 2 + seed % 5 / 4
    shape = procedural.picture(label, seed)[::2, ::2]
    back = np.full((SIDES[1], SIDES[0], 3), (37 * seed) % 200, np.uint8)
    part = back[: shape.shape[0], 16 : 16 + shape.shape[1]]
    part[:] = np.where(shape[: part.shape[0], :, 3:] > 0, shape[: part.shape[0], :, :3], part)
    frames = (np.roll(back, 2 * i, axis=1) for i in range(round(seconds * FPS)))
    wave = procedural.sound(label, seed)[: round(seconds * RATE)]
    return write_video(path, frames if picture else None, FPS, wave if sound else None, RATE, **codecs)  # type: ignore[arg-type]


def write_bad(path: Path, kind: str, seed: int) -> None:
    if kind == "text":
        path.write_text("no video\n" * 100)
    elif kind == "empty":
        path.touch()
    elif kind == "noise":
        path.write_bytes(random.Random(seed).randbytes(50_000))
    else:
        write_clip(path, seed, picture=kind != "blind", sound=kind != "silent")
        if kind == "cut":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def run(videos: Path, out: Path, more: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "avloc.cli.main", "detect", str(videos), "--out", str(out), *more]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def disturbed(work: Path, command: list[str], kills: int, plain_s: float, lots: random.Random) -> dict[str, set[int]]:
    """Result files by name, each with the times at which it was written, as seen between the runs."""
    made: dict[str, set[int]] = {}
    out = work / "killed"
    for turn in range(kills):
        process = run(work / "videos", out, command)
        time.sleep(lots.uniform(0.05, 1.5) * plain_s / (kills + 1) + 2)
        with_workers = turn % 2 == 0
        if with_workers:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        look(out, made)
        who = "all processes" if with_workers else "the first process"
        print(f"  SIGKILL {turn + 1} ({who}): {len(made)} results are there", flush=True)
    process = run(work / "videos", out, command)
    process.communicate()
    look(out, made)
    print(f"  exit status of the last run: {process.returncode}")
    return made


def look(out: Path, made: dict[str, set[int]]) -> None:
    for path in out.rglob("*.events.json"):
        made.setdefault(str(path.relative_to(out)), set()).add(path.stat().st_mtime_ns)


def report(work: Path, made: dict[str, set[int]], videos: int, bad: int) -> None:
    plain, killed = work / "plain", work / "killed"
    files = {str(p.relative_to(plain)): p.read_bytes() for p in plain.rglob("*.events.json")}
    same = sum((killed / name).read_bytes() == content for name, content in files.items())
    twice = sum(len(times) > 1 for times in made.values())
    table = (plain / "events.csv").read_bytes()
    states = {}
    for line in (killed / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        states[entry["result"]] = entry
    failed = {name: e["reason"] for name, e in states.items() if e["state"] in ("failed", "skipped")}
    print(f"results: {len(made)} of {videos - bad} good videos, {twice} made more than once")
    print(f"result files equal to those of the undisturbed run: {same} of {len(files)}")
    print(f"table: {len(table.splitlines()) - 1} events, equal: {table == (killed / 'events.csv').read_bytes()}")
    print(f"failed or skipped: {len(failed)}")
    for name, reason in sorted(failed.items()):
        print(f"  {name}: {reason.removeprefix(str(work))}")
    torn = list(killed.rglob(".avloc-*.tmp"))
    print(f"left over: {len(torn)} temporary files")


if __name__ == "__main__":
    main()
