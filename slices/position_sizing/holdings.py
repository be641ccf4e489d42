"""An account as sizes see it: fractions of equity, orders that wait included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, ParameterError

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.quant.panel import Panel


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What an account holds and may still spend.

    Attributes:
        equity: Money, more than 0.
        cash: Money left once all waiting purchases are paid.
        weights: Symbol and signed fraction of equity of every position.
        waiting: The same of what waiting orders will add.
    """

    equity: float
    cash: float
    weights: tuple[tuple[str, float], ...] = ()
    waiting: tuple[tuple[str, float], ...] = ()

    def weight(self, symbol: str) -> float:
        """Return the signed weight held of a symbol, waiting orders not included."""
        return dict(self.weights).get(symbol, 0.0)

    def gross_of_others(self, symbol: str) -> float:
        """Return the sum of absolute weights of all other symbols, waiting orders included."""
        return sum(abs(weight) for weight in self._others(symbol).values())

    def net_of_others(self, symbol: str) -> float:
        """Return the sum of signed weights of all other symbols, waiting orders included."""
        return sum(self._others(symbol).values())

    def expected(self) -> dict[str, float]:
        """Return the weight of every symbol once what waits is filled."""
        total: dict[str, float] = {}
        for name, weight in (*self.weights, *self.waiting):
            total[name] = total.get(name, 0.0) + weight
        return total

    def _others(self, symbol: str) -> dict[str, float]:
        return {name: weight for name, weight in self.expected().items() if name != symbol}


def holdings_of(
    book: AccountBook | None, panel: Panel, *, capital: float, workflow: str = ""
) -> Holdings:
    """Read an account's books as fractions of its equity.

    What the same workflow ordered in the same session is left out, so that a run that is repeated
    comes to the same size.

    Args:
        book: The books; None for an account that holds nothing but its capital.
        panel: Bars of everything held or ordered.
        capital: Money, where there are no books.
        workflow: Whose own orders of the newest session do not count.

    Raises:
        ParameterError: Where nothing is left of the account.
        BadDataError: Where the bars have no price of something held or ordered.
    """
    if book is None:
        return Holdings(equity=capital, cash=capital)
    equity = float(book.equity)
    if equity <= 0:
        raise ParameterError(
            parameter="account", found=f"an equity of {equity:,.2f}", allowed="more than 0"
        )
    session = panel.sessions[-1]
    waiting = [
        each
        for each in book.open_orders
        if (each.order.workflow, each.order.session) != (workflow, session)
    ]
    ordered = [
        (each.order.symbol, float(each.open_quantity) * newest_close(panel, each.order.symbol))
        for each in waiting
        if not each.order.reduce_only
    ]
    spent = sum(max(0.0, value) for _, value in ordered)
    held = tuple(
        (each.symbol, float(each.quantity) * newest_close(panel, each.symbol) / equity)
        for each in book.positions
    )
    return Holdings(
        equity=equity,
        cash=float(book.cash) - spent,
        weights=held,
        waiting=tuple((symbol, value / equity) for symbol, value in ordered),
    )


def newest_close(panel: Panel, symbol: str) -> float:
    """Return a symbol's newest close.

    Raises:
        BadDataError: Where the bars do not have it.
    """
    if symbol in panel.symbols:
        closes = panel.close[:, panel.symbols.index(symbol)]
        known = closes[np.isfinite(closes)]
        if known.size:
            return float(known[-1])
    raise BadDataError(
        dataset=symbol,
        problem="the account holds or has ordered it, and the bars do not have it: name it among "
        "the symbols",
    )
