"""Momentum and reversal: where a symbol's own closes have been going."""

from __future__ import annotations

import polars as pl

from slices.domain.errors import counted
from slices.domain.learning import FeatureFamily
from slices.ml_strategy.features.declaring import Column, Feature, Stage, ratio

CLOSE = pl.col("close")
RETURN = pl.col("return")
JEGADEESH = "Jegadeesh, Titman (1993), Returns to Buying Winners and Selling Losers"
SHORT_REVERSAL = "Jegadeesh (1990), Evidence of Predictable Behavior of Security Returns"
TINY_VARIANCE = 1e-18

PRICE_COLUMNS = (
    Column(name="return", stage=Stage.OWN, expression=CLOSE / CLOSE.shift(1) - 1),
    Column(name="log_close", stage=Stage.OWN, expression=CLOSE.log()),
)


def _momentum(
    name: str, expression: pl.Expr, title: str, formula: str, lookback: int, reference: str = ""
) -> Feature:
    return Feature(
        name=name, stage=Stage.OWN, family=FeatureFamily.MOMENTUM, expression=expression,
        title=title, formula=formula, lookback_sessions=lookback, reference=reference,
    )  # fmt: skip


def _reversal(
    name: str, expression: pl.Expr, title: str, formula: str, lookback: int, reference: str = ""
) -> Feature:
    return Feature(
        name=name, stage=Stage.OWN, family=FeatureFamily.REVERSAL, expression=expression,
        title=title, formula=formula, lookback_sessions=lookback, reference=reference,
    )  # fmt: skip


def _change(window: int) -> pl.Expr:
    return CLOSE / CLOSE.shift(window) - 1


def _momentum_over(window: int) -> Feature:
    return _momentum(
        f"momentum_{window}", _change(window), f"Return over {window} sessions",
        f"c / c[-{window}] - 1", window + 1, JEGADEESH,
    )  # fmt: skip


def _momentum_between(window: int, skip: int, reference: str = JEGADEESH) -> Feature:
    return _momentum(
        f"momentum_{window}_{skip}", CLOSE.shift(skip) / CLOSE.shift(window) - 1,
        f"Return from {window} to {skip} sessions before", f"c[-{skip}] / c[-{window}] - 1",
        window + 1, reference,
    )  # fmt: skip


def _acceleration(short: int, long: int) -> Feature:
    return _momentum(
        f"acceleration_{short}_{long}", _change(short) - _change(long) * (short / long),
        f"Return over {short} sessions beyond its share of the return over {long}",
        f"(c / c[-{short}] - 1) - {short}/{long} (c / c[-{long}] - 1)", long + 1,
    )  # fmt: skip


def _slope(window: int) -> pl.Expr:
    """Return the least-squares slope of log closes on the bar's number, per bar."""
    middle, square = (window - 1) / 2, window * (window**2 - 1) / 12
    weights = [(place - middle) / square for place in range(window)]
    return pl.col("log_close").rolling_sum(window, weights=weights)


def _trend_slope(window: int) -> Feature:
    return _momentum(
        f"trend_slope_{window}", _slope(window),
        f"Slope of the line through {window} log closes, per session",
        "least squares of log c on time", window,
    )  # fmt: skip


def _trend_fit(window: int) -> Feature:
    explained = _slope(window).pow(2) * (window * (window**2 - 1) / 12)
    total = pl.col("log_close").rolling_var(window, ddof=0) * window
    return _momentum(
        f"trend_fit_{window}", ratio(explained, total),
        f"Share of the variance of {window} log closes on their line",
        "R squared of log c on time", window,
    )  # fmt: skip


def _average_gap(window: int) -> Feature:
    return _momentum(
        f"average_gap_{window}", ratio(CLOSE, CLOSE.rolling_mean(window)) - 1,
        f"Close over its mean of {window} sessions", "c / mean c - 1", window,
    )  # fmt: skip


def _average_cross(short: int, long: int) -> Feature:
    return _momentum(
        f"average_cross_{short}_{long}",
        ratio(CLOSE.rolling_mean(short), CLOSE.rolling_mean(long)) - 1,
        f"Mean close of {short} sessions over that of {long}",
        f"mean_{short} c / mean_{long} c - 1", long,
        "Brock, Lakonishok, LeBaron (1992), Simple Technical Trading Rules",
    )  # fmt: skip


def _channel_place(window: int) -> Feature:
    low, high = CLOSE.rolling_min(window), CLOSE.rolling_max(window)
    place = ratio(CLOSE / high - low / high, 1 - low / high)
    return _momentum(
        f"channel_place_{window}", place,
        f"Place of the close between the extremes of {window} sessions, 0 to 1",
        "(c - min c) / (max c - min c)", window,
    )  # fmt: skip


def _rising_share(window: int) -> Feature:
    rising = (RETURN > 0).cast(pl.Float64)
    return _momentum(
        f"rising_share_{window}", rising.rolling_sum(window) / window,
        f"Share of {window} sessions that rose", "mean [r > 0]", window + 1,
    )  # fmt: skip


