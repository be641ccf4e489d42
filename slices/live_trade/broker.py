"""The broker Alpaca, as the port that the order path trades through.

An order is sent once. Where the answer does not come, or says nothing certain, the broker is asked
for the order by our name for it; what is not found then stays ambiguous, because an order may
appear late. All numbers are exact: text on the wire, decimals here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from slices.domain.accounts import TradingMode
from slices.domain.brokers import BrokerAccount, BrokerClock, BrokerPosition
from slices.domain.calendar import last_completed_session
from slices.domain.errors import MalformedAnswerError, listed
from slices.domain.trading_errors import (
    AmbiguousOrderError,
    BrokerError,
    BrokerUnavailableError,
    OrderRejectedError,
)
from slices.live_trade import activities as told
from slices.live_trade.fields import Fields, exchange_date, fields, rows
from slices.live_trade.listing import OrderNames, all_orders, is_ours
from slices.live_trade.wire import NAME, RefusedError, Wire, malformed, open_wire
from slices.live_trade.wire_orders import order_answer, order_fields

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.brokers import BrokerOrder
    from slices.domain.orders import CashFlow, Fill, Order, ShareAction

LIVE_ADDRESS = "https://api.alpaca.markets"
PAPER_HOST = "paper-api.alpaca.markets"
REJECTIONS = frozenset({400, 401, 403, 422})
GONE = frozenset({404, 422})
NOT_FOUND = 404
RESOLVING_SHARE = 0.2
"""Of the time limit: the longest wait for what became of an order that was not answered."""


@dataclass
class AlpacaBroker:
    """Trades for one account at Alpaca.

    Attributes:
        account_name: The ledger's name for the account.
        wire: Where to ask.
        brief: The same with a shorter wait, for an order that was not answered.
        ignored: Activities that belong to the time before the ledger began.
    """

    account_name: str
    wire: Wire
    brief: Wire
    mode: TradingMode
    ignored: frozenset[str] = frozenset()
    name: str = NAME
    takes_weights: bool = False
    _names: OrderNames = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._names = OrderNames(self.wire)

    def account(self) -> BrokerAccount:
        """Return cash and equity."""
        found = self._account()
        blocks = ("trading_blocked", "account_blocked", "trade_suspended_by_user")
        return BrokerAccount(
            cash=found.money("cash"),
            equity=found.money("equity"),
            is_blocked=found.text("status") != "ACTIVE" or any(map(found.flag, blocks)),
        )

    def account_number(self) -> str:
        """Return the broker's number of the account."""
        return self._account().text("account_number")

    def _account(self) -> Fields:
        return fields(self.wire.get("/account"), "the account")

    def positions(self) -> tuple[BrokerPosition, ...]:
        """List everything held, by symbol."""
        listed_rows = rows(self.wire.get("/positions"), "a position")
        held = sorted(map(_position, listed_rows), key=lambda each: each.symbol)
        if len({each.symbol for each in held}) != len(held):
            raise malformed("positions: a symbol is listed more than once")
        return tuple(held)

    def open_orders(self) -> tuple[BrokerOrder, ...]:
        """List orders that may still be filled, whoever placed them, but not the exits of ours."""
        waiting = all_orders(self.wire, status="open")
        own = [each for each in waiting if is_ours(each) or not self._names.is_exit(each)]
        found = (order_answer(each) for each in own)
        return tuple(sorted(found, key=lambda each: each.client_order_id))

    def fills(self, since: dt.date | None) -> tuple[Fill, ...]:
        """List fills of sessions from `since` on in the order in which they happened."""
        kept = self._activities("trade_activity", since)
        found = [
            told.fill_of(each, account=self.account_name, names=self._names.of) for each in kept
        ]
        found = [each for each in found if since is None or each.session >= since]
        return tuple(sorted(found, key=lambda each: (each.at, each.fill_id)))

    def cash_flows(self, since: dt.date | None) -> tuple[CashFlow, ...]:
        """List dividends, interest, fees and deposits of sessions from `since` on."""
        kept = self._dated(since)
        found = (
            told.flow_of(each, account=self.account_name)
            for each in kept
            if not told.is_split(each)
        )
        return tuple(sorted(found, key=lambda each: (each.session, each.flow_id)))

    def share_actions(self, since: dt.date | None) -> tuple[ShareAction, ...]:
        """List splits of what was held, of sessions from `since` on."""
        kept = filter(told.is_split, self._dated(since))
        return told.splits_of(kept, account=self.account_name)

    def activity_ids(self, since: dt.date) -> tuple[str, ...]:
        """List the names of everything that has happened since a date."""
        found = (*self._activities("trade_activity", since), *self._dated(since))
        return tuple(sorted(each.text("id") for each in found))

    def _dated(self, since: dt.date | None) -> tuple[Fields, ...]:
        kept = self._activities("non_trade_activity", since)
        return tuple(each for each in kept if since is None or each.date("date") >= since)

    def _activities(self, category: str, since: dt.date | None) -> tuple[Fields, ...]:
        found = told.read_activities(self.wire, category=category, since=since)
        return tuple(each for each in found if each.text("id") not in self.ignored)

    def submit(self, order: Order) -> BrokerOrder:
        """Place an order once; a second order of that name is the first one.

        Raises:
            ParameterError: The order is of a kind that this broker does not take.
            OrderRejectedError: The broker said no; nothing was placed.
            AmbiguousOrderError: Nobody can tell; ask `get_by_client_id` before anything else.
        """
        asked = order_fields(order)
        try:
            return _named(self.wire.post("/orders", asked), order.client_order_id)
        except RefusedError as refusal:
            if refusal.status in REJECTIONS and not _is_duplicate(refusal):
                raise OrderRejectedError(
                    broker=NAME, problem=refusal.problem, client_order_id=order.client_order_id
                ) from refusal
            return self._resolved(order, refusal)
        except (BrokerUnavailableError, MalformedAnswerError) as silence:
            return self._resolved(order, silence)

    def _resolved(self, order: Order, doubt: Exception) -> BrokerOrder:
        """Ask what became of an order that was sent; it is never sent again here."""
        try:
            found = _found(self.brief, order.client_order_id)
        except (BrokerError, MalformedAnswerError) as silence:
            raise _ambiguous(order, f"{doubt}; then {silence}") from silence
        if found is None:
            raise _ambiguous(order, f"{doubt}; the broker does not list it yet") from doubt
        return found

    def get_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """Return an order by our name for it, or None where the broker has none."""
        return _found(self.wire, client_order_id)

    def cancel(self, client_order_id: str) -> None:
        """Ask for an order to be cancelled; nothing where it has ended already."""
        found = self.get_by_client_id(client_order_id)
        if found is None or not found.state.is_open:
            return
        try:
            self.wire.delete(f"/orders/{found.broker_order_id}")
        except RefusedError as refusal:
            if refusal.status not in GONE or self._is_open(client_order_id):
                raise

    def _is_open(self, client_order_id: str) -> bool:
        found = self.get_by_client_id(client_order_id)
        return found is not None and found.state.is_open

    def cancel_all(self) -> int:
        """Cancel every open order and return how many there were."""
        return _all_done(self.wire.delete("/orders"), "cancelling orders")

    def close_all(self) -> int:
        """Sell everything at market, cancel every order, return how many positions there were.

        The broker names the orders that this takes; the ledger does not know them.
        """
        answer = self.wire.delete("/positions", cancel_orders="true")
        return _all_done(answer, "closing positions")

    def clock(self) -> BrokerClock:
        """Return the venue's time; the session is the one that trades now or closed last."""
        found = fields(self.wire.get("/clock"), "the clock")
        now, is_open = found.instant("timestamp"), found.flag("is_open")
        session = exchange_date(now) if is_open else last_completed_session(now)
        return BrokerClock(now=now, is_open=is_open, session=session)


