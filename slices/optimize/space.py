"""What can be tried: points of a strategy's parameter space, by a grid or at random."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from slices.domain.errors import ParameterError, listed
from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant.signals.catalogue import search_space, strategy
from slices.quant.signals.search import SearchDimension

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from slices.quant.types import FloatArray

CONTINUOUS_LEVELS = 41
"""Values a full grid takes of a parameter that has no steps of its own."""

MOST_ROUNDS = 40
"""Rounds of random points after which a space is taken as exhausted."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """What is varied in a strategy and what is set.

    Attributes:
        dimensions: D parameters that are varied.
        fixed: Name and value of parameters that are set; those neither varied nor set keep their
            defaults.
    """

    strategy: StrategyName
    dimensions: tuple[SearchDimension, ...]
    fixed: tuple[tuple[str, float | bool | str], ...] = ()

    def values(self, point: Sequence[float]) -> tuple[tuple[str, float | str], ...]:
        """Name the values of a point."""
        return tuple(
            (each.name, value_at(each, coordinate))
            for each, coordinate in zip(self.dimensions, point, strict=True)
        )

    def parameters(self, point: Sequence[float]) -> StrategyParameters | None:
        """Return the parameters at a point; None where its values exclude each other."""
        given = dict(self.fixed) | dict(self.values(point))
        try:
            return strategy(self.strategy).parameters.model_validate(given)
        except ValidationError:
            return None

    def configurations(self, points: FloatArray) -> tuple[StrategyParameters, ...]:
        """Return the parameters at points that are all allowed."""
        chosen = strategy(self.strategy).parameters
        fixed = dict(self.fixed)
        rows = points.tolist()
        return tuple(chosen.model_validate(fixed | dict(self.values(row))) for row in rows)


def value_at(dimension: SearchDimension, coordinate: float) -> float | str:
    """Return the value of a parameter at a coordinate, which for words is their place.

    >>> value_at(SearchDimension(name="fast", low=2, high=9, step=1, integer=True), 3.0)
    3
    """
    if dimension.choices:
        return dimension.choices[round(coordinate)]
    return round(coordinate) if dimension.integer else float(coordinate)


def make_space(
    name: str,
    *,
    fixed: Mapping[str, float | bool | str] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Space:
    """Say what is varied: what the catalogue bounds, less what is fixed, within given ranges.

    Raises:
        ParameterError: Where a name is unknown, a value or range is out of bounds, or nothing is
            left to vary.
    """
    chosen, known = strategy(name), search_space(name)
    given, narrowed = dict(fixed or {}), dict(ranges or {})
    _check_names(chosen.parameters, known, given, narrowed)
    dimensions = tuple(
        _narrowed(each, narrowed.get(each.name)) for each in known if each.name not in given
    )
    if not dimensions:
        raise ParameterError(
            parameter="strategy",
            found=f"{name} with nothing to vary",
            allowed="a strategy with at least one parameter that is not fixed",
        )
    space = Space(strategy=chosen.name, dimensions=dimensions, fixed=tuple(sorted(given.items())))
    if next(_valid(space, grid_levels(space, 16)), None) is None:
        raise ParameterError(
            parameter="fixed",
            found=listed(tuple(f"{key} = {value}" for key, value in space.fixed)) or "nothing",
            allowed="values and ranges that some allowed set of parameters has",
        )
    return space


def _check_names(
    parameters: type[StrategyParameters],
    known: tuple[SearchDimension, ...],
    fixed: Mapping[str, object],
    ranges: Mapping[str, object],
) -> None:
    for name, given, allowed in (
        ("fixed", fixed, tuple(parameters.model_fields)),
        ("ranges", ranges, tuple(each.name for each in known if each.name not in fixed)),
    ):
        unknown = tuple(each for each in given if each not in allowed)
        if unknown:
            raise ParameterError(
                parameter=name, found=listed(unknown), allowed=listed(allowed) or "nothing"
            )


def _narrowed(dimension: SearchDimension, limits: tuple[float, float] | None) -> SearchDimension:
    if limits is None:
        return dimension
    low, high = limits
    is_whole = not dimension.integer or (low == round(low) and high == round(high))
    if dimension.choices or not dimension.low <= low <= high <= dimension.high or not is_whole:
        allowed = (
            f"one of {listed(dimension.choices)}, set as fixed"
            if dimension.choices
            else f"two rising {'whole ' * dimension.integer}numbers between "
            f"{dimension.low:g} and {dimension.high:g}"
        )
        found = f"{dimension.name} from {low:g} to {high:g}"
        raise ParameterError(parameter="ranges", found=found, allowed=allowed)
    return replace(dimension, low=low, high=high)


def grid_levels(space: Space, most: int) -> tuple[FloatArray, ...]:
    """Return at most so many evenly spread values of each dimension, both ends included."""
    return tuple(_levels(each, most) for each in space.dimensions)


def full_levels(dimension: SearchDimension) -> int:
    """Count the values of a dimension in a full grid."""
    if dimension.step is None:
        return CONTINUOUS_LEVELS if dimension.high > dimension.low else 1
    return math.floor((dimension.high - dimension.low) / dimension.step + 1e-9) + 1


def _levels(dimension: SearchDimension, most: int) -> FloatArray:
    count = full_levels(dimension)
    if dimension.choices:
        return np.arange(count, dtype=np.float64)
    if dimension.step is None:
        return np.linspace(dimension.low, dimension.high, min(count, most))
    places = np.unique(np.round(np.linspace(0, count - 1, min(count, most))))
    return np.asarray(dimension.low + dimension.step * places, dtype=np.float64)


def grid(space: Space, trials: int) -> tuple[tuple[FloatArray, ...], FloatArray]:
    """Return the finest grid with at most so many allowed points.

    Returns:
        The levels of each dimension, and C x D points in the order of the grid.

    Raises:
        ParameterError: Where not even two values of each parameter fit.
    """
    finest = max(full_levels(each) for each in space.dimensions)
    fraction = _allowed_share(space)
    most = 2
    while most < finest and _product(space, most + 1) * fraction <= trials * 1.1:
        most += 1
    for count in range(most, 0, -1):
        levels = grid_levels(space, count)
        points = np.array(list(_valid(space, levels)), dtype=np.float64)
        if 0 < len(points) <= trials:
            return levels, points
    raise ParameterError(
        parameter="trials",
        found=str(trials),
        allowed=f"at least {_product(space, 1)}, one for every choice of words",
    )


def _product(space: Space, most: int) -> int:
    return math.prod(
        full_levels(each) if each.choices else min(full_levels(each), most)
        for each in space.dimensions
    )


def _allowed_share(space: Space) -> float:
    """Estimate which share of all points is allowed, from a coarse grid."""
    coarse = 12 if len(space.dimensions) < 4 else 6
    levels = grid_levels(space, coarse)
    allowed = sum(1 for _ in _valid(space, levels))
    return max(allowed, 1) / math.prod(each.size for each in levels)


def _valid(space: Space, levels: tuple[FloatArray, ...]) -> Iterator[tuple[float, ...]]:
    for point in itertools.product(*(each.tolist() for each in levels)):
        if space.parameters(point) is not None:
            yield point


def random_points(space: Space, trials: int, *, seed: int) -> FloatArray:
    """Return distinct allowed points, spread evenly over each dimension and otherwise at random.

    Returns:
        C x D points in rising order; fewer than `trials` only where the space has no more to give.

    References:
        McKay, Beckman, Conover (1979), latin hypercube sampling.
    """
    random = np.random.default_rng(seed)
    found: dict[tuple[float, ...], None] = {}
    for _ in range(MOST_ROUNDS):
        missing = trials - len(found)
        if missing <= 0:
            break
        for point in _stratified(space, max(missing, 16), random):
            if len(found) < trials and point not in found and space.parameters(point) is not None:
                found[point] = None
    return np.array(sorted(found), dtype=np.float64).reshape(-1, len(space.dimensions))


def _stratified(
    space: Space, count: int, random: np.random.Generator
) -> Iterator[tuple[float, ...]]:
    columns = [
        placed(each, (random.permutation(count) + random.random(count)) / count)
        for each in space.dimensions
    ]
    yield from zip(*(each.tolist() for each in columns), strict=True)


def placed(dimension: SearchDimension, shares: FloatArray) -> FloatArray:
    """Turn numbers from 0 to below 1 into values of a dimension, all equally likely."""
    if dimension.step is None:
        return np.asarray(dimension.low + shares * (dimension.high - dimension.low))
    steps = np.floor(shares * full_levels(dimension))
    return np.asarray(dimension.low + steps * dimension.step)
