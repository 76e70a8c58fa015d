"""Any Work runs over many videos: done once, known again by a key, on whichever engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from avloc.errors import MediaError, ModelError, NothingToDoError
from avloc.features.extractors.base import Resources
from avloc.features.store import load_features, save_features
from avloc.media.probe import MediaInfo
from avloc.media.writer import write_video
from avloc.scale.batch import Batch, Job, Summary
from avloc.scale.engine import Engine, ProcessEngine
from avloc.scale.extract import Extract
from avloc.scale.manifest import read_manifest
from avloc.scale.messages import Ended, Failed, Function, OnProgress, Progress, Value
from avloc.scale.work import Done, Gathered, Task, Work, content_of, unchanged
from avloc.timegrid import TimeGrid

GRID = TimeGrid(0.32, 0.96, -0.32)


def tiny(path: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = (rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(8))
    return write_video(path, frames, 10, (0.3 * np.sin(np.arange(12_800) * 0.1)).astype(np.float32))


@dataclass(frozen=True)
class Measure(Work[Done]):
    """The length of a video as a text; reading `made` from the file tells how often it was made."""

    unit: str = "s"
    ending = ".length.txt"
    manifest = "lengths.jsonl"

    def load(self) -> None:
        if self.unit == "furlong":
            raise ModelError("there is no such unit")

    def settings(self) -> tuple[str, ...]:
        return (self.unit,)

    def read(self, result: Path) -> Done | None:
        if not result.is_file():
            return None
        key, length, _ = result.read_text().split()
        return Done(key=key, duration_s=float(length))

    def make(self, task: Task, info: MediaInfo, content: str, on_progress: OnProgress) -> Done:
        task.result.parent.mkdir(parents=True, exist_ok=True)
        task.result.write_text(f"{self.key(content)} {info.duration_s} {self.unit}")
        return Done(key=self.key(content), duration_s=info.duration_s)

    def gather(self, folder: Path, results: Mapping[str, Path], mine: Container[str]) -> Gathered:
        return Gathered(counts=Counter(path.read_text().split()[2] for path in results.values()))


class Here:
    """An engine without processes, that begins every task twice, as one may that lost touch with a worker."""

    def run(
        self, make: Callable[[], Function[Task, Value]], tasks: Sequence[Task]
    ) -> Generator[Progress | Ended[Value], None, None]:
        function = make()
        for number, task in enumerate(tasks):
            try:
                function(task, lambda seconds, of: None)
                yield Ended(number, function(task, lambda seconds, of: None))
            except MediaError as error:
                yield Ended(number, Failed(str(error), skipped=isinstance(error, NothingToDoError)))


class Stopped(Here):
    """An engine that is stopped before its first task ends."""

    def run(
        self, make: Callable[[], Function[Task, Value]], tasks: Sequence[Task]
    ) -> Generator[Progress | Ended[Value], None, None]:
        raise KeyboardInterrupt
        yield


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    folder = tmp_path_factory.mktemp("videos")
    jobs = [Job(tiny(folder / f"{name}.mp4", i), f"deep/{name}") for i, name in enumerate("ab")]
    (folder / "bad.mp4").write_text("no video")
    return [*jobs, Job(folder / "bad.mp4", "bad")]


def run(out: Path, work: Work[Done], engine: Engine, jobs: Sequence[Job]) -> Summary:
    batch = Batch(out, work, engine)
    with batch.locked() as manifest:
        for _ in batch.run(manifest, jobs):
            pass
    return batch.summary


@pytest.mark.parametrize("engine", [ProcessEngine(2), Here()], ids=["processes", "here"])
def test_a_work_of_one_s_own(videos: list[Job], tmp_path: Path, engine: Engine) -> None:
    first = run(tmp_path, Measure(), ProcessEngine(1) if isinstance(engine, ProcessEngine) else engine, videos)
    assert sorted(first.done + first.found) == ["deep/a", "deep/b"] and list(first.failed) == ["bad"]
    assert first.gathered.counts == {"s": 2}
    states = read_manifest(tmp_path, Measure.manifest)
    assert {name: e.state for name, e in states.items()} == {"deep/a": "done", "deep/b": "done", "bad": "failed"}
    again = run(tmp_path, Measure(), engine, videos)
    assert not again.done and sorted(again.found) == ["deep/a", "deep/b"] and list(again.failed) == ["bad"]
    other = run(tmp_path, Measure("frames"), engine, videos)
    assert sorted(other.done + other.found) == ["deep/a", "deep/b"] and other.gathered.counts == {"frames": 2}


def test_a_stopped_run_still_tells_of_all_results(videos: list[Job], tmp_path: Path) -> None:
    run(tmp_path, Measure(), Here(), videos)
    batch = Batch(tmp_path, Measure("frames"), Stopped())
    with batch.locked() as manifest, pytest.raises(KeyboardInterrupt):
        list(batch.run(manifest, videos))
    assert batch.summary.left == 3 and batch.summary.gathered.counts == {"s": 2}
    assert run(tmp_path, Measure("frames"), Here(), videos).gathered.counts == {"frames": 2}


def test_what_has_nothing_to_do_is_skipped_and_stays_so(tmp_path: Path) -> None:
    work = Extract(GRID, resources=Resources(threads=1))
    silent = write_video(tmp_path / "silent.mp4", [np.zeros((48, 64, 3), np.uint8)] * 8, 10, None)
    (tmp_path / "bad.mp4").write_text("no video")
    jobs = [Job(silent, "silent"), Job(tmp_path / "bad.mp4", "bad")]
    out = tmp_path / "out"
    out.mkdir()
    for _ in range(2):
        summary = run(out, work, Here(), jobs)
        assert list(summary.failed) == ["bad"] and list(summary.skipped) == ["silent"]
        assert summary.skipped["silent"].startswith("has no sound") and summary.failures is not None
    assert (out / "features.failed.csv").read_text().count("\n") == 3
    (tmp_path / "bad.mp4").unlink()
    assert run(out, work, Stopped(), jobs[:1]).failures == out / "features.failed.csv"
    assert "bad" not in (out / "features.failed.csv").read_text()
    silent.unlink()
    assert run(out, work, Stopped(), []).failures is None and not (out / "features.failed.csv").exists()


def test_a_work_that_cannot_begin_ends_the_run(videos: list[Job], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such unit"):
        run(tmp_path, Measure("furlong"), ProcessEngine(1), videos)


def test_a_video_that_changes_while_it_is_read(tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    video.write_text("1")
    with pytest.raises(MediaError, match=r"v\.mp4: changed while it was read"), unchanged(video):
        video.write_text("22")
    with pytest.raises(MediaError, match="cannot be read"):
        content_of(tmp_path / "none")


def test_features_are_known_again_by_what_they_were_made_of(tmp_path: Path) -> None:
    work = Extract(GRID, resources=Resources(threads=1))
    task = Task(tiny(tmp_path / "v.mp4"), tmp_path / "deep" / f"v{work.ending}")
    told: list[float] = []
    made = work(task, lambda seconds, of: told.append(seconds / of))
    stored = load_features(task.result)
    assert made.steps == len(stored) > 0 and not made.found_before and 0.7 < told[-1] <= 1.0
    assert stored.streams == work.maker.streams and stored.source_hash == content_of(task.video)
    again = work(task, lambda seconds, of: None)
    assert again.found_before and again.key == made.key and again.duration_s == made.duration_s
    content = content_of(task.video)
    assert Extract(TimeGrid.centred(0.5, 0.96)).done(task, content) is None
    assert work.done(task, "another video") is None
    save_features(replace(stored, streams=replace(stored.streams, cues="other/1")), task.result)
    assert work.done(task, content) is None
    task.result.write_bytes(b"half")
    assert work.done(task, content) is None
