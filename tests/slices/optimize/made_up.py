"""Studies made up for tests: returns of trials are given, not simulated."""

from __future__ import annotations

import datetime as dt

import numpy as np

from slices.domain.parameters import DEFAULT_COSTS
from slices.domain.strategies import StrategyName
from slices.domain.studies import SearchMethod
from slices.optimize.plan import SearchPlan
from slices.optimize.space import Space
from slices.optimize.trials import Trials
from slices.quant.signals.search import SearchDimension
from slices.quant.simulation.sweeps import Sweep, block_ends

BLOCK = 10


def dimension(name: str, high: int) -> SearchDimension:
    return SearchDimension(name=name, low=0, high=high - 1, step=1, integer=True)


def grid_points(*shape: int) -> np.ndarray:
    """All places of a lattice, in order."""
    places = np.meshgrid(*(np.arange(n, dtype=float) for n in shape), indexing="ij")
    return np.stack(places, axis=-1).reshape(-1, len(shape))


def made_up_trials(
    returns: np.ndarray,
    points: np.ndarray,
    shape: tuple[int, ...],
    *,
    lookback: int = 20,
    is_grid: bool = True,
    first: int = 0,
) -> Trials:
    """Trials with these C x T returns at these points of a lattice."""
    ends = block_ends(returns.shape[1] + 1, BLOCK)
    starts = np.concatenate([[0], ends[:-1]])
    space = Space(
        strategy=StrategyName.SMA_CROSS,
        dimensions=tuple(dimension(name, n) for name, n in zip("abcd", shape, strict=False)),
    )
    wealth = np.cumprod(1 + returns, axis=1)
    plan = SearchPlan(
        key="made-up",
        space=space,
        method=SearchMethod.GRID if is_grid else SearchMethod.RANDOM,
        asked=len(points),
        seed=0,
        points=points,
        levels=tuple(np.arange(n, dtype=float) for n in shape) if is_grid else (),
        first=first,
        lookback_sessions=lookback,
        block_sessions=BLOCK,
        costs=DEFAULT_COSTS,
        capital=1e5,
    )
    sweep = Sweep(
        final_equity=1e5 * wealth[:, -1],
        trades=np.full(len(points), 7),
        max_drawdown=np.full(len(points), 0.1),
        block_sums=np.add.reduceat(returns, starts, axis=1),
        block_squares=np.add.reduceat(returns**2, starts, axis=1),
        block_lengths=np.diff(ends, prepend=0),
        periods_per_year=252,
    )
    return Trials(
        plan=plan,
        points=points,
        sweep=sweep,
        first_session=dt.date(2001, 1, 1),
        last_session=dt.date(2009, 1, 1),
    )


def noise(trials: int, sessions: int, *, seed: int = 4) -> np.ndarray:
    """Returns without any skill."""
    return np.random.default_rng(seed).normal(0.0, 0.01, (trials, sessions))
