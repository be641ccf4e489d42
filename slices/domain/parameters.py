"""Parameters: the types a person fills in, with the checks and help texts of every door.

Each becomes a field of the Prefect form, an option of the command line and a check of the API.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from slices.domain.bars import Adjustment
from slices.domain.errors import ParameterError, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

Name = TypeVar("Name", bound=str)
SYMBOL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,14}$"
SESSION_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def distinct(names: list[Name]) -> list[Name]:
    """Check that no name is listed twice.

    Raises:
        ValueError: Naming those that are.
    """
    twice = sorted({str(each) for each in names if names.count(each) > 1})
    if twice:
        message = f"each name once; {', '.join(twice)} is listed more than once"
        raise ValueError(message)
    return names


def _written_as_date(value: object) -> object:
    if isinstance(value, dt.datetime) or not isinstance(value, str | dt.date):
        message = "a date written YYYY-MM-DD"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns it into a validation error
    if isinstance(value, str) and not re.fullmatch(SESSION_PATTERN, value):
        message = "a date written YYYY-MM-DD"
        raise ValueError(message)
    return value


def _named_once(held: object) -> object:
    if isinstance(held, dict):
        names = [_upper(each) for each in held]
        distinct([str(each) for each in names])
    return held


Symbol = Annotated[str, BeforeValidator(_upper), Field(pattern=SYMBOL_PATTERN)]
"""A ticker such as AAPL or BRK.B; lower case is accepted."""

Symbols = Annotated[list[Symbol], Field(min_length=1, max_length=2000), AfterValidator(distinct)]
"""At least one symbol, each once."""

PortfolioSymbols = Annotated[
    list[Symbol], Field(min_length=2, max_length=2000), AfterValidator(distinct)
]
"""At least two symbols, each once: fewer is not a portfolio."""

SourceName = Literal["embedded", "files", "yfinance", "alpaca"]
"""Where bars come from; `embedded` needs no network."""

SessionDate = Annotated[
    dt.date,
    BeforeValidator(_written_as_date),
    WithJsonSchema({"type": "string", "format": "date", "pattern": SESSION_PATTERN}),
]
"""A calendar date, written YYYY-MM-DD."""

Capital = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
"""Money at the start, in account currency; more than 0."""

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A share between 0 and 1 (0.05 is 5 %)."""

HeldWeights = Annotated[dict[Symbol, Fraction], BeforeValidator(_named_once)]
"""What is held, as one fraction per symbol."""

Confidence = Annotated[float, Field(ge=0.8, le=0.999)]
"""Confidence of a tail measure; 0.95 looks at the worst 5 % of sessions."""

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""Start of every random sequence, so that a run can be repeated exactly."""

ReturnAdjustment = Literal[Adjustment.TOTAL, Adjustment.SPLIT]
"""What prices are corrected for where returns are computed; raw prices would count splits."""

RebalanceFrequency = Literal["weekly", "monthly", "quarterly", "yearly"]
"""How often weights are fitted anew and traded."""


class ParameterGroup(BaseModel):
    """Parameters that belong together; unknown names are refused, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Costs(ParameterGroup):
    """What trading costs; every part is recorded per fill and none ever helps."""

    commission_bps: float = Field(
        default=5.0, ge=0, le=1000, description="Commission, in basis points of notional."
    )
    slippage_bps: float = Field(
        default=5.0, ge=0, le=1000, description="Half spread, in basis points of notional."
    )
    commission_per_share: float = Field(
        default=0.0, ge=0, le=10, description="Commission per share, in account currency."
    )
    commission_minimum: float = Field(
        default=0.0, ge=0, le=1000, description="Least commission of a fill, in account currency."
    )
    impact: float = Field(
        default=0.0, ge=0, le=10,
        description="Market impact: daily volatilities paid for trading a session's whole volume.",
    )  # fmt: skip
    borrow_rate: float = Field(
        default=0.0, ge=0, le=1, description="Rate per year paid on the value of short positions."
    )
    cash_rate: float = Field(
        default=0.0, ge=0, le=1,
        description="Rate per year earned on cash, apart from what short sales brought in.",
    )  # fmt: skip
    margin_rate: float | None = Field(
        default=None, ge=0, le=1,
        description="Rate per year paid on borrowed cash; the cash rate where not given.",
    )  # fmt: skip

    @property
    def rate(self) -> float:
        """What is proportional to the notional: commission and half spread, as a fraction."""
        return (self.commission_bps + self.slippage_bps) / 1e4

    @property
    def debt_rate(self) -> float:
        """Rate per year paid on borrowed cash: never below what cash earns."""
        return self.cash_rate if self.margin_rate is None else self.margin_rate

    @model_validator(mode="after")
    def _no_arbitrage(self) -> Costs:
        if self.debt_rate < self.cash_rate:
            message = (
                f"margin_rate {self.debt_rate:g} must not be below cash_rate {self.cash_rate:g}: "
                "borrowed cash would earn money by lying idle"
            )
            raise ValueError(message)
        return self


