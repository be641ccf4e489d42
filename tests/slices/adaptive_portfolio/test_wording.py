from __future__ import annotations

import dataclasses
import datetime as dt
import math

from slices.adaptive_portfolio.wording import caveats, label, percent, plain_notes
from slices.domain.bars import Adjustment, BarShape
from slices.domain.dataset import DatasetRef, LargeMove, SymbolQuality
from slices.domain.portfolio import Allocator

FIRST, LATER, LAST = dt.date(2020, 1, 2), dt.date(2020, 6, 1), dt.date(2020, 12, 31)
CLEAN = SymbolQuality(symbol="AAA", rows=250, first_session=FIRST, last_session=LAST)
YOUNG = SymbolQuality(symbol="BBB", rows=150, first_session=LATER, last_session=LAST)
BARS = DatasetRef(
    symbols=("AAA", "BBB"),
    first_session=FIRST,
    last_session=LAST,
    rows=400,
    shape=BarShape.OHLCV,
    adjustment=Adjustment.TOTAL,
    source="files",
    feed="x",
    calendar="XNYS",
    fingerprint="f",
    checksum="c",
    universe_note="n",
    quality=(CLEAN, CLEAN),
    path="p",
)


def test_clean_data_has_no_caveats() -> None:
    assert caveats(BARS) == ()
    assert len(plain_notes(BARS, sessions=250)) == 1


def test_every_shortcoming_of_a_symbol_is_a_caveat() -> None:
    split = LargeMove(session=LATER, change=-0.5, explained=False, looks_like_split=True)
    worse = dataclasses.replace(
        CLEAN,
        quarantined=(("zero volume", 2),),
        missing_sessions=(LATER,),
        large_moves=(split,),
    )
    found = caveats(dataclasses.replace(BARS, quality=(worse, CLEAN)))
    assert len(found) == 3
    assert all(each.startswith("AAA: ") for each in found)


def test_a_late_start_and_missing_dividends_are_said() -> None:
    bars = dataclasses.replace(BARS, quality=(CLEAN, YOUNG), adjustment=Adjustment.SPLIT)
    _, late, dividends = plain_notes(bars, sessions=150)
    assert "BBB" in late
    assert "150" in late
    assert "dividends" in dividends


def test_labels_are_short_and_distinct() -> None:
    labels = {label(each) for each in Allocator}
    assert len(labels) == len(Allocator)
    assert max(map(len, labels)) <= 20


def test_an_undefined_fraction_is_a_dash() -> None:
    assert percent(math.nan) == "–"
    assert percent(0.5, digits=0) == "50 %"
