"""Parameters of factor portfolios: universes, windows, and the checks of what must fit together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from slices.domain.errors import ParameterError
from slices.domain.factor_portfolios import CovarianceEstimator
from slices.domain.portfolio import Allocator

DIVERSE_SYMBOLS = ["AAPL", "GE", "JNJ", "JPM", "KO", "PG", "WMT", "XOM"]
"""Eight embedded shares of eight industries."""

WIDE_SYMBOLS = [
    *("AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "HD", "JNJ", "JPM", "KO"),
    *("LLY", "MRK", "MSFT", "PEP", "PFE", "PG", "RRC", "UNH", "WMT", "XOM"),
]
"""The twenty shares of the embedded feed of closes."""

SharingAllocator = Literal[
    Allocator.EQUAL_WEIGHT,
    Allocator.INVERSE_VOLATILITY,
    Allocator.MIN_VARIANCE,
    Allocator.RISK_PARITY,
]
"""Allocators that need no expected return: what to buy has been decided before."""


EstimatorName = Literal[
    CovarianceEstimator.SAMPLE, CovarianceEstimator.EXPONENTIAL, CovarianceEstimator.LEDOIT_WOLF
]
"""Ways of estimating how returns vary together."""

SpreadKind = Literal["residual", "log_price"]
"""What is expected to come back: log prices against the equal-weight market, or alone."""

TargetVolatility = Annotated[float, Field(gt=0, le=2)]
"""Volatility a year that weights are scaled to."""

WindowSessions = Annotated[int, Field(ge=20, le=2520)]
"""Sessions in a trailing window."""

FEWEST_FORMATION_SESSIONS = 10


def check_momentum_fit(parameters: dict[str, Any]) -> None:
    """Check that the windows of a momentum rule fit into each other.

    Raises:
        ParameterError: Naming the first that does not.
    """
    lookback = parameters["lookback_sessions"]
    for name, most in (
        ("skip_sessions", lookback - FEWEST_FORMATION_SESSIONS),
        ("volatility_sessions", lookback),
    ):
        if parameters[name] > most:
            raise ParameterError(
                parameter=name,
                found=f"{parameters[name]} of {lookback} lookback_sessions",
                allowed=f"at most {most}",
            )


def check_reversion_fit(parameters: dict[str, Any]) -> None:
    """Check that the levels and half-lives of a reversion rule rise.

    Raises:
        ParameterError: Naming the first that does not.
    """
    for name, below in (
        ("entry_z", "exit_z"),
        ("stop_z", "entry_z"),
        ("longest_half_life", "shortest_half_life"),
    ):
        if not parameters[name] > parameters[below]:
            raise ParameterError(
                parameter=name,
                found=f"{parameters[name]:g}",
                allowed=f"more than {below}, which is {parameters[below]:g}",
            )
