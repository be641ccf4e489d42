"""The weights an account is brought back to: given, or fitted to the newest returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.allocators import allocate
from slices.adaptive_portfolio.history import read_history
from slices.adaptive_portfolio.wording import label
from slices.domain.parameters import DEFAULT_BOUNDS
from slices.domain.rebalancing import TargetWeights

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import WeightBounds
    from slices.domain.portfolio import Allocator


def rebalance_targets(
    bars: DatasetRef,
    *,
    target_weights: dict[str, float] | None,
    allocator: Allocator,
    bounds: WeightBounds = DEFAULT_BOUNDS,
    lookback_sessions: int,
) -> TargetWeights:
    """Take the weights that were given, or fit some to the newest returns.

    Args:
        bars: Up to the session of the decision.
        target_weights: Fractions of equity by symbol; what is not named is to be sold.
        allocator: How weights are fitted where none are given.
        bounds: Smallest and largest fitted weight of a symbol.
        lookback_sessions: On how many returns.

    Raises:
        InsufficientHistoryError: Where there are fewer.
    """
    if target_weights is not None:
        return TargetWeights(
            symbols=bars.symbols,
            weights=tuple(target_weights.get(each, 0.0) for each in bars.symbols),
            basis="The target weights were given.",
        )
    returns = read_history(bars).newest_returns(lookback_sessions)
    return TargetWeights(
        symbols=bars.symbols,
        weights=tuple(allocate(allocator, returns, bounds=bounds).tolist()),
        basis=f"The target weights are those of {label(allocator).lower()} on the newest "
        f"{lookback_sessions:,} returns.",
    )
