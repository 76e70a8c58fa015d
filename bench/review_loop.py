"""The review loop from end to end: a weak model, its results judged by keys in a browser, trained on, and measured.

    python bench/review_loop.py work/

A first model is trained on six composed videos. It searches others; a person who knows the truth to the millisecond
stands in for you and judges every event on the pages in headless Chromium: yes and no, a class by its first letters,
ends where the video stands, missed events added. The verdicts that the index saves are given to `avloc review` and
`avloc train`; both models are scored on videos that neither has seen. Everything stays in the folder; the same
command goes on where it was stopped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "report"))
from chromium import Browser, find_chromium

from avloc.events import Event, Events
from avloc.formats.activitynet import read_truth
from avloc.formats.csv_truth import write_csv_truth
from avloc.formats.truth import Truth
from avloc.formats.verdict_files import read_reviewed
from avloc.review.joined import overlap

SCENES = {
    "duration-s": ("14", "20"),
    "size": ("256", "144"),
    "fps": ("8",),
    "events": ("2", "4"),
    "event-s": ("1.5", "7"),
}
LOOSE, SAME, EXACT = 0.3, 0.5, 0.8  # tIoU: of what is mended, of what is the same event, of what needs no mending
CHOSEN = "document.querySelector('.bar[tabindex=\"0\"]')"


@dataclass(frozen=True)
class Settings:
    work: Annotated[Path, tyro.conf.Positional]
    """Folder for videos, results and models."""
    first: int = 6
    """Videos with labels, for the first model."""
    judged: int = 16
    """Videos whose results are judged."""
    test: int = 14
    steps: int = 60
    """Batches of both trainings."""
    min_score: float = 0.25
    """From which score on events are judged."""
    seeds: tuple[int, ...] = (0,)
    """Of the second training."""


def main(s: Settings) -> None:
    """Make videos, train, judge, train again, measure."""
    work = s.work
    scenes = [word for name, values in SCENES.items() for word in (f"--scene.{name}", *values)]
    composed = work / "composed"
    once(composed / "annotations.json", "compose", "--out", composed, "--videos", s.first + s.judged,
         "--test", s.test, *scenes)  # fmt: skip
    truth = read_truth(composed / "annotations.json")
    names = [name for name, told in truth.items() if told.subset == "train"]
    parts = {"first": names[: s.first], "new": names[s.first :], "test": [n for n in truth if n not in names]}
    for part, videos in parts.items():
        share(work, part, {name: truth[name] for name in videos})
    train(work, "m0", work / "first.csv", "first", s.steps, 0)
    once(work / "results" / "events.csv", "detect", work / "new", "--model", work / "m0", "--out", work / "results",
         "--min-score", s.min_score)  # fmt: skip
    run("report", work / "results", "--out", work / "site")
    if not (work / "verdicts.csv").is_file():
        judge(work, {name: truth[name].events for name in parts["new"]})
    run("review", work / "results", work / "verdicts.csv", "--out", work / "corrected")
    score(work, "m0")
    for seed in s.seeds:
        train(work, f"m1-{seed}", work / "verdicts.csv", "new", s.steps, seed, "--start", work / "m0")
        score(work, f"m1-{seed}")


def share(work: Path, part: str, truth: dict[str, Truth]) -> None:
    """A folder of some of the videos, and their labels beside it."""
    (work / part).mkdir(exist_ok=True)
    for name in truth:
        link = work / part / f"{name}.mp4"
        if not link.is_file():
            link.hardlink_to(work / "composed" / f"{name}.mp4")
    write_csv_truth(work / f"{part}.csv", truth)


def train(work: Path, name: str, labels: Path, videos: str, steps: int, seed: int, *more: object) -> None:
    once(work / name / "own.json", "train", "default", "--data.annotations", labels, "--data.videos", work / videos,
         "--out", work / name, "--folds", 0, "--steps", steps, "--train.seed", seed, *more)  # fmt: skip


def score(work: Path, model: str) -> None:
    found = work / f"test-{model}"
    once(found / "events.csv", "detect", work / "test", "--model", work / model, "--out", found, "--all")
    least = json.loads((work / model / "config.json").read_text())["show_score"]
    print(f"== {model}, shown from {least}")
    run("evaluate", found, "--truth", work / "test.csv", "--min-score", least, "--every-class")


def once(result: Path, *words: object) -> None:
    """A command, where its result is not there."""
    if not result.is_file():
        run(*words)


def run(*words: object) -> None:
    """A command as a user types it."""
    subprocess.run([sys.executable, "-m", "avloc", *map(str, words)], check=True)


def judge(work: Path, truth: dict[str, Events]) -> None:
    """Judge every event of the site by keys, and save what the index has collected."""
    program = find_chromium()
    if program is None:
        raise SystemExit("Chromium is absent; install it")
    with Browser(program) as browser:
        keys = 0
        for page in sorted((work / "site" / "pages").glob("*.html")):
            browser.open(page)
            browser.until("document.querySelector('video').readyState >= 2")
            keys += Person(browser, list(truth[page.stem])).look()
        browser.save_into(work.resolve())
        browser.open(work / "site" / "index.html")
        browser.click("#save")
        told = read_reviewed(browser.saved(work.resolve() / "verdicts.csv"))
    kinds = [v.kind for reviewed in told.values() for v in reviewed.verdicts]
    print(f"{keys} keys:", {kind: kinds.count(kind) for kind in sorted(set(kinds))})


class Person:
    """Who knows what happens in the video of a page, and types."""

    def __init__(self, browser: Browser, truth: list[Event]) -> None:
        self.browser, self.left, self.keys = browser, truth, 0

    def look(self) -> int:
        """Judge all; the number of keys."""
        for found in self.found():
            there = self.meant(found)
            if there is None:
                self.type("n")
                continue
            self.left.remove(there)
            if there.label != found.label:
                self.name("c", there.label)
            if overlap(there, Event(found.start_s, found.end_s, there.label)) < EXACT:
                self.at(there.start_s, "i") if there.start_s < found.end_s else None
                self.at(there.end_s, "o")
                self.at(there.start_s, "i")
            self.type("y")
        for missed in self.left:
            self.browser.value(f"document.querySelector('video').currentTime = {missed.start_s}")
            self.browser.until("!document.querySelector('video').seeking")
            self.name("a", missed.label)
            self.at(missed.end_s, "o")
        self.type("w")
        return self.keys

    def found(self) -> Iterator[Event]:
        """The events without a verdict, as the page leads from one to the next."""
        open_ = "document.querySelectorAll('.bar[data-verdict=\"\"]').length"
        while self.browser.value(open_):
            if self.browser.value(f"{CHOSEN}.dataset.verdict !== ''"):
                self.type("j")
            told = self.browser.value(f"({{...{CHOSEN}.dataset}})")
            yield Event(float(told["start"]), float(told["end"]), told["label"], float(told["score"]))

    def meant(self, found: Event) -> Event | None:
        """The true event that this is: of its class, or one that is taken for it."""

        def share(one: Event) -> float:
            return overlap(one, Event(found.start_s, found.end_s, one.label))

        own = [one for one in self.left if one.label == found.label and share(one) >= LOOSE]
        other = [one for one in self.left if share(one) >= SAME]
        return max(own or other, key=share, default=None)

    def at(self, seconds: float, key: str) -> None:
        self.browser.value("document.querySelector('video').pause()")
        self.browser.value(f"document.querySelector('video').currentTime = {seconds}")
        self.browser.until("!document.querySelector('video').seeking")
        self.type(key)

    def name(self, key: str, label: str) -> None:
        self.type(key)
        self.browser.type(label)
        self.type("Enter")

    def type(self, key: str) -> None:
        self.browser.press(key)
        self.keys += 1


if __name__ == "__main__":
    main(tyro.cli(Settings))
