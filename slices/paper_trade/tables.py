"""Tables of an account, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import counted
from slices.domain.paper_trading import CENT
from slices.domain.report import Table, Unit
from slices.quant.signals.catalogue import STRATEGIES

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook, Position
    from slices.domain.backtests import StrategyTrial
    from slices.domain.orders import Fill, OrderRecord
    from slices.domain.paper_trading import AccountView, Divergence, Parity, SessionOrder

MOST_ROWS = 100
"""How many rows of a table a page shows."""


def position_table(book: AccountBook) -> Table:
    """List what is held, largest first."""
    equity = float(book.equity)
    held = sorted(book.positions, key=lambda each: -abs(each.value))
    return Table(
        key="positions",
        title="Positions",
        columns=("Symbol", "Shares", "Average price", "Mark", "Of", "Value", "Weight", "Gain"),
        units=(
            Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.RATIO, Unit.TEXT, Unit.MONEY, Unit.FRACTION,
            Unit.MONEY,
        ),
        rows=tuple(_position_row(each, equity) for each in held),
        caption="Gain is unrealized and before costs; weights are fractions of the account value.",
    )  # fmt: skip


def _position_row(each: Position, equity: float) -> tuple[str | float | None, ...]:
    return (
        each.symbol,
        float(each.quantity),
        float(each.average_price),
        None if each.mark is None else float(each.mark),
        "" if each.marked is None else str(each.marked),
        float(each.value),
        float(each.value) / equity if equity > 0 else None,
        float(each.unrealized_pnl),
    )


def cost_table(view: AccountView) -> Table:
    """List what trading and holding has cost so far, and all of it."""
    total = sum(float(amount) for _, amount in view.costs)
    return Table(
        key="costs",
        title="Costs since it began",
        columns=("What", "Money"),
        units=(Unit.TEXT, Unit.MONEY),
        rows=(
            *((name, without_noise(float(amount))) for name, amount in view.costs),
            ("Total", without_noise(total)),
        ),
        caption=(
            "Commission, spread and impact of all fills, then what else was paid; what was "
            "received, such as interest, is negative."
        ),
    )


def without_noise(amount: float) -> float:
    """Return money, and none where it is less than half a cent.

    >>> without_noise(-0.000001), without_noise(0.25)
    (0.0, 0.25)
    """
    return 0.0 if abs(amount) < CENT / 2 else amount


def order_table(orders: tuple[SessionOrder, ...]) -> Table:
    """List orders with their state and the reasons against them."""
    return Table(
        key="orders",
        title="Orders and the risk gate",
        columns=(
            "Symbol", "Side", "Target weight", "Expected shares", "State", "Reasons", "Order",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.FRACTION, Unit.RATIO, Unit.TEXT, Unit.TEXT, Unit.TEXT,
        ),
        rows=tuple(
            (
                each.symbol,
                each.side.value,
                each.target_weight,
                float(each.quantity),
                order_state(each),
                "; ".join(each.reasons),
                "" if each.state is None else each.client_order_id,
            )
            for each in orders[:MOST_ROWS]
        ),
        caption="Shares are worked out when an order fills; expected is at the newest mark.",
    )  # fmt: skip


def order_state(order: SessionOrder) -> str:
    """Name the state of an order for a person."""
    if order.state is None:
        return "would be denied" if order.reasons else "would be sent"
    return order.state.value.replace("_", " ")


def fill_table(fills: tuple[Fill, ...]) -> Table:
    """List fills in the order in which they happened."""
    return Table(
        key="fills",
        title="Fills",
        columns=("Symbol", "Shares", "Price", "Cash", "Costs", "Why"),
        units=(Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.MONEY, Unit.MONEY, Unit.TEXT),
        rows=tuple(
            (
                each.symbol,
                float(each.quantity),
                float(each.price),
                float(each.cash),
                float(each.costs),
                each.reason,
            )
            for each in fills[:MOST_ROWS]
        ),
        caption="Shares are negative where sold; cash is what the fill added to the account's.",
    )


def life_table(view: AccountView) -> Table:
    """List the newest fills of an account's whole life, newest first, with their orders."""
    shown = view.newest_fills
    which = "All" if len(shown) == view.fill_count else f"The newest {len(shown):,} of"
    return Table(
        key="newest-fills",
        title="Newest fills",
        columns=("Session", "Symbol", "Shares", "Price", "Costs", "Why", "Order"),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.MONEY, Unit.TEXT, Unit.TEXT,
        ),
        rows=tuple(
            (
                str(each.session),
                each.symbol,
                float(each.quantity),
                float(each.price),
                without_noise(float(each.costs)),
                each.reason,
                each.client_order_id,
            )
            for each in shown
        ),
        caption=(
            f"{which} {counted(view.fill_count, 'fill')} of its life, newest first; shares are "
            "negative where sold. `tradeflows explain ORDER` tells everything of one order."
        ),
    )  # fmt: skip


def waiting_table(records: tuple[OrderRecord, ...]) -> Table:
    """List orders of earlier sessions that may still be filled."""
    return Table(
        key="waiting",
        title="Orders of earlier sessions that still wait",
        columns=("Symbol", "Side", "Kind", "Decided", "Shares", "Filled shares", "State"),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.TEXT),
        rows=tuple(
            (
                each.order.symbol,
                each.order.side.value,
                each.order.kind.value.replace("_", " "),
                str(each.order.session),
                float(each.order.quantity),
                float(each.filled_quantity),
                each.state.value.replace("_", " "),
            )
            for each in records[:MOST_ROWS]
        ),
    )


def ended_table(records: tuple[OrderRecord, ...]) -> Table:
    """List orders that ended without being filled in full, and why."""
    return Table(
        key="ended",
        title="Orders that ended unfilled, or filled in part",
        columns=("Symbol", "Side", "Decided", "State", "Filled shares", "Why"),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.TEXT),
        rows=tuple(
            (
                each.order.symbol,
                each.order.side.value,
                str(each.order.session),
                each.state.value,
                float(each.filled_quantity),
                "; ".join(each.reasons),
            )
            for each in records[:MOST_ROWS]
        ),
    )


def divergence_table(found: Parity) -> Table:
    """Split the difference in profit by symbol and by reason."""
    return Table(
        key="divergence",
        title="Profit of the account less that of its backtest",
        columns=("Symbol", "Timing", "Price", "Fee", "Size", "Data", "In all"),
        units=(Unit.TEXT, *(Unit.MONEY,) * 6),
        rows=tuple(_parts_row(each) for each in (*found.parts[:MOST_ROWS], found.total)),
        caption=(
            "Timing: traded in another session. Price: at another price than the bars had. Fee: "
            "charged otherwise. Size: another quantity, orders denied by the gate included "
            f"({found.denied:,} in its life). Data: bars revised since. The parts add up."
        ),
    )


def _parts_row(each: Divergence) -> tuple[str | float, ...]:
    parts = (each.timing, each.price, each.fee, each.size, each.data, each.total)
    return each.symbol, *(without_noise(part) for part in parts)


def ranking_table(tried: tuple[StrategyTrial, ...]) -> Table:
    """List strategies by what they made in sample, best first, holding last."""
    return Table(
        key="ranking",
        title="The strategies tried",
        columns=("Strategy", "Sharpe", "Return a year", "Turnover a year"),
        units=(Unit.TEXT, Unit.RATIO, Unit.FRACTION, Unit.RATIO),
        rows=tuple(
            (
                STRATEGIES[each.strategy].title,
                each.performance.sharpe_ratio,
                each.performance.annualized_return,
                each.annual_turnover,
            )
            for each in tried
        ),
    )
