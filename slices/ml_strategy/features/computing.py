"""Features of a panel: what was declared, computed stage by stage.

A row is a bar: where a symbol has none at a session there is no row. Windows count a symbol's own
bars, so that a hole makes a window reach further back and nothing is filled; what a window cannot
hold in full is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.domain.errors import MissingColumnsError
from slices.ml_strategy.features.catalogue import bar_columns, feature, needed_columns
from slices.ml_strategy.features.declaring import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from slices.ml_strategy.features.declaring import Column
    from slices.quant.panel import Panel

VALUES = ("open", "high", "low", "close", "volume")
HOLES = 10
"""Sessions more than a window holds, for symbols that had no bar on some of them."""

PLACE = "symbol_place"
KEYS = ("session", PLACE)


def feature_frame(panel: Panel, names: tuple[str, ...]) -> pl.DataFrame:
    """Compute features of every bar of a panel.

    Args:
        panel: T sessions x N symbols.
        names: F features of the catalogue.

    Returns:
        Columns `session`, `symbol`, then the features as float64, one row per bar, sorted by
        session and within it in the panel's order of symbols; null where a feature is not known.

    Raises:
        ParameterError: Where a feature is not in the catalogue.
        MissingColumnsError: Where the panel has no such prices or volumes.
    """
    check_columns(panel, names)
    columns = needed_columns(names)
    own = _along_symbols(_bars_of(panel), _at(columns, Stage.OWN))
    sessions = _along_sessions(own, columns)
    beside = own if sessions is None else own.join(sessions, on="session", how="left")
    relative = _along_symbols(beside, _at(columns, Stage.RELATIVE))
    across = _with_layers(
        relative.sort(KEYS), [_within_session(e) for e in _at(columns, Stage.ACROSS)]
    )
    rows = _with_layers(across, [(e.name, e.expression) for e in _at(columns, Stage.ROW)])
    symbols = pl.Series(panel.symbols, dtype=pl.String)
    return rows.select("session", symbols.gather(rows[PLACE]).alias("symbol"), *names)


def check_columns(panel: Panel, names: tuple[str, ...]) -> None:
    """Check that a panel has what features need.

    Raises:
        MissingColumnsError: Naming the columns.
    """
    found = columns_of(panel)
    needed = dict.fromkeys(c for name in names for c in bar_columns(feature(name).need))
    if not set(needed) <= set(found):
        without = tuple(n for n in names if not set(bar_columns(feature(n).need)) <= set(found))
        raise MissingColumnsError(
            dataset=f"bars for {', '.join(without[:5])}", needed=tuple(needed), found=found
        )


def columns_of(panel: Panel) -> tuple[str, ...]:
    """Name the prices and volumes a panel has."""
    return tuple(name for name in VALUES if getattr(panel, name) is not None)


def features_at(panel: Panel, names: tuple[str, ...], *, last_rows: int) -> pl.DataFrame:
    """Compute features of the newest sessions alone, from the least history they need.

    Args:
        panel: T sessions x N symbols.
        names: F features of the catalogue.
        last_rows: Newest sessions to compute.

    Returns:
        As `feature_frame`, with the same values but for rounding.
    """
    longest = max((feature(name).lookback_sessions for name in names), default=1)
    start = _first_needed(panel, bars=longest + last_rows + HOLES)
    frame = feature_frame(panel.between(start, len(panel.sessions)), names)
    return frame.filter(pl.col("session") >= panel.sessions[-last_rows:][0])


def _first_needed(panel: Panel, *, bars: int) -> int:
    """Return the row from which on every symbol has so many bars, or all it has at all."""
    held = np.cumsum(np.isfinite(panel.close)[::-1], axis=0)[::-1]
    return int(np.flatnonzero((held >= np.minimum(bars, held[0])).all(axis=1))[-1])


def _bars_of(panel: Panel) -> pl.DataFrame:
    """Lay a panel out as rows by symbol and session; NaN becomes unknown."""
    places, rows = np.nonzero(np.isfinite(panel.close).T)
    values = {name: getattr(panel, name)[rows, places] for name in columns_of(panel)}
    frame = pl.DataFrame({PLACE: places.astype(np.int64), **values})
    sessions = pl.Series(panel.sessions, dtype=pl.Date).gather(pl.Series(rows, dtype=pl.UInt32))
    return frame.with_columns(sessions.alias("session"), _clean(pl.col(*values)))


def _at(columns: Sequence[Column], stage: Stage) -> list[Column]:
    return [each for each in columns if each.stage is stage]


def _along_symbols(rows: pl.DataFrame, columns: list[Column]) -> pl.DataFrame:
    """Compute columns in a frame of each symbol's own bars, so that no window leaves it."""
    if not columns or rows.is_empty():
        return _with_layers(rows, [(each.name, each.expression) for each in columns])
    parts = rows.sort(PLACE, "session").partition_by(PLACE, maintain_order=True)
    declared = [(each.name, each.expression) for each in columns]
    return pl.concat([_with_layers(part, declared) for part in parts])


def _along_sessions(own: pl.DataFrame, columns: tuple[Column, ...]) -> pl.DataFrame | None:
    """Compute what is one number per session; None where nothing is."""
    pooled, along = _at(columns, Stage.POOL), _at(columns, Stage.SESSION)
    if not pooled and not along:
        return None
    sums = [_clean(each.expression).alias(each.name) for each in pooled]
    sessions = own.sort(KEYS).group_by("session", maintain_order=True).agg(sums)
    return _with_layers(sessions, [(each.name, each.expression) for each in along])


def _within_session(column: Column) -> tuple[str, pl.Expr]:
    return column.name, column.expression.over("session")


def _with_layers(frame: pl.DataFrame, declared: list[tuple[str, pl.Expr]]) -> pl.DataFrame:
    for layer in _layers(declared):
        frame = frame.with_columns(_clean(expression).alias(name) for name, expression in layer)
    return frame


def _layers(declared: list[tuple[str, pl.Expr]]) -> Iterator[list[tuple[str, pl.Expr]]]:
    """Part columns so that each is computed after those it is made of."""
    waiting = declared
    while waiting:
        names = {name for name, _ in waiting}
        ready = [each for each in waiting if names.isdisjoint(each[1].meta.root_names())]
        yield ready
        done = {name for name, _ in ready}
        waiting = [each for each in waiting if each[0] not in done]


def _clean(values: pl.Expr) -> pl.Expr:
    """Make what is infinite or no number unknown."""
    return pl.when(values.is_finite()).then(values)
