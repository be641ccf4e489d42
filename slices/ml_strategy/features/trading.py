"""What opens, ranges and volumes say; close-only bars have none of these, and none are made up."""

from __future__ import annotations

import math

import polars as pl

from slices.domain.learning import FeatureFamily, FeatureNeed
from slices.ml_strategy.features.declaring import Column, Feature, Stage, positive_log, ratio

OPEN, HIGH, LOW, CLOSE, VOLUME = (pl.col(c) for c in ("open", "high", "low", "close", "volume"))
RETURN, BEFORE = pl.col("return"), CLOSE.shift(1)
AMIHUD = "Amihud (2002), Illiquidity and Stock Returns"
OVERNIGHT = "Lou, Polk, Skouras (2019), A Tug of War: Overnight versus Intraday"

TRADING_COLUMNS = (
    Column(name="overnight", stage=Stage.OWN, expression=OPEN / BEFORE - 1),
    Column(name="intraday", stage=Stage.OWN, expression=CLOSE / OPEN - 1),
    Column(
        name="squared_range", stage=Stage.OWN,
        expression=(HIGH / LOW).log().pow(2) / (4 * math.log(2)),
    ),
    Column(name="place", stage=Stage.OWN, expression=ratio(CLOSE / LOW - 1, HIGH / LOW - 1)),
    Column(
        name="true_range", stage=Stage.OWN,
        expression=pl.when(HIGH.is_not_null() & LOW.is_not_null() & BEFORE.is_not_null()).then(
            pl.max_horizontal(HIGH, BEFORE) - pl.min_horizontal(LOW, BEFORE)
        ),
    ),
    Column(name="log_volume", stage=Stage.OWN, expression=positive_log(VOLUME)),
    Column(name="dollars", stage=Stage.OWN, expression=CLOSE * VOLUME),
    Column(
        name="impact", stage=Stage.OWN,
        expression=pl.when(VOLUME > 0).then(RETURN.abs() / (CLOSE * VOLUME)),
    ),
)  # fmt: skip


def _range(
    name: str, expression: pl.Expr, title: str, formula: str, lookback: int, reference: str = "",
    *, family: FeatureFamily = FeatureFamily.VOLATILITY,
) -> Feature:  # fmt: skip
    return Feature(
        name=name, stage=Stage.OWN, family=family, need=FeatureNeed.RANGE, expression=expression,
        title=title, formula=formula, lookback_sessions=lookback, reference=reference,
    )  # fmt: skip


def _volume(
    name: str, expression: pl.Expr, title: str, formula: str, lookback: int, reference: str = "",
    *, is_scale_free: bool = True,
) -> Feature:  # fmt: skip
    return Feature(
        name=name, stage=Stage.OWN, family=FeatureFamily.VOLUME, need=FeatureNeed.VOLUME,
        expression=expression, title=title, formula=formula, lookback_sessions=lookback,
        reference=reference, is_scale_free=is_scale_free,
    )  # fmt: skip


def _parkinson(window: int) -> pl.Expr:
    return pl.col("squared_range").rolling_mean(window).clip(lower_bound=0).sqrt()


def _overnight_share() -> pl.Expr:
    night = pl.col("overnight").pow(2).rolling_sum(63)
    return ratio(night, night + pl.col("intraday").pow(2).rolling_sum(63))


def _garman_klass() -> pl.Expr:
    body = (CLOSE / OPEN).log().pow(2) * (2 * math.log(2) - 1)
    variance = ((HIGH / LOW).log().pow(2) / 2 - body).rolling_mean(63)
    return variance.clip(lower_bound=0).sqrt()


def _stochastic() -> pl.Expr:
    low, high = LOW.rolling_min(14), HIGH.rolling_max(14)
    return ratio(CLOSE / high - low / high, 1 - low / high)


