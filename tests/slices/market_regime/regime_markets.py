"""Markets the regime tests stand on: twenty real names, and returns with planted states."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from slices.market_regime.series import ReturnSeries, index_series
from slices.quant.panel import Panel
from tests.slices.quant.market import us_closes


def us_panel(*, start: int = 0, stop: int | None = None, symbols: int = 20) -> Panel:
    """Some of the 20 US names as a panel, close-only."""
    dates, names, closes = us_closes()
    return Panel(
        symbols=names[:symbols],
        sessions=dates[start:stop],
        close=closes[start:stop, :symbols].copy(),
        periods_per_year=252,
    )


@lru_cache(maxsize=1)
def us_index() -> ReturnSeries:
    """The equal-weight index of the 20 names, 1990 to 2022."""
    return index_series(us_panel())


def panel_of(closes: np.ndarray, *names: str) -> Panel:
    """Wrap closes of any number of symbols; names default to letters."""
    wide = closes.reshape(len(closes), -1)
    return Panel(
        symbols=names or tuple("ABCDEFGH"[: wide.shape[1]]),
        sessions=us_closes()[0][: len(wide)],
        close=wide,
        periods_per_year=252,
    )


PLANTED = np.array([[0.99, 0.01], [0.03, 0.97]])
DEVIATIONS = np.array([0.006, 0.02])
MEANS = np.array([0.0008, -0.0012])


def planted_returns(sessions: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Log returns of a quiet and a volatile state, and the state of each."""
    random = np.random.default_rng(seed)
    states = np.zeros(sessions, dtype=np.int64)
    for t in range(1, sessions):
        states[t] = random.random() < PLANTED[states[t - 1], 1]
    return MEANS[states] + DEVIATIONS[states] * random.standard_normal(sessions), states
