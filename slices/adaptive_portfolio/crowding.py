"""Whether the positions of an account have become one bet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import listed
from slices.domain.numbers import written
from slices.domain.protection import Crowding
from slices.domain.report import Unit
from slices.quant.contributions import effective_bets
from slices.quant.covariance import correlation, sample_covariance
from slices.quant.panel import read_panel
from slices.quant.returns import complete_rows, simple_returns

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.protection import ProtectionRules
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

FEWEST_RETURNS = 20


def position_weights(book: AccountBook) -> FloatArray:
    """Return the positions as fractions of equity, negative where sold short.

    Infinite where there are positions and no equity is left.
    """
    values = np.array([float(each.value) for each in book.positions], dtype=np.float64)
    equity = float(book.equity)
    return values / equity if equity > 0 else np.sign(values) * math.inf


def held_returns(panel: Panel, symbols: tuple[str, ...], *, lookback_sessions: int) -> FloatArray:
    """Return the newest returns of some symbols over sessions in which all of them have a bar.

    Returns:
        At most `lookback_sessions` rows, oldest first; a return may span a session in which one
        of them has no bar.
    """
    closes = panel.columns([panel.symbols.index(each) for each in symbols]).close
    shared = closes[complete_rows(closes)][-lookback_sessions - 1 :]
    return simple_returns(shared) if len(shared) > 1 else np.empty((0, len(symbols)))


def average_correlation(returns: FloatArray, weights: FloatArray) -> float:
    """Return the mean correlation of all pairs of positions, a short one turned over.

    Args:
        returns: T x N simple returns.
        weights: N, signed.

    Returns:
        NaN with fewer than two symbols, or where one never moves.

    >>> moves = np.array([[0.01, -0.01], [0.03, -0.03], [-0.02, 0.02]])
    >>> round(average_correlation(moves, np.array([0.5, -0.5])), 12)
    1.0
    """
    if weights.size < 2:
        return math.nan
    turned = np.sign(weights)
    correlations = correlation(sample_covariance(returns)) * np.outer(turned, turned)
    return float(correlations[np.triu_indices(weights.size, k=1)].mean())


def crowding(
    bars: DatasetRef, book: AccountBook, *, rules: ProtectionRules, lookback_sessions: int
) -> Crowding:
    """Measure how much of one bet the positions are.

    Args:
        bars: Must hold the symbols of the positions; what they lack is unknown, and counts as
            crowded.
        book: The account.
        rules: From which correlation, number of bets and weight on positions count as one.
        lookback_sessions: On how many of the newest returns correlations stand.
    """
    symbols = tuple(each.symbol for each in book.positions)
    weights = position_weights(book)
    largest = float(np.abs(weights).max(initial=0.0))
    returns, unknown = _known_returns(bars, symbols, lookback_sessions)
    mean, bets = math.nan, math.nan
    if symbols and not unknown:
        mean = average_correlation(returns, weights)
        bets = effective_bets(weights, sample_covariance(returns)) if largest < math.inf else 1.0
        unknown = "" if math.isfinite(bets) else "a position never moved"
    return Crowding(
        symbols=symbols,
        weights=tuple(weights.tolist()),
        average_correlation=mean,
        effective_bets=bets,
        largest_weight=largest,
        returns=len(returns),
        unknown=unknown,
        reasons=_reasons(rules, mean=mean, bets=bets, largest=largest, unknown=unknown),
    )


def _known_returns(
    bars: DatasetRef, symbols: tuple[str, ...], lookback_sessions: int
) -> tuple[FloatArray, str]:
    nothing = np.empty((0, len(symbols)))
    missing = tuple(each for each in symbols if each not in bars.symbols)
    if missing:
        return nothing, f"the bars lack {listed(missing, most=5)}"
    if not symbols:
        return nothing, ""
    returns = held_returns(read_panel(bars), symbols, lookback_sessions=lookback_sessions)
    if len(returns) < FEWEST_RETURNS:
        return returns, f"{FEWEST_RETURNS} returns in common are needed, found {len(returns)}"
    return returns, ""


def _reasons(
    rules: ProtectionRules, *, mean: float, bets: float, largest: float, unknown: str
) -> tuple[str, ...]:
    found = (
        (bool(unknown), f"how the positions move together is unknown: {unknown}"),
        (
            mean >= rules.crowded_correlation,
            f"their average correlation is {written(mean, Unit.RATIO)}, "
            f"{written(rules.crowded_correlation, Unit.RATIO)} or more",
        ),
        (
            bets < rules.fewest_bets,
            f"they are worth {written(bets, Unit.RATIO)} independent bets, "
            f"fewer than {written(rules.fewest_bets, Unit.RATIO)}",
        ),
        (
            largest > rules.largest_weight,
            f"the largest is {written(largest, Unit.FRACTION)} of equity, "
            f"more than {written(rules.largest_weight, Unit.FRACTION)}",
        ),
    )
    return tuple(reason for is_so, reason in found if is_so)
