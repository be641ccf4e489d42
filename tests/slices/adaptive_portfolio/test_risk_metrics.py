from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pytest

from slices.adaptive_portfolio.risk_metrics import (
    account_metrics,
    betas,
    holdings_tail,
    stressed,
    tail_returns,
    uncovered,
)
from slices.domain.accounts import AccountBook, EquityPoint, Position, TradingMode
from slices.domain.exact import money, quantity
from slices.quant.curves.stress import STRESS_WINDOWS
from slices.quant.metrics import ratios
from slices.quant.panel import Panel
from tests.slices.quant.market import us_closes


@pytest.fixture(scope="module")
def market() -> Panel:
    dates, names, closes = us_closes()
    return Panel(symbols=tuple(names), sessions=tuple(dates), close=closes, periods_per_year=252)


def holding(market: Panel, weights: dict[str, float], *, sessions: int) -> AccountBook:
    """An account whose equity is the equal-weight universe at half exposure."""
    moves = market.close[1:] / market.close[:-1] - 1
    values = 1000 * np.concatenate(([1.0], np.cumprod(1 + np.nanmean(moves, axis=1) / 2)))
    days, curve = market.sessions[-sessions:], values[-sessions:]
    points = tuple(
        EquityPoint(session=day, equity=money(float(value)), cash=Decimal(0),
                    long_value=money(float(value)), short_value=Decimal(0))
        for day, value in zip(days, curve, strict=True)
    )  # fmt: skip
    equity = float(points[-1].equity)
    positions = tuple(
        Position(symbol=symbol, quantity=quantity(weight * equity), basis=money(weight * equity),
                 mark=Decimal(1), marked=days[-1], opened=days[0])
        for symbol, weight in weights.items()
    )  # fmt: skip
    return AccountBook(
        name="main", mode=TradingMode.PAPER, capital=points[0].equity, opened=days[0],
        session=days[-1], cash=points[-1].equity - sum((p.value for p in positions), Decimal(0)),
        positions=positions, day_start_equity=points[-1].equity, peak_equity=points[-1].equity,
        curve=points,
    )  # fmt: skip


def test_beta_of_half_the_universe_is_a_half_in_every_window(market: Panel) -> None:
    days, slopes = betas(holding(market, {}, sessions=300), market, window=63)
    assert len(days) == len(slopes) == 299 - 63 + 1
    assert slopes == pytest.approx([0.5] * len(slopes), abs=1e-3)
    assert days[-1] == market.sessions[-1]


def test_measures_are_those_of_the_account_and_nothing_is_said_too_early(market: Panel) -> None:
    book = holding(market, {}, sessions=300)
    curve = np.array([float(each.equity) for each in book.curve])
    returns = curve[1:] / curve[:-1] - 1
    found = account_metrics(book, beta=0.5, window=63, periods_per_year=252, confidence=0.95)
    assert found.sharpe_ratio == pytest.approx(ratios.sharpe_ratio(returns, periods_per_year=252))
    assert found.max_drawdown == pytest.approx(
        (1 - curve / np.maximum.accumulate(curve)).max(), abs=1e-12
    )
    assert found.undefined == ()
    for count in (0, 1, 19):
        young = holding(market, {}, sessions=count + 1)
        short = account_metrics(
            young, beta=math.nan, window=63, periods_per_year=252, confidence=0.95
        )
        assert short.returns == count
        assert math.isnan(short.sharpe_ratio)
        assert math.isnan(short.value_at_risk)
        reasons = dict(short.undefined)
        assert {"sharpe_ratio", "value_at_risk", "beta"} <= set(reasons)
        assert ("max_drawdown" in reasons) == (count == 0)


def test_the_tail_of_positions_is_that_of_their_past(market: Panel) -> None:
    weights = {"AAPL": 0.5, "XOM": -0.25}
    tail = holdings_tail(
        holding(market, weights, sessions=30), market, lookback_sessions=250, confidence=0.9
    )
    columns = [market.symbols.index(each) for each in weights]
    closes = market.close[-251:, columns]
    mine = np.sort((closes[1:] / closes[:-1] - 1) @ np.array([0.5, -0.25]))
    assert tail.expected_shortfall == pytest.approx(-mine[:25].mean(), rel=1e-6)
    assert tail.value_at_risk == pytest.approx(-mine[25], rel=1e-6)
    none = holdings_tail(
        holding(market, {}, sessions=30), market, lookback_sessions=250, confidence=0.9
    )
    assert none.unknown
    assert math.isnan(none.value_at_risk)
    assert tail_returns(0.99) == 100


def test_stress_is_what_the_weights_would_have_made(market: Panel) -> None:
    found = {each.name: each for each in stressed(
        holding(market, {"AAPL": 1.0}, sessions=30), market
    )}  # fmt: skip
    covid = found["Covid 2020"]
    closes = market.close[:, market.symbols.index("AAPL")]
    first = market.sessions.index(dt.date(2020, 2, 19))
    last = market.sessions.index(dt.date(2020, 3, 23))
    assert covid.total_return == pytest.approx(closes[last] / closes[first] - 1, rel=1e-6)
    assert covid.benchmark_return < 0
    assert len(found) + len(uncovered(tuple(found.values()))) == len(STRESS_WINDOWS)
    half = {each.name: each for each in stressed(
        holding(market, {"AAPL": 0.5}, sessions=30), market
    )}  # fmt: skip
    assert abs(half["Covid 2020"].total_return) < abs(covid.total_return)
    ruined = stressed(holding(market, {"AAPL": -15.0}, sessions=30), market)
    assert min(each.total_return for each in ruined) >= -1
    assert stressed(holding(market, {}, sessions=30), market) == ()
