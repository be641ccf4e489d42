"""Decided weights simulated over history, beside holding the same symbols, and judged."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from slices.backtest.remarks import remarks
from slices.backtest.wording import benchmark_name
from slices.domain.backtests import Backtest
from slices.domain.errors import BadDataError, InsufficientHistoryError, listed
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES, TradingRules
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
    from slices.domain.bars import Adjustment
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs
    from slices.domain.verdicts import Verdict
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
        The verdict knows the trials, the probe and an audit of every fill. Ratios are of returns
        in excess of what idle cash earns, and measures of a ruined account end with its ruin.

    Raises:
        BadDataError: Where the weights do not belong to these bars or break the rules.
        InsufficientHistoryError: Where fewer than 64 sessions are left from the first on.
    """
    return simulated(
        read_panel(bars),
        targets,
        adjustment=bars.adjustment,
        costs=costs,
        rules=rules,
        capital=capital,
        seed=seed,
    )


def simulated(
    panel: Panel,
    targets: TargetWeights,
    *,
    adjustment: Adjustment,
    costs: Costs,
    rules: TradingRules,
    capital: float,
    seed: int,
) -> Backtest:
    """Simulate and judge weights on a panel; see `backtest_targets`.

    Args:
        panel: The bars the weights were decided on.
        targets: What was decided.
        adjustment: What the panel's prices are corrected for.
        costs: Of every trade.
        rules: What the account may trade.
        capital: Money at the start.
        seed: Of the bootstrap.
    """
    lived = account_panel(panel, targets.first_session, symbols=targets.symbols)
    weights = laid_out(targets, lived)
    account = simulate_targets(lived, weights, costs=costs, rules=rules, capital=capital)
    market = held_equally(lived, costs=costs, rules=rules, capital=capital)
    closed, still_open = trades_of(account, lived)
    periods = panel.periods_per_year
    mine, its = (
        performance(lived_returns(each), periods_per_year=periods, risk_free_rate=costs.cash_rate)
        for each in (account, market)
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
        performance=mine,
        benchmark_performance=its,
        annual_turnover=annual_turnover(account, lived),
        costs=cost_attribution(account),
        trades=closed,
        open_trades=still_open,
        pending=_pending(account, lived),
        remarks=remarks(account, lived, weights, costs=costs, rules=rules, adjustment=adjustment),
        periods_per_year=periods,
        verdict=_verdict(account, market, lived, targets=targets, costs=costs, seed=seed),
        ruined=ruin(account, lived),
    )


def _verdict(
    account: Simulation,
    market: Simulation,
    panel: Panel,
    *,
    targets: TargetWeights,
    costs: Costs,
    seed: int,
) -> Verdict:
    """Judge an account over the sessions it lived through."""
    returns, its = lived_returns(account), lived_returns(market)
    beside = np.zeros(returns.size)  # a ruined benchmark stays where it is
    beside[: its.size] = its[: returns.size]
    return judge(
        returns,
        beside,
        periods_per_year=panel.periods_per_year,
        risk_free_rate=costs.cash_rate,
        trials=targets.trials,
        probe=targets.probe.with_findings(*audit_fills(account, panel)),
        ruined=ruin(account, panel),
        seed=seed,
    )


def lived_returns(account: Simulation) -> FloatArray:
    """Return the simple returns of an account; the last one is -1 where it was ruined."""
    row = account.ruined_row
    return simple_returns(account.equity if row < 0 else account.equity[: row + 1])


def ruin(account: Simulation, panel: Panel) -> dt.date | None:
    """Return the session at which nothing was left of an account, or None."""
    return panel.sessions[account.ruined_row] if account.ruined_row >= 0 else None


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
