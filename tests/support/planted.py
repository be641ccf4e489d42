"""A simulated market whose past says something of what follows, until it no longer does."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tests.support.frames import sessions

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

FIRST = dt.date(2012, 1, 3)
MARKET_DEVIATION = 0.008
OWN_DEVIATION = 0.012
LOOKBACK = 21


@dataclass(frozen=True, kw_only=True, eq=False)
class Planted:
    """Closes of T sessions x N symbols.

    Attributes:
        off: Position of the first session whose return knows nothing of the past any more.
    """

    symbols: tuple[str, ...]
    sessions: tuple[dt.date, ...]
    close: npt.NDArray[np.float64]
    off: int

    def write(self, file: Path) -> Path:
        """Write a table with a column of closes for each symbol."""
        columns = dict(zip(self.symbols, self.close.T, strict=True))
        pl.DataFrame({"session": list(self.sessions), **columns}).write_parquet(file)
        return file


def planted(
    *, symbols: int = 40, sessions_on: int, sessions_off: int, strength: float, seed: int = 5,
    after: float = 0.0,
) -> Planted:  # fmt: skip
    """Simulate returns that follow the momentum of the last month across symbols.

    A symbol's return of a session is the market's, plus noise of its own, plus `strength` of its
    deviation for each deviation by which its return over the last 21 sessions stood above the
    others' at the close before. Nothing else tells symbols apart.

    Args:
        symbols: How many.
        sessions_on: Sessions with the signal.
        sessions_off: Sessions after it.
        strength: Of the signal in one session; 0.02 is a rank correlation of about 0.05 with the
            returns of five sessions.
        seed: Of the simulation.
        after: Strength after the switch; 0 is none, below 0 reversed.
    """
    random = np.random.default_rng(seed)
    total = sessions_on + sessions_off
    market = random.normal(0.0003, MARKET_DEVIATION, (total, 1))
    own = random.normal(0.0, OWN_DEVIATION, (total, symbols))
    moves = np.zeros((total, symbols))
    for row in range(total):
        known = moves[max(0, row - LOOKBACK) : row].sum(axis=0)
        spread = known.std()
        standing = (known - known.mean()) / spread if spread > 0 else np.zeros(symbols)
        force = strength if row < sessions_on else after
        moves[row] = own[row] + force * OWN_DEVIATION * standing
    return Planted(
        symbols=tuple(f"P{number:02d}" for number in range(symbols)),
        sessions=tuple(sessions(total, first=FIRST)),
        close=100.0 * np.exp(np.cumsum(market + moves, axis=0)),
        off=sessions_on,
    )
