"""The surface of a search: its best trial, its best neighbourhood, whether it is a plateau."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from slices.domain.studies import Plateau, SearchSurface, Trial
from slices.optimize.lattice import Lattice, lattice_of
from slices.optimize.maps import parameter_map
from slices.optimize.trials import Trials, scores
from slices.quant.types import BoolArray, FloatArray

TOLERANCE = 0.1
"""A plateau reaches as far as smoothed scores lie within this share of the best of them."""

SUPPORT = 0.75
"""A plateau's median score, unsmoothed, must reach this share of the best smoothed score: a single
peak lifts the means of its neighbours, but not their own scores."""

FEWEST_CELLS = 3
TOP = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """Cells about as good as the best neighbourhood, connected with it.

    Attributes:
        cells: Which cells of the lattice; none where no neighbourhood makes money.
        centre: The trial at its middle; None where it is no plateau.
        reason: Why it is none; empty where it is one.
        median: Median of its cells' own scores.
        best: The highest smoothed score.
    """

    cells: BoolArray
    centre: int | None
    reason: str
    median: float
    best: float


def search_surface(trials: Trials) -> SearchSurface:
    """Look at all trials together: find the best one, the plateau and its centre, and map them.

    Raises:
        ValueError: Where no trial has a Sharpe ratio at all.
    """
    own = scores(trials)
    lattice = lattice_of(trials.plan, trials.points)
    region = find_plateau(lattice, own)
    cells = lattice.smoothed(own)
    smoothed, choosable = lattice.at_trials(cells), lattice.at_trials(lattice.choosable(cells))
    is_member = lattice.at_trials(region.cells.astype(np.float64)) > 0
    ranked = np.argsort(np.where(np.isfinite(choosable), -choosable, np.inf), kind="stable")

    def trial(number: int) -> Trial:
        plain = plain_trial(trials, number)
        return replace(
            plain,
            smoothed_sharpe=float(smoothed[number]),
            in_plateau=bool(is_member[number]) and region.centre is not None,
        )

    return SearchSurface(
        best=trial(int(np.nanargmax(own))),
        top=tuple(trial(int(each)) for each in ranked[:TOP]),
        plateau=Plateau(
            centre=None if region.centre is None else trial(region.centre),
            reason=region.reason,
            tolerance=TOLERANCE,
            cells=int(region.cells.sum()),
            median_sharpe=region.median,
            best_smoothed=region.best,
            ranges=_ranges(trials, is_member) if region.centre is not None else (),
        ),
        map=parameter_map(lattice, own, region.cells & (region.centre is not None), region.centre),
        undefined=int((~np.isfinite(own)).sum()),
    )


def plain_trial(trials: Trials, number: int) -> Trial:
    """Describe a trial by itself."""
    found = trials.sweep
    return Trial(
        number=number,
        parameters=trials.plan.space.values(trials.points[number].tolist()),
        sharpe_ratio=float(found.sharpe_ratio[number]),
        smoothed_sharpe=math.nan,
        final_equity=float(found.final_equity[number]),
        trades=int(found.trades[number]),
        max_drawdown=float(found.max_drawdown[number]),
        in_plateau=False,
    )


def find_plateau(lattice: Lattice, own: FloatArray) -> Region:
    """Find the connected region about as good as the best neighbourhood, and judge it.

    It is no plateau where the best neighbourhood loses, where it is smaller than three cells, or
    where the median of its own scores falls short of its smoothed ones: then a few peaks made it.

    Args:
        lattice: Of the trials.
        own: C scores.
    """
    cells = lattice.choosable(lattice.smoothed(own))
    if not np.isfinite(cells).any():
        return _nothing(lattice, "no trial has a Sharpe ratio", math.nan)
    best = float(np.nanmax(cells))
    if best <= 0:
        reason = f"the best neighbourhood has a mean Sharpe ratio of {best:.2f}, not above 0"
        return _nothing(lattice, reason, best)
    peak = np.unravel_index(int(np.nanargmax(cells)), cells.shape)
    is_close = np.nan_to_num(cells, nan=-np.inf) >= best * (1 - TOLERANCE)
    region = lattice.region(is_close, tuple(int(each) for each in peak))
    median = float(np.median(lattice.filled(own)[region]))
    reason = _doubt(int(region.sum()), int(np.isfinite(cells).sum()), median, best)
    centre = None if reason else lattice.trial_at(lattice.most_central(region))
    return Region(cells=region, centre=centre, reason=reason, median=median, best=best)


def _nothing(lattice: Lattice, reason: str, best: float) -> Region:
    return Region(
        cells=np.zeros(lattice.shape, dtype=np.bool_),
        centre=None,
        reason=reason,
        median=math.nan,
        best=best,
    )


def _doubt(cells: int, known: int, median: float, best: float) -> str:
    """Say why a region is no plateau; nothing where it is one."""
    if cells < min(FEWEST_CELLS, known):
        return (
            f"the best neighbourhood stands alone: only {cells} of {known} places lie within "
            f"{TOLERANCE:.0%} of it"
        )
    if median < SUPPORT * best:
        return (
            "the best neighbourhood is the work of an isolated spike: the median Sharpe ratio "
            f"among its members is {median:.2f}, their smoothed one {best:.2f}"
        )
    return ""


def _ranges(
    trials: Trials, is_member: BoolArray
) -> tuple[tuple[str, float | str, float | str], ...]:
    inside = trials.points[is_member]
    lowest = trials.plan.space.values(inside.min(axis=0).tolist())
    highest = trials.plan.space.values(inside.max(axis=0).tolist())
    return tuple((name, low, high) for (name, low), (_, high) in zip(lowest, highest, strict=True))
