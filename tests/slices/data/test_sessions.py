from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.data.sessions import missing_sessions, sessions_from
from slices.domain.errors import BadDataError
from tests.support.frames import sessions

DAY = dt.date(2024, 3, 11)
"""The Monday after clocks went forward in New York."""


def read(stamps: pl.Series) -> list[dt.date]:
    return sessions_from(stamps, dataset="prices.csv").to_list()


def test_dates_are_sessions() -> None:
    assert read(pl.Series([DAY])) == [DAY]


@pytest.mark.parametrize("text", ["2024-03-11", " 2024-03-11 ", "2024-03-11 00:00:00"])
def test_text_dates_are_sessions(text: str) -> None:
    assert read(pl.Series([text])) == [DAY]


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-11T16:00:00-04:00",
        "2024-03-11T20:00:00Z",
        "2024-03-12T01:00:00+00:00",
        "2024-03-12T05:30:00+0900",
    ],
)
def test_r02_instants_become_the_date_at_the_exchange(text: str) -> None:
    assert read(pl.Series([text])) == [DAY]


def test_r02_offsets_that_change_with_the_clocks_are_one_zone() -> None:
    texts = ["2024-03-08T16:00:00-05:00", "2024-03-11T16:00:00-04:00"]
    assert read(pl.Series(texts)) == [dt.date(2024, 3, 8), DAY]


def test_r02_midnights_without_a_zone_are_dates() -> None:
    assert read(pl.Series([dt.datetime(2024, 3, 11)])) == [DAY]  # noqa: DTZ001 - the case


@pytest.mark.parametrize(
    ("stamps", "problem"),
    [
        (pl.Series([dt.datetime(2024, 3, 11, 16)]), "no time zone"),  # noqa: DTZ001 - the case
        (pl.Series(["2024-03-11T16:00:00-04:00", "2024-03-12"]), "some have none"),
        (pl.Series(["2024-03-11 16:00:00"]), "'2024-03-11 16:00:00' is not a date"),
        (pl.Series(["11.3.2024"]), "'11.3.2024' is not a date"),
        (pl.Series([20240311]), "Int64"),
        (pl.Series([dt.datetime(2024, 3, 11, tzinfo=dt.UTC)]), "midnight UTC"),
    ],
)
def test_r02_ambiguous_stamps_are_rejected(stamps: pl.Series, problem: str) -> None:
    with pytest.raises(BadDataError, match=r"^prices\.csv: ") as raised:
        read(stamps)
    assert problem in str(raised.value)


@given(
    st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2030, 1, 1)),  # noqa: DTZ001 - zone follows
    st.sampled_from(["UTC", "Asia/Tokyo", "Europe/London", "America/New_York"]),
)
def test_r02_the_zone_an_instant_is_written_in_does_not_matter(
    moment: dt.datetime, zone: str
) -> None:
    instant = pl.Series([moment.replace(hour=15, minute=31, tzinfo=dt.UTC)])
    assert read(instant) == read(instant.dt.convert_time_zone(zone))


def test_missing_sessions_lie_between_the_first_and_the_last() -> None:
    known = sessions(10)
    held = pl.Series([known[2], known[3], known[6]])
    assert missing_sessions(held, "XNYS") == (known[4], known[5])
    assert missing_sessions(pl.Series(known), "XNYS") == ()
    assert missing_sessions(pl.Series([dt.date(2024, 1, 6), known[4]]), "XNYS") == ()
