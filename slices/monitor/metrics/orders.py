"""Metrics of orders and fills, of the thirty days up to an account's newest session."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

from slices.domain.monitoring import Unit
from slices.monitor.metrics.accounts import SOURCE, named
from slices.monitor.metrics.registering import metric, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.observations import AccountFacts, Observation
    from slices.monitor.metrics.registering import Labels, Reading


def _orders(name: str, *, unit: Unit) -> Callable[[Callable[[AccountFacts], float]], object]:
    def registered(read: Callable[[AccountFacts], float]) -> object:
        @metric(name, unit=unit, source=SOURCE)
        @wraps(read)
        def measured(seen: Observation) -> Reading:
            return ((named(each), read(each)) for each in seen.accounts or ())

        return measured

    return registered


def _of(account: AccountFacts, name: str, word: str) -> Labels:
    return tuple(sorted((*named(account), (name, word))))


@metric("account.orders", unit=Unit.COUNT, source=SOURCE)
def _by_state(seen: Observation) -> Reading:
    """Orders of an account of the last thirty days by state."""
    for account in seen.accounts or ():
        for state, count in account.orders:
            yield _of(account, "state", state), count


@metric("account.rejects", unit=Unit.COUNT, source=SOURCE)
def _rejects(seen: Observation) -> Reading:
    """Orders of an account of the last thirty days that were denied or rejected, by reason."""
    for account in seen.accounts or ():
        for reason, count in account.rejected:
            yield _of(account, "reason", reason), count


@_orders("account.reject_ratio", unit=Unit.FRACTION)
def _reject_ratio(account: AccountFacts) -> float:
    """Share of the orders of the last thirty days that were denied or rejected."""
    counts = dict(account.orders)
    refused = counts.get("denied", 0) + counts.get("rejected", 0)
    return ratio(refused, sum(counts.values()))


@_orders("account.open_orders", unit=Unit.COUNT)
def _open_orders(account: AccountFacts) -> float:
    """Orders that may still be filled."""
    return account.open_orders


@_orders("account.unknown_orders", unit=Unit.COUNT)
def _unknown_orders(account: AccountFacts) -> float:
    """Orders that nobody knows the fate of."""
    return account.unknown_orders


@_orders("account.fills", unit=Unit.COUNT)
def _fills(account: AccountFacts) -> float:
    """Fills of the last thirty days."""
    return account.fills


@_orders("account.fill_ratio", unit=Unit.FRACTION)
def _fill_ratio(account: AccountFacts) -> float:
    """Filled over ordered quantity of the orders that ended; undefined without any."""
    return account.fill_ratio


@_orders("account.slippage_bps", unit=Unit.BASIS_POINTS)
def _slippage_bps(account: AccountFacts) -> float:
    """Spread and impact of what was traded, positive is worse; undefined without fills."""
    return account.slippage_bps


@_orders("account.turnover", unit=Unit.FRACTION)
def _turnover(account: AccountFacts) -> float:
    """Half of what was traded in the last thirty days, over mean equity."""
    return account.turnover