def _efficiency(window: int) -> Feature:
    moved = pl.col("log_close") - pl.col("log_close").shift(window)
    path = (pl.col("log_close") - pl.col("log_close").shift(1)).abs().rolling_sum(window)
    return _momentum(
        f"efficiency_{window}", ratio(moved, path),
        f"Way gained over way gone in {window} sessions, -1 to 1",
        f"log(c / c[-{window}]) / sum |log(c / c[-1])|", window + 1,
        "Kaufman (1995), Smarter Trading",
    )  # fmt: skip


def _return_ratio(window: int) -> Feature:
    return _momentum(
        f"return_ratio_{window}", ratio(RETURN.rolling_mean(window), RETURN.rolling_std(window)),
        f"Mean over deviation of {window} returns", "mean r / dev r", window + 1,
    )  # fmt: skip


def _smoothness(window: int) -> Feature:
    balance = RETURN.sign().rolling_sum(window) / window
    return _momentum(
        f"smoothness_{window}", _change(window).sign() * balance,
        f"Whether the return over {window} sessions came in many small steps",
        f"sign(c / c[-{window}] - 1) mean sign(r)", window + 1,
        "Da, Gurun, Warachka (2014), Frog in the Pan",
    )  # fmt: skip


def _extreme_nearness() -> tuple[Feature, Feature]:
    high = _momentum(
        "high_nearness_252", CLOSE / CLOSE.rolling_max(252) - 1,
        "Close against the highest of 252 sessions", "c / max c - 1", 252,
        "George, Hwang (2004), The 52-Week High and Momentum Investing",
    )  # fmt: skip
    low = _momentum(
        "low_distance_252", CLOSE / CLOSE.rolling_min(252) - 1,
        "Close against the lowest of 252 sessions", "c / min c - 1", 252,
    )  # fmt: skip
    return high, low


MOMENTUM = (
    *(_momentum_over(window) for window in (21, 63, 126, 252)),
    _momentum_between(126, 21),
    _momentum_between(252, 21),
    _momentum_between(252, 126, "Novy-Marx (2012), Is Momentum Really Momentum?"),
    _acceleration(21, 63),
    _acceleration(63, 252),
    _trend_slope(63),
    _trend_slope(252),
    _trend_fit(63),
    _trend_fit(252),
    *(_average_gap(window) for window in (20, 50, 200)),
    _average_cross(50, 200),
    *_extreme_nearness(),
    _channel_place(21),
    _channel_place(126),
    _rising_share(21),
    _efficiency(21),
    _return_ratio(252),
    _smoothness(252),
)


def _reversal_over(window: int) -> Feature:
    return _reversal(
        f"reversal_{window}", -_change(window),
        f"Return over {counted(window, 'session')}, turned round", f"1 - c / c[-{window}]",
        window + 1, SHORT_REVERSAL,
    )  # fmt: skip


def _scaled_reversal(window: int) -> Feature:
    deviation = RETURN.rolling_std(63) * window**0.5
    return _reversal(
        f"scaled_reversal_{window}", ratio(-_change(window), deviation),
        f"Return over {counted(window, 'session')} in deviations, turned round",
        f"(1 - c / c[-{window}]) / (dev_63 r sqrt {window})", 64,
    )  # fmt: skip


def _relative_strength(window: int) -> Feature:
    gains, moves = RETURN.clip(lower_bound=0), RETURN.abs()
    return _reversal(
        f"relative_strength_{window}",
        ratio(gains.rolling_mean(window), moves.rolling_mean(window)),
        f"Share of gains in all moves of {window} sessions, 0 to 1", "sum max(r, 0) / sum |r|",
        window + 1, "after Wilder (1978), with plain means, so that its memory ends",
    )  # fmt: skip


def _z_score(window: int) -> Feature:
    mean, deviation = CLOSE.rolling_mean(window), CLOSE.rolling_std(window, ddof=0)
    return _reversal(
        f"z_score_{window}", ratio(CLOSE / mean - 1, deviation / mean),
        f"Close from its mean of {window} sessions, in deviations of closes",
        "(c - mean c) / dev c", window, "Bollinger (2001), Bollinger on Bollinger Bands",
    )  # fmt: skip


def _variance_ratio() -> Feature:
    window, step = 126, 5
    long, short = _change(step).rolling_var(window), RETURN.rolling_var(window)
    return _reversal(
        f"variance_ratio_{window}_{step}", pl.when(short > TINY_VARIANCE).then(long / short / step),
        f"Variance of returns over {step} sessions against {step} times that of one",
        f"var(c / c[-{step}] - 1) / ({step} var r)", window + step,
        "Lo, MacKinlay (1988), Stock Market Prices Do Not Follow Random Walks",
    )  # fmt: skip


REVERSAL = (
    *(_reversal_over(window) for window in (1, 2, 5, 10)),
    _scaled_reversal(1),
    _scaled_reversal(5),
    _relative_strength(14),
    _z_score(20),
    _z_score(60),
    _reversal(
        "long_reversal_504_252", 1 - CLOSE.shift(252) / CLOSE.shift(504),
        "Return from 504 to 252 sessions before, turned round", "1 - c[-252] / c[-504]", 505,
        "De Bondt, Thaler (1985), Does the Stock Market Overreact?",
    ),
    _reversal(
        "autocorrelation_63",
        pl.rolling_corr(RETURN, RETURN.shift(1), window_size=63, min_samples=63),
        "Correlation of a return with the one before", "corr(r, r[-1])", 65,
    ),
    _variance_ratio(),
)  # fmt: skip
