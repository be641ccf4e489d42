"""Features that know the future, each in its own way, and honest ones that look like them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from slices.quant.panel import Panel

Values = Callable[[Panel], np.ndarray]


def later(values: np.ndarray, sessions: int) -> np.ndarray:
    """Move values up by so many rows: row t holds what belongs to t + sessions."""
    moved = np.full(values.shape, np.nan)
    if sessions >= 0:
        moved[: max(values.shape[0] - sessions, 0)] = values[sessions:]
    else:
        moved[-sessions:] = values[:sessions]
    return moved


def momentum(panel: Panel, window: int) -> np.ndarray:
    return panel.close / later(panel.close, -window) - 1.0


def filled(values: np.ndarray, way: str) -> np.ndarray:
    frame = pl.DataFrame(values, schema=[str(i) for i in range(values.shape[1])])
    return frame.fill_nan(None).fill_null(strategy=way).fill_null(float("nan")).to_numpy()


def every(values: np.ndarray, step: int) -> np.ndarray:
    """Keep every so-manieth row, as of a report that comes now and then."""
    return np.where(np.arange(values.shape[0])[:, None] % step == 0, values, np.nan)


def moved_average(values: np.ndarray, window: int) -> np.ndarray:
    frame = pl.DataFrame(values, schema=[str(i) for i in range(values.shape[1])])
    return frame.select(pl.all().rolling_mean(window)).fill_null(float("nan")).to_numpy()


def deviation(values: np.ndarray, window: int) -> np.ndarray:
    frame = pl.DataFrame(values, schema=[str(i) for i in range(values.shape[1])])
    return frame.select(pl.all().rolling_std(window)).fill_null(float("nan")).to_numpy()


def whole_sample_z_score(panel: Panel) -> np.ndarray:
    return (panel.close - np.nanmean(panel.close, axis=0)) / np.nanstd(panel.close, axis=0)


def session_mean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=1, keepdims=True)
    return total / np.maximum(known.sum(axis=1, keepdims=True), 1)


LEAKY: dict[str, Values] = {
    "two_sessions_ahead": lambda panel: later(panel.close, 2) / panel.close - 1.0,
    "back_filled_momentum": lambda panel: filled(every(momentum(panel, 10), 10), "backward"),
    "momentum_ending_tomorrow": lambda panel: later(momentum(panel, 20), 1),
    "whole_sample_z_score": whole_sample_z_score,
    "back_filled_start": lambda panel: filled(momentum(panel, 60), "backward"),
    "centred_average": lambda panel: later(moved_average(panel.close, 21), 10) / panel.close,
    "whole_sample_rank": lambda panel: (panel.close > np.nanmedian(panel.close, axis=0)) * 1.0,
    "back_filled_holes": lambda panel: np.where(
        np.arange(len(panel.sessions))[:, None] < 20, np.nan, filled(momentum(panel, 5), "backward")
    ),
    "survivor": lambda panel: np.isfinite(panel.close[-5:]).any(axis=0) + 0.0 * panel.close,
    "market_tomorrow": lambda panel: later(session_mean(momentum(panel, 1)), 1) + 0 * panel.close,
}  # fmt: skip

HONEST: dict[str, Values] = {
    **{f"momentum_{window}": lambda p, w=window: momentum(p, w) for window in (1, 2, 5, 20, 60)},
    **{
        f"average_gap_{window}": lambda p, w=window: p.close / moved_average(p.close, w) - 1.0
        for window in (3, 10, 21, 50)
    },
    **{
        f"volatility_{window}": lambda p, w=window: deviation(momentum(p, 1), w)
        for window in (5, 21, 63)
    },
    "momentum_ending_yesterday": lambda p: later(momentum(p, 20), -1),
    "forward_filled_momentum": lambda p: filled(every(momentum(p, 10), 10), "forward"),
    "forward_filled_holes": lambda p: filled(p.close, "forward") / later(p.close, -5) - 1.0,
    "rolling_z_score": lambda p: (p.close - moved_average(p.close, 60)) / deviation(p.close, 60),
    "expanding_mean": lambda p: np.nancumsum(momentum(p, 1), axis=0)
    / np.arange(1, len(p.sessions) + 1)[:, None],
    "market": lambda p: session_mean(momentum(p, 1)) + 0.0 * p.close,
    "relative": lambda p: momentum(p, 20) - session_mean(momentum(p, 20)),
    "weekday": lambda p: np.array([s.weekday() for s in p.sessions])[:, None] + 0.0 * p.close,
}  # fmt: skip


def frame_of(panel: Panel, features: dict[str, Values]) -> pl.DataFrame:
    """Build features of every bar, sorted by session and symbol, with null where not known."""
    present = np.isfinite(panel.close)
    rows, columns = np.nonzero(present)
    days = np.array(panel.sessions, dtype="datetime64[D]")
    with np.errstate(all="ignore"):
        made = {name: values(panel)[present] for name, values in features.items()}
    return pl.DataFrame(
        {"session": days[rows], "symbol": np.array(panel.symbols)[columns].astype(str), **made}
    ).with_columns(pl.col("session").cast(pl.Date), pl.col(made).fill_nan(None))


def builder(**features: Values) -> Callable[[Panel], pl.DataFrame]:
    return lambda panel: frame_of(panel, features)
