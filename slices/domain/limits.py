"""Limits an account keeps to, and the reasons an order is denied for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from slices.domain.parameters import Fraction, ParameterGroup, Symbol


class ReasonCode(StrEnum):
    """Why an order is denied."""

    HALTED = "halted"
    REDUCING_ONLY = "reducing_only"
    REDUCE_ONLY_INCREASES = "reduce_only_increases"
    QUANTITY_INVALID = "quantity_invalid"
    QUANTITY_TOO_LARGE = "quantity_too_large"
    NOTIONAL_TOO_LARGE = "notional_too_large"
    PRICE_INVALID = "price_invalid"
    PRICE_OUTSIDE_COLLAR = "price_outside_collar"
    MARK_MISSING = "mark_missing"
    MARK_STALE = "mark_stale"
    RESTRICTED = "restricted"
    SHORT_NOT_ALLOWED = "short_not_allowed"
    DUPLICATE_ORDER = "duplicate_order"
    ORDER_RATE = "order_rate"
    REPEATED_EXECUTION = "repeated_execution"
    POSITION_LIMIT = "position_limit"
    GROSS_EXPOSURE = "gross_exposure"
    NET_EXPOSURE = "net_exposure"
    LEVERAGE = "leverage"
    CONCENTRATION = "concentration"
    SECTOR_EXPOSURE = "sector_exposure"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    INSUFFICIENT_CASH = "insufficient_cash"
    UNSETTLED_CASH = "unsettled_cash"
    PATTERN_DAY_TRADER = "pattern_day_trader"
    KIND_NOT_SUPPORTED = "kind_not_supported"


def _listed(value: object) -> object:
    if isinstance(value, str):
        return [each.strip() for each in value.split(",") if each.strip()]
    return value


def _paired(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [each.partition("=") for each in value.split(",") if each.strip()]
    return {key.strip(): word.strip() for key, _, word in pairs}


Money = Annotated[float, Field(gt=0, le=1e12)]
Multiple = Annotated[float, Field(gt=0, le=20)]


class RiskLimits(ParameterGroup):
    """What an account may not go beyond; empty means no limit of that kind."""

    max_order_notional: Money | None = Field(
        default=None, description="Largest order, in account currency."
    )
    max_order_quantity: Money | None = Field(default=None, description="Largest order, in shares.")
    max_position_notional: Money | None = Field(
        default=None, description="Largest position, in account currency."
    )
    max_gross_exposure: Multiple = Field(
        default=1.0, description="Largest sum of absolute position values, over equity."
    )
    max_net_exposure: Multiple = Field(
        default=1.0, description="Largest absolute value of longs less shorts, over equity."
    )
    max_leverage: Multiple = Field(
        default=1.0, description="Largest value of longs plus cash above 0, less what shorts"
        " brought in, over equity."
    )  # fmt: skip
    max_concentration: Multiple = Field(
        default=1.0, description="Largest absolute position value, over equity."
    )
    max_sector_exposure: Multiple | None = Field(
        default=None,
        description="Largest sum of absolute position values of a sector, over equity.",
    )
    sectors: Annotated[dict[Symbol, str], BeforeValidator(_paired)] = Field(
        default_factory=dict, description="Sector of each symbol, written AAPL=tech,XOM=energy."
    )
    max_daily_loss: Fraction = Field(
        default=0.1, gt=0, description="Loss since the close before from which on only reducing"
        " orders pass."
    )  # fmt: skip
    max_drawdown: Fraction = Field(
        default=0.5, gt=0, description="Loss since the peak from which on nothing is traded."
    )
    max_orders_per_minute: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=1000, description="Largest number of orders within a minute."
    )
    max_executions_per_symbol: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=50, description="Largest number of orders for one symbol within a session."
    )
    duplicate_seconds: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=60.0, description="Time within which an equal order is taken for a repetition."
    )
    price_collar: Fraction = Field(
        default=0.1, gt=0, description="Largest distance of a limit or stop price from the mark."
    )
    stale_mark_sessions: Annotated[int, Field(ge=0, le=100)] = Field(
        default=3, description="Sessions a mark may be old for an order to be judged by it."
    )
    restricted: Annotated[list[Symbol], BeforeValidator(_listed)] = Field(
        default_factory=list, description="Symbols that may not be bought or sold short."
    )
    allow_short: bool = Field(default=True, description="Whether positions may be sold short.")
    settled_cash_only: bool = Field(
        default=False, description="Whether purchases are paid by settled cash alone (T+1)."
    )
    pattern_day_trader_equity: Annotated[float, Field(ge=0, le=1e9)] = Field(
        default=25_000.0, description="Equity below which a fourth day trade within five sessions"
        " is denied; 0 turns the rule off."
    )  # fmt: skip


DEFAULT_LIMITS = RiskLimits()


@dataclass(frozen=True, kw_only=True)
class Breach:
    """One reason against an order: what was found and what is allowed, as text with units."""

    code: ReasonCode
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.code}: found {self.found}; allowed: {self.allowed}"


@dataclass(frozen=True, kw_only=True)
class GateDecision:
    """What the gate says of one order.

    Attributes:
        breaches: Why it is denied; empty where it is accepted.
        projected_quantity: Signed shares held if this order and all accepted before it fill.
        projected_gross: Sum of absolute position values over equity, likewise.
        projected_cash: Money, likewise.
    """

    client_order_id: str
    breaches: tuple[Breach, ...]
    projected_quantity: float
    projected_gross: float
    projected_cash: float

    @property
    def is_accepted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.breaches


@dataclass(frozen=True, kw_only=True)
class LimitLine:
    """How much of one limit is used.

    Attributes:
        name: Of the field of `RiskLimits`.
        subject: The symbol or sector that uses most of it; empty where it is the account.
        unit: Of `used` and `allowed`.
        used: NaN where equity is not above 0.
        headroom: Fraction of the limit that is left; negative beyond it. Of leverage what is left
            to borrow, so 1 without debt.
    """

    name: str
    subject: str
    unit: str
    used: float
    allowed: float
    headroom: float
    is_breached: bool
