"""Protection of an account against its losses: rules, what was read, and what follows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from slices.domain.accounts import AccountBook, TradingState
from slices.domain.parameters import Fraction, ParameterGroup
from slices.domain.results import FlowResult
from slices.domain.tiers import TierStanding
from slices.domain.trading import OrderPlan, Placement


def _split(value: object) -> object:
    return [each.strip() for each in value.split(",")] if isinstance(value, str) else value


Exposures = Annotated[
    list[Annotated[float, Field(gt=0, le=20)]],
    BeforeValidator(_split),
    Field(min_length=1, max_length=20),
]


class ProtectionRules(ParameterGroup):
    """From which losses on an account only reduces, or stops; and the way back."""

    reducing_drawdown: Fraction = Field(
        default=0.1, gt=0, description="Loss since the peak from which on the account only reduces."
    )
    halting_drawdown: Fraction = Field(
        default=0.2, gt=0, description="Loss since the peak from which on nothing is traded."
    )
    reducing_daily_loss: Fraction = Field(
        default=0.03, gt=0, description="Loss of one session from which on it only reduces."
    )
    halting_daily_loss: Fraction = Field(
        default=0.06, gt=0, description="Loss of one session from which on nothing is traded."
    )
    velocity_sessions: Annotated[int, Field(ge=2, le=252)] = Field(
        default=5, description="Sessions over which the speed of losing is measured."
    )
    reducing_velocity: Fraction = Field(
        default=0.01, gt=0, description="Loss a session over these from which on it only reduces."
    )
    halting_velocity: Fraction = Field(
        default=0.02, gt=0, description="Loss a session over these from which on nothing is traded."
    )
    reducing_exposure: Fraction = Field(
        default=0.5, description="Gross exposure a reducing account is brought down to."
    )
    crowded_correlation: Annotated[float, Field(ge=-1, le=1)] = Field(
        default=0.8, description="Average correlation of positions from which on they count as one."
    )
    fewest_bets: Annotated[float, Field(ge=1, le=1000)] = Field(
        default=1.25, description="Effective number of bets below which positions count as one."
    )
    largest_weight: Annotated[float, Field(gt=0, le=20)] = Field(
        default=0.5, description="Weight of one position above which they count as one."
    )
    crowding_cut: Fraction = Field(
        default=0.25, lt=1, description="Share cut from every loss threshold while they do."
    )
    recovery_exposures: Exposures = Field(
        default=[0.25, 0.5, 0.75, 1.0],
        description="Gross exposures of the way back after a release, rising, such as 0.25,0.5,1.",
    )
    recovery_sessions: Annotated[int, Field(ge=0, le=252)] = Field(
        default=10, description="Sessions without a new low that each further step takes."
    )

    @field_validator("recovery_exposures")
    @classmethod
    def _rising(cls, exposures: list[float]) -> list[float]:
        if any(later <= earlier for earlier, later in pairwise(exposures)):
            message = "exposures that rise"
            raise ValueError(message)
        return exposures

    @model_validator(mode="after")
    def _halting_is_severer(self) -> ProtectionRules:
        for name in ("drawdown", "daily_loss", "velocity"):
            reducing, halting = getattr(self, f"reducing_{name}"), getattr(self, f"halting_{name}")
            if reducing >= halting:
                message = f"reducing_{name} {reducing:g} must be below halting_{name} {halting:g}"
                raise ValueError(message)
        return self


DEFAULT_PROTECTION = ProtectionRules()


class LossMeasure(StrEnum):
    """How an account bleeds."""

    DRAWDOWN = "drawdown"
    DAILY_LOSS = "daily_loss"
    VELOCITY = "velocity"


@dataclass(frozen=True, kw_only=True)
class LossReading:
    """One measure of loss beside its thresholds, all positive fractions.

    Attributes:
        reducing_at: After what crowding cuts off; so is `halting_at`.
        state: What this measure alone asks for.
    """

    measure: LossMeasure
    loss: float
    reducing_at: float
    halting_at: float
    state: TradingState


@dataclass(frozen=True, kw_only=True)
class Crowding:
    """Whether the positions have become one bet.

    Attributes:
        weights: Fractions of equity, negative where sold short, in the order of `symbols`.
        average_correlation: Of all pairs of positions, a short one turned over; NaN with fewer
            than two positions or where it is unknown.
        effective_bets: See `quant.contributions.effective_bets`; NaN where it is unknown.
        largest_weight: Largest absolute weight; 0 without positions.
        returns: On how many returns it stands.
        unknown: Why correlations are unknown, where they are; counts as crowded.
        reasons: Why the positions count as one; empty where they do not.
    """

    symbols: tuple[str, ...]
    weights: tuple[float, ...]
    average_correlation: float
    effective_bets: float
    largest_weight: float
    returns: int
    unknown: str
    reasons: tuple[str, ...]

    @property
    def is_crowded(self) -> bool:
        """Whether loss thresholds are cut."""
        return bool(self.reasons)


@dataclass(frozen=True, kw_only=True)
class RecoveryStep:
    """A step of the way back.

    Attributes:
        exposure: Gross exposure it allows.
        regained: Share of the loss to be regained for it, of what was lost from peak to trough.
        quiet_sessions: Sessions since the newest low that it takes.
    """

    exposure: float
    regained: float
    quiet_sessions: int
    is_reached: bool


@dataclass(frozen=True, kw_only=True)
class RecoveryPlan:
    """The way back to the peak.

    Attributes:
        required_return: From the equity now to the peak.
        regained: Share of the loss from peak to trough that is regained.
        quiet_sessions: Sessions since the trough.
        in_force: Whether the steps cap the exposure now: after a release, below the peak.
        exposure: What the reached steps allow.
        volatility: Of the account's own returns, per session; NaN where unknown.
        likely_sessions: Sessions after which the peak is regained with a probability of a
            quarter, a half and three quarters, by volatility alone; NaN where unknown.
        unknown: Why the time is unknown, where it is.
    """

    peak: float
    trough: float
    equity: float
    drawdown: float
    required_return: float
    regained: float
    quiet_sessions: int
    steps: tuple[RecoveryStep, ...]
    in_force: bool
    exposure: float
    volatility: float
    likely_sessions: tuple[float, float, float]
    unknown: str


@dataclass(frozen=True, kw_only=True)
class Release:
    """The newest release of an account by a person.

    Attributes:
        session: Newest session that was closed before it; None where there was none.
    """

    session: dt.date | None
    at: dt.datetime
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Protection:
    """What the losses of an account ask for.

    Attributes:
        sessions: Of the equity curve.
        below_peak: Loss since the highest value so far, at `sessions`.
        before: State of the account when it was looked at.
        asked: State its losses ask for.
        state: The severer of the two: states never relax by themselves.
        reasons: Why, one sentence for each measure that asks for more than ACTIVE.
        gross_exposure: Sum of absolute position values over equity.
        allowed_exposure: What it is brought down to; infinite where nothing is asked for.
        released: The newest release; losses are counted from it on.
        is_known: Whether there is an account at all.
    """

    account: str
    session: dt.date | None
    equity: float
    sessions: tuple[dt.date, ...]
    below_peak: tuple[float, ...]
    readings: tuple[LossReading, ...]
    crowding: Crowding
    before: TradingState
    asked: TradingState
    state: TradingState
    reasons: tuple[str, ...]
    gross_exposure: float
    allowed_exposure: float
    recovery: RecoveryPlan
    tier: TierStanding
    released: Release | None
    is_known: bool


@dataclass(frozen=True, kw_only=True)
class Pause:
    """A change of what an account may do.

    Attributes:
        is_new: Whether the books were changed.
    """

    account: str
    session: dt.date | None
    before: TradingState
    after: TradingState
    reason: str
    is_new: bool

    @property
    def is_halt(self) -> bool:
        """Whether nothing may be traded from now on."""
        return self.after is TradingState.HALTED


@dataclass(frozen=True, kw_only=True, repr=False)
class DrawdownProtection(FlowResult):
    """Whether an account bleeds, what was done about it, and the way back.

    Attributes:
        pauses: Changes of state, in order.
        withdrawn: How many open orders were cancelled.
        placed: What became of the orders that reduce; None without any.
    """

    book: AccountBook
    protection: Protection
    pauses: tuple[Pause, ...]
    withdrawn: int
    plan: OrderPlan
    placed: Placement | None
