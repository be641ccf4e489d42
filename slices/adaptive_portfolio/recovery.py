"""The way back from a drawdown: what has to be made, by which steps, and how long it may take."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.protection import RecoveryPlan, RecoveryStep

if TYPE_CHECKING:
    from slices.domain.protection import ProtectionRules
    from slices.quant.types import FloatArray

FEWEST_RETURNS = 20
CHANCES = (0.25, 0.5, 0.75)
UNKNOWN = (math.nan, math.nan, math.nan)


def required_return(drawdown: float) -> float:
    """Return what has to be made to be back at the peak.

    Args:
        drawdown: Fraction of the peak that is lost.

    Returns:
        Infinite where all is lost.

    >>> required_return(0.5), required_return(0.0)
    (1.0, 0.0)
    """
    return 1.0 / (1.0 - drawdown) - 1.0 if drawdown < 1 else math.inf


def sessions_to_regain(drawdown: float, volatility: float, chance: float) -> float:
    """Return after how many sessions the peak has been regained with a given probability.

    The first time at which a random walk without drift passes a level, taken as continuous in
    time: it needs no guess of what the account will make. Its mean is infinite, which is why
    quantiles are asked for.

    Args:
        drawdown: Fraction of the peak that is lost, below 1.
        volatility: Of log returns, per session, above 0.
        chance: Between 0 and 1.

    References:
        Karatzas, Shreve (1991), Brownian motion and stochastic calculus, section 2.6.

    >>> round(sessions_to_regain(0.1, 0.01, 0.5))
    244
    """
    level = -math.log1p(-drawdown)
    return (level / (volatility * NormalDist().inv_cdf(1.0 - chance / 2.0))) ** 2


def recovery_steps(
    rules: ProtectionRules, *, regained: float, quiet_sessions: int
) -> tuple[RecoveryStep, ...]:
    """List the steps of the way back; each asks for more than the one before.

    Step k of n takes a share of k / n of the loss, and k times `rules.recovery_sessions` sessions
    without a new low, counted from 0: the first is open at once, none opens the last but all.
    """
    count = len(rules.recovery_exposures)
    return tuple(
        RecoveryStep(
            exposure=exposure,
            regained=place / count,
            quiet_sessions=place * rules.recovery_sessions,
            is_reached=regained >= place / count
            and quiet_sessions >= place * rules.recovery_sessions,
        )
        for place, exposure in enumerate(rules.recovery_exposures)
    )


def recovery_plan(
    values: FloatArray, *, rules: ProtectionRules, is_released: bool, is_invested: bool
) -> RecoveryPlan:
    """Plan the way back to the peak.

    Args:
        values: Account values after every session, at least one.
        rules: Steps, and from which loss on they are asked for.
        is_released: Whether a person has released the account after a halt.
        is_invested: Whether anything is held that could regain something.
    """
    top = int(values.size - 1 - values[::-1].argmax())
    low = top + int(values.size - 1 - top - values[top:][::-1].argmin())
    peak, trough, equity = float(values[top]), float(values[low]), float(values[-1])
    regained = (equity - trough) / (peak - trough) if peak > trough else 1.0
    quiet = values.size - 1 - low
    steps = recovery_steps(rules, regained=regained, quiet_sessions=quiet)
    drawdown = _lost(peak, equity)
    was_deep = _lost(peak, trough) >= rules.reducing_drawdown
    likely, volatility, unknown = _time(values, drawdown, is_invested=is_invested)
    return RecoveryPlan(
        peak=peak,
        trough=trough,
        equity=equity,
        drawdown=drawdown,
        required_return=required_return(drawdown),
        regained=regained,
        quiet_sessions=quiet,
        steps=steps,
        in_force=is_released and was_deep and equity < peak,
        exposure=max(each.exposure for each in steps if each.is_reached),
        volatility=volatility,
        likely_sessions=likely,
        unknown=unknown,
    )


def _lost(peak: float, value: float) -> float:
    return min(1.0, max(0.0, 1.0 - value / peak)) if peak > 0 else 1.0


def _time(
    values: FloatArray, drawdown: float, *, is_invested: bool
) -> tuple[tuple[float, float, float], float, str]:
    """Return likely sessions, the volatility they stand on, and why they are unknown."""
    if drawdown == 0:
        return (0.0, 0.0, 0.0), math.nan, ""
    returns = np.diff(np.log(values)) if (values > 0).all() else np.empty(0)
    if drawdown >= 1 or (values <= 0).any():
        return UNKNOWN, math.nan, "nothing is left"
    if returns.size < FEWEST_RETURNS:
        found = f"{FEWEST_RETURNS} returns of the account are needed, there are {returns.size}"
        return UNKNOWN, math.nan, found
    volatility = float(returns.std(ddof=1))
    if not is_invested:
        return UNKNOWN, volatility, "nothing is held, so nothing is regained"
    if volatility == 0:
        return UNKNOWN, volatility, "the account has never moved"
    early, middle, late = (sessions_to_regain(drawdown, volatility, each) for each in CHANCES)
    return (early, middle, late), volatility, ""
