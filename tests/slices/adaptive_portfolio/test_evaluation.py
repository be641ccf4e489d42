"""The walk-forward evaluation of allocators."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import asdict, astuple
from typing import TYPE_CHECKING

import numpy as np
import pytest

from slices.adaptive_portfolio.allocators import ALLOCATORS, allocate
from slices.adaptive_portfolio.evaluation import evaluate
from slices.adaptive_portfolio.history import read_history
from slices.adaptive_portfolio.periods import period_ends
from slices.domain.errors import (
    BadDataError,
    InfeasibleError,
    InsufficientHistoryError,
    ParameterError,
)
from slices.domain.parameters import Costs, WeightBounds
from slices.domain.portfolio import Allocator
from slices.quant.allocation import bounded_problem
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


@pytest.mark.parametrize("allocator", ALLOCATORS)
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
    assert found.annual_costs > 0
    assert found.failed_refits == found.undefined_refits == 0
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


def with_opens_and_holes(folder: Path, *, opens_from: int, closes_from: int) -> DatasetRef:
    """Six names with opens, one of which has holes; prices change after these sessions."""
    dates, names, prices = us_closes()
    closes = prices[-700:, :6].copy()
    opens = np.vstack([closes[:1], closes[:-1]]) * 1.001
    closes[closes_from:] *= np.linspace(1, 3, 6)
    opens[opens_from:] *= np.linspace(1, 3, 6)
    closes[[300, 411, 520, 660], 2] = np.nan
    folder.mkdir()
    return stored(
        folder,
        dates[-700:],
        dict(zip(names[:6], closes.T, strict=True)),
        opens=dict(zip(names[:6], opens.T, strict=True)),
    )


@pytest.mark.parametrize("allocator", ALLOCATORS)
@pytest.mark.parametrize("closes_from", [650, 700])
def test_later_opens_and_closes_do_not_change_the_past(
    allocator: Allocator, closes_from: int, tmp_path: Path
) -> None:
    plain = with_opens_and_holes(tmp_path / "a", opens_from=700, closes_from=700)
    other = with_opens_and_holes(tmp_path / "b", opens_from=650, closes_from=closes_from)
    bounds = WeightBounds(largest=0.4)
    before, after = (evaluate(each, allocator, bounds=bounds) for each in (plain, other))
    past = before.sessions.index(us_closes()[0][-700:][650])
    assert before.sessions == after.sessions
    assert before.equity[:past] == after.equity[:past]
    assert before.equity[-1] != after.equity[-1]
    if closes_from == 700:
        assert before.weights == after.weights


@pytest.mark.parametrize("allocator", ALLOCATORS)
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
    assert free.annual_costs == 0.0
    assert dear.annual_costs > 0.001
    assert dear.equity[-1] < free.equity[-1]
    assert dear.annual_turnover == pytest.approx(free.annual_turnover, rel=1e-2)


def test_turnover_leaves_out_the_first_purchase_and_costs_are_of_average_equity(
    tmp_path: Path,
) -> None:
    dates, names, closes = us_closes()
    alone = stored(tmp_path, dates[-400:], {names[0]: closes[-400:, 0].copy()})
    costs = Costs(commission_bps=100, slippage_bps=0)
    found = evaluate(alone, Allocator.EQUAL_WEIGHT, costs=costs)
    years = (len(found.sessions) - 1) / 252
    spent = 100_000.0 / 1.01 * 0.01
    assert found.annual_turnover == pytest.approx(0.0, abs=1e-12)
    assert found.annual_costs == pytest.approx(spent / years / np.mean(found.equity), rel=1e-9)


def test_held_weights_are_judged_like_the_allocators(bars: DatasetRef) -> None:
    equal = evaluate(bars, Allocator.EQUAL_WEIGHT)
    held = dict.fromkeys(reversed(bars.symbols), 1 / 6)
    found = evaluate(bars, Allocator.HELD_WEIGHTS, held_weights=held)
    assert found.allocator is Allocator.HELD_WEIGHTS
    assert found.sessions == equal.sessions
    assert found.refits == equal.refits
    assert found.equity == pytest.approx(equal.equity, rel=1e-12)
    assert found.annual_turnover == pytest.approx(equal.annual_turnover, rel=1e-9)


def test_held_weights_follow_their_symbols_and_may_break_bounds(bars: DatasetRef) -> None:
    held = dict.fromkeys(bars.symbols, 0.0) | {bars.symbols[3]: 1.0}
    bounds = WeightBounds(largest=0.5)
    found = evaluate(bars, Allocator.HELD_WEIGHTS, held_weights=held, bounds=bounds, costs=FREE)
    closes = us_closes()[2][-len(found.sessions) + 1 :, 3]
    assert found.weights == (0, 0, 0, 1, 0, 0)
    assert found.equity[1:] == pytest.approx(100_000 * closes / closes[0], rel=1e-9)


def test_a_sum_of_held_weights_that_is_off_by_rounding_is_traded(bars: DatasetRef) -> None:
    held = dict.fromkeys(bars.symbols, (1 + 5e-7) / 6)
    found = evaluate(bars, Allocator.HELD_WEIGHTS, held_weights=held)
    assert sum(found.weights) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        (None, "held_weights: found none; allowed: one weight for each symbol"),
        ({"AAPL": 1.0}, "found weights for AAPL; allowed: one weight for each of AAPL, AMD"),
        ({"AAPL": 1.5, "AMD": -0.5, "BAC": 0, "BBY": 0, "CVX": 0, "GE": 0}, r"-0\.5"),
        ({"AAPL": 0.5, "AMD": 0, "BAC": 0, "BBY": 0, "CVX": 0, "GE": 0}, "found a sum of 0.5"),
    ],
)
def test_held_weights_that_do_not_fit_are_refused(
    bars: DatasetRef, held: dict[str, float] | None, sentence: str
) -> None:
    with pytest.raises(ParameterError, match=sentence):
        evaluate(bars, Allocator.HELD_WEIGHTS, held_weights=held)


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
    assert found.refit_reasons == (found.undefined_reason,)
    assert found.failed_refits == 0
    assert found.equity[-1] < max(found.equity)


def test_a_refit_without_an_answer_at_the_start_stays_in_cash(tmp_path: Path) -> None:
    returns = factor_returns(200, 2)
    closes = 100 * np.cumprod(1 + returns - returns.mean(axis=0) - 0.01, axis=0)
    bars = stored(tmp_path, us_closes()[0][:200], dict(zip("AB", closes.T, strict=True)))
    found = evaluate(bars, Allocator.MAX_SHARPE, lookback_sessions=60)
    assert found.undefined_refits == found.refits
    assert set(found.equity) == {100_000.0}
    assert found.weights == ()
    assert math.isnan(found.annual_turnover)
    assert math.isnan(found.annual_costs)
    figures = asdict(found.performance)
    assert figures.pop("sessions") == len(found.sessions) - 1
    assert all(math.isnan(each) for each in figures.values())


def test_a_fit_that_does_not_converge_is_counted_apart(
    bars: DatasetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_problem, "KKT_ACCEPTED", -1.0)
    found = evaluate(bars, Allocator.MIN_VARIANCE, rebalance="quarterly")
    assert found.failed_refits == found.refits
    assert found.undefined_refits == 0
    assert all(each.startswith("quadratic program: residual") for each in found.refit_reasons)
    assert found.undefined_reason.startswith("quadratic program: residual")
    assert math.isnan(found.performance.sharpe_ratio)


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


def test_the_least_out_of_sample_sessions_are_enough_and_one_less_is_not(tmp_path: Path) -> None:
    dates, names, closes = us_closes()
    first = first_month(dates, 252)
    for count in (first + 64, first + 63):
        folder = tmp_path / str(count)
        folder.mkdir()
        short = stored(folder, dates[:count], {names[0]: closes[:count, 0].copy()})
        if count == first + 64:
            assert evaluate(short, Allocator.EQUAL_WEIGHT).performance.sessions == 63
        else:
            sentence = f"needs {first + 64} sessions of bars, found {count}"
            with pytest.raises(InsufficientHistoryError, match=sentence):
                evaluate(short, Allocator.EQUAL_WEIGHT)


def test_a_sparse_symbol_is_refused_by_name(tmp_path: Path) -> None:
    dates, names, closes = us_closes()
    chosen = closes[-700:, :3].copy()
    chosen[10:690:7, 1] = np.nan
    bars = stored(tmp_path, dates[-700:], dict(zip(names[:3], chosen.T, strict=True)))
    with pytest.raises(BadDataError, match="most lacks AMD"):
        evaluate(bars, Allocator.EQUAL_WEIGHT)


def test_a_symbol_that_ends_early_ends_the_evaluation(tmp_path: Path) -> None:
    dates, names, closes = us_closes()
    chosen = closes[-700:, :3].copy()
    chosen[600:, 1] = np.nan
    (tmp_path / "all").mkdir()
    bars = stored(tmp_path / "all", dates[-700:], dict(zip(names[:3], chosen.T, strict=True)))
    cut = stored(tmp_path, dates[-700:-100], dict(zip(names[:3], chosen[:600].T, strict=True)))
    found, expected = (evaluate(each, Allocator.MIN_VARIANCE) for each in (bars, cut))
    assert found.sessions[-1] == dates[-101]
    assert found == expected


@pytest.mark.parametrize(("lookback", "needed"), [(700, 764), (698, 763), (620, 702)])
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
