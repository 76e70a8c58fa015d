"""The manifest survives being cut off anywhere, and leads nowhere outside of its folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import OutputError
from avloc.scale.manifest import MANIFEST, Entry, Manifest, is_inside, read_manifest

NAMES = ("a", "deep/b [x]", "ü\n\udcff", "c")
changes = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["pending", "done", "failed"])), max_size=12)


def entry(name: str) -> Entry:
    return Entry(name, f"../videos/{name}.mp4", settings="s", size=5, mtime_ns=7)


@settings(max_examples=30, deadline=None)
@given(changes=changes, cut=st.integers(0, 4000))
def test_cut_off_anywhere_it_tells_what_was_known_before(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str]], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("m")
    manifest = Manifest(folder)
    manifest.begin(map(entry, NAMES))
    history = {name: ["pending"] for name in NAMES}
    for number, (name, state) in enumerate(changes):
        manifest.put(name, state, reason=f"reason {number}")  # type: ignore[arg-type]
        history[name].append(state)
    manifest.close()
    assert {name: e.state for name, e in read_manifest(folder).items()} == {n: h[-1] for n, h in history.items()}
    assert read_manifest(folder) == manifest.entries
    path = folder / MANIFEST
    path.write_bytes(path.read_bytes()[:cut])
    for name, known in read_manifest(folder).items():
        assert known.state in history[name] and known.video == entry(name).video
    again = Manifest(folder)  # and the next run mends it
    again.begin([entry("new")])
    again.put("new", "done")
    again.close()
    assert read_manifest(folder)["new"].state == "done"
    assert all(json.loads(line) for line in path.read_text().splitlines())


NO_ENTRIES = [b"", b"{", b"[]", b"null", b'{"result": 5}', b'{"result": "a", "video": "b", "state": "gone"}', b"\xff"]


@pytest.mark.parametrize("line", [*NO_ENTRIES, b"[" * 9999])
def test_a_line_that_is_none_is_left_out(line: bytes, tmp_path: Path) -> None:
    good = b'{"result": "a", "video": "b", "state": "done"}'
    (tmp_path / MANIFEST).write_bytes(line + b"\n" + good + b"\n" + line)
    assert read_manifest(tmp_path) == {"a": Entry("a", "b", "done")}


@pytest.mark.parametrize(
    "result", ["../a", "/etc/a", "a/../../b", "..", "C:\\a", "\\\\server\\a", "..\\a", "C:a", "a\0b", "", "."]
)
def test_a_place_outside_of_the_folder_is_refused(result: str, tmp_path: Path) -> None:
    assert not is_inside(result)
    line = json.dumps({"result": result, "video": "b", "state": "done"})
    (tmp_path / MANIFEST).write_text(line)
    with pytest.raises(OutputError, match="outside of the folder") as caught:
        Manifest(tmp_path)
    assert "\n" not in str(caught.value) and "line 1" in str(caught.value)


@pytest.mark.parametrize("result", ["a", "deep/b", "...", "a..b", "-x", "日本", "a\nb", " "])
def test_odd_names_are_inside(result: str) -> None:
    assert is_inside(result)


def test_no_manifest_no_entries(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == {}


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    manifest.begin([entry("a")])
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    (tmp_path / MANIFEST).unlink()
    (tmp_path / MANIFEST).symlink_to(full)
    with pytest.raises(OutputError, match="no space left on device"):
        manifest.put("a", "done")
