"""What all symbols say together: the state of the market, and a symbol's own part beside it.

The market is the mean over the symbols at hand, equally weighted; with fewer than two symbols there
is none, and nothing here is known.
"""

from __future__ import annotations

import polars as pl

from slices.domain.learning import FeatureFamily
from slices.ml_strategy.features.declaring import Column, Feature, Stage, ratio

RETURN = pl.col("return")
MARKET = pl.col("market_return")
DEVIATION = pl.col("volatility_63")


def _pooled(name: str, of: pl.Expr, value: pl.Expr) -> Column:
    """Declare what symbols make together where at least two are known."""
    return Column(name=name, stage=Stage.POOL, expression=pl.when(of.count() > 1).then(value))


def _share(condition: pl.Expr) -> pl.Expr:
    return condition.cast(pl.Float64).mean()


MARKET_COLUMNS = (
    _pooled("market_return", RETURN, RETURN.mean()),
    _pooled("dispersion", pl.col("momentum_21"), pl.col("momentum_21").std()),
    _pooled("above_average", pl.col("average_gap_200"), _share(pl.col("average_gap_200") > 0)),
    _pooled("deviations", DEVIATION, DEVIATION.sum()),
    _pooled("variances", DEVIATION, DEVIATION.pow(2).sum()),
    _pooled("deviation_count", DEVIATION, DEVIATION.count().cast(pl.Float64)),
    Column(
        name="market_level", stage=Stage.SESSION, expression=(1 + MARKET).log().cum_sum().exp()
    ),
    Column(
        name="market_deviation_63", stage=Stage.SESSION, expression=MARKET.rolling_std(63)
    ),
)  # fmt: skip


def _regime(
    name: str, expression: pl.Expr, title: str, formula: str, lookback: int, reference: str = ""
) -> Feature:
    return Feature(
        name=name, stage=Stage.SESSION, family=FeatureFamily.REGIME, expression=expression,
        title=title, formula=formula, lookback_sessions=lookback, reference=reference,
    )  # fmt: skip


def _market_momentum(window: int) -> Feature:
    return _regime(
        f"market_momentum_{window}", (1 + MARKET).log().rolling_sum(window).exp() - 1,
        f"Return of the market over {window} sessions", "product (1 + m) - 1", window + 1,
        "Cooper, Gutierrez, Hameed (2004), Market States and Momentum",
    )  # fmt: skip


def _average_correlation() -> pl.Expr:
    """Solve the variance of the equally weighted market for the correlation of its members."""
    count, variances = pl.col("deviation_count"), pl.col("variances")
    shared = (count * pl.col("market_deviation_63")).pow(2) - variances
    largest = pl.col("deviations").pow(2) - variances
    return pl.when(largest > 1e-18).then(shared / largest)


REGIME = (
    _market_momentum(21),
    _market_momentum(252),
    _regime(
        "market_volatility_21", MARKET.rolling_std(21),
        "Deviation of 21 returns of the market, per session", "dev m", 22,
    ),
    _regime(
        "market_volatility_ratio_21_252", ratio(MARKET.rolling_std(21), MARKET.rolling_std(252)),
        "Volatility of the market over 21 sessions against 252", "dev_21 m / dev_252 m", 253,
    ),
    _regime(
        "market_drawdown_252", 1 - pl.col("market_level") / pl.col("market_level").rolling_max(252),
        "Drawdown of the market from its highest of 252 sessions",
        "1 - level / max level of product (1 + m)", 253,
    ),
    _regime(
        "breadth_200", pl.col("above_average"),
        "Share of symbols above their mean close of 200 sessions",
        "mean over symbols [c > mean_200 c]", 200,
    ),
    _regime(
        "dispersion_21", pl.col("dispersion"),
        "Deviation over symbols of the return over 21 sessions",
        "dev over symbols of c / c[-21] - 1", 22,
        "Stivers, Sun (2010), Cross-Sectional Return Dispersion",
    ),
    _regime(
        "average_correlation_63", _average_correlation(),
        "Average correlation that explains the market's volatility over 63 sessions",
        "((n dev m)^2 - sum dev^2) / ((sum dev)^2 - sum dev^2)", 64,
        "Pollet, Wilson (2010), Average Correlation and Stock Market Returns",
    ),
)  # fmt: skip


BETA = pl.col("beta_252")
RELATIVE_COLUMNS = (
    Column(
        name="shared_126", stage=Stage.RELATIVE,
        expression=pl.rolling_corr(RETURN, MARKET, window_size=126, min_samples=126),
    ),
)  # fmt: skip


def _relative(
    name: str, expression: pl.Expr, title: str, formula: str, lookback: int, reference: str = ""
) -> Feature:
    return Feature(
        name=name, stage=Stage.RELATIVE, family=FeatureFamily.CROSS_SECTION, expression=expression,
        title=title, formula=formula, lookback_sessions=lookback, reference=reference,
    )  # fmt: skip


def _beta() -> pl.Expr:
    together = pl.rolling_cov(RETURN, MARKET, window_size=252, min_samples=252)
    return pl.when(MARKET.rolling_var(252) > 1e-18).then(together / MARKET.rolling_var(252))


def _residual_sum(skip: int, window: int) -> pl.Expr:
    own = RETURN.shift(skip).rolling_sum(window)
    return own - BETA * MARKET.shift(skip).rolling_sum(window)


RELATIVE = (
    _relative(
        "beta_252", _beta(), "Slope of 252 returns on the market's", "cov(r, m) / var m", 253,
        "Frazzini, Pedersen (2014), Betting Against Beta",
    ),
    _relative(
        "own_volatility_126",
        RETURN.rolling_std(126) * (1 - pl.col("shared_126").pow(2)).clip(lower_bound=0).sqrt(),
        "Deviation of 126 returns that the market does not explain",
        "dev r sqrt(1 - corr(r, m)^2)", 127,
        "Ang, Hodrick, Xing, Zhang (2006), The Cross-Section of Volatility",
    ),
    _relative(
        "residual_reversal_5", -_residual_sum(0, 5),
        "Returns of 5 sessions beyond beta times the market's, turned round",
        "beta_252 sum m - sum r", 253, "Blitz, Huij, Lansdorp, Verbeek (2013)",
    ),
    _relative(
        "residual_momentum_252_21",
        ratio(_residual_sum(21, 231), RETURN.rolling_std(252) * 231**0.5),
        "Returns from 252 to 21 sessions before, beyond beta times the market's, in deviations",
        "(sum r - beta_252 sum m) / (dev_252 r sqrt 231)", 253,
        "Blitz, Huij, Martens (2011), Residual Momentum",
    ),
)  # fmt: skip
