"""The regime of a market, or why it cannot be told, as one value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import ComputationError, DataError
from slices.domain.regimes import RegimeAnalysis, RegimeFailure
from slices.market_regime.regimes import market_regime

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef

MARKET = "market"


def market_overview(bars: DatasetRef) -> RegimeAnalysis | RegimeFailure:
    """Tell the regime of the equal-weight index of all symbols, or say why it cannot be told.

    Raises:
        IntegrityError: Where the dataset's file is gone or changed.
    """
    try:
        return market_regime(bars)
    except (DataError, ComputationError) as error:
        return RegimeFailure(symbol=MARKET, reason=str(error))
