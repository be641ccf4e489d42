"""Tables and charts of sizes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.numbers import written
from slices.domain.position_sizing import BoundName
from slices.domain.report import BarChart, Table, Unit

if TYPE_CHECKING:
    from slices.domain.position_sizing import PositionSize
    from slices.domain.report import Cell

MOST_CHARTED = 3
MOST_SHOWN = 1.0
RULES = (BoundName.VOLATILITY, BoundName.RISK, BoundName.RANGE, BoundName.KELLY)
CHARTED = (*RULES, BoundName.LARGEST, BoundName.TRADE_BUDGET, BoundName.ACCOUNT_BUDGET)
CHART = "size-by-rule"


def sizes_table(sizes: tuple[PositionSize, ...]) -> Table:
    """List the size of every symbol and what limits it."""
    return Table(
        key="sizes",
        title="Sizes",
        columns=(
            "Symbol", "Price", "Shares", "Value", "Weight", "Limited by", "Stop", "Loss at stop",
        ),
        units=(
            Unit.TEXT, Unit.MONEY, Unit.COUNT, Unit.MONEY, Unit.FRACTION, Unit.TEXT, Unit.MONEY,
            Unit.MONEY,
        ),
        rows=tuple(
            (
                each.symbol,
                each.price,
                each.quantity,
                each.notional,
                each.weight,
                each.bound_by.value,
                each.stop_price,
                each.loss_at_stop,
            )
            for each in sizes
        ),
        caption=(
            "Value is at the newest close. The loss is that of a stop hit at its level, costs of "
            "both fills included; a price that opens beyond it loses more."
        ),
    )  # fmt: skip


def volatility_table(sizes: tuple[PositionSize, ...], *, sessions: int) -> Table:
    """List volatility, over so many sessions, range and regime of every symbol."""
    return Table(
        key="volatilities",
        title="Volatility and regime",
        columns=(
            "Symbol", "Volatility a year", "Percentile", "Average true range", "Stop distance",
            "Regime by rules", "Turbulent by model", "Factor",
        ),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.TEXT,
            Unit.FRACTION, Unit.RATIO,
        ),
        rows=tuple(
            (
                each.symbol,
                each.annualized_volatility,
                each.volatility_percentile,
                each.average_range,
                each.stop_distance,
                each.scaling.regime.replace("_", " ") or "unknown",
                each.scaling.volatile_probability,
                each.scaling.factor,
            )
            for each in sizes
        ),
        caption=(
            f"Volatility is over the newest {sessions:,} sessions, all weighted equally; the "
            "percentile is the share of the symbol's own past with a lower one. The factor falls "
            "in equal steps from 1 in a calm bull market to the worst in a crisis, which an "
            "unknown regime counts as. The trend is that of the rules; between calm and turbulent "
            "it is weighted by the probability the hidden Markov model gives its turbulent state."
        ),
    )  # fmt: skip


def kelly_table(sizes: tuple[PositionSize, ...]) -> Table:
    """List what the closed trades of every symbol say."""
    return Table(
        key="kelly",
        title="What the strategy's closed trades say",
        columns=(
            "Symbol", "Trades", "Gained", "Mean", "Deviation", "Full Kelly", "95 % from", "to",
            "Shrinkage", "Used", "Remark",
        ),
        units=(
            Unit.TEXT, Unit.COUNT, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
            Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.FRACTION, Unit.TEXT,
        ),
        rows=tuple(_kelly_row(each) for each in sizes if each.kelly is not None),
        caption=(
            "Full Kelly is the weight at which wealth would have grown fastest over these trades, "
            "net of costs. It is shrunk by t^2 / (1 + t^2), t being the mean over its standard "
            "error, and the chosen fraction of that is used."
        ),
    )  # fmt: skip


def _kelly_row(each: PositionSize) -> tuple[Cell, ...]:
    kelly = each.kelly
    if kelly is None:
        return (each.symbol,)
    return (
        each.symbol,
        kelly.trades,
        kelly.hit_rate,
        kelly.mean_return,
        kelly.deviation,
        kelly.full,
        kelly.low,
        kelly.high,
        kelly.shrinkage,
        kelly.weight,
        kelly.reason,
    )


def bounds_table(size: PositionSize) -> Table:
    """List every rule and cap of one position with what it stands on."""
    return Table(
        key=f"bounds-{size.symbol.lower().replace('.', '-')}",
        title=f"What limits {size.symbol}",
        columns=("Rule or cap", "Kind", "Allows", "Says", "Stands on"),
        units=(Unit.TEXT,) * 5,
        rows=tuple(
            (
                each.name.value,
                "cap" if each.is_cap else "rule",
                written(each.weight, Unit.FRACTION),
                "binds" if each.binds else "" if each.counts else "has no say",
                each.basis,
            )
            for each in size.bounds
        ),
        caption=size.explanation,
    )


def tails_table(sizes: tuple[PositionSize, ...], *, confidence: float) -> Table:
    """List what a bad session costs by each position, and the account with and without it."""
    return Table(
        key="tail-losses",
        title="What a bad session costs, as a fraction of equity",
        columns=(
            "Symbol", "VaR alone", "ES alone", "VaR before", "VaR with it", "ES before",
            "ES with it", "Sessions",
        ),
        units=(Unit.TEXT, *(Unit.FRACTION,) * 6, Unit.COUNT),
        rows=tuple(
            (
                each.symbol,
                each.alone.value_at_risk,
                each.alone.expected_shortfall,
                each.before.value_at_risk,
                each.after.value_at_risk,
                each.before.expected_shortfall,
                each.after.expected_shortfall,
                each.scenarios,
            )
            for each in sizes
        ),
        caption=(
            f"Historical value at risk (VaR) and expected shortfall (ES) of one session at a "
            f"confidence of {confidence:.1%}: today's weights, applied to past sessions. Before "
            "and with it are of the whole account."
        ),
    )  # fmt: skip


def size_chart(sizes: tuple[PositionSize, ...]) -> BarChart:
    """Draw what the rules ask for beside the size, for the first few symbols."""
    shown = sizes[:MOST_CHARTED]
    names = [
        each
        for each in CHARTED
        if any(bound.name is each for size in shown for bound in size.bounds)
    ]
    more = f" The first {MOST_CHARTED} symbols are shown." if len(sizes) > MOST_CHARTED else ""
    return BarChart(
        key=CHART,
        title="Size by rule",
        categories=(*(each.value for each in names), "asked, with the regime", "size"),
        groups=tuple(
            (
                size.symbol,
                (
                    *(_shown(_weight(size, each)) for each in names),
                    _shown(size.asked),
                    _shown(size.weight),
                ),
            )
            for size in shown
        ),
        unit=Unit.FRACTION,
        caption=f"Fractions of equity; bars end at 100 %, the tables have the numbers.{more}",
    )


def _weight(size: PositionSize, name: BoundName) -> float:
    return next((each.weight for each in size.bounds if each.name is name), math.nan)


def _shown(weight: float) -> float:
    return weight if math.isnan(weight) else min(weight, MOST_SHOWN)