def mode_of(address: str) -> TradingMode:
    """Tell whose money is traded at an address of the trading service.

    >>> mode_of("https://paper-api.alpaca.markets")
    <TradingMode.PAPER: 'paper'>
    """
    host = urlsplit(address).hostname or ""
    return TradingMode.PAPER if host == PAPER_HOST else TradingMode.LIVE


def open_broker(
    account: str,
    *,
    key: str,
    secret: str,
    url: str,
    timeout_seconds: float,
    ignored: frozenset[str] = frozenset(),
) -> AlpacaBroker:
    """Open the broker; nothing is asked yet.

    Args:
        account: The ledger's name for the account.
        key: Key id.
        secret: Secret key.
        url: Address of the trading service; empty for the official one of real money.
        timeout_seconds: How long to wait for any one answer.
        ignored: Activities that belong to the time before the ledger began.

    Raises:
        SourceNotInstalledError: The alpaca-py package is not installed.
    """
    address = url or LIVE_ADDRESS
    return AlpacaBroker(
        account_name=account,
        wire=open_wire(key=key, secret=secret, url=address, timeout_seconds=timeout_seconds),
        brief=open_wire(
            key=key,
            secret=secret,
            url=address,
            timeout_seconds=timeout_seconds * RESOLVING_SHARE,
            attempts=1,
        ),
        mode=mode_of(address),
        ignored=ignored,
    )


def _position(found: Fields) -> BrokerPosition:
    shares, side = abs(found.shares("qty")), found.text("side")
    if side not in ("long", "short") or not shares:
        raise malformed(f"position in {found.text('symbol')}: {shares} shares {side!r}")
    return BrokerPosition(
        symbol=found.text("symbol"),
        quantity=shares if side == "long" else -shares,
        average_price=found.price("avg_entry_price"),
    )


def _found(wire: Wire, client_order_id: str) -> BrokerOrder | None:
    try:
        answer = wire.get("/orders:by_client_order_id", client_order_id=client_order_id)
    except RefusedError as refusal:
        if refusal.status == NOT_FOUND:
            return None
        raise
    return _named(answer, client_order_id)


def _named(answer: object, client_order_id: str) -> BrokerOrder:
    found = order_answer(fields(answer, f"order {client_order_id}"))
    if found.client_order_id != client_order_id:
        raise malformed(f"order {client_order_id}: the answer is about {found.client_order_id}")
    return found


def _is_duplicate(refusal: RefusedError) -> bool:
    return refusal.status == 422 and "unique" in refusal.problem


def _ambiguous(order: Order, problem: str) -> AmbiguousOrderError:
    return AmbiguousOrderError(broker=NAME, problem=problem, client_order_id=order.client_order_id)


def _all_done(answer: object, what: str) -> int:
    outcomes = rows(answer or [], what)
    failed = [each for each in outcomes if each.number("status") >= 400]
    if failed:
        names = listed(
            tuple(str(each.values.get("symbol") or each.values.get("id")) for each in failed)
        )
        raise BrokerError(broker=NAME, problem=f"{what}: refused for {names}")
    return len(outcomes)
