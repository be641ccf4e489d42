"""Words for backtests: names, the headline, the notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import listed
from slices.domain.numbers import written
from slices.domain.report import Unit
from slices.domain.verdict_report import verdict_sentence
from slices.domain.verdicts import over_cash
from slices.quant.signals.catalogue import STRATEGIES

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest, StrategyChoice
    from slices.domain.portfolio import Performance
    from slices.domain.strategies import StrategyName
    from slices.domain.tearsheets import RoundTrips


def title(strategy: StrategyName) -> str:
    """Name a strategy for a person.

    >>> from slices.domain.strategies import StrategyName
    >>> title(StrategyName.BUY_AND_HOLD)
    'Buy and hold'
    """
    return STRATEGIES[strategy].title


def label(strategy: StrategyName, parameters: tuple[tuple[str, float | str | bool], ...]) -> str:
    """Name a strategy with its parameters; switches that are off are left out.

    >>> from slices.domain.strategies import StrategyName
    >>> label(StrategyName.SMA_CROSS, (("fast", 10), ("slow", 50), ("short", False)))
    'Moving-average cross (fast 10, slow 50)'
    """
    shown = [_setting(name, value) for name, value in parameters if value is not False]
    return f"{title(strategy)} ({', '.join(shown)})" if shown else title(strategy)


def _setting(name: str, value: float | str | bool) -> str:  # noqa: FBT001 - any setting
    word = name.replace("_", " ")
    if value is True:
        return word
    return f"{word} {value:g}" if isinstance(value, int | float) else f"{word} {value}"


def benchmark_name(symbols: tuple[str, ...]) -> str:
    """Name holding these symbols.

    >>> benchmark_name(("AAPL",)), benchmark_name(("AAPL", "IBM"))
    ('Buy and hold', 'Equal-weight holding')
    """
    return "Buy and hold" if len(symbols) == 1 else "Equal-weight holding"


def made(measured: Performance, *, periods_per_year: int) -> str:
    """Say what an account made: a year, or in all where there is less than a year.

    Returns:
        Such as '12.30% a year'.
    """
    if measured.sessions < periods_per_year:
        return f"{written(measured.total_return, Unit.FRACTION)} in all"
    return f"{written(measured.annualized_return, Unit.FRACTION)} a year"


def headline(tested: Backtest, choice: StrategyChoice | None = None) -> str:
    """Say in one sentence what it made, against what, and whether to believe it."""
    market = made(tested.benchmark_performance, periods_per_year=tested.periods_per_year)
    ratios = [
        written(each.sharpe_ratio, Unit.RATIO)
        for each in (tested.performance, tested.benchmark_performance)
    ]
    return (
        f"{tested.label} on {listed(tested.symbols, most=5)}{_chosen(choice)} {_outcome(tested)} "
        f"net of costs from {tested.sessions[0]} to {tested.sessions[-1]} (Sharpe ratio"
        f"{over_cash(tested.verdict)} {ratios[0]}); "
        f"holding made {market} ({ratios[1]}). {verdict_sentence(tested.verdict)}"
    )


def _outcome(tested: Backtest) -> str:
    if tested.ruined:
        return f"lost everything on {tested.ruined},"
    found = made(tested.performance, periods_per_year=tested.periods_per_year)
    return f"made {found}" if has_traded(tested) else f"never traded and made {found}"


def has_traded(tested: Backtest) -> bool:
    """Tell whether anything was ever bought or sold."""
    return bool(tested.trades or tested.open_trades)


def account_caveats(tested: Backtest) -> tuple[str, ...]:
    """Say that an account was ruined, or what kept it from ever trading."""
    return tested.remarks if tested.ruined or not has_traded(tested) else ()


def _chosen(choice: StrategyChoice | None) -> str:
    if choice is None or choice.in_sample is None:
        return ""
    return f", chosen from {choice.trials} on the sessions before,"


def notes(tested: Backtest, choice: StrategyChoice) -> tuple[str, ...]:
    """Say where the account begins and why, how the strategy was chosen, and what else is known."""
    idea = f"{title(choice.strategy)}: {STRATEGIES[choice.strategy].idea}"
    remarks = () if account_caveats(tested) else tested.remarks
    return _beginning(tested, choice), idea, *remarks


def _beginning(tested: Backtest, choice: StrategyChoice) -> str:
    first = tested.sessions[0]
    if choice.in_sample is None:
        return (
            f"The account begins at the close of {first}, the first at which the strategy has the "
            "history it needs. Both it and the benchmark are measured from there."
        )
    start, end = choice.in_sample
    return (
        f"Chosen on {start} to {end} alone, by the Sharpe ratio net of costs, from "
        f"{choice.trials} strategies with their default parameters; every figure of the account "
        f"is from {first} on, which the choice did not see, so the verdict counts one trial."
        f"{_worse_than_holding(choice)}"
    )


def _worse_than_holding(choice: StrategyChoice) -> str:
    if choice.holding is None:
        return ""
    both = (choice.ranking[0], choice.holding)
    best, held = (each.performance.sharpe_ratio for each in both)
    if best > held:
        return ""
    first, second = written(best, Unit.RATIO), written(held, Unit.RATIO)
    return f" Even in sample none had a higher Sharpe ratio than holding: {first} against {second}."


def choice_caveats(choice: StrategyChoice) -> tuple[str, ...]:
    """Name the strategies that could not be tried."""
    return tuple(f"{title(name)} was not tried: {reason}" for name, reason in choice.not_tried)


def written_trips(trips: RoundTrips) -> str:
    """Say how many trades gained, and what an average one made."""
    if not trips.count:
        return "none was closed"
    rate = written(trips.hit_rate, Unit.FRACTION)
    average = written(trips.average_return, Unit.FRACTION)
    return f"{rate} of them gained, {average} on average"
