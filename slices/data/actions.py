"""Corporate actions and factors, derived from a close and an adjusted close.

An adjusted close hides splits and dividends in one factor, `adj_close / close`, which steps on
every action and is constant in between. A step of about a common split ratio is a split; every
other step that rounding cannot explain is a dividend.
"""

from __future__ import annotations

import polars as pl

SPLIT_RATIOS = (1.25, 4 / 3, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0)
"""New shares per old share; their inverses are reverse splits."""

SPLIT_TOLERANCE = 0.01
"""A step this close to a ratio is a split; the rest of the step is a dividend of the same day."""

SMALLEST_STEP = 1e-6
"""Relative steps below this are float noise even in prices that are not rounded."""

MOST_DECIMALS = 8


def rounding_unit(prices: pl.Series) -> float:
    """Return the decimal unit that prices are rounded to; 0 where there is none.

    >>> rounding_unit(pl.Series([1.25, 3.5]))
    0.01
    """
    for decimals in range(MOST_DECIMALS + 1):
        largest = (prices - prices.round(decimals)).abs().max()
        if isinstance(largest, float) and largest < 1e-10:
            return float(10**-decimals)
    return 0.0


def factor_steps(bars: pl.DataFrame) -> pl.DataFrame:
    """Split the path of `adj_close / close` into steps.

    Args:
        bars: Columns close and adj_close, sorted by session, all finite and positive.

    Returns:
        The rows with `factor` (rounding removed, 1 on the last row), `split_step` and
        `dividend_step`: by what the factor rose because of a split or a dividend on that row,
        which is new shares per old share, or 1 + cash per share / close. A dividend smaller than
        the rounding of the adjusted close cannot be seen.
    """
    ratio = pl.col("adj_close") / pl.col("close")
    inverse = 1 / pl.col("adj_close")
    rounding = rounding_unit(bars["adj_close"]) / 2 * (inverse + inverse.shift(1))
    visible = rounding + SMALLEST_STEP
    step = ratio / ratio.shift(1)
    is_step = ((step - 1).abs() > visible).fill_null(value=False)
    ratios = (*SPLIT_RATIOS, *(1 / each for each in SPLIT_RATIOS))
    split = pl.coalesce(
        *(pl.when((step / each - 1).abs() < SPLIT_TOLERANCE).then(each) for each in ratios), 1.0
    )
    stepped = bars.with_columns(
        factor=ratio.median().over(is_step.cum_sum()),
        split_step=pl.when(is_step).then(split).otherwise(1.0),
    )
    rise = pl.col("factor") / pl.col("factor").shift(1) / pl.col("split_step")
    last = pl.col("factor") == pl.col("factor").last()  # x / x need not be 1 in vector arithmetic
    is_dividend = is_step & ((rise - 1).abs() > visible)
    return stepped.with_columns(
        factor=pl.when(last).then(1.0).otherwise(pl.col("factor") / pl.col("factor").last()),
        dividend_step=pl.when(is_dividend).then(rise).otherwise(1.0),
    )


def later_splits_undone() -> pl.Expr:
    """Return the split factor of each row: 1 over the product of the `split_step`s after it."""
    return pl.col("split_step") / pl.col("split_step").cum_prod(reverse=True)


def with_factors(bars: pl.DataFrame, *, basis_is_split: bool) -> pl.DataFrame:
    """Replace `adj_close` by `split_factor` and `total_factor`.

    Both are 1 on the last row: prices are adjusted to what a share was at the end of the data.

    Args:
        bars: Columns close and adj_close, sorted by session. Rows where either is missing or not
            positive have null factors.
        basis_is_split: Whether the prices are split-adjusted already, so that every step of the
            factor is a dividend.
    """
    usable = pl.all_horizontal(
        pl.col(c).is_finite() & (pl.col(c) > 0) for c in ("close", "adj_close")
    )
    numbered = bars.with_row_index("row")
    steps = factor_steps(numbered.filter(usable))
    split_factor = pl.lit(1.0) if basis_is_split else later_splits_undone()
    factors = steps.select("row", split_factor=split_factor, total_factor="factor")
    joined = numbered.join(factors, on="row", how="left", maintain_order="left")
    return joined.drop("row", "adj_close")
