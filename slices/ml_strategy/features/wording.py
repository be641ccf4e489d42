"""How coefficients of features are written, and what the families are called."""

from __future__ import annotations

import math

from slices.domain.learning import FeatureFamily
from slices.domain.numbers import UNDEFINED, signed

FAMILY_NAMES = {
    FeatureFamily.MOMENTUM: "Momentum",
    FeatureFamily.REVERSAL: "Reversal",
    FeatureFamily.VOLATILITY: "Volatility",
    FeatureFamily.VOLUME: "Volume",
    FeatureFamily.CROSS_SECTION: "Across",
    FeatureFamily.CALENDAR: "Calendar",
    FeatureFamily.REGIME: "Regime",
    FeatureFamily.INTERACTION: "Interaction",
}


def coefficient(value: float, *, decimals: int = 4) -> str:
    """Write a rank correlation.

    >>> coefficient(0.01234), coefficient(math.nan)
    ('0.0123', '–')
    """
    return UNDEFINED if math.isnan(value) else signed(f"{value:.{decimals}f}")
