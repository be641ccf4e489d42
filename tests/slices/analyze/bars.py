"""Bars made by hand, and real ones changed."""

from __future__ import annotations

import dataclasses

import numpy as np

from slices.analyze.series import SERIES, SymbolBars
from tests.support.frames import sessions


def bars_of(
    close: object,
    *,
    open: object = None,
    high: object = None,
    low: object = None,
    volume: object = None,
    market: object = None,
) -> SymbolBars:
    """Bars in a row from the first session of 2024 on."""
    given = {"open": open, "high": high, "low": low, "volume": volume, "market": market}
    values = {
        name: np.asarray(each, dtype=np.float64) for name, each in given.items() if each is not None
    }
    closes = np.asarray(close, dtype=np.float64)
    return SymbolBars(
        symbol="AAA",
        sessions=tuple(sessions(closes.size)),
        close=closes,
        periods_per_year=252,
        **values,
    )


def candles(rows: list[tuple[float, float, float, float]], *, volume: float = 1e6) -> SymbolBars:
    """Full bars from rows of open, high, low and close."""
    opens, highs, lows, closes = np.array(rows, dtype=np.float64).T
    return bars_of(closes, open=opens, high=highs, low=lows, volume=np.full(closes.size, volume))


def walk(count: int = 600, *, seed: int = 1, level: float = 100.0) -> SymbolBars:
    """Full bars of a random walk."""
    random = np.random.default_rng(seed)
    closes = level * np.exp(np.cumsum(random.normal(0.0002, 0.015, count)))
    opens = closes * np.exp(random.normal(0.0, 0.006, count))
    top, bottom = np.maximum(opens, closes), np.minimum(opens, closes)
    return bars_of(
        closes,
        open=opens,
        high=top * np.exp(np.abs(random.normal(0.0, 0.004, count))),
        low=bottom * np.exp(-np.abs(random.normal(0.0, 0.004, count))),
        volume=random.uniform(1e6, 3e6, count),
        market=np.exp(np.cumsum(random.normal(0.0002, 0.01, count))),
    )


def still(count: int = 600) -> SymbolBars:
    """Full bars that never move."""
    flat = np.full(count, 5.0)
    return bars_of(flat, open=flat, high=flat, low=flat, volume=flat, market=flat)


def closes_only(bars: SymbolBars) -> SymbolBars:
    return dataclasses.replace(bars, open=None, high=None, low=None, volume=None)


def rescaled(bars: SymbolBars, factor: float) -> SymbolBars:
    """Multiply all prices."""
    prices = {name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")}
    return dataclasses.replace(bars, **prices)


def disturbed(bars: SymbolBars, start: int) -> SymbolBars:
    """Replace everything from a position on by something quite different."""
    changed = {}
    for name in SERIES:
        values = getattr(bars, name).copy()
        values[start:] = values[start:][::-1] * 1.7
        changed[name] = values
    return dataclasses.replace(bars, **changed)
