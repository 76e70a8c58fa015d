"""A server under load on loopback, disturbed on purpose.

    python bench/serve.py                    # 200 uploads of 16 clients, 20 of them bad or cut off

Each video is one of twenty whose events are known from a detector of this process. On the way a worker is
killed with SIGKILL, and the server is stopped with SIGTERM and started again. Then: does each good upload have its
own events, does each bad one have a reason, is anything left on the disk once the jobs are removed, did memory grow?
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from avloc.detector import Detector
from avloc.media.clips import cut_clip

SAMPLE = Path(__file__).parents[1] / "demo" / "sample.mp4"
DIFFERENT = 20
BAD = ("cut off", "half a file", "text", "no video type", "cut off", "noise")
TOKEN = "a token of the benchmark"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--bad", type=int, default=20)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        load(Path(folder), options)


class Server:
    """`avloc serve` in a process of its own, on a port that stays the same."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder, self.port = folder, _free_port()
        self.log = folder / "server.log"
        self.store = folder / "store"
        self._more = more
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "avloc", "serve", "--port", str(self.port), "--store", str(self.store)]
        with self.log.open("ab") as log:
            environment = {**os.environ, "AVLOC_TOKEN": TOKEN}
            self.process = subprocess.Popen([*command, *self._more], stdout=log, stderr=log, env=environment)
        while True:
            try:
                if self.ask("GET", "/healthz")[0] == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                sys.exit(f"the server ended: {self.log.read_text()}")
            time.sleep(0.1)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, str]:
        """Status, JSON, and Retry-After."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            sent = {"Authorization": f"Bearer {TOKEN}", **{k.replace("_", "-"): v for k, v in headers.items()}}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read()
            told = json.loads(text) if answer.headers.get_content_type() == "application/json" else None
            return answer.status, told, answer.headers.get("Retry-After", "1")
        except http.client.HTTPException as error:
            raise OSError(str(error)) from None
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """Process ids of the workers: those of its children that hold networks."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").parent.parent
        found: list[int] = []
        for task in children.iterdir():
            found += [int(pid) for pid in (task / "children").read_text().split()]
        return [pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def resident_mb(pid: int) -> float:
    """Of a process; 0 where it is gone."""
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


@dataclass
class Record:
    """What came of one upload."""

    kind: str
    video: int
    job: str = ""
    status: int = 0
    told: dict[str, Any] = field(default_factory=dict)
    sent_at: float = 0.0
    took_s: float = 0.0
    busy: int = 0
    again: int = 0


def load(folder: Path, options: argparse.Namespace) -> None:
    videos = [cut(folder / f"{i}.mp4", i) for i in range(DIFFERENT)]
    known = expected(videos)
    server = Server(folder, "--workers", str(options.workers), "--queue", "12")
    records = plan(options)
    todo: SimpleQueue[Record] = SimpleQueue()
    for record in records:
        todo.put(record)
    clients = [
        threading.Thread(target=client, args=(server, videos, todo), daemon=True) for _ in range(options.clients)
    ]
    sizes: list[tuple[float, float]] = []
    threading.Thread(target=watch, args=(server, sizes), daemon=True).start()
    began = time.monotonic()
    for one in clients:
        one.start()
    disturb(server, records, options.uploads)
    for one in clients:
        one.join()
    took_s = time.monotonic() - began
    judge(server, records, known, took_s, sizes)


def plan(options: argparse.Namespace) -> list[Record]:
    lots = random.Random(options.seed)
    kinds = ["good"] * (options.uploads - options.bad) + [BAD[i % len(BAD)] for i in range(options.bad)]
    lots.shuffle(kinds)
    return [Record(kind, i % DIFFERENT) for i, kind in enumerate(kinds)]


def cut(path: Path, i: int) -> Path:
    """Two to five seconds of the sample; no two begin or end alike."""
    return cut_clip(SAMPLE, path, 1.2 * i, 1.2 * i + 2 + 0.15 * i)


def expected(videos: list[Path]) -> list[tuple[float, list[tuple[str, float, float]]]]:
    detector = Detector.load("default", threads=1)
    known = []
    for path in videos:
        found = detector.detect_fully(path)
        events = [(e.label, round(e.start_s, 2), round(e.end_s, 2)) for e in found.all_events.above(0.05).by_time()]
        known.append((round(found.duration_s, 3), sorted(events)))
    return known


def client(server: Server, videos: list[Path], todo: SimpleQueue[Record]) -> None:
    while True:
        try:
            record = todo.get_nowait()
        except Empty:
            return
        record.sent_at = time.monotonic()
        content = videos[record.video].read_bytes()
        if record.kind == "cut off":
            cut_off(server, content)
            continue
        send(server, record, content)
        if record.job:
            follow(server, record)


def send(server: Server, record: Record, content: bytes) -> None:
    """Until the server has taken or refused it."""
    kind = "image/png" if record.kind == "no video type" else "video/mp4"
    if record.kind == "half a file":
        content = content[: len(content) // 2]
    elif record.kind == "text":
        content = b"no video\n" * 2000
    elif record.kind == "noise":
        content = random.Random(record.video).randbytes(50_000)
    while True:
        try:
            record.status, told, retry = server.ask("POST", "/detect", content, Content_Type=kind)
        except OSError:  # it is being stopped, or is not there again yet
            record.again += 1
            time.sleep(0.3)
            continue
        if record.status in (429, 503):
            record.busy += 1
            time.sleep(min(1.0, float(retry)))
            continue
        record.told, record.job = told, told.get("id", "")
        return


def cut_off(server: Server, content: bytes) -> None:
    """Half of what was promised, then nothing."""
    head = f"POST /detect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: video/mp4\r\n"
    try:
        with socket.create_connection(("127.0.0.1", server.port), 10) as line:
            line.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[: len(content) // 2])
            time.sleep(0.2)
    except OSError:
        pass


def follow(server: Server, record: Record) -> None:
    while True:
        try:
            status, told, _ = server.ask("GET", f"/jobs/{record.job}?min_score=0.05")
        except OSError:
            record.again += 1
            time.sleep(0.3)
            continue
        record.status, record.told = status, told
        if status != 200 or told["state"] in ("done", "failed", "skipped"):
            record.took_s = time.monotonic() - record.sent_at
            return
        time.sleep(0.1)


def disturb(server: Server, records: list[Record], uploads: int) -> None:
    until(lambda: done(records) > uploads * 0.3)
    victim = server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    print(f"after {done(records)} uploads: SIGKILL to a worker", flush=True)
    until(lambda: done(records) > uploads * 0.6)
    began = time.monotonic()
    at = done(records)
    status = server.stop()
    stopped_s = time.monotonic() - began
    server.start()
    print(
        f"after {at} uploads: SIGTERM; ended with status {status} after {stopped_s:.1f} s, started again", flush=True
    )


def done(records: list[Record]) -> int:
    return sum(record.took_s > 0 for record in records)


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.05)


def watch(server: Server, sizes: list[tuple[float, float]]) -> None:
    while True:
        with contextlib.suppress(OSError):
            sizes.append((resident_mb(server.process.pid), max(map(resident_mb, server.workers()), default=0.0)))
        time.sleep(1)


def judge(
    server: Server, records: list[Record], known: list[Any], took_s: float, sizes: list[tuple[float, float]]
) -> None:
    good = [record for record in records if record.kind == "good"]
    right = sum(is_right(record, known[record.video]) for record in good)
    wrong = [record for record in good if not is_right(record, known[record.video])]
    print(f"{len(records)} uploads in {took_s:.0f} s: {60 * len(records) / took_s:.0f} a minute")
    print(f"good: {right} of {len(good)} with their own events")
    for record in wrong[:5]:
        print(f"  {record.kind} {record.video}: {record.status} {record.told}")
    print(f"bad: cut off in the middle ({sum(record.kind == 'cut off' for record in records)}): no job")
    bad = [record for record in records if record.kind not in ("good", "cut off")]
    reasons = Counter(
        (r.kind, r.told.get("reason") or r.told.get("error") or f"{r.told.get('state')}: {r.told.get('notes')}")
        for r in bad
    )
    for (kind, reason), count in sorted(reasons.items()):
        print(f"bad: {kind} ({count}): {reason}")
    times = sorted(record.took_s for record in good)
    middle, late = statistics.median(times), times[int(0.95 * len(times))]
    print(f"latency of good ones: median {middle:.1f} s, 95 % {late:.1f} s, most {times[-1]:.1f} s")
    print(f"refused with 429 or 503 and sent again: {sum(record.busy for record in records)}")
    print(f"connections that failed at the restart: {sum(record.again for record in records)}")
    jobs = {path.name for path in (server.store / "jobs").iterdir()}
    mine = {record.job for record in records if record.job}
    print(f"jobs on the disk that no client knows: {len(jobs - mine)}; known ones missing: {len(mine - jobs)}")
    for job in jobs:
        assert server.ask("DELETE", f"/jobs/{job}")[0] == 204
    left = [path for path in server.store.rglob("*") if path.is_file() and path.name != ".avloc.lock"]
    print(f"files left after removal: {len(left)}")
    third = max(1, len(sizes) // 3)
    for name, which in (("server", 0), ("largest worker", 1)):
        values = [size[which] for size in sizes]
        print(
            f"memory of the {name}, MB: most {max(values):.0f}, "
            + ", ".join(
                f"{max(values[i : i + third]):.0f}" for i in range(0, 3 * third, third) if values[i : i + third]
            )
            + " by thirds of the time"
        )
    status = server.stop()
    print(f"exit status {status}; tracebacks in the log: {server.log.read_text().count('Traceback')}")


def is_right(record: Record, known: tuple[float, list[tuple[str, float, float]]]) -> bool:
    if record.told.get("state") != "done":
        return False
    events = sorted((e["label"], round(e["start_s"], 2), round(e["end_s"], 2)) for e in record.told["events"])
    near = len(events) == len(known[1]) and all(
        a[0] == b[0] and abs(a[1] - b[1]) <= 0.02 and abs(a[2] - b[2]) <= 0.02
        for a, b in zip(events, known[1], strict=True)
    )
    return near and abs(record.told["duration_s"] - known[0]) < 0.002


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
