"""Bars that follow nothing, and what a person would find of them, bar by bar."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from slices.quant.panel import Panel


def walk(sessions: int, symbols: int, *, seed: int = 0, holes: float = 0.1) -> Panel:
    random = np.random.default_rng(seed)
    closes = 50.0 * np.exp(np.cumsum(random.normal(0, 0.02, (sessions, symbols)), axis=0))
    opens = closes * np.exp(random.normal(0, 0.01, closes.shape))
    wide = np.exp(np.abs(random.normal(0, 0.01, (2, *closes.shape))))
    gone = random.random(closes.shape) < holes
    prices = (
        closes,
        opens,
        np.maximum(opens, closes) * wide[0],
        np.minimum(opens, closes) / wide[1],
    )
    close, open_, high, low = (np.where(gone, np.nan, each) for each in prices)
    first = dt.date(2010, 1, 1)
    return Panel(
        symbols=tuple(f"S{i}" for i in range(symbols)),
        sessions=tuple(first + dt.timedelta(days=i) for i in range(sessions)),
        close=close,
        open=open_,
        high=high,
        low=low,
        periods_per_year=252,
    )


def first_touch(
    panel: Panel, row: int, column: int, width: tuple[float, float], *, side: int, horizon: int
) -> tuple[float, float, int]:
    """Walk bar by bar as a person would."""
    nothing = (math.nan, math.nan, -1)
    prices = [getattr(panel, name) for name in ("open", "high", "low", "close")]
    opens, highs, lows, closes = (None if each is None else each[:, column] for each in prices)
    entry = row + 1
    if entry >= closes.size or np.isnan(closes[[row, entry]]).any() or np.isnan(width).any():
        return nothing
    start = closes[entry]
    profit, stop = start * (1 + side * width[0]), start * (1 - side * width[1])
    for later in range(entry + 1, entry + horizon + 1):
        if later >= closes.size:
            return nothing
        if not np.isnan(closes[later]):
            bar = [closes[later] if each is None else each[later] for each in (highs, lows)]
            worst, best = (bar[1], bar[0]) if side > 0 else (bar[0], bar[1])
            opened = math.nan if opens is None else opens[later]
            for level, outcome, reached in (
                (stop, -1.0, side * worst <= side * stop),
                (profit, 1.0, side * best >= side * profit),
            ):
                gap = side * opened * outcome >= side * level * outcome
                against = outcome < 0 and side * opened >= side * profit
                if (reached or gap) and not against:
                    left = closes[later] if highs is None else (opened if gap else level)
                    return outcome, side * (left / start - 1), later
    last = entry + horizon
    if np.isnan(closes[last]):
        return nothing
    return 0.0, side * (closes[last] / start - 1), last
