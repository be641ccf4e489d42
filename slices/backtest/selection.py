"""Choosing a strategy on the first part of a history, to be tested on the rest."""

from __future__ import annotations

import math
from types import MappingProxyType
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

    from slices.domain.choices import ActiveChoice
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs, TradingRules
    from slices.domain.strategies import AccountStrategyOption, StrategySettings
    from slices.quant.panel import Panel

AUTO = "auto"
SELECTED = "selected"
HOLDING = StrategyName.BUY_AND_HOLD
"""What every strategy is measured against, and so none to choose."""

_WITHOUT_PARAMETERS = MappingProxyType(
    {AUTO: "tries every strategy as it is", SELECTED: "brings the parameters it was chosen with"}
)


def check_strategy(parameters: dict[str, Any]) -> None:
    """Check a flow's `strategy` against its `symbols` and its own `parameters`.

    Raises:
        ParameterError: Where a name or a value is not one of the strategy's, where it compares
            symbols and there is one, or where the strategy is to be chosen, which is done with
            default parameters, or was chosen before, with its own.
    """
    name, given = parameters["strategy"], parameters["parameters"] or {}
    if name not in _WITHOUT_PARAMETERS:
        checked_parameters(name, given)
        check_symbols(name, parameters["symbols"])
    elif given:
        raise ParameterError(
            parameter="parameters",
            found=listed(tuple(given)),
            allowed=f"none with strategy '{name}', which {_WITHOUT_PARAMETERS[name]}",
        )


def choose_strategy(
    bars: DatasetRef,
    *,
    strategy: AccountStrategyOption = "auto",
    parameters: StrategySettings | None = None,
    selected: ActiveChoice | None = None,
    in_sample_fraction: float = 0.5,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    capital: float = 100_000.0,
) -> StrategyChoice:
    """Take the strategy a person named or a stored choice, or choose one on the first sessions.

    Args:
        bars: The symbols to trade.
        strategy: A name, `auto`, or `selected` with a stored choice.
        parameters: Those of a named strategy that are not to keep their defaults.
        selected: The stored choice; None without `selected`.
        in_sample_fraction: Share of the sessions, from the first on, that `auto` chooses on.
        costs: Of every trade; `auto` ranks by the Sharpe ratio net of them, over the cash rate.
        rules: What the account may trade.
        capital: Money at the start.

    Raises:
        ParameterError: Where a parameter is not one of the strategy's, or a stored choice compares
            symbols and there is one.
        InsufficientHistoryError: Where either part of the history is too short.
        InfeasibleError: Where no strategy has a Sharpe ratio in sample.
    """
    if selected is not None:
        return stored_choice(selected, bars)
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


def stored_choice(selected: ActiveChoice, bars: DatasetRef) -> StrategyChoice:
    """Take a strategy as it was chosen and stored, with the parameters of then.

    Args:
        selected: What was stored.
        bars: The symbols to trade.

    Raises:
        ParameterError: Where it compares symbols and there is one, or a parameter is not one of
            the strategy's any more.
    """
    check_symbols(selected.strategy, bars.symbols)
    checked = checked_parameters(selected.strategy, dict(selected.parameters))
    return StrategyChoice(
        strategy=selected.strategy,
        parameters=tuple(checked.model_dump().items()),
        selected=selected,
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
