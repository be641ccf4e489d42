"""The findings of a look at stops: the answer in one sentence, the figures, the report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.stops.sections import (
    DISTANCES,
    exit_section,
    has_distances,
    log_section,
    risk_section,
    stop_section,
    unguarded_words,
)
from slices.domain.accounts import TradingState
from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.orders import OrderState
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.domain.stop_monitor import StopLossMonitor
from slices.domain.stops import StopKind, StopStatus

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook, Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.stop_monitor import StopBook, StopExit, StopReading, StopWatch
    from slices.domain.trading import Placement

WORDS = {StopKind.TIME: "time limit", StopKind.TARGET: "target"}
REFUSED = frozenset({OrderState.DENIED, OrderState.REJECTED})


def stop_loss_findings(
    bars: DatasetRef,
    *,
    book: AccountBook,
    stops: StopBook,
    watch: StopWatch,
    placed: list[Placement],
    execution: Execution,
) -> StopLossMonitor:
    """Put together what was found at the stops and what was done about it.

    Args:
        bars: What was looked at.
        book: The account.
        stops: Its stops.
        watch: What was found.
        placed: What became of the exits, in the order of `watch.leaving`.
        execution: Whether anything was sent.
    """
    caveats = (*stop_caveats(book, watch, placed), *data_caveats(bars))
    notes = (*stop_notes(watch), *data_notes(bars))
    parts = (
        stop_section(watch),
        exit_section(stops),
        risk_section(watch),
        log_section(stops, book),
        data_section(bars),
    )
    report = Report(
        key="stop-loss-monitor",
        title="Stops",
        headline=headline(stops, watch, placed, execution=execution),
        figures=figures(book, watch),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in notes),
        ),
        sections=tuple(each for each in parts if each is not None),
        chart=DISTANCES if has_distances(watch) else "",
        provenance=(),
    )
    return StopLossMonitor(
        headline=report.headline,
        caveats=caveats,
        summary=summary(book, stops, watch, placed),
        notes=notes,
        report=report,
        bars=bars,
        book=book,
        stops=stops,
        watch=watch,
        placed=tuple(placed),
    )


def headline(
    stops: StopBook, watch: StopWatch, placed: list[Placement], *, execution: Execution
) -> str:
    """Say which stops fired, and whether another is hit."""
    fired = "; ".join(exit_words(each) for each in newly_left(stops))
    asked = _asked(watch, placed, execution=execution)
    return f"{fired}. {asked}" if fired else asked


def newly_left(stops: StopBook) -> tuple[StopExit, ...]:
    """List the exits that were filled in this session, or that this run is the first to see."""
    ended = {each.stop_id for each in stops.ended}
    return tuple(e for e in stops.exits if e.filled == stops.session or e.stop_id in ended)


def exit_words(each: StopExit) -> str:
    """Say that a stop fired: when, at what price, and what that brought."""
    kind = WORDS.get(each.kind, f"{each.kind} stop")
    outcome = "a gain" if each.gain > 0 else "a loss"
    money = f"{abs(each.gain):,.2f}"
    return (
        f"{each.symbol} left on {each.filled} at {each.price:,.2f} by its {kind}, "
        f"{outcome} of {money}"
    )


def _asked(watch: StopWatch, placed: list[Placement], *, execution: Execution) -> str:
    if not watch.leaving:
        waiting = sum(each.is_leaving for each in watch.readings)
        already = f"; {counted(waiting, 'exit')} on the way" if waiting else ""
        return f"No stop asks for a new exit at the close of {watch.session}{already}."
    named = listed(tuple(f"{each.stop.symbol} ({each.stop.kind})" for each in watch.leaving))
    if execution == "plan":
        return f"{counted(len(watch.leaving), 'position')} would be left: {named}."
    through = sum(e.state not in REFUSED for each in placed for e in each.records)
    return (
        f"{counted(len(watch.leaving), 'position')} hit a stop: {named}; "
        f"{counted(through, 'exit')} went through."
    )


def stop_caveats(book: AccountBook, watch: StopWatch, placed: list[Placement]) -> tuple[str, ...]:
    """Say what keeps a position from being guarded or left."""
    found = [
        f"{each.stop.symbol}: the level of its {each.stop.kind} stop is unknown, so it does not "
        "guard: there are too few bars before it"
        for each in watch.readings
        if math.isnan(each.level) and each.stop.kind is not StopKind.TIME
    ]
    for reading, each in zip(watch.leaving, placed, strict=False):
        found += [f"{reading.stop.symbol} is not left: {why}" for why in _refusals(each)]
    if book.state is TradingState.HALTED:
        found.append(f"the account is halted, so that no position is left: {book.state_reason}")
    return tuple(found)


def _refusals(placed: Placement) -> list[str]:
    refused = [
        f"its exit was {each.state.value}: {'; '.join(each.reasons)}"
        for each in placed.records
        if each.state in REFUSED
    ]
    if placed.records:
        return refused
    return [
        f"the risk gate would deny its exit: {'; '.join(map(str, each.breaches))}"
        for each in placed.decisions
        if not each.is_accepted
    ]


def stop_notes(watch: StopWatch) -> tuple[str, ...]:
    """Name what no stop guards, and what was gone past."""
    found = [_passed(each) for each in watch.leaving if each.distance < 0]
    if watch.unguarded:
        named = "; ".join(unguarded_words(each) for each in watch.unguarded)
        found.append(f"Held without a stop: {named}.")
    return tuple(found)


def _passed(reading: StopReading) -> str:
    lost = written(-reading.distance, Unit.FRACTION)
    return (
        f"{reading.stop.symbol} closed {lost} beyond the level of its {reading.stop.kind} stop: "
        "the exit fills where the next session trades, not at the level."
    )


def figures(book: AccountBook, watch: StopWatch) -> tuple[KeyFigure, ...]:
    """Name the numbers that matter most."""
    known = [each.distance for each in watch.readings if not math.isnan(each.distance)]
    gained = float(sum(each.unrealized_pnl for each in book.positions))
    return (
        KeyFigure(
            label="Stops hit", value=len(watch.leaving), unit=Unit.COUNT,
            note=f"of {counted(len(watch.readings), 'stop')}",
            tone=Tone.BAD if watch.leaving else Tone.NEUTRAL,
        ),
        KeyFigure(
            label="Nearest level", value=min(known, default=math.nan), unit=Unit.FRACTION,
            note="from the newest close, as a fraction of it",
        ),
        KeyFigure(
            label="Unrealised", value=gained, unit=Unit.MONEY,
            note=f"on {counted(len(book.positions), 'position')}, before costs",
        ),
        KeyFigure(
            label="At risk", value=watch.before.at_risk, unit=Unit.FRACTION,
            note="of equity, down to the nearest stops; after the exits "
            + written(watch.after.at_risk, Unit.FRACTION),
        ),
        KeyFigure(
            label="Without a stop", value=watch.before.unguarded, unit=Unit.FRACTION,
            note="of equity; after the exits " + written(watch.after.unguarded, Unit.FRACTION),
            tone=Tone.BAD if watch.before.unguarded > 0 else Tone.NEUTRAL,
        ),
    )  # fmt: skip


def summary(
    book: AccountBook, stops: StopBook, watch: StopWatch, placed: list[Placement]
) -> tuple[tuple[str, str], ...]:
    """List what a terminal shows."""
    sent = sum(each.state not in REFUSED for one in placed for each in one.records)
    done = sum(each.status is StopStatus.DONE for each in stops.ended)
    return (
        ("Account", f"{book.name}, {book.mode.value}, {book.state.value}"),
        ("Session", str(watch.session)),
        ("Positions", _positions(book, watch)),
        ("Without a stop", f"{written(watch.before.unguarded, Unit.FRACTION)} of equity"),
        ("Stops", f"{len(watch.readings):,}, {len(watch.leaving):,} hit"),
        ("Exits sent", f"{sent:,}"),
        ("Ended in this run", f"{len(stops.ended):,}, {done:,} of them by their exit"),
        ("Armed in this run", f"{len(stops.armed):,}"),
        ("Lost where every stop is hit", written(watch.before.at_risk, Unit.FRACTION)),
        ("The same after the exits", written(watch.after.at_risk, Unit.FRACTION)),
    )


def _positions(book: AccountBook, watch: StopWatch) -> str:
    whole = sum(each.is_whole for each in watch.unguarded)
    part = len(watch.unguarded) - whole
    return f"{len(book.positions):,}, {whole:,} without a stop, {part:,} guarded in part"
