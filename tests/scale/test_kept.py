"""What is kept of a video comes back as it was, and results of any least score are made of it alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import FormatError, OutputError
from avloc.events import Events
from avloc.formats.activitynet import read_external, read_results
from avloc.media.probe import AudioStream, MediaInfo, VideoStream
from avloc.scale.kept import LEVELS, Kept, kept_file, read_kept, save_kept
from avloc.scale.shown import Shown, require_one_setting

VIDEO = Path("v.mp4")
INFO = MediaInfo(
    VIDEO,
    "mov",
    30.0,
    VideoStream("h264", 64, 48, None, 90, "yuv420p", 0.0, 30.0),
    AudioStream("aac", 16000, 1, 0.1, None),
)
rows = st.lists(
    st.tuples(st.floats(0, 3000), st.floats(0, 50), st.sampled_from(["a", "b", "Sägen"]), st.floats(0, 1)), max_size=5
)


def kept_of(found: list[tuple[float, float, str, float]], key: str = "k") -> Kept:
    start_s, length_s, labels, score = zip(*found, strict=True) if found else ((), (), (), ())
    events = Events(start_s, np.array(start_s) + np.array(length_s), labels, score)
    return Kept(key, INFO, 30.0, events, np.linspace(0, 1, LEVELS, dtype=np.float32) ** 3, ("told",))


def same(a: Kept, b: Kept) -> bool:
    rest = [(k.key, k.info, k.duration_s, k.events, k.notes) for k in (a, b)]
    return rest[0] == rest[1] and np.array_equal(a.levels, b.levels)


@settings(max_examples=40)
@given(rows)
def test_it_comes_back_as_it_was_shown(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[float, float, str, float]]
) -> None:
    kept, path = kept_of(found), tmp_path_factory.getbasetemp() / "v.candidates.safetensors"
    save_kept(path, kept)
    read = read_kept(path, VIDEO)
    assert read is not None and same(read, kept.rounded()) and same(read.rounded(), read)
    assert read.events.labels == kept.events.labels
    assert np.allclose(read.events.start_s, kept.events.start_s, atol=5.1e-4)
    assert np.allclose(read.events.score, kept.events.score, rtol=1e-6)
    # Half a part of 255 of a page's height, whose square root the level is.
    assert np.abs(np.sqrt(read.levels) - np.sqrt(kept.levels)).max() <= 0.51 / 255
    assert path.stat().st_size < 3500 + 14 * len(found)


def test_what_is_no_whole_file_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v.candidates.safetensors"
    assert read_kept(path, VIDEO) is None
    save_kept(path, kept_of([(1.0, 2.0, "a", 0.5)]))
    whole = path.read_bytes()
    for broken in (
        whole[:-1],
        whole[:40],
        b"",
        whole.replace(b'\\"a\\"', b'\\"\\" '),
        whole.replace(b"avloc-candidates/1", b"avloc-candidates/9"),
        whole.replace(b"h264", b"h2\\u"),
        whole.replace(b'\\"width\\": 64', b'\\"width\\": []'),
        whole.replace(b'\\"duration_s\\": 30.0, \\"container', b'\\"duration_s\\": -3.0, \\"container'),
    ):
        assert broken != whole
        path.write_bytes(broken)
        assert read_kept(path, VIDEO) is None


def test_results_of_another_score_are_brought_along_or_refused(tmp_path: Path) -> None:
    low, high = Shown("m", 0.1, 0.001), Shown("m", 0.6, 0.001, made_by="avloc 2")
    kept = kept_of([(5.0, 2.0, "b", 0.9), (1.0, 2.0, "a", 0.5), (2.0, 1.0, "a", 0.05)]).rounded()
    results = {name: tmp_path / f"{name}.events.json" for name in ("x", "y")}
    for path in results.values():
        save_kept(kept_file(path), kept)
        low.write(path, kept, {"model": "default", "source": "v.mp4", "video": "../v.mp4"})
    assert low.bring_along(tmp_path, results) == 0
    assert high.bring_along(tmp_path, results) == 2
    assert read_results(results["x"])["x"].labels == ("b",)
    about = read_external(results["x"])
    assert (about["video"], about["min_score"], about["made_by"]) == ("../v.mp4", 0.6, "avloc 2")
    assert Shown("m", 0.6, 0.001, all=True).bring_along(tmp_path, results) == 2
    assert len(read_results(results["y"])["y"]) == 3 and read_external(results["y"])["min_score"] == 0.001
    kept_file(results["y"]).unlink()
    before = results["x"].read_bytes()
    with pytest.raises(OutputError, match=r"1 of them, such as y"):
        low.bring_along(tmp_path, results)
    assert results["x"].read_bytes() == before
    low.give_up(results["x"])
    assert read_results(results["x"])["x"].labels == ("a", "b")
    low.give_up(results["y"])
    Shown("another", 0.1, 0.001).give_up(results["x"])
    assert not list(tmp_path.iterdir())


def test_results_of_two_versions_of_a_model_are_told_apart(tmp_path: Path) -> None:
    kept = kept_of([(5.0, 2.0, "b", 0.9)]).rounded()
    paths = [tmp_path / f"{name}.events.json" for name in "xyz"]
    for path, computed in zip(paths, ("abcdefgh", "abcdefgh", "12345678"), strict=True):
        Shown(computed, 0.1, 0.001).write(path, kept, {"model": "default"})
    require_one_setting(tmp_path, paths[:2])
    (tmp_path / "foreign.events.json").write_text('{"results": {"a": []}}')
    require_one_setting(tmp_path, [*paths[:2], tmp_path / "foreign.events.json", tmp_path / "none.events.json"])
    with pytest.raises(
        FormatError, match=r"2 of model default \(abcdef\) with threshold 0.5, 1 .*\(123456\)"
    ) as told:
        require_one_setting(tmp_path, paths, 0.5)
    assert "--min-score" not in str(told.value)
