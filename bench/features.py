"""The paper's features from a video, by random weights: rows, time by stage, memory by length, arithmetic.

    python bench/features.py macs                          # multiply-accumulates a second of video, official sizes
    python bench/features.py stages                        # time of each stage, official sizes, on 60 s of 720p
    python bench/features.py whole i3d-vggish --steps 1    # the whole way; RAFT with one step in place of 20
    python bench/features.py whole onepeace                # networks of ONE-PEACE's make, narrow
    python bench/features.py memory onepeace --minutes 1 20

VGGish, I3D and RAFT have their official sizes; ONE-PEACE's branches of 1.5 billion weights are narrow here, but for
`macs`, which needs no memory. Time is the processor's. Memory is the largest resident set of a process of its own.
Figures: docs/features.md.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from avloc.features.extractors.base import Resources
from avloc.features.extractors.brought import BroughtExtractor
from avloc.features.extractors.build import build_extractor
from avloc.features.extractors.pretrained import raft, senses_i3d
from avloc.features.extractors.pretrained.adding import add_weights
from avloc.features.extractors.pretrained.i3d import I3dNetwork
from avloc.features.extractors.pretrained.onepeace import AudioNetwork, ImageNetwork, VideoNetwork
from avloc.features.extractors.pretrained.onepeace_inputs import AudioAdapter
from avloc.features.extractors.pretrained.onepeace_layers import Sizes
from avloc.features.extractors.pretrained.pictures import with_shorter_edge
from avloc.features.extractors.pretrained.senses_i3d import VggishEars
from avloc.features.extractors.pretrained.vggish import VggishNetwork
from avloc.features.logmel import VGGISH_LOG_OFFSET, log_mel
from avloc.media.probe import probe
from avloc.media.reader import read_frames
from avloc.media.writer import write_video

FPS, SECONDS = 25, 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["macs", "stages", "whole", "memory"])
    parser.add_argument("features", nargs="?", default="onepeace")
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--minutes", type=float, nargs="*", default=[1, 20])
    parser.add_argument("--steps", type=int, default=raft.ITERATIONS, help="of RAFT")
    parser.add_argument("--size", type=int, nargs=2, default=None, help="width and height of the video")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--weights", type=Path, help=argparse.SUPPRESS)
    o = parser.parse_args()
    torch.set_num_threads(1)
    if o.what == "macs":
        arithmetic()
        return
    with tempfile.TemporaryDirectory() as folder:
        weights = o.weights or Path(folder) / "weights"
        if o.weights is None:
            add_random(weights)
        if o.measure is not None:
            run(o.features, o.measure, weights, o.steps)
        elif o.what == "stages":
            stages(video(Path(folder), o.seconds, o.size or (1280, 720)), weights, o.seconds, o.steps)
        elif o.what == "whole":
            run(o.features, video(Path(folder), o.seconds, o.size or (1280, 720)), weights, o.steps)
        else:
            for minutes in o.minutes:
                path = video(Path(folder), round(60 * minutes), o.size or (320, 180))
                command = [sys.executable, __file__, "memory", o.features, "--measure", str(path)]
                command += ["--steps", str(o.steps), "--weights", str(weights)]
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
                print(f"{minutes:g} minutes: {said}", flush=True)
                path.unlink()


def arithmetic() -> None:
    """Counted on networks without memory; a second of 16:9 video."""
    published = Sizes(1536, 24, 6144, 40, 1)
    with torch.device("meta"):
        audio = AudioAdapter(published, 512, 5, 19, 16, 512)
        rows: list[tuple[str, float, nn.Module, tuple[torch.Tensor, ...]]] = [
            ("VGGish", 1 / 0.32, VggishNetwork(), (torch.empty(1, 96, 64),)),
            ("I3D, pictures", 25 / 8, I3dNetwork(3), (torch.empty(1, 3, 24, 224, 224),)),
            ("I3D, flow", 25 / 8, I3dNetwork(2), (torch.empty(1, 2, 24, 224, 224),)),
            ("RAFT, 20 steps", 25, raft.RaftNetwork(), (torch.empty(2, 3, 256, 456),)),
            ("ONE-PEACE, video", 4, VideoNetwork(published, 16, 384, 16, 384), (torch.empty(1, 3, 16, 256, 256),)),
            ("ONE-PEACE, image", 4, ImageNetwork(published, 16, 384, 1536), (torch.empty(1, 3, 256, 256),)),
            ("ONE-PEACE, audio", 4, AudioNetwork(published, audio, 1536), (torch.empty(1, 16_000),)),
        ]
    for name, rate, network, inputs in rows:
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            network.eval()(*inputs)
        weights = sum(p.numel() for p in network.parameters())
        once = counter.get_total_flops() / 2 / 1e9
        print(
            f"{name:18s} {weights / 1e6:8.1f} M weights  {once:9.1f} G once  {once * rate:9.1f} G a second of video"
        )


def stages(path: Path, weights: Path, seconds: int, steps: int) -> None:
    """Processor time of each stage for a second of video."""
    resources = Resources(threads=1, weights=weights)
    stream = probe(path).video
    assert stream is not None
    size = stream.width, stream.height
    times = (np.arange(seconds * FPS) / FPS).tolist()
    show("decoding", seconds, lambda: sum(1 for _ in read_frames(path, times, size)))
    frame = next(read_frames(path, [0.0], size))
    show("scaling to 256", 4, lambda: [with_shorter_edge(frame, 256) for _ in range(4 * FPS)])
    sound = np.random.default_rng(0).normal(0, 0.1, 15_600).astype(np.float32)
    show("log-mel", 3.2, lambda: [log_mel(sound, offset=VGGISH_LOG_OFFSET, dtype=np.float64) for _ in range(10)])
    ears = VggishEars(resources)
    windows = np.stack([sound] * 10)
    show("log-mel and VGGish", 3.2, lambda: ears.hear(windows))
    eyes = senses_i3d.I3dEyes(resources, steps)
    pictures = torch.stack([with_shorter_edge(frame, 256)] * 5)
    middle = torch.zeros(24, 3, 224, 224, dtype=torch.uint8)
    with torch.inference_mode():
        show("I3D, pictures", 4 / 3.125, lambda: [eyes._look(eyes.rgb, middle, [0]) for _ in range(4)])
        show("I3D, flow", 4 / 3.125, lambda: [eyes._look(eyes.flow, middle[:, :2], [0]) for _ in range(4)])
        for n in (1, steps):
            show(f"RAFT, {n} steps", 4 / FPS, lambda n=n: eyes.raft(raft.padded(pictures.float()), n))  # type: ignore[misc]


def show(name: str, seconds: float, work: Callable[[], object]) -> None:
    """Processor time of work that is that of so many seconds of video."""
    began = time.process_time()
    work()
    took = (time.process_time() - began) / seconds
    print(f"{name:22s} {took:9.3f} s a second of video", flush=True)


def run(name: str, path: Path, weights: Path, steps: int) -> None:
    """The whole way of one video."""
    senses_i3d.I3dEyes.__init__.__defaults__ = (steps,)  # type: ignore[misc]
    extractor = build_extractor(name, Resources(threads=1, weights=weights))
    assert isinstance(extractor, BroughtExtractor)
    began, wall = time.process_time(), time.perf_counter()
    rows = widths = 0
    for stretch in extractor.stream(path, extractor.grid):
        rows, widths = rows + len(stretch), stretch.visual.shape[1] + stretch.audio.shape[1]
        duration_s = stretch.duration_s
    took, wall = time.process_time() - began, time.perf_counter() - wall
    # Not getrusage: its maximum is handed down from the process that started this one.
    peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024  # type: ignore[index]
    released = extractor.whole_windows(extractor.grid, duration_s) if extractor.fps else rows
    print(
        f"{name}: {duration_s:.2f} s, {rows} rows of {widths}, {released} in the released layout; "
        f"{took:.1f} s of processor ({took / duration_s:.2f} a second of video), {wall:.1f} s; "
        f"peak memory {peak:.0f} MB"
    )


def add_random(folder: Path) -> None:
    """Random weights of every kind."""
    torch.manual_seed(0)
    narrow = Sizes(64, 4, 96, 3, 1)
    networks = {
        "vggish": VggishNetwork(),
        "i3d-rgb": I3dNetwork(3),
        "i3d-flow": I3dNetwork(2),
        "raft": raft.RaftNetwork(),
        "onepeace-video": VideoNetwork(narrow, 16, 16, 16, 16),
        "onepeace-image": ImageNetwork(narrow, 16, 16, 64),
        "onepeace-audio": AudioNetwork(narrow, AudioAdapter(narrow, 64, 5, 19, 16, 512), 64),
    }
    for name, network in networks.items():
        with tempfile.TemporaryDirectory() as there:
            file = Path(there) / "w.pt"
            torch.save(network.state_dict(), file)
            add_weights(name, file, folder, any_size=True, any_sum=True)


def video(folder: Path, seconds: int, size: tuple[int, int]) -> Path:
    """A picture of blocks that wanders, and a tone that rises."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 255, (-(-size[1] // 16), -(-size[0] // 16), 3), np.uint8)
    still = blocks.repeat(16, axis=0).repeat(16, axis=1)[: size[1], : size[0]]

    def frames() -> Iterator[NDArray[np.uint8]]:
        for i in range(seconds * FPS):
            yield np.roll(still, (i, 3 * i), (0, 1))

    t = np.arange(seconds * 16_000) / 16_000
    sound = (0.3 * np.sin(2 * np.pi * (200 + 5 * t) * t)).astype(np.float32)
    return write_video(folder / f"{seconds}.mp4", islice(frames(), seconds * FPS), FPS, sound)


if __name__ == "__main__":
    main()
