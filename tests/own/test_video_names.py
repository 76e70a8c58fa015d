"""Names in labels > videos: with and without ending, below sub folders, from other computers; what cannot be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from avloc.own.matching import VideoFile, match_names

VIDEOS = [
    VideoFile(Path("/v") / place, Path(place).with_suffix(""))
    for place in (
        "a.mp4",
        "b.c.mkv",
        "north/rec 1.MP4",
        "south/rec 1.mp4",
        "Fl\u00fcsse/Bach.mov",
        "twin.mp4",
        "twin.avi",
    )
]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a", "a.mp4"),
        ("a.mp4", "a.mp4"),
        ("./a.mp4", "a.mp4"),
        ("A.MP4", "a.mp4"),
        ("b.c", "b.c.mkv"),
        ("north/rec 1", "north/rec 1.MP4"),
        ("south\\rec 1.mp4", "south/rec 1.mp4"),
        ("rec 1.MP4", "north/rec 1.MP4"),
        ("Flu\u0308sse/Bach.mov", "Fl\u00fcsse/Bach.mov"),
        ("D:\\elsewhere\\Bach.mov", "Fl\u00fcsse/Bach.mov"),
        ("twin.avi", "twin.avi"),
    ],
)
def test_one_video_is_meant(name: str, place: str) -> None:
    matched = match_names([name], VIDEOS)
    assert {n: str(v.place) for n, v in matched.files.items()} == {name: place}
    assert not matched.missing and not matched.ambiguous and len(matched.unlabelled) == len(VIDEOS) - 1


@pytest.mark.parametrize("name", ["lost", "a.mov", "rec 2", "north", "", "../a/"])
def test_none_is_meant(name: str) -> None:
    assert match_names([name], VIDEOS).missing == (name,)


def test_several_are_meant() -> None:
    matched = match_names(["rec 1", "twin"], VIDEOS)
    assert {name: len(several) for name, several in matched.ambiguous.items()} == {"rec 1": 2, "twin": 2}
    assert not matched.files and len(matched.unlabelled) == 3


def test_two_names_of_one_video() -> None:
    assert match_names(["a", "a.mp4", "twin.avi"], VIDEOS).shared == {"/v/a.mp4": ("a", "a.mp4")}


def test_nothing_at_all() -> None:
    matched = match_names([], [])
    assert not matched.files and not matched.missing and not matched.unlabelled
