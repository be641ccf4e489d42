"""The three groups features are built in: of a symbol alone, of the market, and products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.learning import FeatureFamily
from slices.ml_strategy.features.building import build_available
from slices.ml_strategy.features.catalogue import features_of

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import FeatureSetRef

TECHNICAL = (FeatureFamily.MOMENTUM, FeatureFamily.REVERSAL, FeatureFamily.VOLATILITY)
MARKET = (
    FeatureFamily.CROSS_SECTION,
    FeatureFamily.VOLUME,
    FeatureFamily.CALENDAR,
    FeatureFamily.REGIME,
)


def technical_features(bars: DatasetRef, *, families: list[FeatureFamily]) -> FeatureSetRef:
    """Build what a symbol's own prices say: momentum, reversal, volatility."""
    return _group(bars, TECHNICAL, families)


def market_features(bars: DatasetRef, *, families: list[FeatureFamily]) -> FeatureSetRef:
    """Build what volumes, the other symbols, the date and the market say."""
    return _group(bars, MARKET, families)


def interaction_features(bars: DatasetRef, *, families: list[FeatureFamily]) -> FeatureSetRef:
    """Build what ranks mean in which market."""
    return _group(bars, (FeatureFamily.INTERACTION,), families)


def _group(
    bars: DatasetRef, group: tuple[FeatureFamily, ...], families: list[FeatureFamily]
) -> FeatureSetRef:
    return build_available(bars, features_of(tuple(each for each in group if each in families)))
