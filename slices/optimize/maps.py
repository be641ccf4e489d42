"""The parameter map: smoothed scores over the two parameters that matter most."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.studies import ParameterMap

if TYPE_CHECKING:
    from slices.optimize.lattice import Lattice
    from slices.quant.signals.search import SearchDimension
    from slices.quant.types import BoolArray, FloatArray, IntArray

MOST_ROWS = 24
MOST_COLUMNS = 26


def parameter_map(
    lattice: Lattice, own: FloatArray, region: BoolArray, centre: int | None
) -> ParameterMap:
    """Draw up the map.

    Args:
        lattice: Of the trials.
        own: C scores.
        region: The cells of the plateau.
        centre: The trial at its centre.

    Returns:
        Smoothed scores, averaged over all other parameters and over neighbouring levels where
        there are more than fit; a place is marked where the plateau has half of what was tried
        there, or any of it where it has half of no place.
    """
    cells = lattice.smoothed(own)
    row, column = _shown(cells)
    rows = _groups(lattice.levels[row].size, MOST_ROWS) if row != column else [np.array([0])]
    columns = _groups(lattice.levels[column].size, MOST_COLUMNS)
    values, shares = (
        _flattened(cells, row, column),
        _flattened(np.where(np.isfinite(cells), region.astype(np.float64), np.nan), row, column),
    )
    grouped, marks = _grouped(values, rows, columns), _grouped(shares, rows, columns)
    place = None if centre is None else lattice.cells[centre]
    return ParameterMap(
        row_title=_title(lattice.dimensions[row]) if row != column else "",
        column_title=_title(lattice.dimensions[column]),
        row_labels=_labels(lattice, row, rows) if row != column else ("",),
        column_labels=_labels(lattice, column, columns),
        values=tuple(tuple(each) for each in grouped.tolist()),
        marked=_marked(marks),
        marked_centre=None
        if place is None
        else (
            _group_of(rows, int(place[row])) if row != column else 0,
            _group_of(columns, int(place[column])),
        ),
    )


def _shown(cells: FloatArray) -> tuple[int, int]:
    """Choose the two dimensions along which the mean score varies most; fewer levels down."""
    if cells.ndim == 1:
        return 0, 0
    spread = [
        np.nanstd(_mean(cells, tuple(set(range(cells.ndim)) - {d}))) for d in range(cells.ndim)
    ]
    chosen = sorted(np.argsort(spread)[-2:].tolist(), key=lambda d: (cells.shape[d], d))
    return chosen[0], chosen[1]


def _mean(values: FloatArray, axes: tuple[int, ...]) -> FloatArray:
    """Average over what is known; NaN where nothing is."""
    known = np.isfinite(values)
    counts = known.sum(axis=axes)
    sums = np.where(known, values, 0.0).sum(axis=axes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _flattened(cells: FloatArray, row: int, column: int) -> FloatArray:
    """Average over all dimensions but two; rows by columns."""
    if row == column:
        return cells[None, :]
    others = tuple(d for d in range(cells.ndim) if d not in {row, column})
    flat = _mean(cells, others) if others else cells
    return flat if row < column else flat.T


def _groups(levels: int, most: int) -> list[IntArray]:
    return [
        np.asarray(each, dtype=np.int64)
        for each in np.array_split(np.arange(levels), min(most, levels))
    ]


def _grouped(flat: FloatArray, rows: list[IntArray], columns: list[IntArray]) -> FloatArray:
    return np.array([[float(_mean(flat[np.ix_(r, c)], (0, 1))) for c in columns] for r in rows])


def _marked(shares: FloatArray) -> tuple[tuple[int, int], ...]:
    known = np.nan_to_num(shares)
    least = 0.5 if (known >= 0.5).any() else np.nextafter(0.0, 1.0)
    places = np.argwhere(known >= least).tolist()
    return tuple((int(row), int(column)) for row, column in places)


def _group_of(groups: list[IntArray], place: int) -> int:
    return next(number for number, each in enumerate(groups) if place in each)


def _title(dimension: SearchDimension) -> str:
    return dimension.name.replace("_", " ")


def _labels(lattice: Lattice, dimension: int, groups: list[IntArray]) -> tuple[str, ...]:
    """Name groups by the level in their middle, with as many digits as tell them apart."""
    shown = lattice.dimensions[dimension]
    if shown.choices:
        return tuple(shown.choices[int(each[0])] for each in groups)
    middles = [float(lattice.levels[dimension][each].mean()) for each in groups]
    for digits in itertools.count(0):
        labels = tuple(f"{each:.{digits}f}" for each in middles)
        if len(set(labels)) == len(labels) or digits > 6:
            return labels
    return ()
