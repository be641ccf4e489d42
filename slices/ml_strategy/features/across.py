"""Where a symbol stands among the others, and what that means in which market."""

from __future__ import annotations

import polars as pl

from slices.domain.learning import FeatureFamily, FeatureNeed
from slices.ml_strategy.features.declaring import Feature, Stage, rank
from slices.ml_strategy.features.market import REGIME, RELATIVE
from slices.ml_strategy.features.prices import MOMENTUM, REVERSAL
from slices.ml_strategy.features.risks import VOLATILITY
from slices.ml_strategy.features.trading import VOLUMES

_RANKABLE = {
    each.name: each for each in (*MOMENTUM, *REVERSAL, *VOLATILITY, *VOLUMES, *RELATIVE)
}  # fmt: skip


def _ranked(name: str) -> Feature:
    of = _RANKABLE[name]
    return Feature(
        name=f"rank_{name}", stage=Stage.ACROSS, family=FeatureFamily.CROSS_SECTION,
        expression=rank(pl.col(name)), title=f"Rank among the symbols, -0.5 to 0.5: {of.title}",
        formula=f"rank over symbols of {name}", lookback_sessions=of.lookback_sessions,
        need=of.need, reference=of.reference,
    )  # fmt: skip


RANKS = tuple(
    _ranked(name)
    for name in (
        "momentum_21", "momentum_63", "momentum_252_21", "high_nearness_252", "reversal_1",
        "reversal_5", "z_score_20", "volatility_21", "volatility_252", "skewness_63",
        "largest_gain_21", "beta_252",
        "volume_ratio_5_63", "amihud_21", "dollar_volume_21",
    )
)  # fmt: skip

_MULTIPLIABLE = {each.name: each for each in (*RANKS, *REGIME)}


def _product(name: str, first: str, second: str, title: str, *, centre: float = 0.0) -> Feature:
    one, other = _MULTIPLIABLE[first], _MULTIPLIABLE[second]
    needs = {one.need, other.need}
    return Feature(
        name=name, stage=Stage.ROW, family=FeatureFamily.INTERACTION,
        expression=pl.col(first) * (pl.col(second) - centre), title=title,
        formula=f"{first} * ({second} - {centre:g})" if centre else f"{first} * {second}",
        lookback_sessions=max(one.lookback_sessions, other.lookback_sessions),
        need=FeatureNeed.VOLUME if FeatureNeed.VOLUME in needs else FeatureNeed.CLOSE,
    )  # fmt: skip


INTERACTIONS = (
    _product(
        "momentum_252_21_x_restless", "rank_momentum_252_21", "market_volatility_ratio_21_252",
        "Momentum where the market is restless", centre=1.0,
    ),
    _product(
        "momentum_252_21_x_drawdown", "rank_momentum_252_21", "market_drawdown_252",
        "Momentum where the market has fallen",
    ),
    _product(
        "momentum_63_x_breadth", "rank_momentum_63", "breadth_200",
        "Momentum where most symbols rise", centre=0.5,
    ),
    _product(
        "reversal_5_x_restless", "rank_reversal_5", "market_volatility_ratio_21_252",
        "Reversal where the market is restless", centre=1.0,
    ),
    _product(
        "reversal_1_x_dispersion", "rank_reversal_1", "dispersion_21",
        "Reversal where symbols go different ways",
    ),
    _product(
        "beta_252_x_market_21", "rank_beta_252", "market_momentum_21",
        "Beta where the market has risen",
    ),
    _product(
        "volatility_21_x_market_252", "rank_volatility_21", "market_momentum_252",
        "Volatility where the market has risen",
    ),
    _product(
        "momentum_252_21_x_unrest", "rank_momentum_252_21", "rank_volatility_21",
        "Momentum of the restless",
    ),
    _product(
        "reversal_5_x_volume_5_63", "rank_reversal_5", "rank_volume_ratio_5_63",
        "Reversal on much trading",
    ),
)  # fmt: skip
