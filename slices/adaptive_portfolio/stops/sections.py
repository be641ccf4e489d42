"""The parts of a report of stops, as values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.errors import counted
from slices.domain.numbers import written
from slices.domain.report import BarChart, Note, Section, Table, Tone, Unit
from slices.domain.stops import StopStatus

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.report import Block
    from slices.domain.stop_monitor import StopBook, StopReading, StopWatch, Unguarded

DISTANCES = "stop-distances"
MOST_SHOWN = 40


def stop_section(watch: StopWatch) -> Section:
    """Show every stop, the nearest first."""
    blocks: list[Block] = [distance_chart(watch)] if has_distances(watch) else []
    blocks.append(stop_table(watch))
    if not watch.readings:
        blocks = [Note(text="No stop guards a position.")]
    blocks += [
        Note(text=f"Without a stop: {unguarded_words(each)}.", tone=Tone.WARNING)
        for each in watch.unguarded
    ]
    return Section(
        title="Stops",
        intro=f"Looked at with the bars up to {watch.session}. A level stands on earlier bars "
        "alone; a touch is enough. An exit that rests at the venue with its order fills within the "
        "session that touches it and sells that order's shares; an exit sent from here fills at "
        "the next session, at what is paid there.",
        blocks=tuple(blocks),
    )


def unguarded_words(each: Unguarded) -> str:
    """Say how many shares no stop sells, and what fraction of equity they are."""
    of = "all" if each.is_whole else "the other"
    shares = f"{abs(each.shares):,.6f}".rstrip("0").rstrip(".")
    return f"{each.symbol}, {of} {shares} shares ({written(each.weight, Unit.FRACTION)} of equity)"


def has_distances(watch: StopWatch) -> bool:
    """Tell whether any stop has a level to be away from."""
    return any(not math.isnan(each.distance) for each in watch.readings)


def distance_chart(watch: StopWatch) -> BarChart:
    """Draw how far each close is from its level."""
    shown = [each for each in watch.readings if not math.isnan(each.distance)][:MOST_SHOWN]
    return BarChart(
        key=DISTANCES,
        title="Distance from the close to the level",
        categories=tuple(f"{each.stop.symbol} {each.stop.kind}" for each in shown),
        groups=(("Distance", tuple(each.distance for each in shown)),),
        unit=Unit.FRACTION,
        caption="Fractions of the close; negative beyond the level.",
    )


def stop_table(watch: StopWatch) -> Table:
    """List the stops, the nearest first."""
    return Table(
        key="stops",
        title="Stops by nearness",
        columns=(
            "Symbol", "Stop", "Shares", "Close", "Level", "Distance", "In ATRs", "Sessions left",
            "Unrealised", "Lost at the level", "Armed", "State",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.RATIO, Unit.FRACTION, Unit.RATIO,
            Unit.SESSIONS, Unit.MONEY, Unit.MONEY, Unit.TEXT, Unit.TEXT,
        ),
        rows=tuple(
            (
                each.stop.symbol, each.stop.kind.value, float(each.quantity), each.close,
                each.level, each.distance, each.distance_ranges, each.sessions_left,
                each.unrealized_pnl, each.at_risk, str(each.stop.armed), state_of(each),
            )
            for each in watch.readings
        ),
        caption="Shares are those the stop sells. Unrealised is money gained on them since the "
        "position was opened, before costs; what is "
        "lost at the level counts from the newest close and knows no gaps.",
    )  # fmt: skip


def state_of(reading: StopReading) -> str:
    """Say in words where a stop stands."""
    if reading.is_leaving:
        return "its exit waits to be filled"
    if reading.stop.status is StopStatus.TRIGGERED:
        return f"hit on {reading.stop.triggered}, not left yet"
    return f"hit on {reading.hit}" if reading.hit else "not hit"


def exit_section(stops: StopBook) -> Section | None:
    """Show what exits brought against what their stops promised; None without any."""
    if not stops.exits:
        return None
    return Section(
        title="Exits filled",
        intro=f"{counted(len(stops.exits), 'exit')} in the last 30 days. Where the price jumped "
        "past the level, the fill was beyond it, and that is what was lost.",
        blocks=(
            Table(
                key="stop-exits",
                title="Level and fill",
                columns=(
                    "Symbol", "Stop", "Hit", "Filled", "Shares", "Level", "Fill",
                    "Beyond the level", "In money", "Gained", "Costs",
                ),
                units=(
                    Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.RATIO,
                    Unit.RATIO, Unit.FRACTION, Unit.MONEY, Unit.MONEY, Unit.MONEY,
                ),
                rows=tuple(
                    (
                        each.symbol, each.kind.value, str(each.triggered or ""), str(each.filled),
                        each.quantity, each.level, each.price, each.beyond, each.beyond_money,
                        each.gain, each.costs,
                    )
                    for each in stops.exits
                ),
                caption="Beyond the level is positive where the fill was worse than the level; "
                "gained is money over the average price paid, before costs.",
            ),
        ),
    )  # fmt: skip


def risk_section(watch: StopWatch) -> Section:
    """Show exposure before the exits and after them."""
    rows = (
        ("Gross exposure", watch.before.gross, watch.after.gross),
        ("Net exposure", watch.before.net, watch.after.net),
        ("Volatility a year", watch.before.volatility, watch.after.volatility),
        ("Lost where every nearest stop is hit", watch.before.at_risk, watch.after.at_risk),
        ("Without a stop", watch.before.unguarded, watch.after.unguarded),
    )
    return Section(
        title="Risk before and after",
        blocks=(
            Table(
                key="stop-risk",
                title="Fractions of equity",
                columns=("Measure", "Held", "After the exits"),
                units=(Unit.TEXT, Unit.FRACTION, Unit.FRACTION),
                rows=rows,
            ),
        ),
    )


def log_section(stops: StopBook, book: AccountBook) -> Section | None:
    """Show what was armed and ended in this run, and what waits; None where that is nothing."""
    lines = [f"{each.symbol}: a {each.kind} stop was armed." for each in stops.armed]
    lines += [f"{each.symbol}: the {each.kind} stop is {each.status}." for each in stops.ended]
    lines += [
        f"{each.stop.symbol}: a {each.stop.kind} stop waits for its position to be opened."
        for each in stops.standing
        if each.is_waiting and book.position(each.stop.symbol) is None
    ]
    if not lines:
        return None
    return Section(title="Log", blocks=tuple(Note(text=each) for each in lines))
