"""The backtest of an account's own decisions over its own life, and what parts the two."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.orders import FlowKind
from slices.domain.paper_trading import Parity
from slices.domain.strategies import StrategyName
from slices.paper_trade.deciding import decided_weights
from slices.paper_trade.divergence import Leg, Quotes, divergence, matched, same
from slices.quant.signals.catalogue import STRATEGIES, default_parameters
from slices.quant.signals.strategy import changes
from slices.quant.simulation.targets import simulate_targets

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from slices.domain.accounts import AccountBook, Mark
    from slices.domain.orders import CashFlow, Fill, ShareAction
    from slices.domain.parameters import Costs, TradingRules
    from slices.quant.panel import Panel
    from slices.quant.simulation.account import Simulation
    from slices.quant.types import FloatArray


def parity(
    panel: Panel,
    weights: FloatArray,
    *,
    book: AccountBook,
    fills: Sequence[Fill],
    flows: Sequence[CashFlow],
    actions: Sequence[ShareAction],
    marks: Sequence[Mark],
    costs: Costs,
    rules: TradingRules,
    unattended: Collection[dt.date] = (),
    denied: int = 0,
) -> Parity:
    """Set an account beside a backtest of the same weights over the same sessions.

    Args:
        panel: T sessions of bars, those of the account's life and no other.
        weights: T x N weights wanted at each close.
        book: The account, with an equity point for every session.
        fills: All of its fills.
        flows: All of its interest, dividends and fees.
        actions: All of its restated shares.
        marks: What its positions are valued at.
        costs: Of the backtest.
        rules: Likewise.
        unattended: Sessions at which nobody decided for the account.
        denied: How many orders the gate kept back.
    """
    capital = float(book.capital)
    tested = simulate_targets(
        panel, decided_weights(weights), costs=costs, rules=rules, capital=capital
    )
    legs, others = account_legs(fills, actions, panel), simulated_legs(tested, panel)
    parts, total = divergence(
        legs,
        others,
        bars=quotes(panel),
        seen=seen_by(panel, legs, marks),
        unattended=unattended,
        cash=received(flows) - carried(tested),
    )
    return Parity(
        sessions=panel.sessions,
        equity=tuple(float(each.equity) for each in book.curve),
        tested=tuple(tested.equity.tolist()),
        holding=tuple(held(panel, costs=costs, rules=rules, capital=capital).tolist()),
        fills=len(legs),
        tested_fills=len(others),
        matched=sum(same(pair) for pair in matched(legs, others)),
        denied=denied,
        parts=parts,
        total=total,
    )


def held(panel: Panel, *, costs: Costs, rules: TradingRules, capital: float) -> FloatArray:
    """Return the value of an account that buys every symbol once and holds it."""
    name = StrategyName.BUY_AND_HOLD
    weights = STRATEGIES[name].target_weights(
        panel, default_parameters(name), gross_exposure=rules.gross_exposure
    )
    bought = simulate_targets(panel, changes(weights), costs=costs, rules=rules, capital=capital)
    return bought.equity


def account_legs(
    fills: Sequence[Fill], actions: Sequence[ShareAction], panel: Panel
) -> tuple[Leg, ...]:
    """Read an account's fills in the shares of its last session."""
    return tuple(_account_leg(each, share_factor(each, actions), panel) for each in fills)


def share_factor(fill: Fill, actions: Sequence[ShareAction]) -> float:
    """Return how many shares of the last session one share of a fill has become."""
    factor = 1.0
    for each in actions:
        if each.symbol == fill.symbol and each.session > fill.session:
            factor *= float(each.new_quantity / each.old_quantity)
    return factor


def _account_leg(fill: Fill, factor: float, panel: Panel) -> Leg:
    row = bisect_left(panel.sessions, fill.session)
    return Leg(
        symbol=fill.symbol,
        session=fill.session,
        decided=panel.sessions[max(0, row - 1)],
        quantity=float(fill.quantity) * factor,
        price=float(fill.price) / factor,
        costs=float(fill.costs),
    )


def simulated_legs(tested: Simulation, panel: Panel) -> tuple[Leg, ...]:
    """Read a simulation's fills."""
    made, costs = tested.fills, tested.fills.costs
    return tuple(
        Leg(
            symbol=panel.symbols[made.columns[k]],
            session=panel.sessions[made.rows[k]],
            decided=panel.sessions[made.decided[k]],
            quantity=float(made.quantities[k]),
            price=float(made.prices[k]),
            costs=float(costs[k]),
        )
        for k in range(made.rows.size)
    )


def quotes(panel: Panel) -> Quotes:
    """Look prices up in a panel; a symbol without a bar has none."""
    columns = {symbol: i for i, symbol in enumerate(panel.symbols)}
    last = last_closes(panel)

    def fill(symbol: str, session: dt.date) -> float:
        row = bisect_left(panel.sessions, session)
        if row == len(panel.sessions) or panel.sessions[row] != session or symbol not in columns:
            return np.nan
        return float(panel.fill_prices[row, columns[symbol]])

    return Quotes(fill=fill, last=lambda symbol: float(last[columns[symbol]]))


def seen_by(panel: Panel, legs: Sequence[Leg], marks: Sequence[Mark]) -> Quotes:
    """Look prices up as the venue had them: where it filled, and at the last close.

    A simulated venue fills at the price of its bar, so where the bars say another price today,
    they have been revised.
    """
    today = quotes(panel)
    filled = {(each.symbol, each.session): each.price for each in legs}
    marked = {each.symbol: float(each.price) for each in marks}
    return Quotes(
        fill=lambda symbol, session: filled.get((symbol, session), today.fill(symbol, session)),
        last=lambda symbol: marked.get(symbol, today.last(symbol)),
    )


def last_closes(panel: Panel) -> FloatArray:
    """Return the newest close of every symbol; NaN of one without a bar."""
    has_bar = np.isfinite(panel.close)
    rows = panel.close.shape[0] - 1 - np.argmax(has_bar[::-1], axis=0)
    return np.asarray(panel.close[rows, np.arange(panel.close.shape[1])], dtype=np.float64)


def received(flows: Sequence[CashFlow]) -> float:
    """Add up what an account received other than by fills and deposits."""
    own = (FlowKind.DEPOSIT, FlowKind.WITHDRAWAL)
    return float(sum(each.amount for each in flows if each.kind not in own))


def carried(tested: Simulation) -> float:
    """Add up what a simulated account received other than by fills."""
    paid = tested.interest.sum() + tested.dividends.sum() - tested.borrow_fees.sum()
    return float(paid) + tested.written_off
