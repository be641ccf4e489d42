"""Examples whose labels follow from their features by as much as was asked for."""

from __future__ import annotations

import datetime as dt

import numpy as np

from slices.domain.learning import LabelSettings
from slices.ml_strategy.examples import Examples

FIVE_DAYS = LabelSettings()


def planted_examples(
    sessions: int = 500,
    symbols: int = 12,
    *,
    features: int = 6,
    strength: float = 0.3,
    unknown: float = 0.02,
    seed: int = 0,
    label: LabelSettings = FIVE_DAYS,
) -> Examples:
    """The first two features push the return of the label's interval up and down."""
    random = np.random.default_rng(seed)
    known = random.normal(size=(sessions, symbols, features)).astype(np.float32)
    noise = random.normal(size=(sessions, symbols))
    drift = strength * (known[:, :, 0] - 0.5 * known[:, :, 1]) + noise
    returns = 0.02 * drift
    returns[sessions - label.reach :] = np.nan
    known[random.random(known.shape) < unknown] = np.nan
    ranks = returns.argsort(axis=1).argsort(axis=1) / (symbols - 1) - 0.5
    row = np.repeat(np.arange(sessions), symbols)
    first = dt.date(2000, 1, 3)
    return Examples(
        names=tuple(f"feature_{place}" for place in range(features)),
        symbols=tuple(f"S{place:02d}" for place in range(symbols)),
        sessions=tuple(first + dt.timedelta(days=day) for day in range(sessions)),
        row=row,
        column=np.tile(np.arange(symbols), sessions),
        features=known.reshape(-1, features),
        label=np.where(np.isfinite(returns), ranks, np.nan).ravel(),
        forward_return=returns.ravel(),
        first=row + label.entry_lag_sessions,
        last=row + label.reach,
        weight=np.ones(row.size),
        volatility=np.full(row.size, 0.02),
    )
