"""How much of a size the regime of today leaves.

Regimes lie in a row from best to worst: bull, sideways and bear, each quiet before volatile, and a
crisis last. The first leaves everything, a crisis the worst factor, and those between lie in equal
steps, so that a worse regime never leaves more. Between quiet and volatile the factor is weighted
by the probability the hidden Markov model gives its turbulent state; whether the rules call the
regime quiet or volatile matters only where the model has no answer. For a sale bull and bear change
places. A regime that is not known counts as a crisis.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.numbers import written
from slices.domain.orders import Side
from slices.domain.position_sizing import RegimeScaling
from slices.domain.regimes import REGIMES, Regime, SymbolRegime
from slices.domain.report import Unit

if TYPE_CHECKING:
    from slices.domain.regimes import RegimeFailure

QUIET, VOLATILE = "quiet", "volatile"
MIRRORED = {"bull": "bear", "bear": "bull", "sideways": "sideways"}


def regime_scaling(
    found: SymbolRegime | RegimeFailure | None, *, worst: float, side: Side = Side.BUY
) -> RegimeScaling:
    """Return the factor for a symbol's regime, and how it comes about.

    Args:
        found: The regime at the session that is decided at, or why there is none.
        worst: Factor of a crisis and of what is not known, 0 to 1.
        side: Whether the position is bought or sold short.
    """
    if not isinstance(found, SymbolRegime):
        why = found.reason if found else "nobody told it"
        return RegimeScaling(
            regime="",
            volatile_probability=math.nan,
            factor=worst,
            basis=f"the regime is not known ({why}), which counts as a crisis",
        )
    probability = found.volatile_probability
    return RegimeScaling(
        regime=found.regime.value,
        volatile_probability=probability,
        factor=regime_factor(found.regime, probability, worst=worst, side=side),
        basis=_basis(found.regime, probability, worst=worst, side=side),
    )


def regime_factor(
    regime: Regime, volatile_probability: float, *, worst: float, side: Side = Side.BUY
) -> float:
    """Return the share of a size that is left in a regime.

    Args:
        regime: By rules: says the trend, and the volatility where there is no probability.
        volatile_probability: 0 to 1; NaN where it is not known.
        worst: Factor of a crisis, 0 to 1.
        side: Whether the position is bought or sold short.

    >>> regime_factor(Regime.BULL_QUIET, 0.0, worst=0.25)
    1.0
    >>> regime_factor(Regime.BULL_QUIET, 0.5, worst=0.4)
    0.95
    """
    if regime is Regime.CRISIS:
        return worst
    trend, state = _trend_and_state(regime, side)
    if math.isnan(volatile_probability):
        return _step(trend, state, worst)
    quiet, volatile = _step(trend, QUIET, worst), _step(trend, VOLATILE, worst)
    return quiet + volatile_probability * (volatile - quiet)


def _trend_and_state(regime: Regime, side: Side) -> tuple[str, str]:
    trend, _, state = regime.value.partition("_")
    return (MIRRORED[trend] if side is Side.SELL else trend), state


def _step(trend: str, state: str, worst: float) -> float:
    place = REGIMES.index(Regime(f"{trend}_{state}"))
    return 1.0 - (1.0 - worst) * place / (len(REGIMES) - 1)


def _basis(regime: Regime, probability: float, *, worst: float, side: Side) -> str:
    if regime is Regime.CRISIS:
        return "a crisis by rules, whatever the model says"
    trend, state = _trend_and_state(regime, side)
    named = f"a {regime.value.partition('_')[0]} trend"
    if side is Side.SELL:
        named += f" (for a sale the same as a {trend} trend)"
    if math.isnan(probability):
        return f"{named}, {state} by rules, as the hidden Markov model has no answer"
    calm, turbulent = (f"{_step(trend, each, worst):.4g}" for each in (QUIET, VOLATILE))
    return (
        f"{named} leaves {calm} in the calm and {turbulent} in the turbulent state of the hidden "
        f"Markov model, which gives its turbulent one {written(probability, Unit.FRACTION)}"
    )
