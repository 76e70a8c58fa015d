"""Speed and memory of detection, from the file to the events.

    python bench/detection.py            # speed, its shares, memory on 10 minutes
    python bench/detection.py --long     # memory on 60 minutes too

Makes a 60 s video (1280 x 720, 30 frames/s, H.264 with B pictures, AAC) and repeats it, without coding it anew, for
the long ones. Speed is the median of five runs after one that loads the models. Each share is that stage's processor
time when it runs alone. Memory is the largest resident set of a process of its own.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from avloc import load
from avloc.config import DecodingConfig
from avloc.decoding.candidates import Candidates, decode
from avloc.features.extractors.blazeface import letterboxed
from avloc.features.extractors.embedded import VIEW_EVERY, EmbeddedExtractor
from avloc.features.logmel import log_mel
from avloc.media.reader import read_audio, read_frames
from avloc.media.writer import write_video
from avloc.runner import OnnxRunner
from avloc.zoo import ONNX, SHIPPED
from decoding import FPS, SECONDS, moving

RUNS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="also 60 minutes")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure_memory(options.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "minute.mp4"
        rng = np.random.default_rng(0)
        sound = (0.1 * rng.standard_normal(SECONDS * 44_100)).astype(np.float32)
        write_video(video, moving(SECONDS), FPS, sound, 44_100)
        speed(video)
        shares(video)
        for minutes in (1, 10, 60) if options.long else (1, 10):
            long = Path(folder) / f"{minutes}.mp4"
            repeat(video, long, minutes)
            command = [sys.executable, __file__, "--measure", str(long)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
            print(f"{minutes:3d} minutes: {said}", flush=True)
            long.unlink()


def speed(video: Path) -> None:
    detector = load()
    detector.detect(video)
    walls, processors = [], []
    for _ in range(RUNS):
        wall, processor = time.perf_counter(), time.process_time()
        detector.detect(video)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    wall, processor = statistics.median(walls), statistics.median(processors)
    print(
        f"detection of {SECONDS} s of 720p: {wall:.2f} s ({SECONDS / wall:.1f} x real time; "
        f"runs {', '.join(f'{SECONDS / w:.1f}' for w in sorted(walls))}), {processor:.2f} s of processor time"
    )


def shares(video: Path) -> None:
    """Processor seconds of each stage alone."""
    detector = load(threads=1)
    extractor = EmbeddedExtractor(threads=1)
    grid = detector.grid
    steps = np.arange(grid.length(SECONDS))
    times_s = grid.to_seconds(steps).tolist()
    size = (extractor.see.size, extractor.see.size)
    pictures = np.stack(list(read_frames(video, times_s, size, threads=1)))
    views = list(pictures.repeat(2, axis=2)[::VIEW_EVERY, :, :398])  # of 16:9
    waveform = np.concatenate(list(read_audio(video)))
    patches = np.zeros((len(steps), 96, 64), np.float32)
    network = OnnxRunner(SHIPPED / "default" / ONNX, threads=1)
    T, c = detector.config.window_steps, detector.config.network
    inputs = np.zeros((T, c.visual_width), np.float32), np.zeros((T, c.audio_width), np.float32), np.ones(T, bool)
    rng = np.random.default_rng(0)
    start_s = rng.uniform(0, SECONDS, 2000)
    many = Candidates(
        start_s, start_s + rng.uniform(0.5, 20, 2000), rng.random(2000), rng.integers(0, c.classes, 2000)
    )
    stages: dict[str, Callable[[], object]] = {
        "decoding pictures": lambda: list(read_frames(video, times_s, size, threads=1)),
        "decoding sound": lambda: list(read_audio(video)),
        "EfficientNet-Lite0": lambda: extractor.see(pictures),
        "its middle view": lambda: extractor.see(pictures[::VIEW_EVERY]),
        "BlazeFace": lambda: extractor.faces(np.stack([letterboxed(v, extractor.faces.size) for v in views])),
        "YOLOv3-tiny": lambda: extractor.objects(views),
        "log-mel": lambda: log_mel(waveform),
        "YAMNet": lambda: extractor.hear(patches),
        "network": lambda: network(*inputs),
        "soft-NMS of 2000": lambda: decode(many, detector.labels, SECONDS, DecodingConfig()),
    }
    seconds = {name: processor_s(work) for name, work in stages.items()}
    total = sum(seconds.values())
    for name, value in seconds.items():
        print(f"  {name:20s} {value:6.2f} s  {100 * value / total:5.1f}%")


def processor_s(work: Callable[[], object]) -> float:
    values = []
    for _ in range(3):
        began = time.process_time()
        work()
        values.append(time.process_time() - began)
    return statistics.median(values)


def repeat(source: Path, target: Path, times: int, seconds: float = SECONDS) -> None:
    """The packets of `source`, `times` times in a row `seconds` apart, without coding them anew."""
    with av.open(str(target), "w") as out:
        streams = {}
        last: dict[int, int] = {}
        for turn in range(times):
            with av.open(str(source)) as container:
                if not streams:
                    streams = {s.index: out.add_stream_from_template(s) for s in container.streams}
                for packet in container.demux():
                    if packet.dts is None:
                        continue
                    shift = round(turn * seconds / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    index = packet.stream.index
                    packet.stream = streams[index]
                    if packet.dts > last.get(index, packet.dts - 1):  # the coder's run-in lies before the turn
                        last[index] = packet.dts
                        out.mux(packet)


def measure_memory(video: Path) -> None:
    detector = load()
    began = time.perf_counter()
    found = detector.detect_fully(video)
    took_s = time.perf_counter() - began
    # Not getrusage: its maximum is handed down from the process that started this one.
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
    print(
        f"peak memory {peak:.0f} MB, {found.duration_s / took_s:.1f} x real time, "
        f"{len(found.all_events)} candidates, soft-NMS {found.timing.nms_s:.2f} s"
    )


if __name__ == "__main__":
    main()
