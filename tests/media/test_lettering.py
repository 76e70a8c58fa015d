"""Text without any font of the system: it has ink, fits its room, and anything can be asked for."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.media.lettering import letters, line


def test_letters_have_ink_and_differ() -> None:
    known = letters()
    assert len(known.places) > 500 and all(1 <= width <= 60 for _, width in known.places.values())
    pictures = {sign: line(sign, 40, 100) for sign in "ABCabcÄßéŁЖя0189"}
    assert all(picture.max() > 200 for picture in pictures.values())
    kinds = {picture.tobytes() for picture in pictures.values()}
    assert len(kinds) == len(pictures)


def test_a_letter_that_is_not_there_is_a_box_and_parts_are_composed() -> None:
    assert np.array_equal(line("犬", 40, 100), line("\N{WHITE SQUARE}", 40, 100))
    assert np.array_equal(line("e\u0301", 40, 100), line("é", 40, 100))


def test_what_is_too_long_ends_in_an_ellipsis() -> None:
    short = line("people laughing at a very long name", 20, 120)
    assert short.shape[0] == 20 and 90 <= short.shape[1] <= 121
    whole = line("people laughing at a very long name", 20, 1000)
    assert whole.shape[1] > 200 and not np.array_equal(short, whole[:, : short.shape[1]])


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40), st.integers(4, 90), st.integers(1, 400))
def test_anything_can_be_written(text: str, height: int, room: int) -> None:
    drawn = line(text, height, room)
    assert drawn.dtype == np.uint8 and drawn.shape[0] == height and 1 <= drawn.shape[1] <= room + 2
