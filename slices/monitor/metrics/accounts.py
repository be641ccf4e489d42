"""Metrics of accounts: worth, exposure, risk, and what of their limits is left."""

from __future__ import annotations

import math
from functools import wraps
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.monitoring import Unit
from slices.monitor.metrics.registering import labelled, metric, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slices.domain.observations import AccountFacts, Observation
    from slices.monitor.metrics.registering import Reading

SOURCE = "ledger"


def _account(name: str, *, unit: Unit) -> Callable[[Callable[[AccountFacts], float]], object]:
    def registered(read: Callable[[AccountFacts], float]) -> object:
        @metric(name, unit=unit, source=SOURCE)
        @wraps(read)
        def measured(seen: Observation) -> Reading:
            return ((named(each), read(each)) for each in seen.accounts or ())

        return measured

    return registered


def named(account: AccountFacts) -> tuple[tuple[str, str], ...]:
    """Return the labels of an account."""
    return labelled(account=account.name, mode=account.mode.value)


@_account("account.equity", unit=Unit.MONEY)
def _equity(account: AccountFacts) -> float:
    """Cash and positions of an account."""
    return account.equity


@_account("account.cash", unit=Unit.MONEY)
def _cash(account: AccountFacts) -> float:
    """Cash of an account; negative where it is borrowed."""
    return account.cash


@_account("account.capital", unit=Unit.MONEY)
def _capital(account: AccountFacts) -> float:
    """Deposits less withdrawals of an account."""
    return account.capital


@_account("account.profit", unit=Unit.MONEY)
def _profit(account: AccountFacts) -> float:
    """Equity less deposits and plus withdrawals of an account."""
    return account.equity - account.capital


@_account("account.day_pnl", unit=Unit.MONEY)
def _day_pnl(account: AccountFacts) -> float:
    """Equity of an account less what its day began with."""
    return account.day_pnl


@_account("account.day_loss", unit=Unit.FRACTION)
def _day_loss(account: AccountFacts) -> float:
    """Loss of an account since its day began, over the equity it began with; 0 where it gained."""
    return _loss(account)


@_account("account.realized_pnl", unit=Unit.MONEY)
def _realized_pnl(account: AccountFacts) -> float:
    """Money gained by what was closed, before costs."""
    return account.realized_pnl


@_account("account.unrealized_pnl", unit=Unit.MONEY)
def _unrealized_pnl(account: AccountFacts) -> float:
    """Money gained by what is held, before costs."""
    return account.unrealized_pnl


@_account("account.costs", unit=Unit.MONEY)
def _costs(account: AccountFacts) -> float:
    """Commissions and slippage paid for all fills."""
    return account.costs


@_account("account.gross", unit=Unit.FRACTION)
def _gross(account: AccountFacts) -> float:
    """Absolute values of positions over equity."""
    return account.gross


@_account("account.net", unit=Unit.FRACTION)
def _net(account: AccountFacts) -> float:
    """Longs less shorts over equity."""
    return account.net


@_account("account.leverage", unit=Unit.FRACTION)
def _leverage(account: AccountFacts) -> float:
    """Equity and what is borrowed over equity."""
    return account.leverage


@_account("account.concentration", unit=Unit.FRACTION)
def _concentration(account: AccountFacts) -> float:
    """The largest position over equity."""
    return account.concentration


@_account("account.drawdown", unit=Unit.FRACTION)
def _drawdown(account: AccountFacts) -> float:
    """Present loss from the peak, positive."""
    return account.drawdown


@_account("account.max_drawdown", unit=Unit.FRACTION)
def _max_drawdown(account: AccountFacts) -> float:
    """Largest loss from a peak so far, positive."""
    return account.max_drawdown


@_account("account.needed_recovery", unit=Unit.FRACTION)
def _needed_recovery(account: AccountFacts) -> float:
    """Gain that leads back to the peak; undefined where everything is lost."""
    return ratio(account.drawdown, 1.0 - account.drawdown)


@_account("account.volatility", unit=Unit.FRACTION)
def _volatility(account: AccountFacts) -> float:
    """Sample deviation of the returns of one session; undefined below 30 of them."""
    return account.volatility


