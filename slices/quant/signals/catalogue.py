"""Every strategy there is, by name, with what may be set and searched."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from slices.domain.errors import ParameterError, listed
from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.signals.breakouts import DONCHIAN_BREAKOUT
from slices.quant.signals.crosses import EMA_CROSS, MACD, SMA_CROSS
from slices.quant.signals.holding import BUY_AND_HOLD
from slices.quant.signals.momentum import CROSS_SECTIONAL_MOMENTUM, TIME_SERIES_MOMENTUM
from slices.quant.signals.reversals import BOLLINGER_REVERSAL, RSI_REVERSAL, ZSCORE_REVERSAL
from slices.quant.signals.search import SearchDimension, checked, dimensions
from slices.quant.signals.volatility import VOLATILITY_TARGET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slices.quant.signals.strategy import Strategy

_ALL = (
    BUY_AND_HOLD,
    SMA_CROSS,
    EMA_CROSS,
    MACD,
    RSI_REVERSAL,
    BOLLINGER_REVERSAL,
    DONCHIAN_BREAKOUT,
    TIME_SERIES_MOMENTUM,
    CROSS_SECTIONAL_MOMENTUM,
    ZSCORE_REVERSAL,
    VOLATILITY_TARGET,
)
STRATEGIES: Mapping[StrategyName, Strategy] = MappingProxyType({each.name: each for each in _ALL})


def strategy(name: str) -> Strategy:
    """Find a strategy by its name.

    Raises:
        ParameterError: Listing the names there are.
    """
    if name not in STRATEGIES:
        allowed = listed(tuple(each.value for each in STRATEGIES))
        raise ParameterError(parameter="strategy", found=str(name), allowed=allowed)
    return STRATEGIES[StrategyName(name)]


def default_parameters(name: str) -> StrategyParameters:
    """Return a strategy's parameters as they are where nobody sets any."""
    return strategy(name).parameters()


def checked_parameters(
    name: str, given: Mapping[str, float | bool | str] | None = None
) -> StrategyParameters:
    """Make a strategy's parameters of what a person gave; the rest keeps its default.

    Raises:
        ParameterError: Where a name is unknown, a value out of bounds, or values exclude each
            other; it lists the strategy's parameters and their bounds.

    >>> checked_parameters("sma_cross", {"fast": 20}).model_dump()
    {'fast': 20, 'slow': 50, 'short': False}
    """
    return checked(strategy(name), given or {})


def check_symbols(name: str, symbols: Sequence[str]) -> None:
    """Check that a strategy that compares symbols has some to compare.

    Raises:
        ParameterError: Where it compares symbols and there is one, or where its name is unknown.

    >>> check_symbols("sma_cross", ["AAPL"])
    """
    if strategy(name).joint and len(symbols) < 2:
        raise ParameterError(
            parameter="symbols",
            found=listed(tuple(symbols)),
            allowed=f"two or more with strategy '{StrategyName(name)}', which compares them",
        )


def search_space(name: str) -> tuple[SearchDimension, ...]:
    """List what an optimizer may vary in a strategy: the bounds of its parameters.

    >>> [(each.name, each.low, each.high) for each in search_space("sma_cross")]
    [('fast', 2.0, 100.0), ('slow', 5.0, 400.0)]
    """
    return dimensions(strategy(name).parameters)
