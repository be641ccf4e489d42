"""From prices as delivered to raw, split-adjusted or totally adjusted prices."""

from __future__ import annotations

import polars as pl

from slices.domain.bars import Adjustment, shape_of
from slices.domain.errors import AdjustmentUnavailableError

FACTORS = ("split_factor", "total_factor")


def available_adjustments(bars: pl.DataFrame, basis: Adjustment) -> tuple[Adjustment, ...]:
    """List the adjustments these rows can be brought to; a factor must be known on every row."""
    known = {
        Adjustment.RAW: False,
        Adjustment.SPLIT: bars["split_factor"].null_count() == 0,
        Adjustment.TOTAL: bars["total_factor"].null_count() == 0
        and not ("volume" in bars.columns and bars["split_factor"].null_count()),
    }
    return tuple(each for each in Adjustment if each is basis or known[each])


def adjusted(
    bars: pl.DataFrame, basis: Adjustment, adjustment: Adjustment, *, dataset: str = "bars"
) -> pl.DataFrame:
    """Bring bars to one adjustment.

    One factor multiplies open, high, low and close alike; volume is divided by the split factor
    only, so that price times volume keeps its meaning.

    Args:
        bars: Columns session, the values, split_factor and total_factor.
        basis: The adjustment of the prices as they are.
        adjustment: The adjustment wanted.
        dataset: What to call the data in an error.

    Returns:
        The rows without the factor columns.

    Raises:
        AdjustmentUnavailableError: Where a factor is not known or an adjustment cannot be undone.
    """
    possible = available_adjustments(bars, basis)
    if adjustment not in possible:
        raise AdjustmentUnavailableError(
            dataset=dataset, requested=adjustment, available=tuple(map(str, possible))
        )
    if adjustment is basis:
        return bars.drop(FACTORS)
    shape = shape_of(bars)
    factor = "split_factor" if adjustment is Adjustment.SPLIT else "total_factor"
    prices = [pl.col(c) * pl.col(factor) for c in shape.prices]
    volume = [pl.col(c) / pl.col("split_factor") for c in shape.values if c == "volume"]
    return bars.with_columns(*prices, *volume).drop(FACTORS)
