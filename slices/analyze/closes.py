"""Returns of sessions that follow one another and where every symbol has a close."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.dataset import read_closes
from slices.quant.returns import complete_rows, shared_rows, simple_returns
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedReturns:
    """Simple returns of all symbols, each over one session.

    Attributes:
        sessions: T sessions at whose close the returns are made.
        returns: T x N in the order of the dataset's symbols, none missing.
        shared_sessions: How many sessions have a close of every symbol; more than T.
    """

    sessions: tuple[dt.date, ...]
    returns: FloatArray
    shared_sessions: int


def shared_returns(bars: DatasetRef) -> SharedReturns:
    """Read the returns of the sessions where every symbol has this close and the one before.

    A return that spans a session which some symbol lacks is left out: it covers more time than
    the others, and no year has as many of its kind as `periods_per_year` says.

    Raises:
        BadDataError: Where the symbols share no session, or `shared_rows` finds them too sparse.
        InsufficientHistoryError: Where they share fewer than three sessions.
    """
    wide = read_closes(bars)
    closes = wide.select(bars.symbols).to_numpy().astype(np.float64)
    shared = shared_rows(closes, bars.symbols, needed=3)
    returns = simple_returns(closes)
    kept = complete_rows(returns)
    sessions = wide["session"].to_list()
    return SharedReturns(
        sessions=tuple(sessions[i + 1] for i in np.flatnonzero(kept)),
        returns=returns[kept],
        shared_sessions=int(shared.sum()),
    )
