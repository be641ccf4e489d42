"""Bars, accounts and regimes that sizes are tested on."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import numpy as np

from slices.domain.accounts import AccountBook, Position, TradingMode
from slices.domain.regimes import Regime, SymbolRegime
from slices.position_sizing.holdings import Holdings
from slices.quant.panel import Panel
from tests.support.frames import sessions

QUIET = SymbolRegime(
    symbol="S0",
    session=dt.date(2024, 1, 2),
    regime=Regime.BULL_QUIET,
    since=dt.date(2024, 1, 2),
    sessions_in_regime=1,
    trend_strength=1.0,
    annualized_volatility=0.2,
    volatility_rank=0.1,
    drawdown=0.0,
    volatile_probability=0.0,
)
EMPTY = Holdings(equity=100_000.0, cash=100_000.0)


def regime(kind: Regime, probability: float) -> SymbolRegime:
    return replace(QUIET, regime=kind, volatile_probability=probability)


def panel(symbols: int = 2, count: int = 400, *, seed: int = 0, volatility: float = 0.02) -> Panel:
    """Random walks with highs, lows and a volume of 100,000."""
    random = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(random.normal(0.0003, volatility, (count, symbols)), axis=0))
    spread = np.abs(random.normal(0, volatility / 2, close.shape))
    return Panel(
        symbols=tuple(f"S{i}" for i in range(symbols)),
        sessions=tuple(sessions(count)),
        close=close,
        open=close,
        high=close * (1 + spread),
        low=close * (1 - spread),
        volume=np.full(close.shape, 1e5),
        periods_per_year=252,
    )


def book(bars: Panel, **held: float) -> AccountBook:
    """A paper account of 100,000 that bought these shares at the newest close."""
    last = {name: float(bars.close[-1, i]) for i, name in enumerate(bars.symbols)}
    paid = sum(quantity * last[name] for name, quantity in held.items())
    return AccountBook(
        name="main",
        mode=TradingMode.PAPER,
        capital=Decimal(100_000),
        opened=bars.sessions[0],
        session=bars.sessions[-1],
        cash=Decimal(repr(100_000 - paid)),
        positions=tuple(
            Position(
                symbol=name,
                quantity=Decimal(repr(quantity)),
                basis=Decimal(repr(quantity * last[name])),
                mark=Decimal(repr(last[name])),
                marked=bars.sessions[-1],
                opened=bars.sessions[-1],
            )
            for name, quantity in held.items()
        ),
        day_start_equity=Decimal(100_000),
        peak_equity=Decimal(100_000),
    )
