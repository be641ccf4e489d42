"""Bars: one row per symbol and session, and the rules such rows must keep.

A frame of bars is a polars frame sorted by symbol and session, each pair once. `OHLCV` bars have
open, high, low, close and volume; `CLOSE_ONLY` bars have nothing but a close, and nothing is ever
made up for the rest.
"""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from slices.domain.errors import BadDataError, MissingColumnsError, listed

PRICES = ("open", "high", "low", "close")


class Adjustment(StrEnum):
    """What a price has been corrected for: nothing, splits, or splits and dividends."""

    RAW = "raw"
    SPLIT = "split"
    TOTAL = "total"


class BarShape(StrEnum):
    """Which columns bars have."""

    OHLCV = "ohlcv"
    CLOSE_ONLY = "close_only"

    @property
    def values(self) -> tuple[str, ...]:
        """Name the numeric columns."""
        return (*PRICES, "volume") if self is BarShape.OHLCV else ("close",)

    @property
    def prices(self) -> tuple[str, ...]:
        """Name the price columns."""
        return PRICES if self is BarShape.OHLCV else ("close",)

    @property
    def schema(self) -> dict[str, type[pl.DataType]]:
        """Give the exact column types: symbol, session, then float64 values."""
        return {"symbol": pl.String, "session": pl.Date, **dict.fromkeys(self.values, pl.Float64)}


def shape_of(bars: pl.DataFrame) -> BarShape:
    """Tell which shape a frame has by its columns."""
    return BarShape.OHLCV if set(PRICES) <= set(bars.columns) else BarShape.CLOSE_ONLY


def row_defects(shape: BarShape) -> dict[str, pl.Expr]:
    """Name every defect a single row can have, with the expression that is true where it occurs.

    A row has at most one defect of its prices and one of its volume: a row with a missing price is
    not also counted as inconsistent, but it may have no volume either.
    """
    prices = shape.prices
    missing = pl.any_horizontal(pl.col(c).is_null() | pl.col(c).is_nan() for c in prices)
    infinite = pl.any_horizontal(pl.col(c).is_infinite() for c in shape.values)
    not_positive = pl.any_horizontal(pl.col(c) <= 0 for c in prices)
    defects = {
        "missing price": missing,
        "infinite value": ~missing & infinite,
        "price not positive": ~missing & ~infinite & not_positive,
    }
    if shape is BarShape.OHLCV:
        whole = ~missing & ~infinite & ~not_positive
        inconsistent = (pl.col("high") < pl.max_horizontal("open", "low", "close")) | (
            pl.col("low") > pl.min_horizontal("open", "high", "close")
        )
        defects |= {
            "high/low inconsistent": whole & inconsistent,
            "missing volume": pl.col("volume").is_null() | pl.col("volume").is_nan(),
            "negative volume": pl.col("volume").is_finite() & (pl.col("volume") < 0),
            "zero volume": pl.col("volume") == 0,
        }
    return {name: rule.fill_null(value=False) for name, rule in defects.items()}


def check_bars(bars: pl.DataFrame, *, dataset: str = "bars") -> BarShape:
    """Check that a frame is well-formed bars and return its shape.

    Args:
        bars: Columns exactly as `BarShape.schema`, sorted by symbol and session.
        dataset: What to call the frame in an error.

    Raises:
        MissingColumnsError: Where a column is absent.
        BadDataError: Where a type, the order, a duplicate or a row breaks the rules.
    """
    shape = shape_of(bars)
    needed = shape.schema
    if not set(needed) <= set(bars.columns):
        raise MissingColumnsError(dataset=dataset, needed=tuple(needed), found=tuple(bars.columns))
    wrong = tuple(
        f"{c} is {bars.schema[c]}" for c, kind in needed.items() if bars.schema[c] != kind
    )
    if wrong:
        raise BadDataError(dataset=dataset, problem=f"wrong column types: {listed(wrong)}")
    keys = bars.select("symbol", "session")
    if keys.is_duplicated().any():
        raise BadDataError(dataset=dataset, problem="a symbol has two bars for one session")
    if not keys.equals(keys.sort("symbol", "session")):
        raise BadDataError(dataset=dataset, problem="bars are not sorted by symbol and session")
    counts = bars.select(rule.sum().alias(name) for name, rule in row_defects(shape).items())
    found = tuple(f"{count} x {name}" for name, count in counts.row(0, named=True).items() if count)
    if found:
        raise BadDataError(dataset=dataset, problem=listed(found))
    return shape
