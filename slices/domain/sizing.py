"""How large a position should be, with what limited it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from slices.domain.parameters import Confidence, Fraction, ParameterGroup, distinct

RuleName = Literal["volatility", "risk", "range", "kelly"]
"""The rules a size can be asked of."""


def _listed(value: object) -> object:
    if isinstance(value, str):
        return [each.strip() for each in value.split(",") if each.strip()]
    return value


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


class PositionRules(SizingRules):
    """What a position may be: the rules that ask for a size, and the caps that cut it."""

    use: Annotated[list[RuleName], BeforeValidator(_listed), AfterValidator(distinct)] = Field(
        default=["volatility", "risk", "range", "kelly"],
        min_length=1,
        description="Rules that count; the smallest of them is the size.",
    )
    range_risk: Fraction = Field(
        default=0.005,
        gt=0,
        description="Fraction of equity that a move of one average true range may cost.",
    )
    stop_fraction: Fraction | None = Field(
        default=None,
        gt=0,
        description="Distance of the stop as a fraction of the price; empty takes `stop_multiple`.",
    )
    fewest_trades: int = Field(
        default=10, ge=2, le=1000, description="Closed trades below which Kelly gives nothing."
    )
    worst_regime_factor: Fraction = Field(
        default=0.25,
        description="Factor in a crisis, and where the regime is not known; 1 turns scaling off.",
    )
    volume_share: Fraction = Field(
        default=0.01, gt=0, description="Largest share of the average volume of 21 sessions."
    )
    volatility_sessions: int = Field(
        default=63, ge=10, le=1260, description="Sessions the volatility is measured over."
    )
    whole_shares: bool = Field(default=True, description="Whether only whole shares are held.")


class RiskBudget(ParameterGroup):
    """What a session may cost the account, by the historical expected shortfall."""

    account_shortfall: Fraction = Field(
        default=0.03,
        gt=0,
        description="Largest expected shortfall of the account, as a fraction of equity.",
    )
    trade_shortfall: Fraction = Field(
        default=0.01, gt=0, description="Largest expected shortfall one position may add to it."
    )
    confidence: Confidence = Field(
        default=0.95, description="Of value at risk and shortfall; 0.95 looks at the worst 5 %."
    )
    lookback_sessions: int = Field(
        default=504, ge=100, le=5040, description="Newest sessions they are measured on."
    )


DEFAULT_POSITION_RULES = PositionRules()
DEFAULT_RISK_BUDGET = RiskBudget()


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
