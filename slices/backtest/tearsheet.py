"""What an account's history looks like, measured from the finished backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.tearsheets import RelativeFigures, RollingFigures, Tearsheet
from slices.quant.curves.episodes import below_peak, drawdown_episodes
from slices.quant.curves.months import returns_by_year
from slices.quant.curves.rolling import rolling_beta, rolling_sharpe_ratio
from slices.quant.curves.stress import stress_windows
from slices.quant.curves.trade_statistics import round_trip_statistics
from slices.quant.metrics.registry import ratio
from slices.quant.metrics.relative import (
    active_return,
    alpha,
    beta,
    correlation,
    information_ratio,
    tracking_error,
)
from slices.quant.returns import excess_returns, simple_returns

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.quant.types import FloatArray

ROLLING_WINDOWS = (126, 252)
MOST_DRAWDOWNS = 10


def tearsheet(tested: Backtest) -> Tearsheet:
    """Measure an account's drawdowns, months, bad times, trades and benchmark, net of costs.

    What compares, or comes by month, ends with the ruin of the account where there was one.
    """
    equity, benchmark = np.array(tested.equity), np.array(tested.benchmark_equity)
    end = tested.lived
    mine, market, sessions = equity[:end], benchmark[:end], tested.sessions[:end]
    years = (equity.size - 1) / tested.periods_per_year
    exposure = np.array(tested.gross_exposure)
    return Tearsheet(
        drawdowns=tuple(below_peak(equity).tolist()),
        benchmark_drawdowns=tuple(below_peak(benchmark).tolist()),
        worst_drawdowns=drawdown_episodes(equity, tested.sessions, most=MOST_DRAWDOWNS),
        years=returns_by_year(mine, sessions),
        benchmark_years=returns_by_year(market, sessions),
        stress=stress_windows(mine, market, sessions),
        relative=relative_figures(
            simple_returns(mine),
            simple_returns(market),
            periods_per_year=tested.periods_per_year,
            risk_free_rate=tested.verdict.risk_free_rate,
        ),
        round_trips=round_trip_statistics(tested.trades),
        rolling=tuple(_rolling(tested, window) for window in ROLLING_WINDOWS if window < mine.size),
        mean_exposure=float(exposure.mean()),
        invested=float((exposure > 0).mean()),
        annual_costs=ratio(tested.costs.total, years * float(equity.mean())),
    )


def relative_figures(
    returns: FloatArray,
    benchmark: FloatArray,
    *,
    periods_per_year: int,
    risk_free_rate: float = 0.0,
) -> RelativeFigures:
    """Compare returns with a benchmark's; NaN where one of them never varies."""
    return RelativeFigures(
        alpha=alpha(
            returns,
            benchmark,
            periods_per_year=periods_per_year,
            risk_free_rate=risk_free_rate,
        ),
        beta=beta(returns, benchmark),
        correlation=correlation(returns, benchmark),
        active_return=active_return(returns, benchmark, periods_per_year=periods_per_year),
        tracking_error=tracking_error(returns, benchmark, periods_per_year=periods_per_year),
        information_ratio=information_ratio(returns, benchmark, periods_per_year=periods_per_year),
    )


def _rolling(tested: Backtest, window: int) -> RollingFigures:
    end, periods = tested.lived, tested.periods_per_year
    mine, market = (
        excess_returns(
            simple_returns(np.array(each[:end])),
            risk_free_rate=tested.verdict.risk_free_rate,
            periods_per_year=periods,
        )
        for each in (tested.equity, tested.benchmark_equity)
    )
    return RollingFigures(
        window=window,
        sessions=tested.sessions[window:end],
        sharpe_ratios=tuple(rolling_sharpe_ratio(mine, window, periods_per_year=periods).tolist()),
        benchmark_sharpe_ratios=tuple(
            rolling_sharpe_ratio(market, window, periods_per_year=periods).tolist()
        ),
        betas=tuple(rolling_beta(mine, market, window).tolist()),
    )
