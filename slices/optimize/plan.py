"""The plan of a study: what will be tried, on which sessions, under which name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.domain.fingerprint import fingerprint
from slices.domain.parameters import DEFAULT_COSTS, Costs
from slices.domain.studies import DEFAULT_WINDOWS, SearchMethod, ValidationWindows
from slices.optimize.space import Space, grid, grid_levels, make_space, random_points
from slices.quant.panel import read_panel
from slices.quant.signals import catalogue
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slices.domain.dataset import DatasetRef
    from slices.quant.panel import Panel

BLOCK_SESSIONS = (10, 21, 42, 63, 126)
"""Lengths of the blocks of returns that are kept: the shortest that fits into `BLOCK_BYTES`."""

BLOCK_BYTES = 128 * 2**20
"""Memory that the sums over blocks of all trials may take."""

MOST_TPE_TRIALS = 1_000
"""Each suggestion looks at all trials before it, so that many more would take hours."""

MOST_BATCHES = 64
FEWEST_PER_BATCH = 250


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchPlan:
    """What a study will try.

    Attributes:
        key: Digest of the data, the strategy, the space and the settings: the study's name.
        space: What is varied.
        method: How points are chosen.
        asked: Trials asked for.
        points: C x D values that are tried whatever comes out. A grid and random points are all
            there is to try. TPE looks for its own, by scores over the whole history, so these are
            random ones, to validate on: a choice among points that others' futures have led to
            would know more than its own past.
        levels: The values of each dimension on a grid; empty for other methods.
        first: Row of the first session of every account.
        lookback_sessions: The longest history any trial needs for a decision.
        block_sessions: Length of the blocks of returns that are kept.
        costs: Of every fill.
        capital: Of every account.
    """

    key: str
    space: Space
    method: SearchMethod
    asked: int
    seed: int
    points: FloatArray
    levels: tuple[FloatArray, ...]
    first: int
    lookback_sessions: int
    block_sessions: int
    costs: Costs
    capital: float


def plan_search(
    bars: DatasetRef,
    *,
    strategy: str,
    method: SearchMethod = SearchMethod.GRID,
    trials: int = 1_000,
    fixed: Mapping[str, float | bool | str] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    windows: ValidationWindows = DEFAULT_WINDOWS,
    costs: Costs = DEFAULT_COSTS,
    capital: float = 100_000.0,
    seed: int = 0,
) -> SearchPlan:
    """Choose what to try and where every account begins.

    All accounts begin where the trial with the longest lookback can decide, so that all are judged
    on the same sessions.

    Raises:
        ParameterError: Where the strategy, what is fixed, a range or the number of trials is not
            allowed.
        InsufficientHistoryError: Where two steps of the walk-forward do not fit.
    """
    _check_trials(method, trials)
    space = make_space(strategy, fixed=fixed, ranges=ranges)
    levels, points = _points(space, method, trials, seed)
    learns = method is SearchMethod.TPE
    panel = read_panel(bars)
    lookback = _longest_lookback(
        space, np.concatenate([points, _corners(space)]) if learns else points
    )
    first = first_row(panel, lookback)
    _check_length(panel, first, windows)
    returns = len(panel.sessions) - first - 1
    return SearchPlan(
        key=fingerprint(bars.fingerprint, space, method, trials, seed, costs, capital, first),
        space=space,
        method=method,
        asked=trials,
        seed=seed,
        points=points,
        levels=levels,
        first=first,
        lookback_sessions=lookback,
        block_sessions=block_length(returns, trials if learns else len(points)),
        costs=costs,
        capital=capital,
    )


def _points(
    space: Space, method: SearchMethod, trials: int, seed: int
) -> tuple[tuple[FloatArray, ...], FloatArray]:
    match method:
        case SearchMethod.GRID:
            return grid(space, trials)
        case SearchMethod.RANDOM | SearchMethod.TPE:
            return (), random_points(space, trials, seed=seed)


def _longest_lookback(space: Space, points: FloatArray) -> int:
    """Return the longest lookback of what may be tried."""
    warmup = catalogue.strategy(space.strategy).warmup
    return max(int(warmup(each)) for each in space.configurations(points))


def _corners(space: Space) -> FloatArray:
    """Return the allowed points among few levels, with the ends of every dimension."""
    for count in (2, 3, 6, 12):
        levels = grid_levels(space, count)
        mesh = np.stack(np.meshgrid(*levels, indexing="ij"), axis=-1)
        points = mesh.reshape(-1, len(levels))
        allowed = points[[space.parameters(each) is not None for each in points.tolist()]]
        if len(allowed):
            return np.asarray(allowed, dtype=np.float64)
    return grid(space, 10_000)[1]


def first_row(panel: Panel, lookback: int) -> int:
    """Return the row at whose close the symbol with the longest history has this many bars."""
    begins = np.argmax(~np.isnan(panel.close), axis=0)
    return int(begins.min()) + max(lookback, 1) - 1


def _check_length(panel: Panel, first: int, windows: ValidationWindows) -> None:
    needed = first + 1 + windows.in_sample_sessions + 2 * windows.out_of_sample_sessions
    if len(panel.sessions) < needed:
        raise InsufficientHistoryError(
            symbol=", ".join(panel.symbols), needed=needed, found=len(panel.sessions)
        )


def block_length(returns: int, trials: int) -> int:
    """Return the shortest length of blocks whose sums, for all trials, fit into memory.

    >>> block_length(2000, 1000), block_length(8000, 100_000)
    (10, 126)
    """
    for length in BLOCK_SESSIONS:
        if trials * math.ceil(returns / length) * 16 <= BLOCK_BYTES:
            return length
    return BLOCK_SESSIONS[-1]


def batches(plan: SearchPlan) -> list[FloatArray]:
    """Split the points into what one task tries."""
    size = max(FEWEST_PER_BATCH, math.ceil(len(plan.points) / MOST_BATCHES))
    return [plan.points[start : start + size] for start in range(0, len(plan.points), size)]


def check_search(parameters: dict[str, Any]) -> None:
    """Check a flow's strategy, symbols, method, number of trials, and what is fixed or narrowed.

    Raises:
        ParameterError: Naming the first that is not allowed.
    """
    _check_trials(parameters["method"], parameters["trials"])
    make_space(parameters["strategy"], fixed=parameters["fixed"], ranges=parameters["ranges"])
    catalogue.check_symbols(parameters["strategy"], parameters["symbols"])


def _check_trials(method: SearchMethod, trials: int) -> None:
    if method is SearchMethod.TPE and trials > MOST_TPE_TRIALS:
        raise ParameterError(
            parameter="trials", found=f"{trials:,}", allowed=f"at most {MOST_TPE_TRIALS:,} with tpe"
        )
