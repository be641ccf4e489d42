"""Tables and charts of one trade."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.numbers import written
from slices.domain.position_sizing import PositionSize
from slices.domain.report import BarChart, LineChart, Section, Series, Table, Unit
from slices.position_sizing.size_tables import bounds_table, size_chart
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.position_sizing import Exits, FirstCheck, TradeProposal
    from slices.domain.stops import Stop

PATH = "trade-path"
PATH_SESSIONS = 126


def trade_section(bars: DatasetRef, proposal: TradeProposal) -> Section:
    """Show the price with entry, stop and target, and the trade's figures."""
    blocks: tuple[LineChart | Table, ...] = (path_chart(bars, proposal),)
    if isinstance(proposal.size, PositionSize):
        blocks = (*blocks, terms_table(proposal, proposal.size))
    return Section(title="The trade", blocks=blocks)


def path_chart(bars: DatasetRef, proposal: TradeProposal) -> LineChart:
    """Draw the newest closes with the levels at which the trade is left."""
    panel = read_panel(bars)
    rows = slice(-PATH_SESSIONS, None)
    place = panel.symbols.index(proposal.symbol)
    sessions = panel.sessions[rows]
    closes = tuple(panel.close[rows, place].tolist())
    exits = proposal.exits
    levels = [] if exits is None else [("stop", exits.stop_price), ("target", exits.target_price)]
    return LineChart(
        key=PATH,
        title=f"{proposal.symbol}: the newest closes, and where the trade is left",
        series=(
            Series(name="close", x=sessions, y=closes),
            *(
                Series(name=name, x=(sessions[0], sessions[-1]), y=(level, level))
                for name, level in levels
                if level is not None
            ),
        ),
        y_unit=Unit.MONEY,
        y_label="Price",
        caption="Nothing is traded."
        if exits is None
        else "Levels are as of the newest close; the order fills at the next session.",
    )


def terms_table(proposal: TradeProposal, size: PositionSize) -> Table:
    """List entry, stop, target and what is at stake."""
    rows = (
        ("Newest close", f"{size.price:,.2f}"),
        ("Shares the rules and caps leave", f"{size.quantity:,.6g}"),
        ("Shares held before", f"{proposal.held:,.6g}"),
        ("Shares to trade", f"{proposal.quantity:,.6g}"),
        ("Value of the shares they leave", written(size.notional, Unit.MONEY)),
        *(() if proposal.exits is None else _exit_rows(proposal.exits, size)),
    )
    return Table(
        key="trade-terms",
        title="Entry, exits and what is at stake",
        columns=("What", "Value"),
        units=(Unit.TEXT, Unit.TEXT),
        rows=rows,
        caption="A price that opens beyond the stop loses more than the stop says.",
    )


def _exit_rows(exits: Exits, size: PositionSize) -> tuple[tuple[str, str], ...]:
    target = math.nan if exits.target_price is None else exits.target_price
    gain = abs(target - size.price) * size.quantity
    return (
        (f"Stop ({exits.stop})", f"{size.stop_price:,.2f}"),
        ("Target", "none" if math.isnan(target) else f"{target:,.2f}"),
        ("Lost at the stop, costs included", written(size.loss_at_stop, Unit.MONEY)),
        ("Gained at the target, before costs", written(gain, Unit.MONEY)),
    )


def risk_section(proposal: TradeProposal) -> Section:
    """Show the symbol's risk, and the account's before and after the trade."""
    risk, part = proposal.risk, Unit.FRACTION
    measured = Table(
        key="trade-risk",
        title="Risk measures",
        columns=("Measure", "Value"),
        units=(Unit.TEXT, Unit.TEXT),
        rows=tuple(
            (name, written(value, unit))
            for name, value, unit in (
                (f"Volatility of {risk.symbol} a year", risk.annualized_volatility, part),
                ("Its value at risk of a session", risk.value_at_risk, part),
                ("Its expected shortfall of a session", risk.expected_shortfall, part),
                ("Its beta to the rest of the universe", risk.beta, Unit.RATIO),
                ("Its correlation with the account", risk.correlation, Unit.RATIO),
                ("Volatility of the account a year", risk.account_volatility, part),
            )
        ),
        caption=f"Over the lookback of {risk.sessions:,} sessions, all weighted equally; the "
        "volatility target has a window of its own. A dash where nothing is held, or there is "
        "nothing to compare with.",
    )
    if not isinstance(proposal.size, PositionSize):
        return Section(title="The risk", blocks=(measured,))
    return Section(title="The risk", blocks=(measured, before_after_chart(proposal.size)))


def before_after_chart(size: PositionSize) -> BarChart:
    """Draw what a bad session costs the account before and after the trade."""
    return BarChart(
        key="before-after",
        title="What a bad session costs the account",
        categories=("value at risk", "expected shortfall"),
        groups=(
            ("before", (size.before.value_at_risk, size.before.expected_shortfall)),
            ("after", (size.after.value_at_risk, size.after.expected_shortfall)),
        ),
        unit=Unit.FRACTION,
        caption=f"Fractions of equity over {size.scenarios:,} past sessions at today's weights; "
        "orders that wait count as filled.",
    )


def limits_section(size: PositionSize) -> Section:
    """Show what every rule and cap says about the size."""
    return Section(title="What limits it", blocks=(bounds_table(size), size_chart((size,))))


def check_section(check: FirstCheck) -> Section:
    """Show the orders and stops the books have."""
    return Section(
        title="First check",
        intro="What the books say right after the trade was handed over.",
        blocks=(
            Table(
                key="trade-orders",
                title="Orders",
                columns=("Symbol", "Side", "Shares", "State", "Name", "Remark"),
                units=(Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.TEXT, Unit.TEXT, Unit.TEXT),
                rows=tuple(
                    (
                        each.order.symbol,
                        each.order.side.value,
                        float(each.order.quantity),
                        each.state.value.replace("_", " "),
                        each.order.client_order_id,
                        "; ".join(each.reasons),
                    )
                    for each in check.orders
                ),
            ),
            Table(
                key="trade-stops",
                title="Stops that wait",
                columns=("Symbol", "Kind", "Where", "State"),
                units=(Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.TEXT),
                rows=tuple(
                    (each.symbol, each.kind.value, where(each), each.status.value)
                    for each in check.stops
                ),
            ),
        ),
    )


def where(stop: Stop) -> str:
    """Say where or when a stop leaves."""
    if stop.level is not None:
        return f"at {float(stop.level):,.2f}"
    if stop.trail is not None:
        return f"{stop.trail:.2%} from the best price"
    if stop.multiple is not None:
        return f"{stop.multiple:g} average true ranges from the best close"
    return f"after {stop.most_sessions} sessions"
