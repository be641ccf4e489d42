"""Large moves: close-to-close changes that ask for an explanation before money follows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from slices.data.adjustment import FACTORS
from slices.domain.bars import BarShape, shape_of
from slices.domain.dataset import LargeMove
from slices.domain.errors import SuspectedSplitError

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.dataset import DatasetRef

LARGE_CHANGE = 0.4
"""Changes of more than this fraction are listed. A 3:2 split (-33 %) lies below it."""

SUSPECT_RATIOS = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 50.0)
"""New shares per old share; their inverses are reverse splits."""

SUSPECT_TOLERANCE = 0.05
"""How far from a ratio the gap may lie: a usual overnight move on top of the split."""

STEADY_TURNOVER = 4.0
"""A split leaves the money traded within this factor of its median; news multiplies it by more."""

TURNOVER_SESSIONS = 20


def large_moves(
    delivered: pl.DataFrame, kept: pl.DataFrame, *, actions_known: bool
) -> tuple[LargeMove, ...]:
    """List the changes of more than 40 % from close to close.

    A move is explained where a factor steps on that session and undoes most of it, or where the
    source says where splits are. Any other looks like a split when the gap from the last close to
    the open (to the close, where there is no open) is within 5 % of a common split ratio, and the
    money traded stays within a factor of 4 of its median over the 20 sessions before. Only bars
    that were kept can look like a split: the rest never reaches anyone.

    Args:
        delivered: Rows before quarantine, sorted by session, each once, with their factors.
        kept: Rows after quarantine.
        actions_known: Whether the source says where splits are.
    """
    found = {move.session: move for move in _moves(kept, actions_known=actions_known)}
    if delivered.height > kept.height:
        usable = delivered.filter(pl.col("close").is_finite() & (pl.col("close") > 0))
        listed = _moves(usable, actions_known=actions_known)
        found = {m.session: replace(m, looks_like_split=False) for m in listed} | found
    return tuple(found[session] for session in sorted(found))


def _moves(bars: pl.DataFrame, *, actions_known: bool) -> list[LargeMove]:
    return [
        LargeMove(
            session=session,
            change=change,
            explained=actions_known or undone,
            looks_like_split=not (actions_known or undone) and _is_split(gap, turnover),
        )
        for session, change, gap, turnover, undone in _jumps(bars)
    ]


def _jumps(bars: pl.DataFrame) -> list[tuple[dt.date, float, float, float, bool]]:
    """List session, change, gap ratio, turnover ratio and whether a factor undoes the move."""
    closes = bars["close"].to_numpy()
    if not (np.abs(closes[1:] / closes[:-1] - 1) > LARGE_CHANGE).any():
        return []
    before = pl.col("close").shift(1)
    traded = pl.col("close") * pl.col("volume")
    usual = traded.rolling_median(TURNOVER_SESSIONS, min_samples=1).shift(1)
    ohlcv = shape_of(bars) is BarShape.OHLCV
    measured = bars.select(
        "session",
        change=pl.col("close") / before - 1,
        gap=pl.col("open" if ohlcv else "close") / before,
        turnover=traded / usual if ohlcv else pl.lit(1.0),
        undone=pl.any_horizontal(map(_undoes_move, FACTORS)).fill_null(value=False),
    )
    return measured.filter(pl.col("change").abs() > LARGE_CHANGE).rows()


def _undoes_move(factor: str) -> pl.Expr:
    """Tell whether the step of a factor leaves less than half of a move, as a log return."""
    move = pl.col("close").log().diff()
    return (move + pl.col(factor).log().diff()).abs() < move.abs() / 2


def _is_split(gap: float, turnover: float) -> bool:
    ratio = max(gap, 1 / gap)
    near = any(abs(ratio / each - 1) <= SUSPECT_TOLERANCE for each in SUSPECT_RATIOS)
    return near and 1 / STEADY_TURNOVER <= turnover <= STEADY_TURNOVER


def sizing_block(ref: DatasetRef, symbol: str) -> LargeMove | None:
    """Return the latest move that forbids sizing a position in this symbol, or None."""
    splits = [
        move
        for quality in ref.quality
        if quality.symbol == symbol
        for move in quality.suspected_splits
    ]
    return splits[-1] if splits else None


def check_sizing_allowed(ref: DatasetRef) -> None:
    """Check that no symbol shows a jump that looks like a split nobody adjusted for.

    Raises:
        SuspectedSplitError: For the first symbol that does.
    """
    for symbol in ref.symbols:
        move = sizing_block(ref, symbol)
        if move is not None:
            raise SuspectedSplitError(
                symbol=symbol, session=move.session.isoformat(), change=move.change
            )
