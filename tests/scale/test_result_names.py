"""Results of different videos never share a name, and a video keeps the name it has."""

from __future__ import annotations

import shutil
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from avloc.scale.batch import Job
from avloc.scale.manifest import Entry, is_inside
from avloc.scale.names import settle
from avloc.scale.work import relative

parts = st.text(st.sampled_from("aAbé\u0301.-~ \n"), min_size=1, max_size=4).filter(lambda s: s.strip(". ") != "")
wishes = st.lists(st.tuples(parts, st.sampled_from([".mp4", ".mkv", ".MP4"])), max_size=12, unique=True)


@given(wishes)
def test_no_two_share_a_name(wished: list[tuple[str, str]]) -> None:
    videos = [(Path("/videos") / f"{stem}{ending}", stem) for stem, ending in wished]
    names = settle(videos, {}, Path("/out"))
    assert len({name.casefold() for name in names}) == len(names)
    assert all(map(is_inside, names))


def known(out: Path, jobs: list[Job]) -> dict[str, Entry]:
    return {
        job.name: Entry(
            job.name, relative(job.video, out), size=job.video.stat().st_size, mtime_ns=job.video.stat().st_mtime_ns
        )
        for job in jobs
    }


def test_a_video_keeps_its_name_whatever_comes(tmp_path: Path) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    videos.mkdir()
    first, second = videos / "a.mp4", videos / "a.mkv"
    first.write_text("1")
    second.write_text("22")
    entries = known(out, [Job(first, "a")])
    assert settle([(second, "a"), (first, "a")], entries, out) == ["a.mkv", "a"]
    other = tmp_path / "other" / "a.mp4"
    other.parent.mkdir()
    other.write_text("333")
    assert settle([(other, "a")], entries, out) == ["a.mp4"]
    entries |= known(out, [Job(other, "a.mp4")])
    third = tmp_path / "third" / "a.mp4"
    third.parent.mkdir()
    third.write_text("4444")
    assert settle([(third, "a")], entries, out) == ["third/a.mp4"]


def test_a_moved_folder_is_known_again(tmp_path: Path) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    videos.mkdir()
    (videos / "a.mp4").write_text("1")
    entries = known(out, [Job(videos / "a.mp4", "a")])
    shutil.move(videos, tmp_path / "moved")
    assert settle([(tmp_path / "moved" / "a.mp4", "a")], entries, out) == ["a"]


def test_a_copy_is_another_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("1")
    (tmp_path / "copy").mkdir()
    shutil.copy2(tmp_path / "a.mp4", tmp_path / "copy" / "a.mp4")
    entries = known(tmp_path, [Job(tmp_path / "a.mp4", "a")])
    assert settle([(tmp_path / "copy" / "a.mp4", "a")], entries, tmp_path) == ["a.mp4"]


def test_a_long_name_is_cut(tmp_path: Path) -> None:
    names = settle([(tmp_path / f"{'é' * 120}{i}.mp4", f"deep/{'é' * 120}{i}") for i in range(2)], {}, tmp_path)
    assert len(set(names)) == 2
    assert all(len(name.encode()) <= 205 and name.startswith("deep/ééé") for name in names)
