"""Prices in which there is nothing to be found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

MARKET_SHARE = 0.3
DEGREES = 5
LEVEL = 100.0
USUAL_DEVIATION = 0.015
RANGE_SHARE = 0.3
VOLUME = 1e6


def random_walk(panel: Panel, *, seed: int) -> Panel:
    """Simulate prices that know nothing of their past, of the shape of a panel.

    Log returns are symmetric, fat-tailed and without drift, share a market, and stray as much as
    those of each symbol do; so whatever a score says, the ranks of what follows do not depend on
    it. Every symbol has a bar in every session.

    Args:
        panel: T sessions x N symbols; whatever columns it has are simulated.
        seed: Of every draw.
    """
    random = np.random.default_rng(seed)
    shape = panel.close.shape
    deviations = _deviations(panel.close)
    market, own = random.standard_t(DEGREES, (shape[0], 1)), random.standard_t(DEGREES, shape)
    mixed = np.sqrt(MARKET_SHARE) * market + np.sqrt(1.0 - MARKET_SHARE) * own
    moves = deviations * mixed / np.sqrt(DEGREES / (DEGREES - 2.0))
    closes = LEVEL * np.exp(np.cumsum(moves, axis=0))
    if panel.open is None:
        return replace(panel, close=closes)
    opens = closes * np.exp(-moves * random.uniform(0.0, 1.0, shape))
    above, below = np.exp(RANGE_SHARE * deviations * np.abs(random.normal(size=(2, *shape))))
    volumes = VOLUME * np.exp(random.normal(0.0, RANGE_SHARE, shape) + np.abs(mixed) / DEGREES)
    return replace(
        panel,
        close=closes,
        open=opens,
        high=np.maximum(opens, closes) * above,
        low=np.minimum(opens, closes) / below,
        volume=None if panel.volume is None else volumes,
    )


def _deviations(closes: FloatArray) -> FloatArray:
    """Estimate how far log returns of each symbol stray; a usual value where it has too few."""
    squares = np.diff(np.log(closes), axis=0) ** 2
    counts = np.isfinite(squares).sum(axis=0)
    found = np.sqrt(np.nansum(squares, axis=0) / np.maximum(counts, 1))
    return np.where(found > 0.0, found, USUAL_DEVIATION)
