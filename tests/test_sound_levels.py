"""Detection of the sample with its sound very quiet, louder than full scale, or with one channel turned over."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame

from avloc import load
from avloc.formats.activitynet import read_truth
from avloc.media.reader import read_audio

SAMPLE = Path(__file__).parents[1] / "demo" / "sample.mp4"
RATE = 16000


def with_sound(path: Path, factors: tuple[float, ...]) -> Path:
    """The sample's pictures as they are, its sound in a channel for each factor."""
    wave = np.concatenate(list(read_audio(SAMPLE, sample_rate=RATE)))
    samples = np.ascontiguousarray(wave[:, None] * np.array(factors, np.float32))
    layout = "mono" if len(factors) == 1 else "stereo"
    with av.open(str(SAMPLE)) as source, av.open(str(path), "w") as target:
        pictures = target.add_stream_from_template(source.streams.video[0])
        sound = target.add_stream("pcm_f32le", rate=RATE, layout=layout)
        packets = [p for p in source.demux(video=0) if p.size]
        for k, packet in enumerate(packets):
            packet.stream = pictures
            target.mux(packet)
            at = slice(len(samples) * k // len(packets), len(samples) * (k + 1) // len(packets))
            frame = AudioFrame.from_ndarray(samples[at].reshape(1, -1), format="flt", layout=layout)
            frame.sample_rate, frame.pts = RATE, at.start
            target.mux(sound.encode(frame))
        target.mux(sound.encode(None))
    return path


@pytest.mark.parametrize(
    ("factors", "word"), [((0.01,), "quiet"), ((0.0032,), "quiet"), ((12.0,), "louder"), ((1.0, -1.0), "cancel")]
)
def test_all_events_of_the_sample(tmp_path: Path, factors: tuple[float, ...], word: str) -> None:
    found = load("default", threads=1).detect_fully(with_sound(tmp_path / "a.mkv", factors))
    truth = read_truth(SAMPLE.with_name("sample.truth.json"))["sample"].events
    assert sorted(found.events.labels) == sorted(truth.labels)
    for event in truth:
        same = [e for e in found.events if e.label == event.label]
        assert max(min(e.end_s, event.end_s) - max(e.start_s, event.start_s) for e in same) > event.duration_s / 2
    assert len(found.notes) == 1 and word in found.notes[0]
