"""A strategy of the catalogue, decided on a history and tested on it."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from slices.backtest.simulation import FEWEST_SESSIONS, simulated
from slices.backtest.wording import label
from slices.domain.backtests import TargetWeights
from slices.domain.errors import InsufficientHistoryError, listed
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES
from slices.domain.strategies import StrategyName
from slices.quant.panel import read_panel
from slices.quant.signals.catalogue import STRATEGIES, checked_parameters
from slices.quant.signals.strategy import changes
from slices.quant.simulation.targets import simulate_targets
from slices.quant.validity.look_ahead import probe_decisions

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.backtests import Backtest, StrategyChoice
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs, TradingRules
    from slices.domain.strategies import StrategyParameters
    from slices.quant.panel import Panel
    from slices.quant.simulation.account import Simulation
    from slices.quant.types import FloatArray

Settings = tuple[tuple[str, float | str | bool], ...]


def backtest_strategy(
    bars: DatasetRef,
    *,
    strategy: StrategyName = StrategyName.SMA_CROSS,
    parameters: Settings = (),
    start: dt.date | None = None,
    trials: int = 1,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    capital: float = 100_000.0,
    seed: int = 0,
) -> Backtest:
    """Test one strategy: every symbol of the bars an equal share of the account.

    A position is bought when its signal changes and drifts until it changes again. Where the
    rules allow less than full exposure, every weight is that much smaller.

    Args:
        bars: The symbols to trade.
        strategy: Which strategy of the catalogue.
        parameters: Name and value of those that are not to keep their defaults.
        start: First session of the account; earlier bars only feed the strategy. None begins at
            the first close at which the strategy has the history it needs.
        trials: How many configurations were really tried to arrive at this one.
        costs: Of every trade.
        rules: What the account may trade.
        capital: Money at the start.
        seed: Of the bootstrap behind the verdict.

    Raises:
        ParameterError: Where a parameter is unknown or out of bounds.
        InsufficientHistoryError: Where fewer than 64 sessions are left for the account.
    """
    panel, checked = read_panel(bars), checked_parameters(strategy, dict(parameters))
    return simulated(
        panel,
        strategy_targets(
            panel, strategy, checked, start=start, trials=trials, rules=rules, seed=seed
        ),
        adjustment=bars.adjustment,
        costs=costs,
        rules=rules,
        capital=capital,
        seed=seed,
    )


def backtest_choice(
    bars: DatasetRef,
    choice: StrategyChoice,
    *,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    capital: float = 100_000.0,
    seed: int = 0,
) -> Backtest:
    """Test a chosen strategy on the sessions its choice did not see; see `backtest_strategy`.

    These sessions had no part in the choice, so the verdict counts one trial however many were
    made on the sessions before.
    """
    return backtest_strategy(
        bars,
        strategy=choice.strategy,
        parameters=choice.parameters,
        start=choice.first_session,
        costs=costs,
        rules=rules,
        capital=capital,
        seed=seed,
    )


def strategy_targets(
    panel: Panel,
    strategy: StrategyName,
    parameters: StrategyParameters,
    *,
    start: dt.date | None,
    trials: int,
    rules: TradingRules,
    seed: int,
) -> TargetWeights:
    """Decide a strategy's weights at every close of the account, and probe them for look-ahead."""
    rule = STRATEGIES[strategy]

    def decide(known: Panel) -> FloatArray:
        return STRATEGIES[strategy].target_weights(
            known, parameters, gross_exposure=rules.gross_exposure
        )

    first = first_row(panel, rule.warmup(parameters), start=start)
    weights = changes(decide(panel)[first:])
    decided = np.flatnonzero(np.isfinite(weights).any(axis=1))
    settings = tuple(parameters.model_dump().items())
    return TargetWeights(
        label=label(strategy, settings),
        symbols=panel.symbols,
        sessions=tuple(panel.sessions[first + row] for row in decided),
        weights=weights[decided],
        first_session=panel.sessions[first],
        trials=trials,
        probe=probe_decisions(decide, panel, seed=seed),
    )


def account_of(
    panel: Panel,
    strategy: StrategyName,
    parameters: StrategyParameters,
    *,
    first: int,
    costs: Costs,
    rules: TradingRules,
    capital: float,
) -> tuple[Simulation, Panel]:
    """Simulate a strategy's account from one session on, without judging it.

    Args:
        panel: The bars; those before `first` feed the strategy only.
        strategy: Which one.
        parameters: Its parameters.
        first: Row of the first session of the account.
        costs: Of every trade.
        rules: What the account may trade.
        capital: Money at the start.

    Returns:
        The account, and the bars it lived through.
    """
    lived = panel.between(first, len(panel.sessions))
    weights = STRATEGIES[strategy].target_weights(
        panel, parameters, gross_exposure=rules.gross_exposure
    )
    weights = changes(weights[first:])
    account = simulate_targets(lived, weights, costs=costs, rules=rules, capital=capital)
    return account, lived


def first_row(panel: Panel, warmup: int, *, start: dt.date | None = None) -> int:
    """Find the first session an account can decide at.

    Args:
        panel: The bars.
        warmup: Sessions of bars a decision needs, its own included.
        start: The earliest session wanted, or None.

    Raises:
        InsufficientHistoryError: Where fewer than 64 sessions would be left from there on.
    """
    wanted = 0 if start is None else bisect_left(panel.sessions, start)
    row = max(warmup - 1, wanted)
    if len(panel.sessions) - row < FEWEST_SESSIONS:
        raise InsufficientHistoryError(
            symbol=listed(panel.symbols, most=5),
            needed=row + FEWEST_SESSIONS,
            found=len(panel.sessions),
        )
    return row
