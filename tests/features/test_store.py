"""Feature files: there and back in half precision, and one clear line for every file that is none."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from avloc.errors import FeatureError, OutputError
from avloc.features.sequence import FeatureSequence
from avloc.features.store import load_features, read_store_header, save_features
from avloc.streams import Streams
from avloc.timegrid import TimeGrid

NAMES = ("visual", "audio", "visual_scores", "audio_scores")
STREAMS = Streams("pictures/1", "sound/2", "pictures/3", "sound/1")

Widths = tuple[int, int, int, int]


def features(steps: int = 6, seed: int = 0, scale: float = 3.0, widths: Widths = (4, 3, 5, 2)) -> FeatureSequence:
    rng = np.random.default_rng(seed)
    visual, audio, logits, heard = ((scale * rng.standard_normal((steps, w))).astype(np.float32) for w in widths)
    grid = TimeGrid(0.32, 0.96, -0.32)
    return FeatureSequence(grid, 1.9200001, visual, audio, logits, heard, STREAMS, "ab" * 32)


def arrays_of(f: FeatureSequence) -> dict[str, np.ndarray]:
    return {name: getattr(f, name).astype(np.float16) for name in NAMES}


FORMAT = "avloc-features/2"
ABOUT = {
    "streams": {"visual": "x/1", "audio": "x/2"},
    "source_sha256": "",
    "duration_s": 1.92,
    "grid": {"stride_s": 0.32, "window_s": 0.96, "offset_s": -0.32},
}
HEADER_1 = {
    "format": "avloc-features/1",
    "extractor": "old/2",
    "source_sha256": "",
    "duration_s": "1.92",
    "grid": '{"stride_s": 0.32, "window_s": 0.96, "offset_s": -0.32}',
}


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 9),
    st.integers(0, 99),
    st.sampled_from([1e-3, 1.0, 3e3]),
    st.sampled_from([(4, 3, 5, 2), (4, 3, 0, 0)]),
)
def test_there_and_back_within_half_precision(
    tmp_path_factory: pytest.TempPathFactory, steps: int, seed: int, scale: float, widths: Widths
) -> None:
    given = features(steps, seed, scale, widths)
    path = tmp_path_factory.mktemp("store") / "f.safetensors"
    save_features(given, path)
    got = load_features(path)
    assert (got.grid, got.duration_s, got.streams, got.source_hash) == (
        given.grid,
        given.duration_s,
        given.streams,
        given.source_hash,
    )
    for name in NAMES:
        before, after = getattr(given, name), getattr(got, name)
        assert after.dtype == np.float32 and after.shape == before.shape
        assert np.allclose(after, before, rtol=2**-11, atol=2**-25)


def test_the_same_features_give_the_same_file(tmp_path: Path) -> None:
    contents = set()
    for name in "abcdef":
        save_features(features(), tmp_path / name)
        contents.add((tmp_path / name).read_bytes())
    assert len(contents) == 1


def test_a_second_pass_loses_nothing(tmp_path: Path) -> None:
    save_features(features(), tmp_path / "a")
    first = load_features(tmp_path / "a")
    save_features(first, tmp_path / "b")
    second = load_features(tmp_path / "b")
    assert all(np.array_equal(getattr(first, name), getattr(second, name)) for name in NAMES)
    assert (first.grid, first.duration_s) == (second.grid, second.duration_s)


@pytest.mark.parametrize("cues", [0, 3])
def test_a_file_of_format_1_names_one_maker_for_all_it_holds(tmp_path: Path, cues: int) -> None:
    arrays = arrays_of(features(widths=(4, 3, 0, 2))) | ({"cues": np.ones((6, cues), np.float16)} if cues else {})
    (tmp_path / "old").write_bytes(save(arrays, HEADER_1))
    expected = Streams("old/2", "old/2", "", "old/2", "old/2" if cues else "")
    assert load_features(tmp_path / "old").streams == read_store_header(tmp_path / "old").streams == expected


def whole(path: Path) -> bytes:
    save_features(features(), path)
    return path.read_bytes()


def changed(**about: object) -> Callable[[Path], bytes]:
    """A file that says other things of itself, or not those that are None."""
    entries = {k: v for k, v in {**ABOUT, **about}.items() if v is not None}
    return told(json.dumps(entries))


def told(about: str) -> Callable[[Path], bytes]:
    return lambda path: save(arrays_of(features()), {FORMAT: about})


def changed_1(**header: str | None) -> Callable[[Path], bytes]:
    """The same of format 1."""
    entries = {k: v for k, v in {**HEADER_1, **header}.items() if v is not None}
    return lambda path: save(arrays_of(features()), entries)


def with_arrays(**arrays: np.ndarray | None) -> Callable[[Path], bytes]:
    entries = {k: v for k, v in {**arrays_of(features()), **arrays}.items() if v is not None}
    return lambda path: save(entries, {FORMAT: json.dumps(ABOUT)})


def bad_value(value: float) -> Callable[[Path], bytes]:
    audio = np.zeros((6, 3), np.float16)
    audio[2, 1] = value
    return with_arrays(audio=audio)


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "empty": lambda path: b"",
    "text": lambda path: b"These are no features, but a text of some length.\n" * 9,
    "header cut": lambda path: whole(path)[:40],
    "arrays cut": lambda path: whole(path)[:-7],
    "endless header": lambda path: struct.pack("<Q", 2**63) + b"{}",
    "header no JSON": lambda path: struct.pack("<Q", 4) + b"}}}}",
    "no header": lambda path: save(arrays_of(features())),
    "another format": changed_1(format="other/1"),
    "about no JSON": told("{"),
    "about no group": told("[1, 2]"),
    "about too deep": told("[" * 100_000),
    "no streams": changed(streams=None),
    "streams no group": changed(streams=["x/1"]),
    "stream unknown": changed(streams={"smell": "x/1"}),
    "identity no text": changed(streams={"visual": 0}),
    "no hash": changed(source_sha256=None),
    "hash no text": changed(source_sha256=7),
    "no duration": changed(duration_s=None),
    "duration no number": changed(duration_s="long"),
    "duration a list": changed(duration_s=[]),
    "duration zero": changed(duration_s=0),
    "duration not finite": changed(duration_s=float("nan")),
    "duration too large": changed(duration_s=10**400),
    "no grid": changed(grid=None),
    "grid no group": changed(grid=[1, 2]),
    "grid of nothing": changed(grid={}),
    "grid with more": changed(grid={"stride_s": 1, "window_s": 1, "colour": 3}),
    "grid no number": changed(grid={"stride_s": [], "window_s": 1}),
    "grid too large": changed(grid={"stride_s": 10**400, "window_s": 1}),
    "grid without stride": changed(grid={"stride_s": 0, "window_s": 1}),
    "format 1: audio flat": lambda path: save(arrays_of(features()) | {"audio": np.zeros(18, np.float16)}, HEADER_1),
    "format 1: no extractor": changed_1(extractor=None),
    "format 1: no hash": changed_1(source_sha256=None),
    "format 1: no duration": changed_1(duration_s=None),
    "format 1: duration no number": changed_1(duration_s="long"),
    "format 1: no grid": changed_1(grid=None),
    "format 1: grid no JSON": changed_1(grid="{"),
    "format 1: grid no group": changed_1(grid="[1, 2]"),
    "format 1: grid too deep": changed_1(grid="[" * 100_000),
    "format 1: grid no number": changed_1(grid='{"stride_s": [], "window_s": 1}'),
    "no audio": with_arrays(audio=None),
    "audio too short": with_arrays(audio=np.zeros((5, 3), np.float16)),
    "audio flat": with_arrays(audio=np.zeros(18, np.float16)),
    "a number that is none": bad_value(np.nan),
    "a number without end": bad_value(np.inf),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_feature_file_is_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "f.safetensors"
    path.write_bytes(HOSTILE[kind](path))
    with pytest.raises(FeatureError) as caught:
        load_features(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(path))


@pytest.mark.parametrize("name", ["missing", ".", "zero\0byte", "n" * 300])
def test_what_is_no_file_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(FeatureError) as caught:
        load_features(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_bytes_changed_anywhere_in_the_header_never_escape_as_another_error(tmp_path: Path) -> None:
    path = tmp_path / "f.safetensors"
    content = whole(path)
    rng = np.random.default_rng(0)
    (size,) = struct.unpack("<Q", content[:8])
    assert json.loads(content[8 : 8 + size])
    for _ in range(300):
        damaged = bytearray(content)
        for at in rng.integers(0, 8 + size, 2):
            damaged[at] = int(rng.integers(0, 256))
        path.write_bytes(damaged)
        try:
            got = load_features(path)
        except FeatureError as error:
            assert "\n" not in str(error)
        else:
            assert all(np.isfinite(getattr(got, name)).all() for name in NAMES)


def test_a_value_beyond_half_precision_is_refused_before_the_old_file_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "f.safetensors"
    before = whole(path)
    loud = features()
    loud.visual[1, 1] = 7e4
    with pytest.raises(FeatureError, match="visual"):
        save_features(loud, path)
    assert path.read_bytes() == before


def test_nowhere_to_write(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        save_features(features(), tmp_path / "missing" / "f.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_sequence_of_arrays_that_do_not_fit() -> None:
    with pytest.raises(FeatureError, match="audio has 2 steps and visual has 6"):
        replace(features(), audio=np.zeros((2, 3), np.float32))
    with pytest.raises(FeatureError, match=r"visual_scores has shape \(6,\)"):
        replace(features(), visual_scores=np.zeros(6, np.float32))
