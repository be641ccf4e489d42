"""Several strategies in one account: each decides alone, capital is shared by their past returns.

At the close of the first session of every period the shares of the strategies are fitted to the
window of their returns that ends there. What all strategies want, each times its share, is netted
into one set of target weights, so that opposite orders never reach the market.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from slices.adaptive_portfolio.allocators import allocate
from slices.adaptive_portfolio.periods import period_starts
from slices.adaptive_portfolio.walking import check_out_of_sample
from slices.domain.backtests import TargetWeights
from slices.domain.ensembles import Combination, CombinationPlan, Sleeve
from slices.domain.parameters import (
    DEFAULT_COSTS,
    DEFAULT_RULES,
    Costs,
    RebalanceFrequency,
    TradingRules,
)
from slices.domain.portfolio import Allocator
from slices.domain.strategies import StrategyName
from slices.quant.allocation.online import exponentiated_gradient
from slices.quant.panel import Panel, read_panel
from slices.quant.returns import equity_returns
from slices.quant.signals.catalogue import check_symbols, default_parameters, strategy
from slices.quant.signals.strategy import changes
from slices.quant.types import FloatArray, IntArray
from slices.quant.validity.look_ahead import probe_decisions

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef
    from slices.domain.verdicts import LookAheadProbe

PROBE_CUTS = 2
MIX = sum(range(1, len(Combination) + 1))
LABELS = {
    Combination.EQUAL: "Equal shares",
    Combination.INVERSE_VOLATILITY: "Inverse volatility",
    Combination.RISK_PARITY: "Risk parity",
    Combination.ONLINE: "Online weights",
}
ALLOCATORS = {
    Combination.INVERSE_VOLATILITY: Allocator.INVERSE_VOLATILITY,
    Combination.RISK_PARITY: Allocator.RISK_PARITY,
}


@dataclass(frozen=True, kw_only=True)
class EnsembleRule:
    """Everything an ensemble needs but data."""

    strategies: tuple[StrategyName, ...]
    lookback_sessions: int
    rebalance: RebalanceFrequency
    costs: Costs
    rules: TradingRules
    capital: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Sharing:
    """Shares at each refit: R rows, R x S shares, and whether a strategy was idle."""

    refits: IntArray
    shares: FloatArray
    idle: int


def check_members(parameters: dict[str, Any]) -> None:
    """Check a flow's `strategies` against its `symbols`.

    Raises:
        ParameterError: Where one of them compares symbols and there is one.
    """
    for name in parameters["strategies"]:
        check_symbols(name, parameters["symbols"])


def strategy_sleeve(
    bars: DatasetRef,
    name: StrategyName,
    *,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    capital: float = 100_000.0,
) -> Sleeve:
    """Trade one strategy of the catalogue alone, with its default parameters.

    Args:
        bars: The symbols to trade.
        name: Which strategy.
        costs: Of every trade.
        rules: What the account may trade.
        capital: Money at the start.
    """
    panel = read_panel(bars)
    chosen = strategy(name)
    weights, returns = _traded(panel, name, costs=costs, rules=rules, capital=capital)
    return Sleeve(
        strategy=name,
        title=chosen.title,
        parameters=tuple((k, str(v)) for k, v in default_parameters(name)),
        sessions=panel.sessions,
        weights=weights,
        returns=returns,
    )


def combine(
    bars: DatasetRef,
    sleeves: list[Sleeve],
    *,
    lookback_sessions: int = 252,
    rebalance: RebalanceFrequency = "monthly",
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    capital: float = 100_000.0,
    seed: int = 0,
) -> tuple[CombinationPlan, ...]:
    """Share capital among strategies in every way and net what they want into one account.

    Args:
        bars: The symbols that were traded.
        sleeves: The strategies, traded alone on the same bars.
        lookback_sessions: How many of their returns the shares are fitted to.
        rebalance: Shares are fitted at the first session of every such period.
        costs: What trading costs, for the probe that trades the strategies again.
        rules: What the account may trade, for the same.
        capital: Money at the start, for the same.
        seed: Of the look-ahead probe.

    Returns:
        One plan per combination, in the order of `Combination`. They share one probe, of a mix of
        all of them, since most of what it repeats is the trading of the strategies.

    Raises:
        InsufficientHistoryError: Where fewer than 63 sessions follow the first refit.
    """
    panel = read_panel(bars)
    rule = EnsembleRule(
        strategies=tuple(each.strategy for each in sleeves),
        lookback_sessions=lookback_sessions,
        rebalance=rebalance,
        costs=costs,
        rules=rules,
        capital=capital,
    )
    returns = np.column_stack([each.returns for each in sleeves])
    refits = refit_rows(panel, rule)
    check_out_of_sample(panel, int(refits[0]) if refits.size else len(panel.sessions))
    probe = probe_decisions(partial(mixed, rule=rule), panel, cuts=PROBE_CUTS, seed=seed)
    plans = []
    for combination in Combination:
        sharing = shares(returns, refits, combination, lookback_sessions=lookback_sessions)
        wanted = netted([each.weights for each in sleeves], sharing)
        plans.append(_plan(panel, rule, combination, sharing, wanted, probe))
    return tuple(plans)


def _plan(
    panel: Panel,
    rule: EnsembleRule,
    combination: Combination,
    sharing: Sharing,
    wanted: FloatArray,
    probe: LookAheadProbe,
) -> CombinationPlan:
    first = int(sharing.refits[0])
    return CombinationPlan(
        combination=combination,
        strategies=rule.strategies,
        refits=tuple(panel.sessions[i] for i in sharing.refits),
        shares=sharing.shares,
        idle_refits=sharing.idle,
        targets=TargetWeights(
            label=LABELS[combination],
            symbols=panel.symbols,
            sessions=panel.sessions[first:],
            weights=changes(wanted[first:]),
            first_session=panel.sessions[first],
            trials=len(Combination),
            probe=probe,
        ),
    )


def targets_of(plans: tuple[CombinationPlan, ...]) -> list[TargetWeights]:
    """List what each plan decided."""
    return [each.targets for each in plans]


def chosen_of(
    plans: tuple[CombinationPlan, ...], backtests: list[Backtest], chosen: Combination
) -> Backtest:
    """Pick the backtest of one combination."""
    return backtests[[each.combination for each in plans].index(chosen)]


def mixed(panel: Panel, *, rule: EnsembleRule) -> FloatArray:
    """Decide from bars alone what a mix of all combinations wants: T x N weights."""
    traded = [
        _traded(panel, name, costs=rule.costs, rules=rule.rules, capital=rule.capital)
        for name in rule.strategies
    ]
    returns = np.column_stack([returns for _, returns in traded])
    weights, refits = [weights for weights, _ in traded], refit_rows(panel, rule)
    total = np.zeros(panel.close.shape)
    for place, combination in enumerate(Combination, start=1):
        sharing = shares(returns, refits, combination, lookback_sessions=rule.lookback_sessions)
        total += place * netted(weights, sharing)
    return total / MIX


def refit_rows(panel: Panel, rule: EnsembleRule) -> IntArray:
    """Return the sessions at whose close shares are fitted.

    The first has a full window of returns from sessions at which every strategy could trade: a
    strategy that waits for its history would seem to have no risk.
    """
    warmup = max(int(strategy(each).warmup(default_parameters(each))) for each in rule.strategies)
    starts = period_starts(panel.sessions, rule.rebalance)
    return starts[starts >= rule.lookback_sessions + warmup]


def shares(
    returns: FloatArray, refits: IntArray, combination: Combination, *, lookback_sessions: int
) -> Sharing:
    """Fit the shares of S strategies at each refit to the window of returns that ends there.

    Where risk is shared, a strategy that did not move in the window has none and gets nothing;
    where none moved, all get the same.
    """
    learned = exponentiated_gradient(returns) if combination is Combination.ONLINE else None
    rows = np.empty((refits.size, returns.shape[1]))
    idle = 0
    for place, row in enumerate(refits):
        window = returns[row - lookback_sessions + 1 : row + 1]
        moved = np.ptp(window, axis=0) > 0
        idle += not moved.all()
        rows[place] = learned[row] if learned is not None else _shared(window, moved, combination)
    return Sharing(refits=refits, shares=rows, idle=idle)


def netted(weights: list[FloatArray], sharing: Sharing) -> FloatArray:
    """Add up what every strategy wants times its share: T x N, NaN before the first refit."""
    wanted = np.stack(weights)
    total = np.full(wanted.shape[1:], np.nan)
    if not sharing.refits.size:
        return total
    first = int(sharing.refits[0])
    at = np.searchsorted(sharing.refits, np.arange(first, wanted.shape[1]), side="right") - 1
    total[first:] = np.einsum("ts,stn->tn", sharing.shares[at], wanted[:, first:])
    return total


def _shared(window: FloatArray, moved: FloatArray, combination: Combination) -> FloatArray:
    if combination is Combination.EQUAL or not moved.any():
        return np.full(moved.size, 1.0 / moved.size)
    share = np.zeros(moved.size)
    share[moved] = allocate(ALLOCATORS[combination], window[:, moved])
    return share


def _traded(
    panel: Panel, name: StrategyName, *, costs: Costs, rules: TradingRules, capital: float
) -> tuple[FloatArray, FloatArray]:
    """Return the T x N target weights of a strategy and the T returns of its account."""
    from slices.quant.simulation.targets import simulate_targets

    weights = strategy(name).target_weights(
        panel, default_parameters(name), gross_exposure=rules.gross_exposure
    )
    account = simulate_targets(panel, changes(weights), costs=costs, rules=rules, capital=capital)
    return weights, np.concatenate([[0.0], equity_returns(account.equity)])
