from __future__ import annotations

import dataclasses
import datetime as dt

from slices.data.announcements import announcements
from slices.domain.alerts import DataStale, Level, RowsQuarantined, SplitSuspected
from slices.domain.dataset import LargeMove, SymbolQuality
from tests.support.frames import made_up_ref

DAY = dt.date(2024, 1, 2)


def quality(symbol: str, **found: object) -> SymbolQuality:
    return SymbolQuality(symbol=symbol, rows=1, first_session=DAY, last_session=DAY, **found)  # type: ignore[arg-type]


def test_clean_bars_announce_nothing() -> None:
    real = LargeMove(session=DAY, change=-0.52, explained=True, looks_like_split=False)
    assert list(announcements(made_up_ref(quality("AAPL", large_moves=(real,))))) == []


def test_each_defect_is_an_event_with_its_level() -> None:
    split = LargeMove(session=DAY, change=-0.5, explained=False, looks_like_split=True)
    rows = (("missing price", 2), ("zero volume", 1))
    found = list(
        announcements(
            made_up_ref(quality("AAA", quarantined=rows), quality("BBB", large_moves=(split,)))
        )
    )
    assert [(type(each), each.subject, each.level) for each in found] == [
        (RowsQuarantined, "AAA", Level.WARNING),
        (SplitSuspected, "BBB", Level.ERROR),
    ]
    assert "2 x missing price" in found[0].message
    assert isinstance(found[0], RowsQuarantined)
    assert found[0].rows == 3


def test_r05_bars_behind_their_time_are_events_of_growing_level() -> None:
    def levels(as_of: dt.date | None) -> list[Level]:
        bars = dataclasses.replace(made_up_ref(quality("AAA")), as_of=as_of)
        return [each.level for each in announcements(bars) if isinstance(each, DataStale)]

    assert levels(None) == levels(DAY) == []
    assert levels(dt.date(2024, 1, 3)) == [Level.WARNING]
    assert levels(dt.date(2024, 1, 12)) == [Level.CRITICAL]
