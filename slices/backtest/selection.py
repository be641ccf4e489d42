"""Choosing a strategy on the first part of a history, to be tested on the rest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from slices.backtest.simulation import FEWEST_SESSIONS, lived_returns
from slices.backtest.strategies import account_of, first_row
from slices.domain.backtests import StrategyChoice, StrategyTrial
from slices.domain.errors import InfeasibleError, InsufficientHistoryError, ParameterError, listed
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES
from slices.domain.strategies import StrategyName
from slices.quant.metrics import performance
from slices.quant.panel import read_panel
from slices.quant.signals.catalogue import (
    STRATEGIES,
    check_symbols,
    checked_parameters,
    default_parameters,
)
from slices.quant.simulation.exposure import annual_turnover

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs, TradingRules
    from slices.domain.strategies import StrategyOption, StrategySettings
    from slices.quant.panel import Panel

AUTO = "auto"
HOLDING = StrategyName.BUY_AND_HOLD
"""What every strategy is measured against, and so none to choose."""


def check_strategy(parameters: dict[str, Any]) -> None:
    """Check a flow's `strategy` against its `symbols` and its own `parameters`.

    Raises:
        ParameterError: Where a name or a value is not one of the strategy's, where it compares
            symbols and there is one, or where the strategy is to be chosen, which is done with
            default parameters.
    """
    name, given = parameters["strategy"], parameters["parameters"] or {}
    if name != AUTO:
        checked_parameters(name, given)
        check_symbols(name, parameters["symbols"])
    elif given:
        raise ParameterError(
            parameter="parameters",
            found=listed(tuple(given)),
            allowed="none with strategy 'auto', which tries every strategy as it is",
        )


def choose_strategy(
    bars: DatasetRef,
    *,
    strategy: StrategyOption = "auto",
    parameters: StrategySettings | None = None,
    in_sample_fraction: float = 0.5,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    capital: float = 100_000.0,
) -> StrategyChoice:
    """Take the strategy a person named, or choose one on the first part of the history.

    Args:
        bars: The symbols to trade.
        strategy: A name, or `auto`.
        parameters: Those of a named strategy that are not to keep their defaults.
        in_sample_fraction: Share of the sessions, from the first on, that `auto` chooses on.
        costs: Of every trade; `auto` ranks by the Sharpe ratio net of them, over the cash rate.
        rules: What the account may trade.
        capital: Money at the start.

    Raises:
        ParameterError: Where a parameter is not one of the strategy's.
        InsufficientHistoryError: Where either part of the history is too short.
        InfeasibleError: Where no strategy has a Sharpe ratio in sample.
    """
    if strategy != AUTO:
        checked = checked_parameters(strategy, parameters or {})
        return StrategyChoice(
            strategy=StrategyName(strategy), parameters=tuple(checked.model_dump().items())
        )
    panel = read_panel(bars)
    return select_strategy(
        panel,
        cut=in_sample_sessions(panel, in_sample_fraction),
        costs=costs,
        rules=rules,
        capital=capital,
    )


def in_sample_sessions(panel: Panel, fraction: float) -> int:
    """Count the sessions to choose on.

    Raises:
        InsufficientHistoryError: Where fewer than 64 sessions are left to test on.
    """
    cut, total = math.floor(len(panel.sessions) * fraction), len(panel.sessions)
    if total - cut < FEWEST_SESSIONS:
        raise InsufficientHistoryError(
            symbol=f"{listed(panel.symbols, most=5)}, after choosing on the first {cut}",
            needed=cut + FEWEST_SESSIONS,
            found=total,
        )
    return cut


def select_strategy(
    panel: Panel, *, cut: int, costs: Costs, rules: TradingRules, capital: float
) -> StrategyChoice:
    """Rank every strategy but holding on the first `cut` sessions; no later bar is looked at.

    All are measured from the same session on, the first at which each of them has the history it
    needs. A strategy that has not even 64 sessions after that is not tried.
    """
    known = panel.until(cut)
    names, too_long = usable(known, [each for each in candidates(known) if each is not HOLDING])
    if not names:
        raise InsufficientHistoryError(
            symbol=f"{listed(panel.symbols, most=5)}, in sample",
            needed=FEWEST_SESSIONS,
            found=cut,
        )
    first = common_row(known, names)
    *trials, holding = (
        _trial(known, name, first=first, costs=costs, rules=rules, capital=capital)
        for name in (*names, HOLDING)
    )
    best, *_ = ranking = ranked(trials)
    if math.isnan(best.performance.sharpe_ratio):
        raise InfeasibleError(
            problem="no strategy has a Sharpe ratio in sample, so none can be chosen"
        )
    return StrategyChoice(
        strategy=best.strategy,
        parameters=tuple(default_parameters(best.strategy).model_dump().items()),
        first_session=panel.sessions[cut],
        in_sample=(known.sessions[first], known.sessions[-1]),
        ranking=ranking,
        holding=holding,
        not_tried=too_long,
    )


def rivals(
    bars: DatasetRef,
    choice: StrategyChoice,
    *,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    capital: float = 100_000.0,
) -> tuple[StrategyTrial, ...]:
    """Measure what was not chosen over the sessions the chosen one is tested on.

    Returns:
        In the order of the ranking in sample, the chosen one included, and holding at the end;
        nothing where a person named the strategy.
    """
    if choice.first_session is None:
        return ()
    panel = read_panel(bars)
    first = first_row(panel, 1, start=choice.first_session)
    return tuple(
        _trial(panel, name, first=first, costs=costs, rules=rules, capital=capital)
        for name in (*(each.strategy for each in choice.ranking), HOLDING)
    )


def candidates(panel: Panel) -> tuple[StrategyName, ...]:
    """List the strategies that can be traded on these symbols: some compare two or more."""
    several = len(panel.symbols) > 1
    return tuple(name for name, each in STRATEGIES.items() if several or not each.joint)


def usable(
    panel: Panel, names: Iterable[StrategyName]
) -> tuple[tuple[StrategyName, ...], tuple[tuple[StrategyName, str], ...]]:
    """Part strategies into those with enough history and those without, each with its reason."""
    found: list[StrategyName] = []
    too_long: list[tuple[StrategyName, str]] = []
    for name in names:
        try:
            first_row(panel, warmup(name))
        except InsufficientHistoryError as error:
            too_long.append((name, str(error)))
        else:
            found.append(name)
    return tuple(found), tuple(too_long)


def warmup(name: StrategyName) -> int:
    """Count the sessions a strategy needs with its default parameters."""
    return STRATEGIES[name].warmup(default_parameters(name))


def common_row(panel: Panel, names: tuple[StrategyName, ...]) -> int:
    """Find the first session at which each of some strategies has the history it needs."""
    return max(first_row(panel, warmup(name)) for name in names)


def ranked(trials: list[StrategyTrial]) -> tuple[StrategyTrial, ...]:
    """Order by Sharpe ratio, best first; what has none comes last, ties in the given order."""

    def rank(each: StrategyTrial) -> float:
        found = each.performance.sharpe_ratio
        return math.inf if math.isnan(found) else -found

    return tuple(sorted(trials, key=rank))


def _trial(
    panel: Panel,
    name: StrategyName,
    *,
    first: int,
    costs: Costs,
    rules: TradingRules,
    capital: float,
) -> StrategyTrial:
    account, lived = account_of(
        panel,
        name,
        default_parameters(name),
        first=first,
        costs=costs,
        rules=rules,
        capital=capital,
    )
    return StrategyTrial(
        strategy=name,
        performance=performance(
            lived_returns(account),
            periods_per_year=panel.periods_per_year,
            risk_free_rate=costs.cash_rate,
        ),
        annual_turnover=annual_turnover(account, lived),
    )
