"""The books there are, kept open between two looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.accounts import TradingMode
from slices.ledger.existing import place_of
from slices.ledger.opening import ledger_for
from slices.monitor.observing.accounts import account_facts

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.observations import AccountFacts
    from slices.ledger.existing import Place
    from slices.ledger.opening import Ledger


class Books:
    """The ledgers of this installation; none is made by looking at it."""

    def __init__(self) -> None:
        self._open: dict[TradingMode, tuple[Place, Ledger]] = {}

    def account_facts(self, *, at: dt.datetime) -> tuple[AccountFacts, ...]:
        """Look at every account of every ledger there is.

        Raises:
            TradingError: The settings are wrong, or books cannot be read.
        """
        found = (self._ledger(mode) for mode in TradingMode)
        return tuple(facts for each in found if each for facts in account_facts(each, at=at))

    def close(self) -> None:
        """Close every ledger."""
        for _, ledger in self._open.values():
            ledger.close()
        self._open.clear()

    def _ledger(self, mode: TradingMode) -> Ledger | None:
        """Return a ledger, opened anew where another file took its place; None without one."""
        found = place_of(mode)
        known = self._open.get(mode)
        if known and known[0] == found:
            return known[1]
        if known:
            known[1].close()
            del self._open[mode]
        if found is None:
            return None
        self._open[mode] = (found, ledger_for(mode))
        return self._open[mode][1]
