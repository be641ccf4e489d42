"""Panels and cases the tests of the strategy catalogue stand on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from slices.domain.strategies import StrategyParameters
from slices.quant.panel import Panel
from slices.quant.signals.catalogue import STRATEGIES, checked_parameters
from slices.quant.signals.strategy import Strategy
from tests.slices.quant.market import us_closes


@dataclass(frozen=True, kw_only=True)
class Case:
    """A strategy with parameters short enough to decide often."""

    strategy: Strategy
    parameters: StrategyParameters
    label: str

    @property
    def warmup(self) -> int:
        return self.strategy.warmup(self.parameters)

    def signals(self, panel: Panel) -> np.ndarray:
        return self.strategy.signals(panel, self.parameters)


QUICK: dict[str, dict[str, float | str]] = {
    "sma_cross": {"fast": 3, "slow": 10},
    "ema_cross": {"fast": 3, "slow": 10},
    "macd": {"fast": 4, "slow": 9, "signal": 3},
    "rsi_reversal": {"window": 5},
    "bollinger_reversal": {"window": 10, "deviations": 1.5},
    "donchian_breakout": {"entry": 10, "exit": 4},
    "time_series_momentum": {"lookback": 20, "skip": 3},
    "cross_sectional_momentum": {"lookback": 30, "skip": 5, "share": 0.4},
    "zscore_reversal": {"window": 10, "entry": 1.2, "most_sessions": 6},
    "volatility_target": {"window": 10, "band": 0.05},
}


def _cases() -> tuple[Case, ...]:
    cases = []
    for name, strategy in STRATEGIES.items():
        shorts = (False, True) if "short" in strategy.parameters.model_fields else (False,)
        for settings in ({}, QUICK[name]) if name in QUICK else ({},):
            for short in shorts:
                given = {**settings, "short": True} if short else settings
                words = (name, "quick" if settings else "default", "short" if short else "long")
                parameters = checked_parameters(name, given)
                cases.append(Case(strategy=strategy, parameters=parameters, label=" ".join(words)))
    equal = checked_parameters("volatility_target", {"weighting": "equal", "window": 8})
    target = STRATEGIES["volatility_target"]
    return (*cases, Case(strategy=target, parameters=equal, label="volatility_target equal"))


CASES = _cases()


def weekdays(count: int, *, first: dt.date = dt.date(2001, 1, 2)) -> tuple[dt.date, ...]:
    """Return Mondays to Fridays in a row."""
    days = (first + dt.timedelta(days=each) for each in range(2 * count + 10))
    return tuple(each for each in days if each.weekday() < 5)[:count]


def panel_of(close: np.ndarray, *, first: dt.date = dt.date(2001, 1, 2)) -> Panel:
    """Wrap closes, one column per symbol, as a close-only panel on weekdays."""
    return Panel(
        symbols=tuple(f"S{place:02d}" for place in range(close.shape[1])),
        sessions=weekdays(close.shape[0], first=first),
        close=close,
        periods_per_year=252,
    )


def us_panel(sessions: int = 900, symbols: int = 6) -> Panel:
    """Real closes with highs and lows that are made up around them."""
    dates, names, closes = us_closes()
    chosen = closes[-sessions:, :symbols].copy()
    width = np.random.default_rng(3).uniform(0, 0.02, (2, *chosen.shape))
    return Panel(
        symbols=names[:symbols],
        sessions=dates[-sessions:],
        close=chosen,
        open=chosen.copy(),
        high=chosen * (1 + width[0]),
        low=chosen * (1 - width[1]),
        volume=np.full(chosen.shape, 1e6),
        periods_per_year=252,
    )


def gappy_panel(sessions: int = 900) -> Panel:
    """The real closes with a late start, holes, an early end, and a symbol without any bar."""
    panel = us_panel(sessions)
    absent = np.zeros(panel.close.shape, dtype=bool)
    absent[:130, 1] = True
    absent[np.random.default_rng(5).uniform(size=sessions) < 0.1, 2] = True
    absent[400:430, 3] = True
    absent[700:, 4] = True
    absent[:, 5] = True
    return changed(panel, lambda values: np.where(absent, np.nan, values))


def changed(panel: Panel, change: Callable[[np.ndarray], np.ndarray]) -> Panel:
    """Apply a change to all prices."""
    prices = {name: getattr(panel, name) for name in ("close", "open", "high", "low")}
    return replace(
        panel, **{name: change(each) for name, each in prices.items() if each is not None}
    )


def shapes(warmup: int) -> dict[str, np.ndarray]:
    """Closes of two symbols over `warmup` sessions, each such that some strategy must act."""
    steps = np.arange(warmup)
    fall = np.full(warmup, 100.0)
    fall[-1] = 60.0
    closes = {
        "rise": 100 * 1.01**steps,
        "decline": 100 * 0.99**steps,
        "acceleration": 100 * np.exp((steps / warmup) ** 2),
        "fall": fall,
    }
    return {name: np.column_stack([each, np.sqrt(each)]) for name, each in closes.items()}
