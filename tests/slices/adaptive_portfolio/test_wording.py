from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from slices.adaptive_portfolio.wording import caveats, confidence_text, label, plain_notes
from slices.domain.bars import Adjustment
from slices.domain.dataset import LargeMove, SymbolQuality
from slices.domain.portfolio import Allocator
from tests.support.frames import made_up_ref

FIRST, LATER, LAST = dt.date(2020, 1, 2), dt.date(2020, 6, 1), dt.date(2020, 12, 31)
CLEAN = SymbolQuality(symbol="AAA", rows=250, first_session=FIRST, last_session=LAST)
YOUNG = SymbolQuality(symbol="BBB", rows=150, first_session=LATER, last_session=LAST)
TWIN = dataclasses.replace(CLEAN, symbol="BBB")
BARS = made_up_ref(CLEAN, TWIN)


def test_clean_data_has_no_caveats() -> None:
    assert caveats(BARS) == ()
    assert len(plain_notes(BARS, (), sessions=250)) == 1


def test_every_shortcoming_of_a_symbol_is_a_caveat() -> None:
    split = LargeMove(session=LATER, change=-0.5, explained=False, looks_like_split=True)
    worse = dataclasses.replace(
        CLEAN,
        quarantined=(("zero volume", 2),),
        missing_sessions=(LATER,),
        large_moves=(split,),
    )
    found = caveats(dataclasses.replace(BARS, quality=(worse, TWIN)))
    assert len(found) == 3
    assert all(each.startswith("AAA: ") for each in found)


def test_a_symbol_that_ends_early_is_a_caveat_and_ends_the_figures() -> None:
    ended = dataclasses.replace(YOUNG, first_session=FIRST, last_session=LATER)
    bars = dataclasses.replace(BARS, quality=(CLEAN, ended))
    (found,) = caveats(bars)
    assert found.startswith("BBB: ends on 2020-06-01")
    assert str(LATER) in plain_notes(bars, (), sessions=100)[0]
    assert str(LAST) not in plain_notes(bars, (), sessions=100)[0]


def test_r05_old_bars_are_a_caveat() -> None:
    as_of = dt.date(2021, 1, 6)
    found = caveats(dataclasses.replace(BARS, as_of=as_of))
    assert len(found) == 2
    assert all("3 sessions old" in each for each in found)
    assert caveats(dataclasses.replace(BARS, as_of=LAST)) == ()


def test_a_late_start_and_missing_dividends_are_said() -> None:
    bars = dataclasses.replace(BARS, quality=(CLEAN, YOUNG), adjustment=Adjustment.SPLIT)
    _, late, dividends = plain_notes(bars, (), sessions=150)
    assert "BBB" in late
    assert "150" in late
    assert "dividends" in dividends


def test_labels_are_short_and_distinct() -> None:
    labels = {label(each) for each in Allocator}
    assert len(labels) == len(Allocator)
    assert max(map(len, labels)) <= 20


@pytest.mark.parametrize(
    ("confidence", "text"), [(0.95, "95%"), (0.975, "97.5%"), (0.999, "99.9%"), (0.99, "99%")]
)
def test_a_confidence_is_never_rounded_to_another(confidence: float, text: str) -> None:
    assert confidence_text(confidence) == text
