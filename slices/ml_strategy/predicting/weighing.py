"""From forecasts to weights: long only, an equal share of what is worth its costs, else cash."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.rebalancing import TargetWeights

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import Forecast, Forecasts

Weights = tuple[tuple[str, float], ...]
MOST_WEIGHT = 0.2


def trading_weights(forecasts: Forecasts, *, most_weight: float = MOST_WEIGHT) -> Weights:
    """Return what one session's forecasts ask for.

    A symbol whose return exceeds the costs of a round trip with the confidence of the decision
    gets an equal share of the account, at most the cap. One that abstains gets nothing, and what
    is left is cash. Nothing is sold short.

    Args:
        forecasts: Of one session.
        most_weight: Largest weight of a symbol, in (0, 1].

    Returns:
        Symbol and weight, in the order of the forecasts; empty where nothing is wanted.
    """
    wanted = tuple(
        each.symbol for each in forecasts.forecasts if is_wanted(each, costs=forecasts.costs)
    )
    share = min(most_weight, 1.0 / len(wanted)) if wanted else 0.0
    return tuple((symbol, share) for symbol in wanted)


def is_wanted(forecast: Forecast, *, costs: float) -> bool:
    """Tell whether a symbol's return exceeds its costs with the confidence of the decision.

    Of a prediction from the books that did not abstain it is known that its decision was sure of
    one side; it is the side its expected return is on.

    Args:
        forecast: Of the symbol.
        costs: Of a round trip, a fraction.
    """
    is_known = math.isfinite(forecast.decision_lower)
    least = forecast.decision_lower if is_known else forecast.expected_return
    return not forecast.abstains and least > costs


def standing_weights(
    history: tuple[Forecasts, ...], *, most_weight: float = MOST_WEIGHT
) -> Weights:
    """Return what all predictions ask for that have not matured.

    The account is parted into as many equal parts as the horizon has sessions. Each session's
    forecasts decide about one part, which is held until they mature and then sold or decided anew;
    the part of a session at which nothing was said is cash. Whose words they are makes no
    difference: those of a version that was replaced meanwhile stand as long.

    Args:
        history: One for each session of the horizon, oldest first.
        most_weight: Largest weight of a symbol.

    References:
        Jegadeesh, Titman (1993), Returns to Buying Winners and Selling Losers, for the parts.
    """
    weights: dict[str, float] = {}
    for each in history:
        for symbol, weight in trading_weights(each, most_weight=most_weight):
            weights[symbol] = weights.get(symbol, 0.0) + weight / len(history)
    return tuple(sorted(weights.items()))


def prediction_targets(
    bars: DatasetRef, history: tuple[Forecasts, ...], *, most_weight: float = MOST_WEIGHT
) -> TargetWeights:
    """Put what predictions ask for into the words of a rebalancing; see `standing_weights`.

    Args:
        bars: Whose symbols are weighed.
        history: Forecasts of the newest sessions, oldest first.
        most_weight: Largest weight of a symbol.
    """
    weights = dict(standing_weights(history, most_weight=most_weight))
    parts = len(history)
    return TargetWeights(
        symbols=bars.symbols,
        weights=tuple(weights.get(each, 0.0) for each in bars.symbols),
        basis=(
            f"Each of the last {parts} sessions decides about 1/{parts} of the account: an equal "
            f"share, at most {most_weight:.0%} of that part, for every symbol whose return "
            "exceeds the costs of a round trip with the confidence asked for. It is held until "
            "the prediction matures; the rest is cash."
        ),
    )
