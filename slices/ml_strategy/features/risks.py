"""Volatility: how much a symbol's own closes move, and in what shape."""

from __future__ import annotations

import polars as pl

from slices.domain.learning import FeatureFamily
from slices.ml_strategy.features.declaring import Column, Feature, Stage, ratio

CLOSE = pl.col("close")
RETURN = pl.col("return")
LOSS = RETURN.clip(upper_bound=0)

RISK_COLUMNS = (
    Column(name="drawdown", stage=Stage.OWN, expression=CLOSE / CLOSE.rolling_max(126) - 1),
)


def _risk(
    name: str, expression: pl.Expr, title: str, formula: str, lookback: int, reference: str = ""
) -> Feature:
    return Feature(
        name=name, stage=Stage.OWN, family=FeatureFamily.VOLATILITY, expression=expression,
        title=title, formula=formula, lookback_sessions=lookback, reference=reference,
    )  # fmt: skip


def _volatility(window: int) -> Feature:
    return _risk(
        f"volatility_{window}", RETURN.rolling_std(window),
        f"Deviation of {window} returns, per session", "dev r", window + 1,
    )  # fmt: skip


def _volatility_ratio(short: int, long: int) -> Feature:
    return _risk(
        f"volatility_ratio_{short}_{long}",
        ratio(RETURN.rolling_std(short), RETURN.rolling_std(long)),
        f"Deviation of {short} returns over that of {long}", f"dev_{short} r / dev_{long} r",
        long + 1,
    )  # fmt: skip


def _skewness(window: int) -> Feature:
    return _risk(
        f"skewness_{window}", _where_moving(window, RETURN.rolling_skew(window, bias=False)),
        f"Skewness of {window} returns", "third standardised moment of r, unbiased", window + 1,
        "Amaya, Christoffersen, Jacobs, Vasquez (2015), Does Realized Skewness Predict?",
    )  # fmt: skip


def _where_moving(window: int, values: pl.Expr) -> pl.Expr:
    return pl.when(RETURN.rolling_std(window) > 1e-9).then(values)


VOLATILITY = (
    *(_volatility(window) for window in (5, 21, 63, 252)),
    _volatility_ratio(5, 63),
    _volatility_ratio(21, 252),
    _risk(
        "downside_volatility_63", LOSS.pow(2).rolling_mean(63).clip(lower_bound=0).sqrt(),
        "Root mean square of 63 returns, gains counted as 0", "sqrt mean min(r, 0)^2", 64,
    ),
    _risk(
        "downside_share_126",
        pl.when(RETURN.rolling_std(126) > 1e-9).then(
            LOSS.pow(2).rolling_sum(126) / RETURN.pow(2).rolling_sum(126)
        ),
        "Share of losses in the squared returns of 126 sessions", "sum min(r, 0)^2 / sum r^2", 127,
    ),
    _skewness(63),
    _skewness(252),
    _risk(
        "kurtosis_126", _where_moving(126, RETURN.rolling_kurtosis(126, bias=False)),
        "Excess kurtosis of 126 returns", "fourth standardised moment of r, less 3, unbiased", 127,
    ),
    _risk(
        "volatility_of_volatility_126",
        ratio(
            RETURN.rolling_std(21).rolling_std(126), RETURN.rolling_std(21).rolling_mean(126)
        ),
        "Deviation over mean of the volatility of 21 sessions",
        "dev_126(dev_21 r) / mean_126(dev_21 r)", 147,
    ),
    _risk(
        "deepest_drawdown_126", -pl.col("drawdown").rolling_min(126),
        "Deepest drawdown of 126 sessions, each from its highest close of 126",
        "max(1 - c / max c)", 251,
    ),
    _risk(
        "largest_gain_21", RETURN.rolling_max(21), "Largest of 21 returns", "max r", 22,
        "Bali, Cakici, Whitelaw (2011), Maxing Out",
    ),
    _risk("largest_loss_21", -RETURN.rolling_min(21), "Largest loss of 21 returns", "-min r", 22),
    _risk(
        "tail_loss_252",
        -RETURN.rolling_quantile(0.05, window_size=252, interpolation="linear"),
        "Loss that one in 20 of 252 returns exceeds", "-quantile_0.05 r", 253,
    ),
    _risk(
        "jump_share_63",
        ratio(RETURN.abs().rolling_max(63), RETURN.abs().rolling_sum(63)),
        "Largest move over the sum of moves of 63 sessions", "max |r| / sum |r|", 64,
    ),
)  # fmt: skip
