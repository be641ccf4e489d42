"""What a report says about the data it stands on: what was found, left out, or is old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.bars import Adjustment
from slices.domain.calendar import missed_sessions
from slices.domain.errors import listed
from slices.domain.numbers import written
from slices.domain.report import Section, Table, Unit

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.dataset import DatasetRef, SymbolQuality

LEFT_OUT = {
    Adjustment.RAW: "Prices are not adjusted: splits and dividends are in no return.",
    Adjustment.SPLIT: "Prices are adjusted for splits only: dividends are in no return.",
}


def data_section(
    bars: DatasetRef, *, rule: str = "A session without a bar of a symbol is never filled."
) -> Section:
    """Describe a dataset and what validation found in it.

    Args:
        bars: The dataset.
        rule: Which part of it is used, and how.
    """
    return Section(
        title="The data",
        intro=f"{bars}. {rule}",
        blocks=(quality_table(bars),),
    )


def quality_table(bars: DatasetRef) -> Table:
    """Show what validation found, symbol by symbol."""
    return Table(
        key="data-quality",
        title="What validation found",
        columns=("Symbol", "Bars", "First", "Last", "Set aside", "Missing sessions", "Large moves"),
        units=(
            Unit.TEXT, Unit.COUNT, Unit.TEXT, Unit.TEXT, Unit.COUNT, Unit.COUNT, Unit.COUNT,
        ),
        rows=tuple(
            (
                each.symbol,
                each.rows,
                str(each.first_session),
                str(each.last_session),
                each.quarantined_rows,
                len(each.missing_sessions),
                len(each.large_moves),
            )
            for each in bars.quality
        ),
        caption="Large moves are closes that changed by more than 40 % as delivered.",
    )  # fmt: skip


def common_end(bars: DatasetRef) -> dt.date:
    """Return the last session that every symbol can have a bar in."""
    return min(each.last_session for each in bars.quality)


def data_caveats(bars: DatasetRef, *, ending: str = "") -> tuple[str, ...]:
    """Name what was set aside, is missing, ends before the others, is old or unexplained.

    Args:
        bars: The data.
        ending: What follows from a symbol that ends before the others, if anything.
    """
    latest = max((each.last_session for each in bars.quality), default=bars.last_session)
    return tuple(
        f"{quality.symbol}: {found}"
        for quality in bars.quality
        for found in _found(quality, bars, latest, ending)
    )


def _found(quality: SymbolQuality, bars: DatasetRef, latest: dt.date, ending: str) -> list[str]:
    found: list[str] = []
    if quality.quarantined_rows:
        why = ", ".join(f"{count} x {reason}" for reason, count in quality.quarantined)
        found.append(f"{quality.quarantined_rows} rows set aside ({why})")
    if quality.missing_sessions:
        found.append(f"{len(quality.missing_sessions)} exchange sessions without a bar")
    if quality.last_session < latest:
        then = f": {ending}" if ending else ""
        found.append(f"ends on {quality.last_session}, the others on {latest}{then}")
    if bars.as_of is not None:
        missed = missed_sessions(quality.last_session, bars.as_of, calendar=bars.calendar)
        if missed:
            found.append(f"the newest bar, of {quality.last_session}, is {missed} sessions old")
    found += [
        f"{written(move.change, Unit.FRACTION)} on {move.session} "
        + ("looks like a missed split" if move.looks_like_split else "is not explained by the data")
        for move in quality.large_moves
        if not move.explained
    ]
    return found


def late_notes(bars: DatasetRef) -> tuple[str, ...]:
    """Name the symbols that begin after the others, and what that means for an account."""
    late = [each for each in bars.quality if each.first_session > bars.first_session]
    if not late:
        return ()
    named = listed(tuple(f"{each.symbol} on {each.first_session}" for each in late), most=10)
    return (
        f"Not all symbols begin on {bars.first_session}: {named}. Until then their share of the "
        "account, and of the benchmark, is cash.",
    )


def data_notes(bars: DatasetRef) -> tuple[str, ...]:
    """Say whether survivorship is controlled and what the prices leave out."""
    left_out = LEFT_OUT.get(bars.adjustment)
    return tuple(each for each in (bars.universe_note, left_out) if each)
