"""Accounts as a running system gives them: one that trades, one before its first session."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from decimal import Decimal

from slices.domain.accounts import EquityPoint, Position, TradingMode, TradingState
from slices.domain.calendar import sessions_between
from slices.domain.limits import LimitLine
from slices.domain.observations import AccountFacts, StopFacts

NOW = dt.datetime(2024, 7, 3, 15, 30, tzinfo=dt.UTC)
CAPITAL = 100_000.0


def curve(sessions: int = 250, *, at: dt.datetime = NOW) -> tuple[EquityPoint, ...]:
    """An account that gains, with a drawdown in the last third."""
    days = sessions_between(at.date() - dt.timedelta(days=2 * sessions), at.date())[-sessions:]
    points = []
    for number, session in enumerate(days):
        slope = 1 + 0.0012 * number - 0.0028 * max(0, number - sessions * 2 / 3)
        equity = Decimal(f"{CAPITAL * (slope + 0.012 * math.sin(number / 5)):.2f}")
        points.append(
            EquityPoint(
                session=session,
                equity=equity,
                cash=equity / 4,
                long_value=equity * 3 / 4,
                short_value=Decimal(0),
            )
        )
    return tuple(points)


def limit_lines() -> tuple[LimitLine, ...]:
    """A limit with room, one nearly used and one beyond."""
    return (
        LimitLine(
            name="max_gross_exposure",
            subject="",
            unit="fraction of equity",
            used=0.75,
            allowed=1.0,
            headroom=0.25,
            is_breached=False,
        ),
        LimitLine(
            name="max_drawdown",
            subject="",
            unit="fraction of equity",
            used=0.046,
            allowed=0.05,
            headroom=0.08,
            is_breached=False,
        ),
        LimitLine(
            name="max_concentration",
            subject="AAPL",
            unit="fraction of equity",
            used=0.43,
            allowed=0.40,
            headroom=-0.075,
            is_breached=True,
        ),
    )


def position(symbol: str, *, at: dt.datetime = NOW) -> Position:
    """One hundred shares bought for 180 and worth 191.50."""
    return Position(
        symbol=symbol,
        quantity=Decimal(100),
        basis=Decimal(18_000),
        mark=Decimal("191.5"),
        marked=at.date(),
        opened=at.date() - dt.timedelta(days=30),
    )


def account_facts(name: str = "daily", *, at: dt.datetime = NOW) -> AccountFacts:
    """An account that may trade, with two positions and a stop."""
    points = curve(at=at)
    equity = float(points[-1].equity)
    peak = max(float(each.equity) for each in points)
    deepest = max(1 - float(each.equity) / peak for each in points[len(points) * 2 // 3 :])
    return AccountFacts(
        name=name,
        mode=TradingMode.PAPER,
        state=TradingState.ACTIVE,
        state_reason="",
        session=points[-1].session,
        capital=CAPITAL,
        equity=equity,
        cash=equity / 4,
        day_pnl=-412.35,
        realized_pnl=3_120.5,
        unrealized_pnl=2_300.0,
        costs=184.2,
        gross=0.75,
        net=0.75,
        leverage=0.75,
        concentration=0.43,
        drawdown=1 - equity / peak,
        max_drawdown=deepest,
        volatility=0.142,
        value_at_risk=0.013,
        expected_shortfall=0.019,
        orders=(("filled", 41), ("denied", 3), ("cancelled", 2)),
        rejected=(("gross_exposure", 2), ("mark_stale", 1)),
        open_orders=1,
        unknown_orders=0,
        fills=47,
        fill_ratio=0.978,
        slippage_bps=1.8,
        turnover=0.31,
        positions=(position("AAPL", at=at), position("MSFT", at=at)),
        stops=(StopFacts(symbol="AAPL", kind="stop_loss", quantity=100.0, trigger=171.25),),
        limits=limit_lines(),
        curve=points,
    )


def empty_account(name: str = "fresh", *, at: dt.datetime = NOW) -> AccountFacts:
    """An account before its first session: whatever rests on sessions or fills is undefined."""
    return dataclasses.replace(
        account_facts(name, at=at),
        session=None,
        equity=CAPITAL,
        cash=CAPITAL,
        day_pnl=0.0,
        realized_pnl=0.0,
        unrealized_pnl=0.0,
        costs=0.0,
        gross=0.0,
        net=0.0,
        leverage=0.0,
        concentration=0.0,
        drawdown=0.0,
        max_drawdown=0.0,
        volatility=math.nan,
        value_at_risk=math.nan,
        expected_shortfall=math.nan,
        fill_ratio=math.nan,
        slippage_bps=math.nan,
        orders=(),
        rejected=(),
        open_orders=0,
        fills=0,
        turnover=0.0,
        positions=(),
        stops=(),
        limits=(),
        curve=(),
    )
