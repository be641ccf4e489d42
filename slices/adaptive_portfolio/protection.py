"""What the losses of an account ask for: readings, the state they lead to, what may stay held."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.crowding import crowding
from slices.adaptive_portfolio.recovery import recovery_plan
from slices.adaptive_portfolio.tiers import tier_standing
from slices.domain.accounts import TradingState
from slices.domain.numbers import written
from slices.domain.protection import LossMeasure, LossReading, Protection
from slices.domain.report import Unit

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.protection import Crowding, ProtectionRules, RecoveryPlan, Release
    from slices.domain.tiers import CapitalTiers
    from slices.quant.types import FloatArray

PLACES = 12
"""Decimals that count: a loss of exactly a threshold is one, whatever floats make of it."""

NAMES = {
    LossMeasure.DRAWDOWN: "Loss since the peak",
    LossMeasure.DAILY_LOSS: "Loss of the session",
    LossMeasure.VELOCITY: "Loss a session",
}


def account_values(book: AccountBook) -> FloatArray:
    """Return the account's values from its capital to its newest equity, one per session."""
    closes = [float(each.equity) for each in book.curve] or [float(book.equity)]
    return np.array([float(book.capital), *closes], dtype=np.float64)


def counted_values(book: AccountBook, released: Release | None) -> FloatArray:
    """Return the values that losses are counted on: since the newest release, which accepts them.

    A person who releases an account has seen what it lost; what it loses from there on counts
    anew. The close of the session before the release is the first value.
    """
    values = account_values(book)
    if released is None or released.session is None:
        return values
    kept = sum(each.session < released.session for each in book.curve)
    return values[1:][min(kept, values.size - 2) :]


def drawdown(values: FloatArray) -> float:
    """Return the fraction lost since the peak.

    >>> drawdown(np.array([100.0, 120.0, 90.0]))
    0.25
    """
    return _lost(float(values.max()), float(values[-1]))


def daily_loss(values: FloatArray) -> float:
    """Return the fraction lost since the value before; 0 where there is none.

    >>> daily_loss(np.array([100.0, 120.0, 90.0])), daily_loss(np.array([100.0]))
    (0.25, 0.0)
    """
    return _lost(float(values[-2]), float(values[-1])) if values.size > 1 else 0.0


def velocity(values: FloatArray, sessions: int) -> float:
    """Return the fraction lost per session, on average over the newest sessions.

    An account that is younger has lost nothing in the sessions before it began.

    Args:
        values: Account values.
        sessions: How many, at least 1.

    >>> round(velocity(np.array([100.0, 98.0, 96.0, 95.0]), 5), 12)
    0.01
    """
    first = float(values[max(0, values.size - 1 - sessions)])
    return round(_lost(first, float(values[-1])) / sessions, PLACES)


def _lost(before: float, after: float) -> float:
    lost = min(1.0, max(0.0, 1.0 - after / before)) if before > 0 else 1.0
    return round(lost, PLACES)


def loss_readings(
    values: FloatArray, rules: ProtectionRules, *, is_crowded: bool
) -> tuple[LossReading, ...]:
    """Set every measure of loss beside its thresholds; a threshold itself is a breach.

    Args:
        values: Account values that count.
        rules: Thresholds.
        is_crowded: Whether the positions are one bet, which cuts the thresholds.
    """
    kept = 1.0 - rules.crowding_cut if is_crowded else 1.0
    found = (
        (
            LossMeasure.DRAWDOWN,
            drawdown(values),
            rules.reducing_drawdown,
            rules.halting_drawdown,
        ),
        (
            LossMeasure.DAILY_LOSS,
            daily_loss(values),
            rules.reducing_daily_loss,
            rules.halting_daily_loss,
        ),
        (
            LossMeasure.VELOCITY,
            velocity(values, rules.velocity_sessions),
            rules.reducing_velocity,
            rules.halting_velocity,
        ),
    )
    return tuple(
        LossReading(
            measure=measure,
            loss=loss,
            reducing_at=round(reducing * kept, PLACES),
            halting_at=round(halting * kept, PLACES),
            state=_state(
                loss,
                reducing=round(reducing * kept, PLACES),
                halting=round(halting * kept, PLACES),
            ),
        )
        for measure, loss, reducing, halting in found
    )


def _state(loss: float, *, reducing: float, halting: float) -> TradingState:
    if not loss < halting:
        return TradingState.HALTED
    return TradingState.ACTIVE if loss < reducing else TradingState.REDUCING


def severest(*states: TradingState) -> TradingState:
    """Return the state that allows least."""
    return max(states, key=lambda each: each.severity)


def assess_protection(
    bars: DatasetRef,
    book: AccountBook,
    *,
    rules: ProtectionRules,
    tiers: CapitalTiers,
    lookback_sessions: int,
    released: Release | None,
    liquidate: bool,
) -> Protection:
    """Say what the losses of an account ask for.

    Args:
        bars: Bars of what is held.
        book: The account, up to date.
        rules: Thresholds, exposures and the way back.
        tiers: Capital tiers.
        lookback_sessions: On how many returns correlations stand.
        released: The newest release of the account; None without any.
        liquidate: Whether a halt closes all positions.
    """
    crowded = crowding(bars, book, rules=rules, lookback_sessions=lookback_sessions)
    readings = loss_readings(counted_values(book, released), rules, is_crowded=crowded.is_crowded)
    asked = severest(*(each.state for each in readings))
    values = account_values(book)
    recovery = recovery_plan(
        values,
        rules=rules,
        is_released=released is not None,
        is_invested=bool(book.positions),
    )
    state = severest(book.state, asked)
    return Protection(
        account=book.name,
        session=book.session,
        equity=float(book.equity),
        sessions=tuple(each.session for each in book.curve),
        below_peak=tuple((1.0 - values / np.maximum.accumulate(values))[1:].tolist())
        if book.curve
        else (),
        readings=readings,
        crowding=crowded,
        before=book.state,
        asked=asked,
        state=state,
        reasons=_reasons(readings, crowded),
        gross_exposure=sum(map(abs, crowded.weights)),
        allowed_exposure=allowed_exposure(state, rules, recovery, liquidate=liquidate),
        recovery=recovery,
        tier=tier_standing(book, tiers),
        released=released,
        is_known=bool(book.curve),
    )


def allowed_exposure(
    state: TradingState, rules: ProtectionRules, recovery: RecoveryPlan, *, liquidate: bool
) -> float:
    """Return the gross exposure positions are brought down to; infinite where they may stay.

    A halted account trades nothing: its positions stay, unless halting closes them.
    """
    if state is TradingState.HALTED:
        return 0.0 if liquidate else math.inf
    step = recovery.exposure if recovery.in_force else math.inf
    return min(rules.reducing_exposure, step) if state is TradingState.REDUCING else step


def _reasons(readings: tuple[LossReading, ...], crowded: Crowding) -> tuple[str, ...]:
    cut = ", thresholds cut because the positions count as one bet" if crowded.is_crowded else ""
    return tuple(
        f"{NAMES[each.measure]} {written(each.loss, Unit.FRACTION)}, "
        f"{each.state.value} from {written(_threshold(each), Unit.FRACTION)} on{cut}"
        for each in readings
        if each.state is not TradingState.ACTIVE
    )


def _threshold(reading: LossReading) -> float:
    is_halting = reading.state is TradingState.HALTED
    return reading.halting_at if is_halting else reading.reducing_at
