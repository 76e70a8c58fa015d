"""The board of jobs: a bounded queue, results that are kept for a while, and nothing that comes back wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from asking import tiny

from avloc.errors import AvlocError, MediaError, OutputError
from avloc.scale.work import Task

pytest.importorskip("fastapi")

from avloc.serve.board import MOST_BEGUN, Board
from avloc.serve.guarded import require_bounded
from avloc.serve.job import Job, read_job
from avloc.serve.limits import Limits
from avloc.serve.refused import RefusedError
from avloc.serve.store import Store, video_name


@pytest.fixture
def board(tmp_path: Path) -> Board:
    store = Store(tmp_path / "store")
    with store.opened() as jobs:
        return Board(store, Limits(queue=2, store=1000), jobs)


def put(board: Board, size: int = 10) -> Job:
    video = board.store.incoming()
    video.write_bytes(bytes(size))
    job = Job("video.mp4", uploaded=True, size=size)
    board.add(job, video)
    return job


def test_no_more_jobs_wait_than_may(board: Board) -> None:
    put(board)
    with board.place(), pytest.raises(RefusedError, match="2 jobs are waiting") as refused, board.place():
        pass
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "5"})
    put(board)
    with pytest.raises(RefusedError), board.place():
        pass
    first = board.next()
    assert first is not None and first.state == "running"
    with board.place():
        pass


def test_a_full_store_and_a_server_that_stops_take_nothing(board: Board) -> None:
    job = put(board, 2000)
    with pytest.raises(RefusedError) as refused, board.place():
        pass
    assert refused.value.status == 507
    board.remove(job)
    board.closed = True
    with pytest.raises(RefusedError) as refused, board.place():
        pass
    assert refused.value.status == 503


def test_what_comes_counts_before_it_is_a_job(board: Board) -> None:
    put(board, 600)
    board.grow(300)
    with pytest.raises(RefusedError) as refused:
        board.grow(101)
    assert refused.value.status == 507 and board.used == 900
    board.grow(-300)
    board.grow(400)


def test_what_a_worker_has_is_removed_when_it_has_left_it(board: Board) -> None:
    job = put(board)
    assert board.next() is job
    board.remove(job)
    assert board.store.folder(job.id).exists() and board.is_gone(job)
    board.back(job)
    assert not board.store.folder(job.id).exists() and board.waiting == 0


def test_results_go_after_their_time(board: Board) -> None:
    job, other = put(board), put(board)
    assert board.next() is job
    board.end(job, "failed", "why")
    board.expire()
    assert board.get(job.id) is job
    job.ended -= board.limits.keep_s + 1
    board.expire()
    with pytest.raises(RefusedError, match="no such job"):
        board.get(job.id)
    assert not board.store.folder(job.id).exists() and board.get(other.id) is other


def test_a_job_that_ends_the_server_again_and_again_is_given_up(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with store.opened() as jobs:
        job = put(Board(store, Limits(), jobs))
    for _ in range(MOST_BEGUN):
        with store.opened() as jobs:
            board = Board(store, Limits(), jobs)
            assert board.next() is not None
    with store.opened() as jobs:
        board = Board(store, Limits(), jobs)
    assert board.get(job.id).state == "failed" and board.next() is None


def test_what_the_server_has_not_made_stays(tmp_path: Path) -> None:
    job = "0" * 32
    for name in ("jobs/summer/notes.txt", f"jobs/{job}/video.mp4", "incoming/notes.txt", f"incoming/{job}"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    with Store(tmp_path).opened() as jobs:
        left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert jobs == [] and left - {".avloc.lock"} == {"jobs/summer/notes.txt", "incoming/notes.txt"}


def test_one_server_has_a_store(tmp_path: Path) -> None:
    with Store(tmp_path).opened(), pytest.raises(OutputError, match="another server"), Store(tmp_path).opened():
        pass


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../x"},
        {"video": "../x"},
        {"video": ".."},
        {"state": "gone"},
        {"size": "1"},
        {"extra": 1},
        {"id": 3},
    ],
)
def test_a_record_that_is_odd_is_none(change: dict[str, object]) -> None:
    job = Job("video.mp4", uploaded=True)
    told = json.loads(job.line())
    again = read_job(json.dumps(told).encode())
    assert again is not None and again.id == job.id
    assert read_job(json.dumps(told | change).encode()) is None
    assert read_job(b"[" * 100_000) is None and read_job(b"\xff") is None


def test_of_a_name_the_ending_alone_is_kept() -> None:
    assert video_name(".MKV") == "video.mkv"
    assert video_name(".exe") == video_name("") == video_name("./../x") == "video.video"


def test_videos_beyond_the_limits_are_refused_by_their_header(tmp_path: Path) -> None:
    task = Task(tiny(tmp_path / "a.mp4"), tmp_path / "r")
    require_bounded(task, Limits())
    with pytest.raises(MediaError, match="64 x 48 pixels; at most 3000"):
        require_bounded(task, replace(Limits(), pixels=3000))
    with pytest.raises(MediaError, match="hours long"):
        require_bounded(task, replace(Limits(), video_s=0.5))
    with pytest.raises(AvlocError, match="queue is 0"):
        Limits(queue=0)
