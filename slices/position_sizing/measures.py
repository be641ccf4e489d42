"""What a size stands on: a symbol's price, volatility, range and volume at the newest session."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, InsufficientHistoryError
from slices.domain.position_sizing import TailLoss
from slices.position_sizing.advice import average_range
from slices.quant.metrics.tails import expected_shortfall, value_at_risk
from slices.quant.returns import simple_returns
from slices.quant.rolling import rolling_deviation
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from slices.quant.panel import Panel

VOLUME_SESSIONS = 21
FEWEST_SCENARIOS = 60


@dataclass(frozen=True, kw_only=True)
class Measures:
    """One symbol at the newest session.

    Attributes:
        price: The close.
        volatility_percentile: Share of earlier volatilities that were lower; NaN without any.
        average_range: As a fraction of the price.
        average_volume: Shares per session over 21 sessions; NaN where the data has no volume.
    """

    symbol: str
    price: float
    annualized_volatility: float
    volatility_percentile: float
    average_range: float
    average_volume: float


def measures(panel: Panel, symbol: str, *, volatility_sessions: int) -> Measures:
    """Measure a symbol by its own bars up to the newest session of the panel.

    Args:
        panel: The bars.
        symbol: One of its symbols.
        volatility_sessions: Returns the volatility is measured over.

    Raises:
        InsufficientHistoryError: With fewer bars than that takes.
        BadDataError: Where the symbol has no bar at the newest session, or its price stands still.
    """
    place = panel.symbols.index(symbol)
    rows = np.flatnonzero(np.isfinite(panel.close[:, place]))
    if rows.size <= volatility_sessions:
        raise InsufficientHistoryError(
            symbol=symbol, needed=volatility_sessions + 1, found=rows.size
        )
    if rows[-1] != len(panel.sessions) - 1:
        raise BadDataError(
            dataset=symbol,
            problem=f"its newest bar is of {panel.sessions[rows[-1]]}, and the size would be for "
            f"{panel.sessions[-1]}",
        )
    close = np.ascontiguousarray(panel.close[rows, place])
    highs, lows, volumes = (
        None if values is None else np.ascontiguousarray(values[rows, place])
        for values in (panel.high, panel.low, panel.volume)
    )
    deviations = rolling_deviation(simple_returns(close), volatility_sessions, 1)
    history = deviations[volatility_sessions - 1 :]
    distance = average_range(close, highs, lows)
    if not (history[-1] > 0 and distance > 0):
        raise BadDataError(dataset=symbol, problem="its price does not move: no risk can be sized")
    earlier = history[:-1]
    return Measures(
        symbol=symbol,
        price=float(close[-1]),
        annualized_volatility=float(history[-1]) * math.sqrt(panel.periods_per_year),
        volatility_percentile=float((earlier < history[-1]).mean()) if earlier.size else math.nan,
        average_range=distance,
        average_volume=math.nan if volumes is None else float(volumes[-VOLUME_SESSIONS:].mean()),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Scenarios:
    """Past sessions, as they would hit the account today.

    Attributes:
        session: The newest of the panel, at which the account is looked at.
        own: S returns of the symbol.
        others: S returns of the account's other positions, as fractions of equity.
        current: S of all its positions as they are; both count orders that wait as filled.
    """

    session: dt.date
    own: FloatArray
    others: FloatArray
    current: FloatArray


def scenarios(
    panel: Panel, symbol: str, weights: tuple[tuple[str, float], ...], *, sessions: int
) -> Scenarios:
    """Apply today's weights to the newest sessions at which everything held has a return.

    Args:
        panel: The bars.
        symbol: The symbol that is sized.
        weights: Signed fraction of equity of every position.
        sessions: How many of the newest to take.

    Raises:
        InsufficientHistoryError: Where fewer than 60 sessions have a return of all.
    """
    others = tuple((name, weight) for name, weight in weights if name != symbol)
    places = [panel.symbols.index(name) for name in (symbol, *(name for name, _ in others))]
    returns = simple_returns(panel.close[:, places])
    usable = returns[np.isfinite(returns).all(axis=1)][-sessions:]
    if usable.shape[0] < FEWEST_SCENARIOS:
        raise InsufficientHistoryError(
            symbol=f"{symbol} with all that is held",
            needed=FEWEST_SCENARIOS + 1,
            found=usable.shape[0] + 1,
        )
    held = usable[:, 1:] @ np.array([weight for _, weight in others], dtype=np.float64)
    own = np.ascontiguousarray(usable[:, 0])
    return Scenarios(
        session=panel.sessions[-1],
        own=own,
        others=held,
        current=held + dict(weights).get(symbol, 0.0) * own,
    )


def tail_loss(returns: FloatArray, *, confidence: float) -> TailLoss:
    """Measure what a bad session costs, by history."""
    return TailLoss(
        value_at_risk=value_at_risk(returns, confidence=confidence),
        expected_shortfall=expected_shortfall(returns, confidence=confidence),
    )
