"""Paper venues over made-up bars, without books: what the exchange alone does."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.accounts import TradingMode
from slices.domain.exact import money, price, quantity
from slices.domain.orders import Order, OrderKind, Side, client_order_id
from slices.domain.parameters import Costs, TradingRules
from slices.ledger.opening import Ledger, open_ledger
from slices.paper_trade.venue import PaperBroker
from slices.quant.panel import Panel

if TYPE_CHECKING:
    from slices.domain.orders import Bracket
    from slices.quant.simulation.intents import OrderIntent

FREE = Costs(commission_bps=0, slippage_bps=0)
CAPITAL = money(100_000)
ALWAYS = "24/7"
"""Calendar of made-up bars: every date is a session."""

NAMES = itertools.count()
BAR_PRICES = ("open", "high", "low", "close")


def made_ledger(folder: Path, mode: TradingMode = TradingMode.PAPER) -> Ledger:
    """A new ledger in a folder."""
    return open_ledger(
        f"sqlite:///{folder}/{mode}.db",
        mode=mode,
        halt_file=folder / "HALT",
        locks_folder=folder / "locks",
    )


def opened(
    ledger: Ledger,
    panel: Panel,
    *,
    costs: Costs = FREE,
    rules: TradingRules | None = None,
    capital: float = 100_000.0,
    account: str | None = None,
) -> tuple[PaperBroker, str]:
    """An account of its own that begins with the panel, and its name."""
    name = account or f"account-{next(NAMES)}"
    broker = PaperBroker.open(
        ledger,
        name,
        capital=money(capital),
        session=panel.sessions[0],
        costs=costs,
        rules=rules or TradingRules(),
        calendar=ALWAYS,
    )
    return broker, name


def flat(*closes: float, symbol: str = "A", first: dt.date = dt.date(2024, 3, 4)) -> Panel:
    """One symbol whose bars are points: everything happens at the close."""
    return quoted(*((each,) * 4 for each in closes), symbol=symbol, first=first)


def quoted(
    *rows: tuple[float, float, float, float],
    symbol: str = "A",
    first: dt.date = dt.date(2024, 3, 4),
    volume: float = 1e6,
) -> Panel:
    """One symbol from opens, highs, lows and closes."""
    columns = [np.array(each, dtype=float)[:, None] for each in zip(*rows, strict=True)]
    return Panel(
        symbols=(symbol,),
        sessions=tuple(first + dt.timedelta(days=i) for i in range(len(rows))),
        open=columns[0],
        high=columns[1],
        low=columns[2],
        close=columns[3],
        volume=np.full((len(rows), 1), volume),
        periods_per_year=365,
    )


def ordered(
    account: str,
    session: dt.date,
    shares: float = 0.0,
    *,
    symbol: str = "A",
    weight: float | None = None,
    kind: OrderKind = OrderKind.MARKET,
    limit: float | None = None,
    stop: float | None = None,
    trail: float | None = None,
    valid: int | None = None,
    reduce_only: bool = False,
    bracket: Bracket | None = None,
    sequence: int = 0,
) -> Order:
    """An order for signed shares, or to a weight."""
    side = Side.SELL if shares < 0 else Side.BUY
    return Order(
        client_order_id=client_order_id(
            account=account,
            workflow="test",
            strategy="test",
            session=session,
            symbol=symbol,
            side=side,
            sequence=sequence,
        ),
        account=account,
        workflow="test",
        strategy="test",
        session=session,
        symbol=symbol,
        side=side,
        quantity=quantity(abs(shares)),
        target_weight=weight,
        kind=kind,
        limit_price=None if limit is None else price(limit),
        stop_price=None if stop is None else price(stop),
        trail=trail,
        valid_sessions=valid,
        reduce_only=reduce_only,
        bracket=bracket,
        sequence=sequence,
    )


def order_of(intent: OrderIntent, panel: Panel, account: str, sequence: int) -> Order:
    """Say as an order what an intent of a simulation says."""
    return ordered(
        account,
        panel.sessions[intent.row],
        intent.quantity or 0.0,
        symbol=panel.symbols[intent.column],
        weight=None if intent.weight is None else float(intent.weight),
        kind=intent.kind,
        limit=intent.limit_price,
        stop=intent.stop_price,
        trail=intent.trail,
        valid=intent.valid_sessions,
        reduce_only=intent.reduce_only,
        bracket=intent.bracket,
        sequence=sequence,
    )


def restated(panel: Panel, factor: float, *, until: int, column: int = 0) -> Panel:
    """Multiply the prices of a symbol before a row, as a source does after a dividend or split."""
    factors = np.ones(panel.close.shape)
    factors[:until, column] = factor
    return replace(panel, **{name: getattr(panel, name) * factors for name in BAR_PRICES})