@_account("account.value_at_risk", unit=Unit.FRACTION)
def _value_at_risk(account: AccountFacts) -> float:
    """Loss of one session that 95 % did not exceed, positive; undefined below 30 sessions."""
    return account.value_at_risk


@_account("account.expected_shortfall", unit=Unit.FRACTION)
def _expected_shortfall(account: AccountFacts) -> float:
    """Mean loss of the worst 5 % of sessions, positive; undefined below 30 sessions."""
    return account.expected_shortfall


@_account("account.day_loss_to_risk", unit=Unit.FRACTION)
def _day_loss_to_risk(account: AccountFacts) -> float:
    """Today's loss over the value at risk: beyond 1 the day is among the worst 5 %."""
    return ratio(_loss(account), account.value_at_risk)


@_account("account.positions", unit=Unit.COUNT)
def _positions(account: AccountFacts) -> float:
    """Symbols that an account holds or is short of."""
    return len(account.positions)


@_account("account.stops", unit=Unit.COUNT)
def _stops(account: AccountFacts) -> float:
    """Protective orders of an account that are armed."""
    return len(account.stops)


@metric("account.nearest_stop", unit=Unit.FRACTION, source=SOURCE)
def _nearest_stop(seen: Observation) -> Reading:
    """Move of a price that triggers the nearest stop of an account; absent without any."""
    for account in seen.accounts or ():
        distances = tuple(_stop_distances(account))
        if distances:
            yield named(account), min(distances)


@metric("account.limit_headroom", unit=Unit.FRACTION, source=SOURCE)
def _limit_headroom(seen: Observation) -> Reading:
    """Share of a limit that is left, of the subject that uses most of it; negative beyond it."""
    for account in seen.accounts or ():
        for limit in sorted({each.name for each in account.limits}):
            left = [each.headroom for each in account.limits if each.name == limit]
            # An undefined headroom is no headroom: min() alone would depend on the order.
            smallest = math.nan if any(map(math.isnan, left)) else min(left)
            yield tuple(sorted((*named(account), ("limit", limit)))), smallest


@_account("account.breached_limits", unit=Unit.COUNT)
def _breached_limits(account: AccountFacts) -> float:
    """Limits that an account is beyond."""
    return sum(each.is_breached for each in account.limits)


@_account("account.state", unit=Unit.STATE)
def _state(account: AccountFacts) -> float:
    """0 where an account may trade, 1 where it may only reduce, 2 where it is halted."""
    return account.state.severity


@metric("trading.halted", unit=Unit.STATE, source="halt file")
def _halted(seen: Observation) -> Reading:
    """1 where all trading is halted, else 0."""
    return (((), float(seen.halted is not None)),)


@metric("trading.accounts", unit=Unit.COUNT, source=SOURCE)
def _accounts(seen: Observation) -> Reading:
    """Accounts by what they may do."""
    if seen.accounts is None:
        return
    for state in TradingState:
        found = sum(each.state is state for each in seen.accounts)
        yield labelled(state=state.value), found


@metric("trading.equity", unit=Unit.MONEY, source=SOURCE)
def _total_equity(seen: Observation) -> Reading:
    """Equity of all accounts of a mode together."""
    for mode in sorted({each.mode.value for each in seen.accounts or ()}):
        mine = [each.equity for each in seen.accounts or () if each.mode.value == mode]
        yield labelled(mode=mode), math.fsum(mine)


@metric("trading.day_pnl", unit=Unit.MONEY, source=SOURCE)
def _total_day_pnl(seen: Observation) -> Reading:
    """Profit and loss of the day of all accounts of a mode together."""
    for mode in sorted({each.mode.value for each in seen.accounts or ()}):
        mine = [each.day_pnl for each in seen.accounts or () if each.mode.value == mode]
        yield labelled(mode=mode), math.fsum(mine)


def _loss(account: AccountFacts) -> float:
    began = account.equity - account.day_pnl
    if began <= 0:
        return 1.0
    return began if math.isnan(began) else max(0.0, -account.day_pnl / began)


def _stop_distances(account: AccountFacts) -> Iterator[float]:
    marks = {each.symbol: each.mark for each in account.positions}
    for stop in account.stops:
        mark = marks.get(stop.symbol)
        if mark and not math.isnan(stop.trigger):
            yield abs(stop.trigger / float(mark) - 1.0)
