"""The registry of metrics: what each measures, its unit, and which direction is better.

Two rules hold for every metric, so that no function repeats them: a series that is empty or holds
NaN or an infinity gives NaN (nothing is dropped), and so does a ratio whose divisor is zero.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import numpy as np

from slices.domain.report import Unit

if TYPE_CHECKING:
    from slices.quant.types import FloatArray

P = ParamSpec("P")
OPTIONS = ("periods_per_year", "risk_free_rate", "confidence")


class Direction(StrEnum):
    """Which way a metric improves."""

    HIGHER = "higher"
    LOWER = "lower"
    NEUTRAL = "neutral"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One measure of a series of simple returns, or of one series against a benchmark.

    Attributes:
        needs: Which of `OPTIONS` the function takes.
        relative: Whether the function takes a second series, the benchmark's returns.
    """

    name: str
    unit: Unit
    direction: Direction
    description: str
    reference: str
    relative: bool
    needs: tuple[str, ...]
    function: Callable[..., float]

    def value(
        self,
        returns: FloatArray,
        benchmark: FloatArray | None = None,
        *,
        periods_per_year: int,
        risk_free_rate: float = 0.0,
        confidence: float = 0.95,
    ) -> float:
        """Evaluate the metric, handing its function the options it takes.

        Args:
            returns: Simple returns, one per session.
            benchmark: As many returns of a benchmark; needed by relative metrics only.
            periods_per_year: Sessions in a year.
            risk_free_rate: Simple rate per year.
            confidence: Of tail measures, between 0 and 1.

        Raises:
            ValueError: Where a relative metric is given no benchmark.
        """
        given = {
            "periods_per_year": periods_per_year,
            "risk_free_rate": risk_free_rate,
            "confidence": confidence,
        }
        options = {name: given[name] for name in self.needs}
        if not self.relative:
            return self.function(returns, **options)
        if benchmark is None:
            message = f"{self.name} compares with a benchmark; none was given"
            raise ValueError(message)
        return self.function(returns, benchmark, **options)


registered: dict[str, Metric] = {}


def _finite(values: FloatArray) -> bool:
    return values.ndim == 1 and values.size > 0 and bool(np.isfinite(values).all())


def _register(
    function: Callable[..., float],
    *,
    unit: Unit,
    direction: Direction,
    reference: str,
    relative: bool,
) -> None:
    name = function.__name__
    if name in registered:
        message = f"a metric named {name} is registered already"
        raise ValueError(message)
    parameters = inspect.signature(function).parameters
    registered[name] = Metric(
        name=name,
        unit=unit,
        direction=direction,
        description=inspect.getdoc(function).splitlines()[0],  # type: ignore[union-attr]
        reference=reference,
        relative=relative,
        needs=tuple(each for each in OPTIONS if each in parameters),
        function=function,
    )


def metric(
    *, unit: Unit, direction: Direction, reference: str = "by definition"
) -> Callable[
    [Callable[Concatenate[FloatArray, P], float]], Callable[Concatenate[FloatArray, P], float]
]:
    """Register a function of one series of returns; its first docstring line describes it."""

    def decorate(
        function: Callable[Concatenate[FloatArray, P], float],
    ) -> Callable[Concatenate[FloatArray, P], float]:
        @wraps(function)
        def checked(returns: FloatArray, /, *args: P.args, **kwargs: P.kwargs) -> float:
            values = np.asarray(returns, dtype=np.float64)
            return float(function(values, *args, **kwargs)) if _finite(values) else math.nan

        _register(checked, unit=unit, direction=direction, reference=reference, relative=False)
        return checked

    return decorate


def relative_metric(
    *, unit: Unit, direction: Direction, reference: str = "by definition"
) -> Callable[
    [Callable[Concatenate[FloatArray, FloatArray, P], float]],
    Callable[Concatenate[FloatArray, FloatArray, P], float],
]:
    """Register a function of a series of returns and a benchmark's returns of equal length."""

    def decorate(
        function: Callable[Concatenate[FloatArray, FloatArray, P], float],
    ) -> Callable[Concatenate[FloatArray, FloatArray, P], float]:
        @wraps(function)
        def checked(
            returns: FloatArray, benchmark: FloatArray, /, *args: P.args, **kwargs: P.kwargs
        ) -> float:
            values = np.asarray(returns, dtype=np.float64)
            against = np.asarray(benchmark, dtype=np.float64)
            if values.shape != against.shape:
                message = f"series differ in length: {values.shape} and {against.shape}"
                raise ValueError(message)
            usable = _finite(values) and _finite(against)
            return float(function(values, against, *args, **kwargs)) if usable else math.nan

        _register(checked, unit=unit, direction=direction, reference=reference, relative=True)
        return checked

    return decorate


def ratio(numerator: float, denominator: float) -> float:
    """Divide, or return NaN where the divisor is zero or either is NaN.

    >>> ratio(1.0, 0.0)
    nan
    """
    return float(numerator) / float(denominator) if denominator != 0 else math.nan


def deviation(values: FloatArray) -> float:
    """Return the sample deviation (ddof 1): NaN below two values, exactly 0 where all are equal.

    >>> deviation(np.array([0.1, 0.1, 0.1]))
    0.0
    """
    if values.size < 2:
        return math.nan
    return float(values.std(ddof=1)) if np.ptp(values) > 0 else 0.0
