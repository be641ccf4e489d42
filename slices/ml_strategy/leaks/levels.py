"""Features that read the future from the level of adjusted prices.

Splits and dividends adjust every price before them: a low price of long ago says that splits
followed. So a feature may not change where all prices of a symbol are divided by one number and its
volumes multiplied by it, as a later split does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from slices.ml_strategy.leaks.finding import FeatureLeak
from slices.ml_strategy.leaks.probing import differing, probed_features

if TYPE_CHECKING:
    from slices.ml_strategy.leaks.probing import Build
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

LARGEST_POWER = 3
"""Prices are scaled by powers of two from 1/8 to 8, which is exact."""


def level_leaks(build: Build, panel: Panel, *, seed: int = 0) -> tuple[FeatureLeak, ...]:
    """Find the features that change where prices are adjusted for a later split.

    Args:
        build: From a panel to its features.
        panel: T sessions x N symbols.
        seed: Of the splits.
    """
    plain = probed_features(build, panel)
    other = probed_features(build, split_later(panel, seed=seed))
    differs = differing(plain.values, other.values)
    found = []
    for place in np.flatnonzero(differs.any(axis=(0, 1))).tolist():
        row = int(differs[:, :, place].any(axis=1).argmax())
        symbol = panel.symbols[int(differs[row, :, place].argmax())]
        found.append(
            FeatureLeak(
                name=plain.names[place],
                session=panel.sessions[row],
                symbol=symbol,
                detail=f"its value for {symbol} on {panel.sessions[row]} changed when prices were "
                "adjusted for a split that came later",
            )
        )
    return tuple(found)


def split_later(panel: Panel, *, seed: int) -> Panel:
    """Adjust all bars of a panel for splits after its end, another one for each symbol."""
    random = np.random.default_rng(seed)
    powers = 1 + random.permutation(len(panel.symbols)) % LARGEST_POWER
    factors = 2.0 ** np.where(random.random(powers.size) < 0.5, powers, -powers)

    def divided(values: FloatArray | None) -> FloatArray | None:
        return None if values is None else values / factors

    return replace(
        panel,
        close=panel.close / factors,
        open=divided(panel.open),
        high=divided(panel.high),
        low=divided(panel.low),
        volume=None if panel.volume is None else panel.volume * factors,
    )
