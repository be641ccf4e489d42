"""Validation on the way in: what breaks a rule is set aside with its reason, never repaired."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from slices.data.adjustment import FACTORS
from slices.data.moves import large_moves
from slices.data.sessions import exchange_sessions, missing_sessions
from slices.domain.bars import Adjustment, BarShape, row_defects
from slices.domain.dataset import SymbolQuality
from slices.domain.errors import BadDataError, MissingColumnsError, listed

if TYPE_CHECKING:
    from slices.domain.ports import SourceBars

SAME = "identical duplicate"
CONFLICT = "conflicting duplicate"


@dataclass(frozen=True, kw_only=True)
class ValidatedBars:
    """One symbol's history after validation; every delivered row is in one of the two frames.

    Attributes:
        symbol: The symbol asked for.
        bars: Good rows: session, values, split_factor and total_factor, sorted, each session once.
        quarantine: The other rows, with `reason`.
        quality: What was found.
        shape: Columns of the bars.
        basis: The adjustment of the prices.
    """

    symbol: str
    bars: pl.DataFrame
    quarantine: pl.DataFrame
    quality: SymbolQuality
    shape: BarShape
    basis: Adjustment


def validate(source: SourceBars, shape: BarShape, calendar: str) -> ValidatedBars:
    """Separate the good rows of one symbol from the rest.

    Missing sessions are counted on the rows as delivered: a row in quarantine is bad, not missing.

    Args:
        source: Rows in any order, as a source delivered them.
        shape: Columns the source promises.
        calendar: Exchange calendar the rows must keep to.

    Raises:
        MissingColumnsError: Where a promised column is absent.
        BadDataError: Where a column has the wrong type or no good row is left.
    """
    delivered = _normalised(source, shape)
    judged = delivered.with_columns(reason=_reasons(delivered, shape, calendar))
    is_good = pl.col("reason") == ""
    bars = judged.filter(is_good).drop("reason")
    quarantine = judged.filter(~is_good)
    if bars.is_empty():
        raise BadDataError(dataset=source.symbol, problem=_nothing_left(quarantine))
    return ValidatedBars(
        symbol=source.symbol,
        bars=bars,
        quarantine=quarantine,
        quality=_quality(source, delivered, bars, quarantine, calendar),
        shape=shape,
        basis=source.basis,
    )


def reason_counts(quarantine: pl.DataFrame) -> tuple[tuple[str, int], ...]:
    """Count quarantined rows by reason, sorted by reason."""
    if quarantine.is_empty():
        return ()
    counts = quarantine.group_by("reason").len().sort("reason")
    return tuple((reason, count) for reason, count in counts.iter_rows())


def _normalised(source: SourceBars, shape: BarShape) -> pl.DataFrame:
    needed = ("session", *shape.values, *FACTORS)
    found = source.bars.schema
    if not set(needed) <= set(found):
        raise MissingColumnsError(dataset=source.symbol, needed=needed, found=tuple(found))
    wrong = [f"{c} is {found[c]}" for c in needed if not _fits(c, found[c])]
    if wrong:
        problem = f"wrong column types: {listed(tuple(wrong))}"
        raise BadDataError(dataset=source.symbol, problem=problem)
    numbers = pl.col(*needed[1:]).cast(pl.Float64)
    return source.bars.select("session", numbers).sort("session", maintain_order=True)


def _fits(column: str, kind: pl.DataType) -> bool:
    if column == "session":
        return kind == pl.Date
    return kind.is_numeric() or kind == pl.Null


def _reasons(rows: pl.DataFrame, shape: BarShape, calendar: str) -> pl.Expr:
    rules = dict(_row_rules(shape, calendar))
    if rows["session"].is_duplicated().any():
        whole = pl.struct(pl.all())
        conflict = whole.n_unique().over("session") > 1
        rules |= {SAME: ~conflict & ~whole.is_first_distinct(), CONFLICT: conflict}
    named = [
        pl.when(rule.fill_null(value=False)).then(pl.lit(name)) for name, rule in rules.items()
    ]
    return pl.concat_str(named, separator=", ", ignore_nulls=True)


@lru_cache(maxsize=8)
def _row_rules(shape: BarShape, calendar: str) -> tuple[tuple[str, pl.Expr], ...]:
    is_session = pl.col("session").is_in(exchange_sessions(calendar).implode())
    bad_factors = (~(pl.col(c).is_finite() & (pl.col(c) > 0)) for c in FACTORS)
    return (
        ("missing session", pl.col("session").is_null()),
        (f"not a session of {calendar}", ~is_session),
        *row_defects(shape).items(),
        ("factor not positive", pl.any_horizontal(bad_factors)),
    )


def _quality(
    source: SourceBars,
    delivered: pl.DataFrame,
    bars: pl.DataFrame,
    quarantine: pl.DataFrame,
    calendar: str,
) -> SymbolQuality:
    once = bars
    if quarantine.height:
        dated = delivered.filter(pl.col("session").is_not_null())
        once = dated.unique("session", keep="first", maintain_order=True)
    return SymbolQuality(
        symbol=source.symbol,
        rows=bars.height,
        first_session=bars["session"][0],
        last_session=bars["session"][-1],
        quarantined=reason_counts(quarantine),
        missing_sessions=missing_sessions(once["session"], calendar),
        large_moves=large_moves(once, bars, actions_known=source.actions_known),
    )


def _nothing_left(quarantine: pl.DataFrame) -> str:
    reasons = tuple(f"{count} x {reason}" for reason, count in reason_counts(quarantine))
    return f"no good row left; found {listed(reasons) if reasons else 'no rows at all'}"
