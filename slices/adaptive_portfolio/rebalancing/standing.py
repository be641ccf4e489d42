"""What an account holds at the closes of a session, with what waits counted as filled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.rebalancing.charging import expected_costs
from slices.adaptive_portfolio.rebalancing.planning import Holdings
from slices.domain.errors import BadDataError, SymbolNotFoundError

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray


def check_held(book: AccountBook, bars: DatasetRef) -> None:
    """Check that there are bars of everything an account holds or waits for.

    Raises:
        SymbolNotFoundError: Naming what lacks.
    """
    wanted = {
        *(each.symbol for each in book.positions),
        *(each.order.symbol for each in book.open_orders),
    }
    lacking = tuple(sorted(wanted - set(bars.symbols)))
    if lacking:
        raise SymbolNotFoundError(
            symbols=lacking,
            source=f"{bars.source}/{bars.feed}",
            available=bars.symbols,
            reason=f"account '{book.name}' holds it, so nothing can be planned without its bars",
        )


def holdings_at(panel: Panel, book: AccountBook, costs: Costs) -> Holdings:
    """Value an account at the closes of the newest session.

    Orders that wait are counted as filled at these closes, costs paid, so that nothing is traded
    twice; a symbol without a close is valued at its newest one and not traded.

    Args:
        panel: Up to the session, with everything that is held.
        book: The account.
        costs: What trading costs.

    Raises:
        BadDataError: Where something held never had a close.
    """
    waiting = dict.fromkeys(panel.symbols, 0.0)
    prices = newest_closes(panel)
    for each in book.open_orders:
        waiting[each.order.symbol] += float(each.open_quantity)
    ordered = np.array([waiting[each] for each in panel.symbols])
    shares = np.array([float(book.held(each)) for each in panel.symbols]) + ordered
    unknown = (shares != 0) & ~np.isfinite(prices)
    if unknown.any():
        names = ", ".join(panel.symbols[i] for i in np.flatnonzero(unknown))
        raise BadDataError(dataset="bars", problem=f"no close of {names}, which is held")
    tradable = np.isfinite(panel.close[-1])
    prices = np.where(np.isfinite(prices), prices, 1.0)
    paid = float(expected_costs(ordered, prices, costs).sum())
    return Holdings(
        symbols=panel.symbols,
        shares=shares,
        prices=prices,
        tradable=tradable,
        cash=float(book.cash) - float(ordered @ prices) - paid,
    )


def newest_closes(panel: Panel) -> FloatArray:
    """Return the newest close of every symbol; NaN where there never was one."""
    found = np.full(len(panel.symbols), math.nan)
    for row in panel.close:
        found = np.where(np.isfinite(row), row, found)
    return found
