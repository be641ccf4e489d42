"""What may be changed about a stepping account between two sessions.

Orders are taken back, and symbols come and go. Both answer with a new account and leave the one
they are given as it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ParameterError, listed
from slices.quant.simulation.intents import OrderStatus
from slices.quant.simulation.orders import CANCELLED_BY_HAND, STATUSES
from slices.quant.simulation.records import opened

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from slices.quant.simulation.stepping import Account
    from slices.quant.types import FloatArray, IntArray

PENDING, PARTLY_FILLED, CANCELLED = (
    STATUSES.index(each)
    for each in (OrderStatus.PENDING, OrderStatus.PARTLY_FILLED, OrderStatus.CANCELLED)
)


def compressed(account: Account) -> Account:
    """Forget orders that are over."""
    return _keeping(account, account.book["alive"][: account.alive])


def cancel(account: Account, numbers: Collection[int]) -> Account:
    """Take back orders that still wait, and the brackets of what they have opened so far.

    Such an order never fills, and neither does its bracket: what a partly filled order holds is
    no longer guarded. Orders that have ended, filled ones with a bracket among them, stay as they
    are, and so do numbers that are not known.

    Args:
        account: After the close of a session, decisions taken in or not.
        numbers: Of the orders, counted from the first that was ever handed in.
    """
    book, positions = account.book.copy(), account.positions.copy()
    is_gone = np.isin(book["number"], list(numbers)) & (book["status"] == PENDING)
    book["status"][is_gone] = np.where(book["filled"][is_gone] != 0, PARTLY_FILLED, CANCELLED)
    book["why"][is_gone], book["reported"][is_gone] = CANCELLED_BY_HAND, True
    waited = np.isin(positions["intent"], np.flatnonzero(is_gone))
    positions["pending"][waited], positions["intent"][waited] = np.nan, -1
    kept = book["alive"][: account.alive]
    return _keeping(replace(account, book=book, positions=positions), kept[~is_gone[kept]])


def needed_symbols(account: Account) -> tuple[str, ...]:
    """List the symbols an account cannot do without: held, ordered or decided upon."""
    book, is_needed = account.book, account.shares != 0
    is_needed = is_needed | ~np.isnan(account.pending)
    is_needed[book["column"][book["alive"][: account.alive]]] = True
    return tuple(s for s, needed in zip(account.symbols, is_needed, strict=True) if needed)


def rearranged(account: Account, symbols: Sequence[str], *, marks: FloatArray) -> Account:
    """Let an account trade these symbols, in this order, and forget the others.

    Args:
        account: After the close of a session.
        symbols: N names.
        marks: N newest closes, of which those of symbols new to the account are used; NaN before
            a symbol's first bar.

    Raises:
        ParameterError: Naming symbols that are left out though the account needs them.
    """
    places = {symbol: place for place, symbol in enumerate(symbols)}
    missing = tuple(each for each in needed_symbols(account) if each not in places)
    if missing:
        raise ParameterError(
            parameter="symbols", found=f"none of {listed(missing)}", allowed="all that is held"
        )
    account = compressed(account)
    moved = np.array([places.get(each, -1) for each in account.symbols], dtype=np.int64)
    positions, book = opened(len(symbols), 0.0)[1], account.book.copy()
    positions["mark"] = marks
    positions[moved[moved >= 0]] = account.positions[moved >= 0]
    book["column"] = moved[book["column"]]
    return replace(account, symbols=tuple(symbols), positions=positions, book=book)


def _keeping(account: Account, kept: IntArray) -> Account:
    """Keep the orders at these places of the book, in this order."""
    places = np.full(account.book.size + 1, -1)
    places[kept] = np.arange(kept.size)
    positions, book = account.positions.copy(), account.book[kept].copy()
    positions["intent"] = places[positions["intent"]]
    book["alive"] = np.arange(kept.size)
    return replace(account, positions=positions, book=book, alive=int(kept.size))
