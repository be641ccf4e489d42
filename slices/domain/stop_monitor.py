"""Watching stops: what guards each position, how near it is, and what became of those hit."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import Field

from slices.domain.accounts import AccountBook
from slices.domain.orders import OrderRecord
from slices.domain.parameters import Fraction, ParameterGroup
from slices.domain.results import FlowResult
from slices.domain.stops import Stop, StopKind, StopStatus
from slices.domain.trading import OrderPlan, Placement


class DefaultStop(ParameterGroup):
    """The stop a position gets that has none."""

    kind: Literal["none", "fixed", "trailing", "atr", "time"] = Field(
        default="none", description="Which stop a position gets that has none."
    )
    fraction: Fraction = Field(
        default=0.1, gt=0, lt=1,
        description="Distance of a fixed stop from the average price, of a trailing one from the"
        " best price, as a fraction of it.",
    )  # fmt: skip
    multiple: float = Field(
        default=3.0, gt=0, le=50, description="Average true ranges between best close and stop."
    )
    most_sessions: int = Field(
        default=20, ge=1, le=2520, description="Sessions after which a stop by time leaves."
    )


DEFAULT_STOP = DefaultStop()


@dataclass(frozen=True, kw_only=True)
class StandingStop:
    """A stop that guards a position, or waits for its order to open one.

    Attributes:
        ratio: What a price of when it was armed is worth in prices of now: splits make it differ
            from 1.
        order: Its newest exit order; None before the first.
        is_waiting: Whether the order that opens its position has not been filled.
        covers: Positive shares it sells, those of the order whose bracket guards them; None where
            it sells all that is held.
    """

    stop: Stop
    ratio: float
    order: OrderRecord | None
    is_waiting: bool
    covers: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class StopExit:
    """An exit that was filled: what the stop promised and what came.

    Attributes:
        level: At which the stop was hit, in prices of the fill; NaN for one by time.
        price: Average of the fills, before costs.
        beyond: Fraction of the level lost beyond it, negative where the fill was better.
        beyond_money: The same in money.
        costs: Money paid for the fills.
        gain: Money gained over the average price paid, before costs.
    """

    stop_id: str
    symbol: str
    kind: StopKind
    triggered: dt.date | None
    filled: dt.date
    quantity: float
    level: float
    price: float
    beyond: float
    beyond_money: float
    costs: float
    gain: float


@dataclass(frozen=True, kw_only=True)
class StopBook:
    """The stops of an account after the books were brought up to date.

    Attributes:
        armed: Stops that positions without one were given in this run.
        ended: Stops that ended in this run.
        exits: Exits filled of late, newest first.
    """

    session: dt.date
    standing: tuple[StandingStop, ...]
    armed: tuple[Stop, ...]
    ended: tuple[Stop, ...]
    exits: tuple[StopExit, ...]


@dataclass(frozen=True, kw_only=True)
class StopReading:
    """How far a position is from one of its stops.

    Attributes:
        quantity: Signed shares it sells.
        entry: Order whose bracket guards them; empty where it sells all that is held.
        close: Newest close.
        level: In force in the next session; NaN for a stop by time, or where it is unknown.
        distance: From the close to the level as a fraction of the close, negative beyond it.
        distance_ranges: The same in average true ranges.
        sessions_left: Of a stop by time; NaN for others.
        at_risk: Money lost from the close to the level; NaN where unknown.
        hit: Session in which it was reached; None where it was not.
        hit_level: Level of that session; NaN for a stop by time.
        looked: Bars that were looked at.
    """

    stop: Stop
    order: OrderRecord | None
    quantity: Decimal
    entry: str
    average_price: float
    close: float
    level: float
    distance: float
    distance_ranges: float
    sessions_left: float
    unrealized_pnl: float
    at_risk: float
    hit: dt.date | None
    hit_level: float
    looked: int

    @property
    def is_leaving(self) -> bool:
        """Whether its exit waits to be filled."""
        return self.order is not None and self.order.state.is_open

    @property
    def is_due(self) -> bool:
        """Whether its position is to be left."""
        return self.hit is not None or self.stop.status is StopStatus.TRIGGERED


@dataclass(frozen=True, kw_only=True)
class PositionRisk:
    """Exposure of an account, as fractions of equity unless named otherwise.

    Attributes:
        volatility: Annualized, of the positions as they are; NaN with too few returns.
        at_risk: Loss down to the nearest stops that have a level, of the shares they sell.
        unguarded: Absolute value of shares without a stop.
    """

    gross: float
    net: float
    volatility: float
    at_risk: float
    unguarded: float


@dataclass(frozen=True, kw_only=True)
class Unguarded:
    """Shares that no stop sells.

    Attributes:
        shares: Signed; `is_whole` where that is all that is held.
        weight: Their value as a fraction of equity, without a sign.
    """

    symbol: str
    shares: Decimal
    weight: float
    is_whole: bool


@dataclass(frozen=True, kw_only=True)
class StopWatch:
    """What a look at all stops found.

    Attributes:
        readings: Nearest first.
        leaving: Those whose position is to be left now, one for each position.
        unguarded: Shares held without a stop.
        plans: The exits, one plan for each stop.
        before: Risk of what is held; `after`: without what is left now.
    """

    session: dt.date
    readings: tuple[StopReading, ...]
    leaving: tuple[StopReading, ...]
    unguarded: tuple[Unguarded, ...]
    plans: tuple[OrderPlan, ...]
    before: PositionRisk
    after: PositionRisk


@dataclass(frozen=True, kw_only=True, repr=False)
class StopLossMonitor(FlowResult):
    """Whether any stop is hit, and what was done about it."""

    book: AccountBook
    stops: StopBook
    watch: StopWatch
    placed: tuple[Placement, ...]
