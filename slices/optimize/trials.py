"""Trials: sets of parameters simulated at compiled speed, a batch at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.optimize.plan import SearchPlan
from slices.quant.panel import read_panel
from slices.quant.signals.catalogue import strategy
from slices.quant.simulation.sweeps import Sweep, joined, sweep
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs
    from slices.optimize.space import Space
    from slices.quant.panel import Panel


ALL = slice(None)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialBatch:
    """Some trials and what became of them, in the order of their points."""

    points: FloatArray
    sweep: Sweep


@dataclass(frozen=True, kw_only=True, eq=False)
class Trials:
    """All trials of a study.

    Attributes:
        plan: What was to be tried.
        points: C x D points that were.
        sweep: What became of them.
        first_session: Where every account begins.
        last_session: Where it ends.
    """

    plan: SearchPlan
    points: FloatArray
    sweep: Sweep
    first_session: dt.date
    last_session: dt.date


def try_batch(
    bars: DatasetRef,
    points: FloatArray,
    *,
    space: Space,
    costs: Costs,
    capital: float,
    first: int,
    block_sessions: int,
    batch: int = 0,  # noqa: ARG001 - names the run
) -> TrialBatch:
    """Simulate the strategy at each of these points.

    Args:
        bars: The symbols; each is traded in a sleeve of its own with an equal part of the capital.
        points: C x D values of what is varied.
        space: What is varied, and in which strategy.
        costs: Of every fill.
        capital: Of all sleeves together.
        first: Row of the session at whose close the accounts begin to decide.
        block_sessions: Length of the blocks of returns that are kept.
        batch: Which part of the study this is.
    """
    found = tried(
        read_panel(bars), points, space=space, costs=costs, capital=capital, first=first,
        block_sessions=block_sessions,
    )  # fmt: skip
    return TrialBatch(points=points, sweep=found)


def tried(
    panel: Panel,
    points: FloatArray,
    *,
    space: Space,
    costs: Costs,
    capital: float,
    first: int,
    block_sessions: int,
) -> Sweep:
    """Simulate the strategy at each of these points of a panel's parameter space."""
    return sweep(
        panel,
        strategy(space.strategy),
        space.configurations(points),
        costs=costs,
        capital=capital,
        first=first,
        block_sessions=block_sessions,
    )


def collected(bars: DatasetRef, plan: SearchPlan, found: Sequence[TrialBatch]) -> Trials:
    """Put the batches of a study together."""
    return Trials(
        plan=plan,
        points=np.concatenate([each.points for each in found]),
        sweep=joined([each.sweep for each in found]),
        first_session=read_panel(bars).sessions[plan.first],
        last_session=bars.last_session,
    )


def scores(trials: Trials, blocks: slice | IntArray = ALL) -> FloatArray:
    """Return C annualized Sharpe ratios over some blocks, over all by default.

    A trial that was not in the market has 0: it made nothing and risked nothing. One that lost
    everything has NaN.
    """
    ratios = trials.sweep.sharpe_ratios(blocks)
    is_idle = trials.sweep.block_squares[:, blocks].sum(axis=1) == 0.0
    return np.where(is_idle, 0.0, ratios)
