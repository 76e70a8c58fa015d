"""How quick the index of many videos is: made, shown for the first time, and filtered, in headless Chromium.

    python bench/report.py [--videos 5000] [--events 25000]

Videos are not there, as in an archive that is not mounted; pages are made all the same.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import numpy as np

from avloc.cli.main import main as avloc
from avloc.events import Events
from avloc.formats.activitynet import write_results

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "report"))
from chromium import Browser, find_chromium

CLASSES = 54
RUNS = 7
PLACES = ("forest", "harbour", "street/day", "street/night", "studio")


def make_results(folder: Path, videos: int, events: int) -> None:
    """Results of `videos` videos with about `events` events together, some without any."""
    rng = np.random.default_rng(0)
    labels = [f"class {k} sounding" for k in range(CLASSES)]
    share = rng.zipf(1.5, 4 * CLASSES) % CLASSES
    for k in range(videos):
        place = PLACES[k % len(PLACES)]
        duration_s = float(rng.uniform(20, 600))
        count = rng.poisson(events / videos)
        start_s = rng.uniform(0, duration_s - 10, count)
        found = Events(
            start_s,
            start_s + rng.uniform(0.5, 10, count),
            [labels[i] for i in rng.choice(share, count)],
            rng.uniform(0.3, 1, count),
        )
        name = f"recording {k:05d}"
        path = folder / place / f"{name}.events.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {
            "source": f"{name}.mp4",
            "video": f"../videos/{name}.mp4",
            "duration": duration_s,
            "model": "default",
        }
        write_results(path, {name: found.by_time()}, about)


FIRST_SHOW = """(() => {
  const shown = performance.getEntriesByName("first-contentful-paint")[0];
  const load = performance.getEntriesByType("navigation")[0];
  return [shown.startTime, load.domContentLoadedEventEnd, load.loadEventEnd];
})()"""
TIMED = """new Promise((done) => {{
  const began = performance.now();
  {change};
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
}})"""
CHANGES = {
    "search of a word": 'query.value = query.value ? "" : "harbour"; query.dispatchEvent(new Event("input"))',
    "filter by score": 'floor.value = floor.value > 0.6 ? 0.3 : 0.7; floor.dispatchEvent(new Event("input"))',
    "filter by class": 'document.querySelector("#classes button").click()',
    "sort by events": (
        'order.value = order.value === "name" ? "events" : "name"; order.dispatchEvent(new Event("change"))'
    ),
    "scroll to a far place": "scrollTo(0, Math.random() * document.body.scrollHeight)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=5000)
    parser.add_argument("--events", type=int, default=25000)
    given = parser.parse_args()
    program = find_chromium()
    if program is None:
        sys.exit("Chromium is absent; install it, for example with apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        results, site = Path(folder) / "results", Path(folder) / "site"
        make_results(results, given.videos, given.events)
        for name in ("made", "made again"):
            began = time.perf_counter()
            with redirect_stderr(StringIO()):  # a line for each video that is not there
                avloc(["report", str(results), "--out", str(site), "--quick"])
            print(f"{name:24s} {time.perf_counter() - began:8.1f} s")
        print(f"{'index.html':24s} {(site / 'index.html').stat().st_size / 1e6:8.2f} MB")
        print(f"{'all pages':24s} {sum(p.stat().st_size for p in (site / 'pages').iterdir()) / 1e6:8.1f} MB")
        measure(program, site / "index.html")


def measure(program: str, index: Path) -> None:
    with Browser(program) as browser:
        shows = []
        for _ in range(RUNS):
            browser.open(index)
            browser.until("performance.getEntriesByName('first-contentful-paint').length > 0")
            shows.append(browser.value(FIRST_SHOW))
        for k, name in enumerate(("first show", "ready", "loaded")):
            print(f"{name:24s} {statistics.median(show[k] for show in shows):8.0f} ms")
        for name, change in CHANGES.items():
            script = TIMED.format(change=change)
            times = [browser.value(f"(() => {{ {NAMES} return {script}; }})()") for _ in range(RUNS + 1)]
            print(f"{name:24s} {statistics.median(times):8.0f} ms   (least {min(times):.0f}, most {max(times):.0f})")
        print(f"{'rows on the page':24s} {browser.value('document.querySelectorAll(`.video`).length'):8d}")
        if browser.troubles:
            sys.exit(f"trouble: {browser.troubles[:3]}")


NAMES = "const [query, floor, order] = ['query', 'floor', 'order'].map((id) => document.getElementById(id));"


if __name__ == "__main__":
    main()
