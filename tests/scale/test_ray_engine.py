"""Workers of Ray that crash, hang or are killed: others take their tasks, and the files are those of processes."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from avloc.cli.main import main
from avloc.errors import AvlocError, ConfigError, MediaError, ModelError, OutputError
from avloc.media.writer import write_video
from avloc.scale import ray_cluster
from avloc.scale.messages import Ended, Failed, Function, Progress
from avloc.scale.ray_cluster import connected
from avloc.scale.ray_engine import TRIES, RayEngine
from avloc.scale.ray_worker import Place, RayWorker

TWO = RayEngine(2)


@pytest.fixture(scope="module")
def ray() -> Iterator[ModuleType]:
    if find_spec("ray") is None:  # not imported here: it reads its settings then
        pytest.skip("Ray is not installed: pip install '.[ray]'")
    with connected(None, 2) as module:
        module.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers do not find the tests
        yield module


@dataclass(frozen=True)
class Doer:
    """Does what a task says; marks of what was begun go to a folder."""

    folder: Path

    def __call__(self) -> Function[str, str]:
        return self.do

    def do(self, task: str, tell: Callable[[float, float], object]) -> str:
        begun = self.folder / f"{task} {time.time_ns()}"
        begun.touch()
        match task.split()[0]:
            case "refuse":
                raise MediaError("a.mp4: is\nno video")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "unlucky" if len(list(self.folder.glob(f"{task} *"))) == 1:
                os._exit(7)
            case "hang":
                time.sleep(600)
            case "full":
                raise OutputError("out: cannot be written (no space left on device)")
            case "long":
                tell(1.0, 4.0)
                time.sleep(3)
        return f"{task} done"


def outcomes(tasks: list[str], folder: Path, engine: RayEngine = TWO) -> dict[str, str]:
    said: dict[str, str] = {}
    for report in engine.run(Doer(folder), tasks):
        if isinstance(report, Ended):
            assert tasks[report.number] not in said
            outcome = report.outcome
            said[tasks[report.number]] = outcome.reason if isinstance(outcome, Failed) else outcome
    return said


def test_whatever_happens_to_one_the_others_are_done(ray: ModuleType, tmp_path: Path) -> None:
    tasks = ["a", "refuse", "die", "unlucky", "b", "hang", "c"]
    said = outcomes(tasks, tmp_path, replace(TWO, limit_s=3.0))
    assert said["refuse"] == "a.mp4: is\\nno video" and said["hang"] == "took longer than 3 s"
    assert said["die"].startswith(f"{TRIES} workers died of it")
    assert all(said[task] == f"{task} done" for task in ("a", "b", "c", "unlucky"))
    begun = [path.name.split()[0] for path in tmp_path.iterdir()]
    assert {name: begun.count(name) for name in set(begun)} == dict.fromkeys(tasks, 1) | {"die": TRIES, "unlucky": 2}


def test_progress_is_told(ray: ModuleType, tmp_path: Path) -> None:
    reports = list(RayEngine(1).run(Doer(tmp_path), ["long"]))
    assert reports[0] == Progress(0, 1.0, 4.0) and reports[-1] == Ended(0, "long done")


def test_what_ends_a_run_ends_its_workers(ray: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no space left"):
        outcomes(["hang", "full"], tmp_path)
    reports = TWO.run(Doer(tmp_path), ["a", "hang"])
    assert next(reports) == Ended(0, "a done")
    reports.close()
    until = time.monotonic() + 10
    while (free := ray.available_resources().get("CPU")) != 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert free == 2
    with pytest.raises(ModelError, match=r"^m: is no model$"):
        list(TWO.run(no_model, ["a"]))
    with pytest.raises(ModelError, match="could not begin: ZeroDivisionError"):
        list(TWO.run(no_sum, ["a"]))
    assert list(TWO.run(no_model, [])) == []


def no_model() -> Function[str, str]:
    raise ModelError("m: is no model")


def no_sum() -> Function[str, str]:
    raise ZeroDivisionError


def tiny(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = (0.3 * np.sin(np.arange(12_800) * (0.1 + 0.05 * seed))).astype(np.float32)
    write_video(path, (rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(8)), 10, wave)


def test_the_files_are_those_of_processes(
    ray: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # relative paths mean the same to the workers
    for seed, name in enumerate(("a.mp4", "deep/b [x].mkv")):
        tiny(tmp_path / "videos" / name, seed)
    (tmp_path / "videos" / "text.mp4").write_text("no video")
    for engine in ("processes", "ray"):
        for verb in (["detect", "--min-score", "0"], ["extract"]):
            given = [*verb, "videos", "--out", engine, "--engine", engine, "--workers", "2"]
            assert main(given) == 1
    assert "text.mp4: cannot be read as video" in capsys.readouterr().err
    files = [
        {str(p.relative_to(engine)): p.read_bytes() for p in Path(engine).rglob("*.*") if p.suffix != ".lock"}
        for engine in ("processes", "ray")
    ]
    states = [{name: sorted(one.pop(name).splitlines()) for name in list(one) if "jsonl" in name} for one in files]
    assert files[0] == files[1] and len(files[0]) >= 7
    assert states[0] == states[1]
    assert main(["detect", "videos", "--out", "ray", "--min-score", "0", "--engine", "ray"]) == 1
    assert "2 done already; 0 to do" in capsys.readouterr().out


def test_a_worker_finds_what_the_head_has_or_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Place(str(tmp_path))
    missing, elsewhere = replace(place, sees=(tmp_path / "out",)), replace(place, machine="head", version="0.0")
    for odd, says in (
        (missing, "^[^ ]*out is not there; .* storage that all machines share$"),
        (replace(place, folder=str(tmp_path / "gone")), "gone is not there"),
        (elsewhere, f"^on the machine {socket.gethostname()}: avloc .* is not the head's 0.0; install the same"),
    ):
        worker = RayWorker[str, str]()
        error = worker.begin(Doer(tmp_path), odd)
        with pytest.raises(ModelError, match=says):
            raise error or AssertionError("it began")
    worker = RayWorker[str, str]()
    assert worker.begin(Doer(tmp_path), place) is None
    assert worker.work(3, "a") == "a done" and worker.progress() is None


def test_without_ray_or_a_cluster_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / "a.mp4"
    tiny(video, 0)
    out = tmp_path / "out"
    assert main(["detect", str(video), "--out", str(out), "--ray-address", "auto"]) == 1
    assert "give it as well" in capsys.readouterr().err
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    assert main(["detect", str(video), "--out", str(out), "--engine", "ray"]) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and "pip install '.[ray]'" in said.err and not out.exists()


def test_an_address_where_nobody_answers_is_refused_at_once(ray: ModuleType) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(ConfigError, match=r"no cluster can be joined.*ray start --head"):
            ray_cluster._join(ray, address)
    assert issubclass(ConfigError, AvlocError)
