"""Every strategy on every symbol, with its default parameters and net of costs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.backtest.selection import HOLDING, candidates, common_row, usable
from slices.backtest.simulation import lived_returns
from slices.backtest.strategies import account_of
from slices.domain.backtests import StrategyFailure, StrategyRow
from slices.domain.errors import SymbolNotFoundError
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES
from slices.domain.strategies import StrategyName
from slices.quant.metrics.dispersion import annualized_volatility
from slices.quant.metrics.drawdown import max_drawdown
from slices.quant.metrics.growth import annualized_return, total_return
from slices.quant.metrics.ratios import probabilistic_sharpe_ratio, sharpe_ratio
from slices.quant.panel import Panel, read_panel
from slices.quant.returns import excess_returns
from slices.quant.signals.catalogue import STRATEGIES, default_parameters
from slices.quant.simulation.account import Simulation
from slices.quant.simulation.exposure import annual_turnover, gross_exposure
from slices.quant.types import FloatArray
from slices.quant.validity.sharpe import (
    deflated_sharpe_ratio,
    period_sharpe_ratio,
    sharpe_variance_of,
)

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs
    from slices.quant.types import IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """One strategy's account on one symbol; excess returns are those over its cash rate."""

    strategy: StrategyName
    account: Simulation
    lived: Panel
    returns: FloatArray
    excess: FloatArray


def compare_strategies(
    bars: DatasetRef,
    *,
    symbols: tuple[str, ...] | None = None,
    strategies: tuple[StrategyName, ...] | None = None,
    costs: Costs = DEFAULT_COSTS,
    capital: float = 100_000.0,
) -> tuple[StrategyRow | StrategyFailure, ...]:
    """Simulate strategies with their default parameters on each symbol alone.

    The accounts of a symbol begin at the same session: the first at which every strategy compared
    has the history it needs. Sessions without a bar of the symbol are left out. Buying and holding
    is what all are measured against, and one of the strategies. No bootstrap and no probe is run:
    the deflated Sharpe ratio takes the strategies compared on the symbol for the trials. Ratios are
    of returns in excess of what idle cash earns.

    Args:
        bars: Where the symbols are.
        symbols: Which of them; None takes all.
        strategies: Which strategies; None takes all that look at one symbol.
        costs: Of every trade.
        capital: Money at the start of every account.

    Returns:
        For each symbol a row per strategy, or a failure with its reason: too short a history, or
        a strategy that compares symbols.

    Raises:
        SymbolNotFoundError: Where the bars do not have a symbol.
    """
    panel = read_panel(bars)
    wanted = panel.symbols if symbols is None else symbols
    unknown = tuple(each for each in wanted if each not in panel.symbols)
    if unknown:
        raise SymbolNotFoundError(symbols=unknown, source=bars.source, available=panel.symbols)
    places = {symbol: place for place, symbol in enumerate(panel.symbols)}
    return tuple(
        row
        for symbol in wanted
        for row in _compared(own_bars(panel, places[symbol]), strategies, costs, capital)
    )


def own_bars(panel: Panel, column: int) -> Panel:
    """Return one symbol alone, without the sessions at which it has no bar."""
    rows = np.flatnonzero(np.isfinite(panel.close[:, column]))
    alone = panel.columns([column])
    return dataclasses.replace(
        alone,
        sessions=tuple(panel.sessions[row] for row in rows.tolist()),
        close=alone.close[rows],
        open=_kept(alone.open, rows),
        high=_kept(alone.high, rows),
        low=_kept(alone.low, rows),
        volume=_kept(alone.volume, rows),
    )


def _kept(values: FloatArray | None, rows: IntArray) -> FloatArray | None:
    return None if values is None else values[rows]


def _compared(
    panel: Panel,
    strategies: tuple[StrategyName, ...] | None,
    costs: Costs,
    capital: float,
) -> list[StrategyRow | StrategyFailure]:
    fitting = candidates(panel)
    asked = fitting if strategies is None else strategies
    names, too_long = usable(panel, [each for each in asked if each in fitting])
    reasons = dict(too_long) | {
        each: "compares symbols, so it needs several" for each in asked if STRATEGIES[each].joint
    }
    rows = {each.strategy: each for each in _rows(panel, names, costs, capital)}
    symbol = panel.symbols[0]
    return [
        rows.get(name) or StrategyFailure(symbol=symbol, strategy=name, reason=reasons[name])
        for name in asked
    ]


def _rows(
    panel: Panel, names: tuple[StrategyName, ...], costs: Costs, capital: float
) -> list[StrategyRow]:
    if not names:
        return []
    first = common_row(panel, names)
    runs = [_run(panel, name, first, costs, capital) for name in names]
    held = next((each for each in runs if each.strategy is HOLDING), None)
    benchmark = held or _run(panel, HOLDING, first, costs, capital)
    sharpes = np.array([period_sharpe_ratio(each.excess) for each in runs])
    variance = sharpe_variance_of(sharpes)
    return [
        _row(panel, each, first=first, benchmark=benchmark, trials=len(runs), variance=variance)
        for each in runs
    ]


def _run(panel: Panel, name: StrategyName, first: int, costs: Costs, capital: float) -> _Run:
    account, lived = account_of(
        panel,
        name,
        default_parameters(name),
        first=first,
        costs=costs,
        rules=DEFAULT_RULES,
        capital=capital,
    )
    returns = lived_returns(account)
    excess = excess_returns(
        returns, risk_free_rate=costs.cash_rate, periods_per_year=panel.periods_per_year
    )
    return _Run(strategy=name, account=account, lived=lived, returns=returns, excess=excess)


def _row(
    panel: Panel,
    run: _Run,
    *,
    first: int,
    benchmark: _Run,
    trials: int,
    variance: float | None,
) -> StrategyRow:
    periods, returns = panel.periods_per_year, run.returns
    return StrategyRow(
        symbol=panel.symbols[0],
        strategy=run.strategy,
        first_session=panel.sessions[first],
        sessions=len(panel.sessions) - first,
        total_return=total_return(returns),
        annualized_return=annualized_return(returns, periods_per_year=periods),
        annualized_volatility=annualized_volatility(returns, periods_per_year=periods),
        sharpe_ratio=sharpe_ratio(run.excess, periods_per_year=periods),
        max_drawdown=max_drawdown(returns),
        annual_turnover=annual_turnover(run.account, run.lived),
        round_trips=_round_trips(run.account),
        mean_exposure=float(gross_exposure(run.account).mean()),
        probabilistic_sharpe_ratio=probabilistic_sharpe_ratio(run.excess, periods_per_year=periods),
        deflated_sharpe_ratio=deflated_sharpe_ratio(
            run.excess, trials=trials, trial_variance=variance
        ),
        trials=trials,
        benchmark_return=annualized_return(benchmark.returns, periods_per_year=periods),
        benchmark_sharpe_ratio=sharpe_ratio(benchmark.excess, periods_per_year=periods),
    )


def _round_trips(account: Simulation) -> int:
    """Count how often the position was closed or turned round."""
    side = np.sign(account.shares[:, 0])
    return int(((side[1:] != side[:-1]) & (side[:-1] != 0)).sum())
