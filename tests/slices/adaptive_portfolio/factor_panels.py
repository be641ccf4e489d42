"""Panels the factor portfolios are tested on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slices.quant.panel import Panel
from tests.slices.quant.market import factor_returns, us_closes
from tests.support.frames import sessions


def made_panel(closes: np.ndarray, symbols: tuple[str, ...] = ()) -> Panel:
    """Set closes under exchange sessions; columns are A, B, C and so on."""
    count = closes.shape[1]
    return Panel(
        symbols=symbols or tuple(chr(ord("A") + at) for at in range(count)),
        sessions=tuple(sessions(closes.shape[0])),
        close=np.asarray(closes, dtype=np.float64),
        periods_per_year=252,
    )


def factor_panel(days: int = 700, symbols: int = 8, *, seed: int = 3) -> Panel:
    """Prices of a factor market."""
    returns = factor_returns(days, symbols, seed=seed)
    return made_panel(100.0 * np.cumprod(1.0 + returns, axis=0))


def us_panel(days: int = 1200, symbols: int = 20) -> Panel:
    """The newest sessions of the first real names."""
    dates, names, closes = us_closes()
    return Panel(
        symbols=names[:symbols],
        sessions=dates[-days:],
        close=closes[-days:, :symbols].copy(),
        periods_per_year=252,
    )


def with_gaps(panel: Panel) -> Panel:
    """List the second symbol late, end the third early and give the fourth a hole."""
    closes = panel.close.copy()
    closes[:150, 1] = np.nan
    closes[-40:, 2] = np.nan
    closes[300, 3] = np.nan
    return replace(panel, close=closes)


def another_future(panel: Panel, known: int, *, seed: int = 1) -> Panel:
    """Keep the first sessions and multiply every later price by noise."""
    noise = np.random.default_rng(seed).lognormal(0.0, 0.3, panel.close.shape)
    noise[:known] = 1.0
    return replace(panel, close=panel.close * noise)
