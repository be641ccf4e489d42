"""Made-up decisions among strategies, with and without something to be found in them."""

from __future__ import annotations

import datetime as dt

import numpy as np

from slices.domain.regimes import REGIMES, UNKNOWN, RegimeHistory
from slices.domain.selection_parameters import SelectionPeriods
from slices.domain.strategies import StrategyName
from slices.domain.strategy_selection import SelectionExamples
from slices.quant.panel import Panel
from tests.support.frames import sessions

STRATEGIES = (StrategyName.BUY_AND_HOLD, StrategyName.SMA_CROSS, StrategyName.RSI_REVERSAL)
EVERY = 21
PERIODS = SelectionPeriods(decision_sessions=EVERY, train_periods=24, refit_periods=6)
FIRST = dt.date(2015, 1, 2)


def market(count: int = 1300, *, symbols: int = 3, seed: int = 5) -> Panel:
    """Random walks without anything to be found."""
    random = np.random.default_rng(seed)
    closes = 100.0 * np.exp(np.cumsum(random.normal(0.0003, 0.012, (count, symbols)), axis=0))
    return Panel(
        symbols=tuple(f"S{each}" for each in range(symbols)),
        sessions=tuple(sessions(count, first=FIRST)),
        close=closes,
        periods_per_year=252,
    )


def regimes(panel: Panel, *, unknown: int = 300) -> RegimeHistory:
    """Made-up regimes, unknown at first."""
    count = len(panel.sessions) - 1
    codes = np.arange(count) // 40 % len(REGIMES)
    chances = np.full((count, len(REGIMES)), 0.1 / (len(REGIMES) - 1))
    chances[np.arange(count), codes] = 0.9
    chances[:unknown] = np.nan
    states = np.column_stack([chances[:, 0], 1.0 - chances[:, 0]])
    return RegimeHistory(
        sessions=panel.sessions[1:],
        levels=np.ones(count),
        rule_codes=codes,
        model_codes=np.where(np.arange(count) < unknown, UNKNOWN, codes),
        probabilities=chances,
        state_probabilities=states,
        next_volatility=np.where(np.arange(count) < unknown, np.nan, 0.2),
    )


def decisions(
    count: int = 130, *, signal: float, classes: int = 3, inputs: int = 8, seed: int = 3
) -> SelectionExamples:
    """Decisions at which one input tells the best strategy with the given strength."""
    random = np.random.default_rng(seed)
    best = random.integers(0, classes, count)
    features = random.normal(size=(count, inputs))
    features[:, :classes] += signal * np.eye(classes)[best]
    row = 99 + EVERY * np.arange(count)
    known = row + 1 + EVERY
    is_open = known > row[-1]
    ratios = np.eye(classes)[best] + random.normal(0, 0.01, (count, classes))
    ratios[is_open] = np.nan
    return SelectionExamples(
        strategies=tuple(StrategyName)[:classes],
        names=tuple(f"f{each}" for each in range(inputs)),
        sessions=tuple(sessions(int(row[-1]) + 1, first=dt.date(2000, 1, 3))[each] for each in row),
        row=row,
        known=known,
        features=features,
        returns=ratios / 100,
        ratios=ratios,
        best=np.where(is_open, -1, best),
        regimes=("bull_quiet",) * count,
        regime=("bull_quiet", 0.8),
        regime_probabilities=tuple((each.value, 1 / 7) for each in REGIMES),
        first_row=60,
    )