RANGES = (
    _range(
        "parkinson_21", _parkinson(21),
        "Volatility from the ranges of 21 sessions", "sqrt mean log(h / l)^2 / (4 log 2)", 21,
        "Parkinson (1980), The Extreme Value Method",
    ),
    _range(
        "garman_klass_63", _garman_klass(),
        "Volatility from open, high, low and close of 63 sessions",
        "sqrt mean(log(h / l)^2 / 2 - (2 log 2 - 1) log(c / o)^2)", 63,
        "Garman, Klass (1980), On the Estimation of Security Price Volatilities",
    ),
    _range(
        "true_range_14", ratio(pl.col("true_range").rolling_mean(14), CLOSE),
        "Mean true range of 14 sessions over the close",
        "mean(max(h, c[-1]) - min(l, c[-1])) / c", 15,
    ),
    _range(
        "range_ratio_5_63",
        ratio(
            _parkinson(5),
            _parkinson(63),
        ),
        "Ranges of 5 sessions over those of 63", "parkinson_5 / parkinson_63", 63,
    ),
    _range(
        "overnight_share_63", _overnight_share(),
        "Share of nights in the squared moves of 63 sessions",
        "sum (o / c[-1] - 1)^2 / (that + sum (c / o - 1)^2)", 64,
    ),
    _range(
        "overnight_momentum_21", pl.col("overnight").rolling_sum(21),
        "Sum of 21 returns from close to open", "sum (o / c[-1] - 1)", 22, OVERNIGHT,
        family=FeatureFamily.MOMENTUM,
    ),
    _range(
        "intraday_momentum_21", pl.col("intraday").rolling_sum(21),
        "Sum of 21 returns from open to close", "sum (c / o - 1)", 21, OVERNIGHT,
        family=FeatureFamily.MOMENTUM,
    ),
    _range(
        "overnight_reversal_1", -pl.col("overnight"),
        "Return from the close before to the open, turned round", "1 - o / c[-1]", 2,
        family=FeatureFamily.REVERSAL,
    ),
    _range(
        "intraday_reversal_1", -pl.col("intraday"),
        "Return from open to close, turned round", "1 - c / o", 1, family=FeatureFamily.REVERSAL,
    ),
    _range(
        "close_place_1", pl.col("place"), "Place of the close in the session's range, 0 to 1",
        "(c - l) / (h - l)", 1, family=FeatureFamily.REVERSAL,
    ),
    _range(
        "close_place_21", pl.col("place").rolling_mean(21),
        "Mean place of 21 closes in their ranges, 0 to 1", "mean (c - l) / (h - l)", 21,
        family=FeatureFamily.MOMENTUM,
    ),
    _range(
        "stochastic_14", _stochastic(),
        "Place of the close in the range of 14 sessions, 0 to 1",
        "(c - min l) / (max h - min l)", 14, family=FeatureFamily.REVERSAL,
    ),
)  # fmt: skip

LOG_VOLUME = pl.col("log_volume")

VOLUMES = (
    _volume(
        "volume_ratio_5_63", ratio(VOLUME.rolling_mean(5), VOLUME.rolling_mean(63)),
        "Mean volume of 5 sessions over that of 63", "mean_5 v / mean_63 v", 63,
        "Gervais, Kaniel, Mingelgrin (2001), The High-Volume Return Premium",
    ),
    _volume(
        "volume_z_21",
        ratio(LOG_VOLUME - LOG_VOLUME.rolling_mean(21), LOG_VOLUME.rolling_std(21)),
        "Log volume from its mean of 21 sessions, in deviations",
        "(log v - mean log v) / dev log v", 21,
    ),
    _volume(
        "volume_volatility_63", LOG_VOLUME.rolling_std(63), "Deviation of 63 log volumes",
        "dev log v", 63, "Chordia, Subrahmanyam, Anshuman (2001), Trading Activity",
    ),
    _volume(
        "amihud_21", positive_log(pl.col("impact").rolling_mean(21)),
        "Move per unit of money traded, 21 sessions, logarithm", "log mean |r| / (c v)", 22, AMIHUD,
        is_scale_free=False,
    ),
    _volume(
        "amihud_ratio_21_252",
        pl.when(pl.col("impact").rolling_mean(252) > 0).then(
            pl.col("impact").rolling_mean(21) / pl.col("impact").rolling_mean(252)
        ),
        "Move per unit of money traded, 21 sessions over 252",
        "mean_21 |r| / (c v) / mean_252 |r| / (c v)", 253, AMIHUD,
    ),
    _volume(
        "dollar_volume_21", positive_log(pl.col("dollars").rolling_mean(21)),
        "Money traded a session, mean of 21, logarithm", "log mean c v", 21,
        "Brennan, Chordia, Subrahmanyam (1998), Alternative Factor Specifications",
        is_scale_free=False,
    ),
    _volume(
        "dollar_volume_ratio_21_252",
        ratio(pl.col("dollars").rolling_mean(21), pl.col("dollars").rolling_mean(252)),
        "Money traded, mean of 21 sessions over that of 252", "mean_21 c v / mean_252 c v", 252,
    ),
    _volume(
        "volume_return_correlation_63",
        pl.rolling_corr(RETURN, LOG_VOLUME, window_size=63, min_samples=63),
        "Correlation of returns with log volumes", "corr(r, log v)", 64,
    ),
    _volume(
        "signed_volume_21",
        ratio((RETURN.sign() * VOLUME).rolling_sum(21), VOLUME.rolling_sum(21)),
        "Volume of rising less that of falling sessions, share of all", "sum sign(r) v / sum v", 22,
        "after Granville (1963), with an end to its memory",
    ),
)  # fmt: skip
