"""The lattice of a parameter space: where trials lie, who their neighbours are, what is connected.

A grid is its own lattice. Trials that lie anywhere are put into cells of equal size, and a cell has
the mean score of its trials.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.optimize.space import full_levels
from slices.quant.signals.search import SearchDimension
from slices.quant.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from slices.optimize.plan import SearchPlan

REACH = 0.05
"""Neighbours of a cell lie within this share of the levels of each dimension, one at the least."""

HALF = 0.5 - 1e-9
MOST_CELLS_PER_DIMENSION = 40


@dataclass(frozen=True, kw_only=True, eq=False)
class Lattice:
    """Cells of a parameter space.

    Attributes:
        dimensions: D of them.
        levels: Values of each; where trials lie anywhere, the middles of the cells.
        cells: C x D places of the trials.
        points: C x D values of the trials.
    """

    dimensions: tuple[SearchDimension, ...]
    levels: tuple[FloatArray, ...]
    cells: IntArray
    points: FloatArray

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of levels of each dimension."""
        return tuple(each.size for each in self.levels)

    @property
    def flat(self) -> IntArray:
        """C places of the trials' cells in a flat list of cells."""
        return np.asarray(np.ravel_multi_index(tuple(self.cells.T), self.shape), dtype=np.int64)

    @property
    def reach(self) -> tuple[int, ...]:
        """How many cells away neighbours lie; words have no neighbours."""
        return tuple(
            0 if each.choices or count == 1 else max(1, round(REACH * count))
            for each, count in zip(self.dimensions, self.shape, strict=True)
        )

    def filled(self, scores: FloatArray) -> FloatArray:
        """Return the mean score of the trials of each cell; NaN where there is none."""
        known = np.isfinite(scores)
        total = math.prod(self.shape)
        counts = np.bincount(self.flat[known], minlength=total)
        sums = np.bincount(self.flat[known], weights=scores[known], minlength=total)
        means = np.divide(sums, counts, out=np.full(total, np.nan), where=counts > 0)
        return np.asarray(means.reshape(self.shape), dtype=np.float64)

    def smoothed(self, scores: FloatArray) -> FloatArray:
        """Return the mean score of each cell and its neighbours; NaN where a cell has none."""
        from scipy.ndimage import uniform_filter

        values = self.filled(scores)
        known = np.isfinite(values)
        size = tuple(2 * each + 1 for each in self.reach)
        sums = uniform_filter(np.where(known, values, 0.0), size, mode="constant")
        shares = uniform_filter(known.astype(np.float64), size, mode="constant")
        return np.where(known, sums / np.where(known, shares, 1.0), np.nan)

    def choosable(self, cells: FloatArray) -> FloatArray:
        """Keep the values of cells of whose neighbourhood at least half was tried; else NaN.

        A mean over few neighbours is high by luck more often than one over many, so that corners
        would be chosen for being corners. Where no cell has half, all stay.
        """
        from scipy.ndimage import uniform_filter

        tried = np.zeros(math.prod(self.shape))
        tried[self.flat] = 1.0
        size = tuple(2 * each + 1 for each in self.reach)
        share = uniform_filter(tried.reshape(self.shape), size, mode="constant")
        kept = np.where(share >= HALF, cells, np.nan)
        return kept if np.isfinite(kept).any() else cells

    def at_trials(self, cells: FloatArray) -> FloatArray:
        """Return C values of the cells the trials lie in."""
        return np.asarray(cells.ravel()[self.flat], dtype=np.float64)

    def best_trial(self, scores: FloatArray) -> int | None:
        """Return the trial in the middle of the best neighbourhood; None where none has a score."""
        cells = self.choosable(self.smoothed(scores))
        if not np.isfinite(cells).any():
            return None
        place = np.unravel_index(int(np.nanargmax(cells)), cells.shape)
        return self.trial_at(tuple(int(each) for each in place))

    def trial_at(self, place: tuple[int, ...]) -> int:
        """Return the trial nearest to the middle of a cell that has one."""
        inside = np.flatnonzero((self.cells == np.array(place)).all(axis=1))
        middle = np.array([each[i] for each, i in zip(self.levels, place, strict=True)])
        spans = np.array([np.ptp(each) or 1.0 for each in self.levels])
        away = np.abs((self.points[inside] - middle) / spans).max(axis=1)
        return int(inside[np.argmin(away)])

    def region(self, mask: BoolArray, place: tuple[int, ...]) -> BoolArray:
        """Return the connected part of a mask that a cell belongs to; corners connect."""
        from scipy.ndimage import label

        parts, _ = label(mask, structure=self._touching())
        return np.asarray(parts == parts[place], dtype=np.bool_)

    def most_central(self, region: BoolArray) -> tuple[int, ...]:
        """Return the cell of a region furthest from its edge, then nearest to its middle."""
        from scipy.ndimage import binary_erosion

        depth, left = np.zeros(region.shape), region
        for _ in range(max(region.shape)):
            depth += left
            left = binary_erosion(left, structure=self._touching())
        members = np.argwhere(depth == depth.max())
        away = np.abs(members - np.argwhere(region).mean(axis=0)).sum(axis=1)
        return tuple(int(each) for each in members[np.argmin(away)])

    def _touching(self) -> BoolArray:
        """Return the block of cells next to a cell; other words and single levels are not."""
        widths = [3 if each else 1 for each in self.reach]
        block = np.zeros((3,) * len(widths), dtype=np.bool_)
        block[tuple(slice(0, 3) if each == 3 else slice(1, 2) for each in widths)] = True
        return block


def lattice_of(plan: SearchPlan, points: FloatArray) -> Lattice:
    """Place trials on the grid they were made on, or else into cells."""
    dimensions = plan.space.dimensions
    if plan.levels:
        levels = plan.levels
        places = [np.searchsorted(each, points[:, d]) for d, each in enumerate(levels)]
    else:
        edges = _edges(dimensions, len(points))
        levels = tuple((each[1:] + each[:-1]) / 2 for each in edges)
        places = [
            np.clip(np.searchsorted(each, points[:, d], side="right") - 1, 0, each.size - 2)
            for d, each in enumerate(edges)
        ]
    cells = np.stack(places, axis=1).astype(np.int64)
    return Lattice(dimensions=dimensions, levels=levels, cells=cells, points=points)


def _edges(dimensions: tuple[SearchDimension, ...], trials: int) -> tuple[FloatArray, ...]:
    """Cut each dimension so that a cell has two trials on average; each word is a cell."""
    words = math.prod(full_levels(each) for each in dimensions if each.choices)
    numbers = [each for each in dimensions if not each.choices]
    wanted = round((trials / 2 / words) ** (1 / max(1, len(numbers))))
    count = min(max(wanted, 2), MOST_CELLS_PER_DIMENSION)
    return tuple(_cut(each, count) for each in dimensions)


def _cut(dimension: SearchDimension, count: int) -> FloatArray:
    if dimension.choices:
        return np.asarray(np.arange(len(dimension.choices) + 1) - 0.5, dtype=np.float64)
    half = (dimension.step or 0.0) / 2
    cells = min(count, full_levels(dimension))
    edges = np.linspace(dimension.low - half, dimension.high + half, cells + 1)
    return np.asarray(edges, dtype=np.float64)
