"""How features are declared: an expression, the stage it belongs to, and what a person should know.

Every column is computed at one stage, from columns of the same or of earlier stages:

======== ========================== ===========================================================
stage    rows it runs along         may look at
======== ========================== ===========================================================
OWN      the bars of one symbol     that symbol's bars up to the row
POOL     one per session            all symbols at that session
SESSION  the sessions               sessions up to the row
RELATIVE the bars of one symbol     those, beside what sessions say
ACROSS   the symbols of a session   all symbols at that session
ROW      one at a time              itself
======== ========================== ===========================================================

Within OWN, SESSION and RELATIVE, rows before a row are earlier ones: an expression there may shift
and roll, by what polars calls `shift` with positive numbers and rolling windows that end at the
row. Nothing looks the other way, and nothing looks at the whole of a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import polars as pl

from slices.domain.learning import FeatureFamily, FeatureNeed

TINY = 1e-12
"""A divisor as small as this is rounding: what it divides is not known."""


class Stage(IntEnum):
    """Along which rows a column is computed; stages follow each other in this order."""

    OWN = 1
    POOL = 2
    SESSION = 3
    RELATIVE = 4
    ACROSS = 5
    ROW = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """A column that others are made of.

    Attributes:
        name: Unique among all columns.
        stage: Along which rows it is computed.
        expression: Of columns declared for this or an earlier stage, or of the bars.
    """

    name: str
    stage: Stage
    expression: pl.Expr


@dataclass(frozen=True, kw_only=True, eq=False)
class Feature(Column):
    """A column that models may be given.

    Attributes:
        family: What it looks at.
        title: One line for a person.
        formula: In symbols: c close, o open, h high, l low, v volume, r = c / c[-1] - 1, m the mean
            of r over symbols; [-n] is n bars before; mean, dev, sum, max and min run over the
            window in the name.
        lookback_sessions: Bars needed until it is known, the row's own among them.
        need: Columns of the bars it needs.
        is_scale_free: Whether prices in another currency, or volumes per lot, change nothing.
        reference: Who described it.
    """

    family: FeatureFamily
    title: str
    formula: str
    lookback_sessions: int
    need: FeatureNeed = FeatureNeed.CLOSE
    is_scale_free: bool = True
    reference: str = ""


def ratio(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
    """Divide; not known where the divisor is not, or is 0 but for rounding.

    >>> frame = pl.DataFrame({"a": [4.0, 1e-17]})
    >>> frame.select(ratio(pl.lit(1.0), pl.col("a"))).to_series().to_list()
    [0.25, None]
    """
    return pl.when(bottom.abs() > TINY).then(top / bottom)


def positive_log(values: pl.Expr) -> pl.Expr:
    """Take the logarithm of what is positive; not known elsewhere."""
    return pl.when(values > 0).then(values.log())


def rank(values: pl.Expr) -> pl.Expr:
    """Rank within the rows at hand from -0.5 to 0.5, ties alike; not known where it is alone.

    >>> frame = pl.DataFrame({"a": [3.0, 1.0, None, 1.0]})
    >>> frame.select(rank(pl.col("a"))).to_series().to_list()
    [0.5, -0.25, None, -0.25]
    """
    count = values.count()
    return pl.when(count > 1).then((values.rank("average") - 1) / (count - 1) - 0.5)
