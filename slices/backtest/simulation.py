"""Decided weights simulated over history, beside holding the same symbols, and judged."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from slices.backtest.wording import benchmark_name
from slices.domain.backtests import Backtest
from slices.domain.errors import BadDataError, InsufficientHistoryError, listed
from slices.domain.numbers import written
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES, TradingRules
from slices.domain.report import Unit
from slices.quant.metrics import performance
from slices.quant.panel import read_panel
from slices.quant.returns import simple_returns
from slices.quant.simulation.exposure import (
    annual_turnover,
    cost_attribution,
    gross_exposure,
    net_exposure,
)
from slices.quant.simulation.round_trips import trades_of
from slices.quant.simulation.targets import simulate_targets
from slices.quant.validity.look_ahead import audit_fills
from slices.quant.validity.verdict import judge

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.backtests import TargetWeights
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs
    from slices.quant.panel import Panel
    from slices.quant.simulation.account import Simulation
    from slices.quant.types import FloatArray

FEWEST_SESSIONS = 64
"""A quarter of a year of returns; fewer say nothing about a rule."""


def backtest_targets(
    bars: DatasetRef,
    targets: TargetWeights,
    *,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    capital: float = 100_000.0,
    seed: int = 0,
) -> Backtest:
    """Simulate decided weights and judge them, beside holding the same symbols in equal weights.

    Args:
        bars: The dataset the weights were decided on.
        targets: What was decided, with the number of trials and what the look-ahead probe found.
        costs: Of every trade, of the benchmark's too.
        rules: What the account may trade.
        capital: Money at the start of both accounts.
        seed: Of the bootstrap behind the verdict.

    Returns:
        Both accounts from `targets.first_session` on. The benchmark decides at that close to buy
        an equal share of every symbol, of one that begins later when it does, and never sells.
        The verdict knows the trials, the probe and an audit of every fill.

    Raises:
        BadDataError: Where the weights do not belong to these bars or break the rules.
        InsufficientHistoryError: Where fewer than 64 sessions are left from the first on.
    """
    return simulated(
        read_panel(bars), targets, costs=costs, rules=rules, capital=capital, seed=seed
    )


def simulated(
    panel: Panel,
    targets: TargetWeights,
    *,
    costs: Costs,
    rules: TradingRules,
    capital: float,
    seed: int,
    trial_sharpes: FloatArray | None = None,
) -> Backtest:
    """Simulate and judge weights on a panel; see `backtest_targets`.

    Args:
        panel: The bars the weights were decided on.
        targets: What was decided.
        costs: Of every trade.
        rules: What the account may trade.
        capital: Money at the start.
        seed: Of the bootstrap.
        trial_sharpes: Per-period Sharpe ratios of everything that was tried, where known.
    """
    lived = account_panel(panel, targets.first_session, symbols=targets.symbols)
    account = simulate_targets(
        lived, laid_out(targets, lived), costs=costs, rules=rules, capital=capital
    )
    market = held_equally(lived, costs=costs, rules=rules, capital=capital)
    returns, market_returns = simple_returns(account.equity), simple_returns(market.equity)
    periods = panel.periods_per_year
    closed, still_open = trades_of(account, lived)
    verdict = judge(
        returns,
        market_returns,
        periods_per_year=periods,
        trials=targets.trials,
        trial_sharpes=trial_sharpes,
        probe=targets.probe.with_findings(*audit_fills(account, lived)),
        seed=seed,
    )
    return Backtest(
        label=targets.label,
        symbols=lived.symbols,
        capital=capital,
        sessions=lived.sessions,
        equity=tuple(account.equity.tolist()),
        benchmark=benchmark_name(lived.symbols),
        benchmark_equity=tuple(market.equity.tolist()),
        gross_exposure=tuple(gross_exposure(account).tolist()),
        net_exposure=tuple(net_exposure(account).tolist()),
        performance=performance(returns, periods_per_year=periods),
        benchmark_performance=performance(market_returns, periods_per_year=periods),
        annual_turnover=annual_turnover(account, lived),
        costs=cost_attribution(account),
        trades=closed,
        open_trades=still_open,
        pending=_pending(account, lived),
        remarks=remarks(account, lived),
        periods_per_year=periods,
        verdict=verdict,
    )


def account_panel(panel: Panel, first: dt.date, *, symbols: tuple[str, ...]) -> Panel:
    """Cut a panel to the sessions an account lives through.

    Raises:
        BadDataError: Where the panel has other symbols, or no session on that date.
        InsufficientHistoryError: With fewer than 64 sessions.
    """
    if symbols != panel.symbols:
        raise BadDataError(
            dataset="target weights",
            problem=f"decided for {listed(symbols, most=5)}; "
            f"the bars are of {listed(panel.symbols, most=5)}",
        )
    row = bisect_left(panel.sessions, first)
    if row == len(panel.sessions) or panel.sessions[row] != first:
        raise BadDataError(dataset="target weights", problem=f"no bars on {first}, the first")
    found = len(panel.sessions) - row
    if found < FEWEST_SESSIONS:
        raise InsufficientHistoryError(
            symbol=f"{listed(symbols, most=5)}, from {first} on",
            needed=FEWEST_SESSIONS,
            found=found,
        )
    return panel.between(row, len(panel.sessions))


def laid_out(targets: TargetWeights, panel: Panel) -> FloatArray:
    """Spread decisions over all sessions of a panel, NaN where none was made.

    Raises:
        BadDataError: Where a decision was made on a date without bars, or before the account.
    """
    rows = {session: row for row, session in enumerate(panel.sessions)}
    strange = [each for each in targets.sessions if each not in rows]
    if strange:
        raise BadDataError(
            dataset="target weights",
            problem=f"{len(strange)} decisions on dates without bars of the account, "
            f"such as {strange[0]}",
        )
    weights = np.full(panel.close.shape, np.nan)
    weights[[rows[each] for each in targets.sessions]] = targets.weights
    return weights


def held_equally(panel: Panel, *, costs: Costs, rules: TradingRules, capital: float) -> Simulation:
    """Buy an equal share of every symbol at its first chance and hold it."""
    has_bar = np.isfinite(panel.close)
    present = np.flatnonzero(has_bar.any(axis=0))
    weights = np.full(panel.close.shape, np.nan)
    weights[has_bar[:, present].argmax(axis=0), present] = 1.0 / max(1, present.size)
    return simulate_targets(
        panel,
        weights,
        costs=costs,
        rules=TradingRules(whole_shares=rules.whole_shares),
        capital=capital,
    )


def _pending(account: Simulation, panel: Panel) -> tuple[tuple[str, float], ...]:
    weights = zip(panel.symbols, account.pending.tolist(), strict=True)
    return tuple((symbol, weight) for symbol, weight in weights if np.isfinite(weight))


def remarks(account: Simulation, panel: Panel) -> tuple[str, ...]:
    """Say what the simulation had to do otherwise than decided."""
    found = []
    missed = float(account.shortfalls.sum())
    money = written(missed, Unit.MONEY)
    if account.scaled_rows.size:
        found.append(
            f"In {account.scaled_rows.size:,} sessions, first on "
            f"{panel.sessions[int(account.scaled_rows[0])]}, less was bought than decided, because "
            "positions that had grown left too little cash. Not traded for this or any other "
            f"reason: {money} in all."
        )
    elif missed > 0:
        found.append(
            f"Trades worth {money} in all were not made, because of whole shares or for want of "
            "volume."
        )
    if len(account.ignored):
        late = {panel.symbols[int(column)] for _, column in account.ignored}
        found.append(
            f"Decisions for {listed(tuple(sorted(late)), most=5)} came after the last bar "
            "and were not traded."
        )
    return tuple(found)