class TradingRules(ParameterGroup):
    """What an account may trade."""

    whole_shares: bool = Field(default=False, description="Trade whole shares only.")
    volume_share: Fraction = Field(
        default=1.0, gt=0, description="Largest share of a session's volume one fill may take."
    )
    gross_exposure: float = Field(
        default=1.0,
        gt=0,
        le=10,
        description="Largest sum of absolute weights at a decision; positions drift after it.",
    )


class WeightBounds(ParameterGroup):
    """Smallest and largest weight one symbol may have in an allocation."""

    smallest: Fraction = Field(default=0.0, description="Smallest weight of a symbol, 0 to 1.")
    largest: Fraction = Field(default=1.0, description="Largest weight of a symbol, 0 to 1.")

    @model_validator(mode="after")
    def _ordered(self) -> WeightBounds:
        if self.smallest > self.largest:
            message = f"smallest {self.smallest} must not exceed largest {self.largest}"
            raise ValueError(message)
        return self


DEFAULT_SYMBOLS = ["AAPL", "MSFT", "GOOGL"]
DEFAULT_COSTS = Costs()
DEFAULT_RULES = TradingRules()
DEFAULT_BOUNDS = WeightBounds()
WEIGHT_SUM_TOLERANCE = 1e-6


def check_weights(held_weights: dict[str, float], symbols: Sequence[str]) -> None:
    """Check that weights name exactly these symbols and sum to 1.

    Raises:
        ParameterError: Saying which symbols differ, or the sum.
    """
    if set(held_weights) != set(symbols):
        raise ParameterError(
            parameter="held_weights",
            found=f"weights for {listed(tuple(held_weights))}",
            allowed=f"one weight for each of {listed(tuple(symbols))}",
        )
    total = math.fsum(held_weights.values())
    if not abs(total - 1) <= WEIGHT_SUM_TOLERANCE:
        raise ParameterError(
            parameter="held_weights", found=f"a sum of {total:g}", allowed="fractions that sum to 1"
        )


def check_weights_fit(parameters: dict[str, Any]) -> None:
    """Check a flow's `held_weights`, where given, against its `symbols`."""
    if parameters["held_weights"] is not None:
        check_weights(parameters["held_weights"], parameters["symbols"])


def check_bounds_fit(parameters: dict[str, Any]) -> None:
    """Check that some weights inside `bounds` sum to 1 for this number of `symbols`.

    Raises:
        ParameterError: Saying what the bounds add up to.
    """
    count, bounds = len(parameters["symbols"]), parameters["bounds"]
    rounding = WEIGHT_SUM_TOLERANCE
    if not count * bounds.smallest - rounding <= 1 <= count * bounds.largest + rounding:
        raise ParameterError(
            parameter="bounds",
            found=f"{bounds.smallest:g} to {bounds.largest:g} for each of {count} symbols",
            allowed="weights that can sum to 1",
        )
