"""The plain case cut off at ruin, as the general loop would have ended it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from slices.quant.simulation.account import FillReason, Fills

if TYPE_CHECKING:
    from slices.quant.simulation.account import Simulation
    from slices.quant.types import FloatArray, IntArray


def ended_at_ruin(
    account: Simulation, prices: FloatArray, targets: FloatArray, rows: IntArray, *, gross: float
) -> Simulation:
    """Close an account at the first point at which it is not worth more than 0.

    One that never owes money or shares cannot be ruined and is returned as it is.

    Args:
        account: Of the plain case, as if it could go on.
        prices: T x N fill prices.
        targets: T x N weights decided at each close.
        rows: Those that hold a weight, rising.
        gross: Largest sum of absolute weights; what is above 1 may be owed.
    """
    if not (_sells_short(targets[rows]) or (gross > 1.0 and _owes(account))):
        return account
    from slices.quant.simulation.ruin import first_ruin

    row, point = first_ruin(account.marks, prices, account.cash, account.shares)
    return account if row < 0 else _ended(account, prices, targets, row=row, point=point)


def _sells_short(decided: FloatArray) -> bool:
    return bool(np.fmin.reduce(decided, axis=None, initial=0.0) < 0.0)


def _owes(account: Simulation) -> bool:
    """Return whether the account ever owed money, but for rounding."""
    from slices.quant.simulation.plain import ROUNDING

    return bool(account.cash.min() < -ROUNDING * account.capital)


def _ended(
    account: Simulation, prices: FloatArray, targets: FloatArray, *, row: int, point: int
) -> Simulation:
    from slices.quant.simulation.ruin import AT_CLOSE, BEFORE_FILLS

    kept = row if point == BEFORE_FILLS else row + 1
    at = account.marks[row] if point == AT_CLOSE else prices[row]
    shares, cash = account.shares[kept - 1], float(account.cash[kept - 1])
    for held, price in zip(shares.tolist(), at.tolist(), strict=True):
        cash += held * price
    undecided = np.full(shares.size, np.nan)
    return replace(
        account,
        equity=_zero_from(account.equity, row),
        cash=_zero_from(account.cash, row),
        shares=_zero_from(account.shares, row),
        shortfalls=_zero_from(account.shortfalls, kept),
        scaled_rows=account.scaled_rows[account.scaled_rows < kept],
        fills=_closed(account.fills, kept, row, shares, at),
        pending=targets[row - 1].copy() if point == BEFORE_FILLS else undecided,
        ruined_row=row,
        written_off=0.0 - cash,
    )


def _zero_from(values: FloatArray, row: int) -> FloatArray:
    cut = values.copy()
    cut[row:] = 0.0
    return cut


def _closed(fills: Fills, kept: int, row: int, shares: FloatArray, at: FloatArray) -> Fills:
    """Cut fills to those before a session and add those that close what is held."""
    count, columns = int(np.searchsorted(fills.rows, kept)), np.flatnonzero(shares)
    values = {
        "rows": row,
        "columns": columns,
        "quantities": -shares[columns],
        "prices": at[columns],
        "reasons": int(FillReason.RUIN),
        "orders": -1,
        "decided": row - 1,
    }
    parts = {}
    for each in fields(fills):
        before = getattr(fills, each.name)[:count]
        added = np.full(columns.size, values.get(each.name, 0), dtype=before.dtype)
        parts[each.name] = np.concatenate([before, added])
    return Fills(**parts)
