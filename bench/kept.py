"""A results folder shown anew: another threshold, pages without pictures, another place for them.

    python bench/kept.py [--videos 1000]

One composed video of 30 s is searched once; its result and what is kept of it stand for those of all others, which
are links to it. Then `avloc detect` is typed again with other settings.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

from avloc.cli.main import main as avloc
from avloc.scale.kept import ENDING, kept_file
from avloc.scale.manifest import MANIFEST, Manifest

SAMPLE = Path(__file__).parents[1] / "demo" / "sample.mp4"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=1000)
    count = parser.parse_args().videos
    with tempfile.TemporaryDirectory() as folder:
        videos, results, site = (Path(folder) / name for name in ("videos", "results", "site"))
        videos.mkdir()
        first = videos / "00000.mp4"
        shutil.copy2(SAMPLE, first)
        typed("one video searched", videos, results, "--workers", "1")
        multiply(first, results, count)
        typed(f"{count} results, the same again", videos, results)
        typed("another threshold", videos, results, "--min-score", "0.3")
        typed("pages", videos, results, "--min-score", "0.3", "--report", str(site), "--quick")
        typed("pages of another threshold elsewhere", videos, results, "--report", str(site / "b"), "--quick")
        typed("all candidates", videos, results, "--all")
        sizes = [path.stat().st_size for path in results.rglob(f"*{ENDING}")]
        print(f"kept: {sum(sizes) / len(sizes):.0f} bytes a video of 30 s")


def multiply(first: Path, results: Path, count: int) -> None:
    """As if `count` videos had been searched: links to the first, copies of its files, lines of the manifest."""
    manifest = Manifest(results, MANIFEST)
    (entry,) = manifest.entries.values()
    result = results / f"{entry.result}.events.json"
    entries = []
    for number in range(1, count):
        name = f"{number:05d}"
        os.link(first, first.with_name(f"{name}.mp4"))
        own = result.with_name(f"{name}.events.json")
        own.write_text(result.read_text().replace(entry.result, name))
        shutil.copyfile(kept_file(result), kept_file(own))
        entries.append(replace(entry, result=name, video=entry.video.replace(entry.result, name)))
    manifest.begin(entries)


def typed(what: str, videos: Path, results: Path, *more: str) -> None:
    """Run `avloc detect` and say what it took."""
    began, cpu = time.perf_counter(), time.process_time()
    with redirect_stdout(StringIO()) as said:
        status = avloc(["detect", str(videos), "--out", str(results), *more])
    took, used = time.perf_counter() - began, time.process_time() - cpu
    done = next(line for line in said.getvalue().splitlines() if "videos done" in line)
    print(f"{what}: {took:.1f} s, processor {used:.1f} s, status {status}: {done}", flush=True)


if __name__ == "__main__":
    main()
