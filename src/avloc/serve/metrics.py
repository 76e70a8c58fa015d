"""What a Prometheus server asks for: the queue, the jobs, the workers, the time that jobs take, this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from avloc.scale.detect import Detected
from avloc.serve.board import Board
from avloc.serve.crew import Crew
from avloc.serve.job import State


class Metrics:
    """Text of all that is counted; answered are answers by status."""

    def __init__(self, board: Board, crew: Crew[Detected], answered: Counter[int]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Told(board, crew, answered))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def text(self) -> bytes:
        """In the text format of Prometheus, version 0.0.4."""
        return generate_latest(self._registry)


class _Told(Collector):
    def __init__(self, board: Board, crew: Crew[Detected], answered: Counter[int]) -> None:
        self._board, self._crew, self._answered = board, crew, answered

    def collect(self) -> Iterable[Metric]:
        board, crew = self._board, self._crew
        states = board.states()
        jobs = GaugeMetricFamily("avloc_jobs", "Jobs that are known now, by state.", labels=["state"])
        for state in _STATES:
            jobs.add_metric([state], states[state])
        yield jobs
        yield GaugeMetricFamily("avloc_receiving", "Uploads that come now.", board.receiving)
        yield GaugeMetricFamily("avloc_queue_limit", "Most jobs that may come or wait.", board.limits.queue)
        yield GaugeMetricFamily("avloc_store_bytes", "Bytes of uploads and results kept.", board.used)
        yield GaugeMetricFamily("avloc_workers", "Worker processes that are ready or at work.", crew.processes.ready)
        yield CounterMetricFamily("avloc_worker_deaths", "Workers that died at work.", crew.processes.deaths)
        yield CounterMetricFamily("avloc_video_seconds", "Seconds of video searched.", crew.video_s)
        yield CounterMetricFamily("avloc_work_seconds", "Seconds that finished jobs took in workers.", crew.work_s)
        ended = CounterMetricFamily(
            "avloc_jobs_ended", "Jobs since the start, by what became of them.", labels=["as"]
        )
        for name in ("accepted", "done", "skipped", "failed", "expired"):
            ended.add_metric([name], board.counts[name])
        yield ended
        answers = CounterMetricFamily("avloc_answers", "Answers by status.", labels=["status"])
        for status, count in sorted(self._answered.items()):
            answers.add_metric([str(status)], count)
        yield answers


_STATES: tuple[State, ...] = ("queued", "running", "done", "skipped", "failed")
