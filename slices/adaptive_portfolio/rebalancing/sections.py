"""The parts of a report of a rebalancing, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import counted
from slices.domain.report import (
    BarChart,
    Note,
    PointChart,
    Section,
    Series,
    Table,
    Tone,
    Unit,
)

if TYPE_CHECKING:
    from slices.domain.rebalancing import BandPoint, RebalancePlan
    from slices.domain.report import Block
    from slices.domain.trading import OrderPlan, Placement

Result = tuple[str, str]
WEIGHTS = "weights"
MOST_SHOWN = 30


def trade_section(plan: RebalancePlan) -> Section:
    """Show what is traded and why, and weights before and after."""
    intro = (
        f"{plan.targets.basis} Prices are the closes of {plan.session}; orders fill at the next "
        "session, at prices nobody knows yet."
    )
    blocks: tuple[Block, ...] = (weight_chart(plan), trade_table(plan))
    if not plan.trades:
        blocks = (Note(text="Nothing is to be traded.", tone=Tone.GOOD), *blocks)
    return Section(title="Trades", intro=intro, blocks=blocks)


def weight_chart(plan: RebalancePlan) -> BarChart:
    """Draw held weights, targets and weights afterwards."""
    shown = sorted(plan.lines, key=lambda each: -max(abs(each.held_weight), each.target_weight))
    chosen = shown[:MOST_SHOWN]
    return BarChart(
        key=WEIGHTS,
        title="Weights",
        categories=tuple(each.symbol for each in chosen),
        groups=(
            ("Held", tuple(each.held_weight for each in chosen)),
            ("Target", tuple(each.target_weight for each in chosen)),
            ("Afterwards", tuple(each.weight_after for each in chosen)),
        ),
        unit=Unit.FRACTION,
        caption="Fractions of the equity that costs leave.",
    )


def trade_table(plan: RebalancePlan) -> Table:
    """List every symbol that is held or wanted."""
    return Table(
        key="rebalance-trades",
        title="Every symbol",
        columns=(
            "Symbol", "Close", "Held", "Trade", "Held weight", "Target", "Afterwards", "Band",
            "Costs", "Because it is",
        ),
        units=(
            Unit.TEXT, Unit.MONEY, Unit.RATIO, Unit.RATIO, Unit.FRACTION, Unit.FRACTION,
            Unit.FRACTION, Unit.FRACTION, Unit.MONEY, Unit.TEXT,
        ),
        rows=tuple(
            (
                each.symbol, each.price, each.held, each.quantity, each.held_weight,
                each.target_weight, each.weight_after, each.band, each.costs, each.reason,
            )
            for each in plan.lines
            if each.held or each.target_weight
        ),
        caption="Shares are signed; costs are commission and half spread, without market impact.",
    )  # fmt: skip


def check_section(plan: RebalancePlan, orders: OrderPlan, looked: Placement) -> Section:
    """Show what the gate says of each order."""
    said = {each.client_order_id: each for each in looked.decisions}
    named = orders.named(looked.account)
    found = [said.get(each.client_order_id) for each in named]
    rows = tuple(
        (
            order.symbol,
            order.side.value,
            float(order.quantity),
            "–" if decision is None else "; ".join(map(str, decision.breaches)) or "accepted",
        )
        for order, decision in zip(named, found, strict=True)
    )
    return Section(
        title="What the risk gate says",
        intro=f"{counted(len(rows), 'order')}, sales before purchases, judged together at the "
        f"closes of {plan.session}.",
        blocks=(
            Table(
                key="rebalance-gate",
                title="Orders",
                columns=("Symbol", "Side", "Shares", "Risk gate"),
                units=(Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.TEXT),
                rows=rows,
            ),
        ),
    )


def trade_off_section(plan: RebalancePlan) -> Section | None:
    """Show what other bands would cost and leave; None where nothing is held."""
    if not plan.curve:
        return None
    return Section(
        title="Cost against tracking",
        intro="The same account with one absolute band for every symbol: a wide band trades "
        "little and stays far from the targets.",
        blocks=(trade_off_chart(plan), trade_off_table(plan)),
    )


def trade_off_chart(plan: RebalancePlan) -> PointChart:
    """Draw the tracking error that is left by what it costs to get there.

    Bands that lead to the same trades are one point; so is the plan with those that are as it is.
    """
    results = distinct_results(plan)
    own = _result(plan.costs, plan.tracking_after)
    like = results.pop(own, ())
    points = sorted(results.values(), key=lambda each: each[0].costs)
    bands = Series(
        name="Bands",
        x=tuple(each[0].costs * plan.equity for each in points),
        y=tuple(each[0].tracking_error for each in points),
        labels=tuple(band_range(each) for each in points),
    )
    this = Series(
        name="This plan",
        x=(plan.costs,),
        y=(plan.tracking_after,),
        labels=(f"this plan, {band_range(like)}" if like else "this plan",),
    )
    return PointChart(
        key="trade-off",
        title="Tracking error by costs",
        points=(bands, this) if points else (this,),
        curve=None,
        x_unit=Unit.MONEY,
        y_unit=Unit.FRACTION,
        x_label="costs, money",
        y_label="tracking error a year",
    )


def distinct_results(plan: RebalancePlan) -> dict[Result, tuple[BandPoint, ...]]:
    """Gather the bands that cost and leave the same, narrowest first."""
    found: dict[Result, tuple[BandPoint, ...]] = {}
    for each in plan.curve:
        key = _result(each.costs * plan.equity, each.tracking_error)
        found[key] = (*found.get(key, ()), each)
    return found


def band_range(points: tuple[BandPoint, ...]) -> str:
    """Name the narrowest and the widest of some bands, as percentages."""
    first, last = points[0].band * 100, points[-1].band * 100
    return f"{first:g}%" if len(points) == 1 else f"{first:g}% to {last:g}%"


def _result(costs: float, tracking_error: float) -> Result:
    """Tell results apart as a person could: to the cent and the hundredth of a basis point."""
    return f"{costs:.2f}", f"{tracking_error:.6f}"


def trade_off_table(plan: RebalancePlan) -> Table:
    """List the bands."""
    return Table(
        key="rebalance-bands",
        title="Bands",
        columns=("Band", "Trades", "Turnover", "Costs", "Tracking error"),
        units=(Unit.FRACTION, Unit.COUNT, Unit.FRACTION, Unit.MONEY, Unit.FRACTION),
        rows=tuple(
            (each.band, each.trades, each.turnover, each.costs * plan.equity, each.tracking_error)
            for each in plan.curve
        ),
        caption="Costs are money; the tracking error is annualized.",
    )
