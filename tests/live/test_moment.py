"""When a recording began: by its name, its metadata, the date of its file."""

from __future__ import annotations

import datetime
import os
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from videos import film

from avloc.errors import AvlocError
from avloc.live.moment import TimeFrom


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()


@pytest.mark.parametrize(
    ("pattern", "name", "began"),
    [
        ("%Y%m%d-%H%M%S", "20260927-101500.mp4", "2026-09-27T10:15:00+02:00"),
        ("%Y%m%d-%H%M%S", "cam2_20260127-101500_x.mp4", "2026-01-27T10:15:00+01:00"),
        ("%Y-%m-%d_%H.%M.%S", "a 2026-09-27_10.15.00.mkv", "2026-09-27T10:15:00+02:00"),
        ("%Y%m%dT%H%M%S%z", "20260927T101500+0530.mp4", "2026-09-27T10:15:00+05:30"),
        ("%Y%m%dT%H%M%S%z", "20260927T101500Z.mp4", "2026-09-27T10:15:00+00:00"),
        ("%Y%m%d%H%M%S%f", "20260927101500250000.ts", "2026-09-27T10:15:00.250000+02:00"),
        ("%Y%m%d", "12020260927.mp4", None),  # amid digits
        ("%Y%m%d", "20261399.mp4", None),  # no such day
        ("%Y%m%d", "20250101-20260927.mp4", "2026-09-27T00:00:00+02:00"),  # the last one
        ("(%Y)", "a.(2026).mp4", "2026-01-01T00:00:00+01:00"),
        ("%Y%m%d", "a.mp4", None),
    ],
)
def test_names(pattern: str, name: str, began: str | None) -> None:
    found = TimeFrom.of(f"name:{pattern}").began(Path(name), 5.0)
    assert (None if found is None else found.isoformat()) == began


@given(
    st.datetimes(datetime.datetime(1980, 1, 1), datetime.datetime(2100, 1, 1)).map(lambda t: t.replace(microsecond=0))
)
def test_what_a_pattern_wrote_it_reads(moment: datetime.datetime) -> None:
    os.environ["TZ"] = "UTC"  # elsewhere an hour of each spring does not exist
    time.tzset()
    pattern = "%Y%m%d-%H%M%S"
    found = TimeFrom.of(f"name:{pattern}").began(Path(f"cam_{moment.strftime(pattern)}.mp4"), 1.0)
    assert found is not None and found.tzinfo is not None and found.strftime(pattern) == moment.strftime(pattern)


def test_metadata_and_dates(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", Fraction(25), creation_time="2026-09-27T08:15:00Z")
    by_metadata = TimeFrom.of("metadata").began(path, 1.5)
    assert by_metadata is not None and by_metadata.isoformat() == "2026-09-27T08:15:00+00:00"
    os.utime(path, (1_790_000_000, 1_790_000_000))
    by_date = TimeFrom.of("file").began(path, 1.5)
    assert by_date is not None and by_date.timestamp() == 1_790_000_000 - 1.5
    assert TimeFrom.of("metadata").began(film(tmp_path / "b.mp4", Fraction(25)), 1.5) is None
    assert TimeFrom.of("file").began(tmp_path / "gone.mp4", 1.5) is None


@pytest.mark.parametrize("text", ["name", "name:", "clock", "", "name:%H%M", "name:%Y%Q", "name:%Y%"])
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(AvlocError, match="--time-from"):
        TimeFrom.of(text)
