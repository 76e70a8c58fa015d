"""Timecode: every frame has its label and every label its frame, at the rates that films and broadcasts have."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.errors import FormatError
from avloc.formats.timecode import Timecode, exact_rate, is_drop

NTSC, NTSC2, FILM = Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24000, 1001)
CODES = [
    Timecode(NTSC, True),
    Timecode(NTSC),
    Timecode(NTSC2, True),
    Timecode(NTSC2),
    Timecode(FILM),
    *(Timecode(Fraction(rate)) for rate in (24, 25, 30, 50, 100)),
    Timecode(Fraction(1, 2)),
]
# Of SMPTE ST 12-1 by hand: a minute's first labels are left out, those of each tenth are not.
KNOWN = [
    (CODES[0], 1799, "00:00:59;29"),
    (CODES[0], 1800, "00:01:00;02"),
    (CODES[0], 17981, "00:09:59;29"),
    (CODES[0], 17982, "00:10:00;00"),
    (CODES[0], 107892, "01:00:00;00"),
    (CODES[1], 1800, "00:01:00:00"),
    (CODES[1], 107892, "00:59:56:12"),
    (CODES[2], 3599, "00:00:59;59"),
    (CODES[2], 3600, "00:01:00;04"),
    (CODES[2], 215784, "01:00:00;00"),
    (CODES[4], 86400, "01:00:00:00"),
    (CODES[6], 25 * 86399 + 24, "23:59:59:24"),
    (CODES[6], 25 * 86400, "00:00:00:00"),
]


@pytest.mark.parametrize(("code", "frame", "text"), KNOWN)
def test_known_labels(code: Timecode, frame: int, text: str) -> None:
    assert code.text(frame) == text and code.frame(text, "") == frame % code.day


@given(st.sampled_from(CODES), st.integers(0, 24 * 3600 * 100))
def test_there_and_back(code: Timecode, frame: int) -> None:
    frame %= code.day
    assert code.frame(code.text(frame), "") == frame
    assert is_drop(code.text(frame)) == code.drop
    assert code.frame(code.text(frame, semicolons=True), "") == frame


@pytest.mark.parametrize("code", CODES[:1] + CODES[2:3])
def test_drop_frame_keeps_to_the_clock(code: Timecode) -> None:
    """Never further from it than the labels that a minute leaves out, and in step again each ten minutes."""
    for frame in range(0, code.day, 997):
        hours, minutes, seconds = (int(part) for part in code.text(frame)[:8].split(":"))
        shown = 3600 * hours + 60 * minutes + seconds + int(code.text(frame)[9:]) / code.base
        assert abs(shown - float(frame / code.rate)) < 0.1 + 0.1 * frame / code.day


def test_otio_counts_alike() -> None:
    opentime = pytest.importorskip("opentimelineio.opentime", reason="opentimelineio is not installed")
    for code in CODES[:-2]:
        day = int(86400 * code.rate)  # OTIO begins anew after a day of the clock, not of labels
        for frame in [*range(0, 4000, 7), *range(17900, 18100), *range(0, min(day, code.day), day // 311)]:
            theirs = opentime.RationalTime(frame, float(code.rate))
            assert opentime.to_timecode(theirs, float(code.rate), drop_frame=code.drop) == code.text(frame)
            assert opentime.from_timecode(code.text(frame), float(code.rate)).value == frame


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (29.97, NTSC),
        (30000 / 1001, NTSC),
        (59.94, NTSC2),
        (23.976, FILM),
        (23.98, FILM),
        (24, Fraction(24)),
        (30, Fraction(30)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_what_people_say_of_a_rate(said: float, meant: Fraction) -> None:
    assert exact_rate(said) == meant


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        (CODES[0], "00:01:00;00", "drop-frame timecode leaves out"),
        (CODES[6], "00:00:01:25", "a second has 25 frames; name the right rate"),
        (CODES[6], "1:02.5", "a timecode such as"),
        (CODES[6], "00:61:00:00", "a second has"),
    ],
)
def test_what_is_no_label_is_refused(code: Timecode, text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        code.frame(text, "line 3")


def test_only_two_rates_drop() -> None:
    with pytest.raises(FormatError, match=r"23\.976 frames a second have no drop-frame timecode"):
        Timecode(FILM, True)
