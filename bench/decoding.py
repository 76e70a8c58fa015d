"""How fast pictures come out of a 720p H.264 video, by the ways of decoding that libav offers.

Makes a 60 s video (1280 x 720, 30 frames/s, B pictures, noisy moving content, AAC), reads a picture each 0.32 s at
224 x 224 in each way, and prints the median of three runs: wall time, processor time, and both as multiples of
real time. Run from the checkout: `python bench/decoding.py [video]`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from avloc.media.probe import probe
from avloc.media.reader import read_audio, read_frames
from avloc.media.writer import write_video

SECONDS, FPS, WIDTH, HEIGHT = 60, 30, 1280, 720
STEP_S, SIZE, RUNS = 0.32, (224, 224), 3


def moving(seconds: float, seed: int = 0) -> Iterator[NDArray[np.uint8]]:
    """A panned texture with a moving patch and fresh fine noise: about what a hand-held camera gives an encoder."""
    rng = np.random.default_rng(seed)
    side = 1536
    texture = np.stack([_pink(rng, side) for _ in range(3)], -1)
    grain = rng.integers(-4, 5, (side, side, 1), dtype=np.int16)
    for i in range(int(seconds * FPS)):
        t = i / FPS
        x, y = int(100 + 90 * np.sin(0.7 * t)), int(200 + 180 * np.sin(0.45 * t))
        picture = texture[y : y + HEIGHT, x : x + WIDTH].copy()
        px, py = int((170 * t) % (WIDTH - 260)), int(220 + 150 * np.sin(2 * t))
        picture[py : py + 200, px : px + 240] = texture[py + 300 : py + 500, 600:840, ::-1]
        dx, dy = rng.integers(0, 64, 2)
        noisy = picture.astype(np.int16) + grain[dy : dy + HEIGHT, dx : dx + WIDTH]
        yield np.clip(noisy, 0, 255).astype(np.uint8)


def _pink(rng: np.random.Generator, side: int) -> NDArray[np.uint8]:
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side))) + 1e-3
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((side, side))) / frequency).real
    return np.clip(field / field.std() * 45 + 120, 0, 255).astype(np.uint8)


def by_index(path: Path, threads: int, kind: str, skip: str = "DEFAULT", loop: str = "default") -> int:
    """Decode everything the plain way and scale each tenth frame."""
    scaler, pictures = VideoReformatter(), 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count, stream.codec_context.thread_type = threads, kind
        stream.codec_context.skip_frame = skip  # type: ignore[assignment]
        stream.codec_context.options = {"skip_loop_filter": loop}
        due_s = 0.0
        for frame in container.decode(stream):
            if frame.time >= due_s:
                scaler.reformat(frame, *SIZE, "rgb24", interpolation=Interpolation.AREA).to_ndarray()
                due_s += STEP_S
                pictures += 1
    return pictures


def ours(path: Path, threads: int, exact: bool, step_s: float = STEP_S) -> int:
    times_s = np.arange(0, probe(path).duration_s, step_s).tolist()
    return sum(1 for _ in read_frames(path, times_s, SIZE, threads=threads, exact=exact))


WAYS: dict[str, Callable[[Path], int]] = {
    "plain, 1 thread": lambda p: by_index(p, 1, "NONE"),
    "plain, FRAME 2": lambda p: by_index(p, 2, "FRAME"),
    "plain, SLICE 2": lambda p: by_index(p, 2, "SLICE"),
    "plain, AUTO 0": lambda p: by_index(p, 0, "AUTO"),
    "skip_frame NONREF, 1 thread": lambda p: by_index(p, 1, "NONE", "NONREF"),
    "no loop filter, 1 thread": lambda p: by_index(p, 1, "NONE", loop="all"),
    "key pictures only, 1 thread": lambda p: by_index(p, 1, "NONE", "NONKEY"),
    "read_frames exact, 1 thread": lambda p: ours(p, 1, True),
    "read_frames, 1 thread": lambda p: ours(p, 1, False),
    "read_frames, 2 threads": lambda p: ours(p, 2, False),
    "read_frames, default": lambda p: ours(p, 0, False),
    "read_frames, each 2 s": lambda p: ours(p, 0, False, 2.0),
    "read_audio 16 kHz": lambda p: sum(len(b) for b in read_audio(p)) // 16000,
    "probe": lambda p: probe(p).container.count("mp4"),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            path = Path(sys.argv[1])
        else:
            path = Path(folder) / "bench.mp4"
            t = np.arange(SECONDS * 44100) / 44100
            tone = (0.3 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
            write_video(path, moving(SECONDS), FPS, tone, 44100)
        length_s = probe(path).duration_s
        print(f"{length_s:.1f} s of video, {path.stat().st_size * 8 / length_s / 1e6:.1f} Mbit/s")
        print(f"{'way':30} {'out':>5} {'wall s':>7} {'x real':>7} {'cpu s':>7} {'x real':>7}")
        for name, way in WAYS.items():
            walls, cpus = [], []
            for _ in range(RUNS):
                wall, cpu = time.perf_counter(), time.process_time()
                count = way(path)
                walls.append(time.perf_counter() - wall)
                cpus.append(time.process_time() - cpu)
            wall, cpu = statistics.median(walls), statistics.median(cpus)
            print(f"{name:30} {count:5} {wall:7.2f} {length_s / wall:7.1f} {cpu:7.2f} {length_s / cpu:7.1f}")


if __name__ == "__main__":
    main()
