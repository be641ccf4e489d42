"""How a whole market moves together: its clusters, and the pairs that stand out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.analyze.closes import SharedReturns
from slices.analyze.structure import structure_of
from slices.domain.analyses import NotComputed
from slices.domain.co_movement import CorrelatedPair, MarketStructure
from slices.domain.dataset import read_closes
from slices.domain.errors import InsufficientHistoryError, ParameterError, listed
from slices.quant.returns import MOST_INCOMPLETE, complete_rows, shared_rows, simple_returns

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.dataset import DatasetRef
    from slices.domain.portfolio import Diversification
    from slices.quant.types import BoolArray, FloatArray


def market_structure(
    bars: DatasetRef, *, lookback_sessions: int = 252, most_pairs: int = 10
) -> MarketStructure:
    """Describe how the symbols of a market moved together over its newest sessions.

    Symbols that lack a bar in more than 2 % of these sessions, because they began later, ended
    earlier or have holes, are left out by name, and so are those whose close never changes: one of
    them would otherwise take its sessions, or every correlation, from all the others.

    Args:
        bars: Two or more symbols.
        lookback_sessions: How many of the newest sessions to look at; fewer where there are fewer.
        most_pairs: How many pairs of the highest, and of the lowest, correlation to name.

    Raises:
        ParameterError: With fewer than two symbols.
        InsufficientHistoryError: Where fewer than two symbols have enough bars, or they share
            fewer than three sessions.
        BadDataError: Where the symbols kept lack bars in too many different sessions.
    """
    if len(bars.symbols) < 2:
        raise ParameterError(
            parameter="symbols", found=listed(bars.symbols), allowed="at least two"
        )
    wide = read_closes(bars)
    closes = wide.select(bars.symbols).to_numpy().astype(np.float64)[-lookback_sessions - 1 :]
    left_out = _obstacles(closes, bars.symbols)
    named = {each.name for each in left_out}
    kept = np.array([symbol not in named for symbol in bars.symbols])
    if kept.sum() < 2:
        raise InsufficientHistoryError(
            symbol=listed(tuple(each.name for each in left_out), most=5),
            needed=closes.shape[0],
            found=int(np.isfinite(closes[:, ~kept]).sum(axis=0).max(initial=0)),
        )
    symbols = tuple(np.array(bars.symbols)[kept].tolist())
    sessions = tuple(wide["session"].to_list()[-lookback_sessions - 1 :])
    shared = _shared(closes[:, kept], symbols, sessions)
    structure = structure_of(shared, symbols, dataset=str(bars))
    return MarketStructure(
        structure=structure,
        most_alike=top_pairs(structure, most=most_pairs),
        least_alike=top_pairs(structure, most=most_pairs, alike=False),
        left_out=left_out,
    )


def _obstacles(closes: FloatArray, symbols: tuple[str, ...]) -> tuple[NotComputed, ...]:
    """Name the symbols that cannot be compared over these sessions."""
    present = np.isfinite(closes)
    sessions = closes.shape[0]
    counts = present.sum(axis=0)
    found = []
    for place, symbol in enumerate(symbols):
        own = closes[present[:, place], place]
        if counts[place] < (1.0 - MOST_INCOMPLETE) * sessions:
            reason = f"has bars in {counts[place]} of the newest {sessions} sessions"
            found.append(NotComputed(name=symbol, reason=reason))
        elif own.min() == own.max():
            found.append(NotComputed(name=symbol, reason="its close never changes"))
    return tuple(found)


def _shared(
    closes: FloatArray, symbols: tuple[str, ...], sessions: tuple[dt.date, ...]
) -> SharedReturns:
    shared: BoolArray = shared_rows(closes, symbols, needed=3)
    returns = simple_returns(closes)
    kept = complete_rows(returns)
    return SharedReturns(
        sessions=tuple(sessions[row + 1] for row in np.flatnonzero(kept)),
        returns=returns[kept],
        shared_sessions=int(shared.sum()),
    )


def top_pairs(
    structure: Diversification, *, most: int = 10, alike: bool = True
) -> tuple[CorrelatedPair, ...]:
    """Return the pairs of highest correlation, highest first; or of lowest, lowest first."""
    rows, columns = np.triu_indices(len(structure.symbols), k=1)
    values = np.array(structure.correlations)[rows, columns]
    order = np.argsort(-values if alike else values, kind="stable")[:most]
    return tuple(
        CorrelatedPair(
            first=structure.symbols[rows[place]],
            second=structure.symbols[columns[place]],
            correlation=float(values[place]),
        )
        for place in order
    )
