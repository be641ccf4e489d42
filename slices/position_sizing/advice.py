"""Sizes for holding symbols: the smallest of what several rules allow, with the one that bound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import written
from slices.domain.report import Unit
from slices.domain.sizing import DEFAULT_SIZING, SizeAdvice, SizeFailure, SizingRules
from slices.quant.metrics.dispersion import annualized_volatility
from slices.quant.panel import read_panel
from slices.quant.returns import simple_returns
from slices.quant.sizing import risk_weight, shrunk_kelly_weight, volatility_target_weight

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

RANGE_SESSIONS = 14
VOLATILITY_SESSIONS = 63
KELLY_SESSIONS = 756
NEEDED_BARS = VOLATILITY_SESSIONS + 1
VOLATILITY_RULE = "volatility target"
RISK_RULE = "risk per trade"
KELLY_RULE = "shrunk Kelly"
LARGEST_RULE = "largest weight"


def size_advice(
    bars: DatasetRef,
    symbols: tuple[str, ...],
    *,
    capital: float = 100_000.0,
    sizing: SizingRules = DEFAULT_SIZING,
) -> tuple[SizeAdvice | SizeFailure, ...]:
    """Size a long position in each symbol as of its newest bar.

    Args:
        bars: The data.
        symbols: Which of its symbols.
        capital: Account value in account currency.
        sizing: What a position may risk.

    Returns:
        One answer per symbol, in this order: volatility over the newest 63 returns, average true
        range over 14 sessions, the growth-optimal rule over the newest 756 returns of holding.
    """
    panel = read_panel(bars)
    return tuple(_advised(panel, each, capital=capital, sizing=sizing) for each in symbols)


def average_range(close: FloatArray, high: FloatArray | None, low: FloatArray | None) -> float:
    """Return the newest average true range as a fraction of the close (Wilder, 14 sessions).

    Without highs and lows, the mean absolute change of the close over as many sessions.

    Args:
        close: T closes without NaN, more than 14; likewise high and low, where there are any.
        high: Highs.
        low: Lows.
    """
    if high is None or low is None:
        changes = np.abs(np.diff(close))[-RANGE_SESSIONS:]
        return float(changes.mean() / close[-1])
    from talib import ATR

    return float(ATR(high, low, close, timeperiod=RANGE_SESSIONS)[-1] / close[-1])


def _advised(
    panel: Panel, symbol: str, *, capital: float, sizing: SizingRules
) -> SizeAdvice | SizeFailure:
    place = panel.symbols.index(symbol)
    has_bar = np.isfinite(panel.close[:, place])
    close = panel.close[has_bar, place]
    if close.size < NEEDED_BARS:
        return SizeFailure(symbol=symbol, reason=f"needs {NEEDED_BARS} bars, found {close.size}")
    returns = simple_returns(close)
    volatility = annualized_volatility(
        returns[-VOLATILITY_SESSIONS:], periods_per_year=panel.periods_per_year
    )
    high = None if panel.high is None else np.ascontiguousarray(panel.high[has_bar, place])
    low = None if panel.low is None else np.ascontiguousarray(panel.low[has_bar, place])
    distance = average_range(np.ascontiguousarray(close), high, low)
    if not (volatility > 0 and distance > 0):
        return SizeFailure(symbol=symbol, reason="its price does not move, so no risk can be sized")
    allowed = _allowed(returns, volatility, distance, sizing)
    bound_by = min(allowed, key=lambda rule: allowed[rule])
    weight = allowed[bound_by]
    last = float(close[-1])
    quantity = math.floor(capital * weight / last)
    return SizeAdvice(
        symbol=symbol,
        session=panel.sessions[int(np.flatnonzero(has_bar)[-1])],
        close=last,
        annualized_volatility=volatility,
        average_range=distance,
        volatility_weight=allowed[VOLATILITY_RULE],
        risk_weight=allowed[RISK_RULE],
        kelly_weight=allowed[KELLY_RULE],
        weight=weight,
        bound_by=bound_by,
        quantity=quantity,
        notional=quantity * last,
        stop_price=max(0.0, last * (1.0 - sizing.stop_multiple * distance)),
        explanation=_explained(bound_by, weight, allowed),
    )


def _allowed(
    returns: FloatArray, volatility: float, distance: float, sizing: SizingRules
) -> dict[str, float]:
    return {
        VOLATILITY_RULE: volatility_target_weight(volatility, target=sizing.target_volatility),
        RISK_RULE: risk_weight(min(1.0, sizing.stop_multiple * distance), risk=sizing.risk),
        KELLY_RULE: shrunk_kelly_weight(returns[-KELLY_SESSIONS:], fraction=sizing.kelly),
        LARGEST_RULE: sizing.largest,
    }


def _explained(bound_by: str, weight: float, allowed: dict[str, float]) -> str:
    others = ", ".join(
        f"{rule} allows {written(value, Unit.FRACTION)}"
        for rule, value in allowed.items()
        if rule != bound_by
    )
    return f"{bound_by} binds at {written(weight, Unit.FRACTION)}; {others}"
