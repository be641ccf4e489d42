"""The walk-forward evaluation of allocators."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import astuple
from typing import TYPE_CHECKING

import numpy as np
import pytest

from slices.adaptive_portfolio.allocators import allocate
from slices.adaptive_portfolio.evaluation import evaluate, period_ends
from slices.adaptive_portfolio.history import read_history
from slices.domain.errors import InfeasibleError, InsufficientHistoryError, ParameterError
from slices.domain.parameters import Costs, WeightBounds
from slices.domain.portfolio import Allocator
from slices.quant.metrics import performance
from tests.slices.quant.market import factor_returns, stored, us_closes, us_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from slices.domain.dataset import DatasetRef

FREE = Costs(commission_bps=0, slippage_bps=0)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    return us_dataset(tmp_path_factory.mktemp("bars"), symbols=6, sessions=700)


def first_month(sessions: tuple[dt.date, ...], lookback: int) -> int:
    return next(
        i for i in range(lookback, len(sessions)) if sessions[i].month != sessions[i + 1].month
    )


@pytest.mark.parametrize("allocator", Allocator)
def test_an_evaluation_hangs_together(bars: DatasetRef, allocator: Allocator) -> None:
    found = evaluate(bars, allocator, lookback_sessions=252, capital=50_000.0)
    dates = us_closes()[0][-700:]
    first = first_month(dates, 252)
    assert found.symbols == bars.symbols
    assert found.sessions == dates[first:]
    assert len(found.equity) == len(found.sessions)
    assert found.equity[:1] == (50_000.0,)
    assert found.refits == len(period_ends(dates[first:], "monthly"))
    assert sum(found.weights) == pytest.approx(1.0, abs=1e-9)
    assert found.annual_turnover > 0
    assert found.costs_paid > 0
    returns = np.diff(found.equity) / found.equity[:-1]
    expected = performance(returns, periods_per_year=252, confidence=0.95)
    assert astuple(found.performance) == pytest.approx(astuple(expected), rel=1e-9)


def test_a_walk_forward_by_hand(bars: DatasetRef) -> None:
    found = evaluate(bars, Allocator.INVERSE_VOLATILITY, lookback_sessions=252, costs=FREE)
    closes = us_closes()[2][-700:, :6]
    returns = closes[1:] / closes[:-1] - 1
    dates = us_closes()[0][-700:]
    equity, shares = 100_000.0, np.zeros(6)
    curve = []
    for t in range(first_month(dates, 252), 700):
        if t > 252 and dates[t].month != dates[t - 1].month and curve:
            if shares.any():
                equity = float(shares @ closes[t])
            window = returns[t - 1 - 252 : t - 1]
            weights = 1 / window.std(axis=0, ddof=1)
            shares = equity * weights / weights.sum() / closes[t]
        curve.append(float(shares @ closes[t]) if shares.any() else equity)
    assert found.equity == pytest.approx(curve, rel=1e-9)


def test_the_newest_weights_come_from_the_newest_window(bars: DatasetRef) -> None:
    found = evaluate(bars, Allocator.MIN_VARIANCE, lookback_sessions=252)
    closes = us_closes()[2][-253:, :6]
    expected = allocate(Allocator.MIN_VARIANCE, closes[1:] / closes[:-1] - 1)
    assert found.weights == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("allocator", Allocator)
def test_the_future_does_not_change_the_past(
    allocator: Allocator, bars: DatasetRef, tmp_path: Path
) -> None:
    dates, names, closes = us_closes()
    changed = closes[-700:, :6].copy()
    changed[650:] *= np.linspace(1, 3, 6)
    other = stored(tmp_path, dates[-700:], dict(zip(names[:6], changed.T, strict=True)))
    past = len(dates[-700:][first_month(dates[-700:], 252) : 650])
    before = evaluate(bars, allocator, lookback_sessions=252)
    after = evaluate(other, allocator, lookback_sessions=252)
    assert before.equity[:past] == after.equity[:past]
    assert before.equity[-1] != after.equity[-1]


def test_costs_lower_the_result_and_are_counted(bars: DatasetRef) -> None:
    free = evaluate(bars, Allocator.RISK_PARITY, lookback_sessions=252, costs=FREE)
    dear = evaluate(bars, Allocator.RISK_PARITY, lookback_sessions=252, costs=Costs())
    assert free.costs_paid == 0.0
    assert dear.costs_paid > 0.001
    assert dear.equity[-1] < free.equity[-1]
    assert dear.annual_turnover == pytest.approx(free.annual_turnover, rel=1e-2)


def test_bounds_hold(bars: DatasetRef) -> None:
    bounds = WeightBounds(smallest=0.1, largest=0.25)
    found = evaluate(bars, Allocator.MIN_VARIANCE, lookback_sessions=252, bounds=bounds)
    assert min(found.weights) >= 0.1
    assert max(found.weights) <= 0.25


def test_weights_that_rounding_would_put_below_zero_are_traded(tmp_path: Path) -> None:
    dates, names, closes = us_closes()
    chosen = {name: closes[:, names.index(name)].copy() for name in ("PG", "PFE", "GE")}
    found = evaluate(stored(tmp_path, dates, chosen), Allocator.MAX_SHARPE, lookback_sessions=252)
    assert found.performance.annualized_return > 0
    assert min(found.weights, default=0.0) >= 0


def test_bounds_that_exclude_each_other_are_refused(bars: DatasetRef) -> None:
    with pytest.raises(InfeasibleError, match=r"sum to 60\.00%, below 100%"):
        evaluate(bars, Allocator.EQUAL_WEIGHT, bounds=WeightBounds(largest=0.1))


def test_refits_without_an_answer_keep_what_is_held(tmp_path: Path) -> None:
    returns = factor_returns(400, 3)
    drift = np.where(np.arange(400)[:, None] < 200, 0.002, -0.004)
    closes = 100 * np.cumprod(1 + returns - returns.mean(axis=0) + drift, axis=0)
    dates = us_closes()[0][:400]
    bars = stored(tmp_path, dates, dict(zip("ABC", closes.T, strict=True)))
    found = evaluate(bars, Allocator.MAX_SHARPE, lookback_sessions=60, costs=FREE)
    assert 0 < found.undefined_refits < found.refits
    assert found.weights == ()
    assert "positive expected excess return" in found.undefined_reason
    assert found.equity[-1] < max(found.equity)


def test_a_refit_without_an_answer_at_the_start_stays_in_cash(tmp_path: Path) -> None:
    returns = factor_returns(200, 2)
    closes = 100 * np.cumprod(1 + returns - returns.mean(axis=0) - 0.01, axis=0)
    bars = stored(tmp_path, us_closes()[0][:200], dict(zip("AB", closes.T, strict=True)))
    found = evaluate(bars, Allocator.MAX_SHARPE, lookback_sessions=60)
    assert found.undefined_refits == found.refits
    assert set(found.equity) == {100_000.0}
    assert found.annual_turnover == 0.0


def test_opens_are_what_orders_fill_at(tmp_path: Path) -> None:
    closes = us_closes()[2][-400:, :2]
    names = us_closes()[1][:2]
    by_name = dict(zip(names, closes.T, strict=True))
    doubled = {name: values * 2 for name, values in by_name.items()}
    bars = stored(tmp_path, us_closes()[0][-400:], by_name, opens=doubled)
    history = read_history(bars)
    assert np.array_equal(history.fill_prices, history.closes * 2)
    found = evaluate(bars, Allocator.EQUAL_WEIGHT, lookback_sessions=252, costs=FREE)
    assert found.equity[1] == pytest.approx(50_000.0)


def test_sessions_without_every_bar_are_left_out(tmp_path: Path) -> None:
    closes = us_closes()[2][-400:, :2].copy()
    closes[100, 1] = np.nan
    bars = stored(tmp_path, us_closes()[0][-400:], dict(zip("AB", closes.T, strict=True)))
    history = read_history(bars)
    assert len(history.sessions) == 399
    assert us_closes()[0][-400:][100] not in history.sessions


@pytest.mark.parametrize(("lookback", "needed"), [(700, 702), (698, 762)])
def test_a_short_history_is_refused_with_what_is_needed(
    bars: DatasetRef, lookback: int, needed: int
) -> None:
    sentence = f"portfolio of 6 symbols: needs {needed} sessions of bars, found 700"
    with pytest.raises(InsufficientHistoryError, match=sentence):
        evaluate(bars, Allocator.EQUAL_WEIGHT, lookback_sessions=lookback, rebalance="quarterly")


def test_a_lookback_of_one_is_refused(bars: DatasetRef) -> None:
    with pytest.raises(ParameterError, match="lookback_sessions: found 1; allowed: at least 2"):
        evaluate(bars, Allocator.EQUAL_WEIGHT, lookback_sessions=1)


@pytest.mark.parametrize(
    ("rebalance", "count"), [("weekly", 52), ("monthly", 11), ("quarterly", 3), ("yearly", 0)]
)
def test_periods_end_at_their_last_session(rebalance: str, count: int) -> None:
    dates = tuple(each for each in us_closes()[0] if each.year == 2019)
    ends = period_ends(dates, rebalance)
    assert len(ends) == count
    assert len(dates) - 1 not in ends
    for before, after in itertools.pairwise(ends):
        assert before < after


def test_the_week_of_a_new_year_is_one_week() -> None:
    dates = (dt.date(2018, 12, 31), dt.date(2019, 1, 2), dt.date(2019, 1, 7))
    assert period_ends(dates, "weekly").tolist() == [1]
    assert period_ends(dates, "yearly").tolist() == [0]
