"""How large a position should be, with what limited it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pydantic import Field

from slices.domain.parameters import Fraction, ParameterGroup


class SizingRules(ParameterGroup):
    """What a position may risk."""

    target_volatility: float = Field(
        default=0.1,
        gt=0,
        le=2,
        description="Annualized volatility one position may add, of equity.",
    )
    risk: Fraction = Field(
        default=0.01, gt=0, description="Fraction of equity lost where the stop is hit."
    )
    stop_multiple: float = Field(
        default=3.0, gt=0, le=20, description="Distance of the stop, in average true ranges."
    )
    kelly: Fraction = Field(
        default=0.5, description="Fraction of the growth-optimal weight, after shrinking."
    )
    largest: Fraction = Field(default=0.25, gt=0, description="Largest weight of a position.")


DEFAULT_SIZING = SizingRules()


@dataclass(frozen=True, kw_only=True)
class SizeAdvice:
    """A size for holding one symbol, as of one session.

    Attributes:
        average_range: Average true range over 14 sessions as a fraction of the close; where the
            data has no highs and lows, the average absolute change of the close.
        volatility_weight: What the volatility target allows; likewise the others.
        kelly_weight: What the growth-optimal rule allows, from the returns of holding the symbol;
            0 where they were not positive on average.
        weight: The smallest of all.
        bound_by: Which rule it is.
        quantity: Whole shares the capital buys at that weight.
        stop_price: Where the stop would lie.
    """

    symbol: str
    session: dt.date
    close: float
    annualized_volatility: float
    average_range: float
    volatility_weight: float
    risk_weight: float
    kelly_weight: float
    weight: float
    bound_by: str
    quantity: int
    notional: float
    stop_price: float
    explanation: str


@dataclass(frozen=True, kw_only=True)
class SizeFailure:
    """A symbol that no size can be given for, and why."""

    symbol: str
    reason: str
