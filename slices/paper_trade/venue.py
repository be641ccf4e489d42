"""The simulated exchange: a broker that fills as the backtest does.

An order that is accepted waits until the venue lives through the next session. What it has
accepted and filled it keeps in tables of its own, in transactions of its own, so that it is to the
order path what a broker far away is: it has an order or not, whatever the books know. Its capital
is where its account begins; everything after that it reports.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, ClassVar

from slices.domain.accounts import TradingMode
from slices.domain.brokers import BrokerAccount, BrokerClock, BrokerOrder, BrokerPosition
from slices.domain.exact import price
from slices.domain.trading_errors import LedgerError, OrderRejectedError
from slices.ledger.sending import Step, nothing
from slices.paper_trade.accepting import check_acceptable, closing_orders, is_closing, withdrawn
from slices.paper_trade.pricing import lived_through
from slices.paper_trade.venue_books import (
    read_actions,
    read_fills,
    read_flows,
    read_session,
    read_terms,
    read_venue,
    write_engine,
    write_lived,
    write_opening,
)
from slices.paper_trade.venue_orders import (
    find_order,
    living_orders,
    next_place,
    open_orders,
    place_order,
    write_orders,
)
from slices.paper_trade.venue_state import VenueTerms, check_same

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from decimal import Decimal

    from sqlalchemy import Connection

    from slices.domain.orders import CashFlow, Fill, Order, ShareAction
    from slices.domain.parameters import Costs, TradingRules
    from slices.ledger.opening import Ledger
    from slices.ledger.sending import Reached
    from slices.paper_trade.venue_state import VenueBook, VenueOrder
    from slices.quant.panel import Panel


class PaperBroker:
    """Trades play money for one account; see `domain.brokers.Broker`."""

    name: ClassVar[str] = "paper"
    mode: ClassVar[TradingMode] = TradingMode.PAPER
    takes_weights: ClassVar[bool] = True

    def __init__(self, ledger: Ledger, account: str) -> None:
        """Trade for an account that `open` has made.

        Raises:
            LedgerError: The ledger is not one of paper accounts.
        """
        if ledger.mode is not TradingMode.PAPER:
            problem = "play money is not traded in a ledger of live accounts"
            raise LedgerError(ledger=ledger.name, problem=problem)
        self._ledger, self._account = ledger, account

    @classmethod
    def open(
        cls,
        ledger: Ledger,
        account: str,
        *,
        capital: Decimal,
        session: dt.date,
        costs: Costs,
        rules: TradingRules,
        calendar: str = "XNYS",
    ) -> PaperBroker:
        """Open an account, or return the broker of one that was opened with the same terms.

        Args:
            ledger: In whose database the venue keeps its tables.
            account: Whose.
            capital: Money at the beginning.
            session: The first to live through; nothing is traded in it.
            costs: Of every fill, for good.
            rules: What may be traded, for good.
            calendar: Exchange calendar that says when sessions close.

        Raises:
            ParameterError: The account was opened with other terms; says which, and both.
        """
        terms = VenueTerms(
            account=account,
            capital=capital,
            opened=session,
            calendar=calendar,
            costs=costs,
            rules=rules,
        )
        broker = cls(ledger, account)
        with ledger.writing() as connection:
            known = read_terms(connection, account)
            if known is None:
                write_opening(connection, terms)
            else:
                check_same(known, terms)
        return broker

    @property
    def session(self) -> dt.date | None:
        """Newest session lived through; None before the first."""
        with self._ledger.reading() as connection:
            return read_session(connection, self._account)

    @property
    def engine_equity(self) -> float:
        """Value of the account as the simulation adds it up, in floats."""
        return self._book().engine.account.equity

    def advance(
        self,
        panel: Panel,
        *,
        until: dt.date,
        ended: Sequence[tuple[str, dt.date]] = (),
        reached: Reached = nothing,
    ) -> tuple[dt.date, ...]:
        """Live through every session of a panel that has not been lived through.

        Each is one transaction: it is lived through or it is not, however often this is called.

        Args:
            panel: Bars of everything held and ordered, with some history.
            until: The last session to live through.
            ended: Symbols that will have no bar again, and the session of their last one, at
                whose close what is held of them is closed. Who was not told keeps the position,
                at its last mark.
            reached: Called with `ADVANCED` after every session.

        Returns:
            The sessions.

        Raises:
            SymbolNotFoundError: Where bars of something held or ordered are missing.
            BadDataError: Where prices are not positive, or others than before without an
                explanation.
        """
        lived, newest = [], self.session
        first = 0 if newest is None else bisect_right(panel.sessions, newest)
        for row in range(first, bisect_right(panel.sessions, until)):
            if self._lived(panel, row, ended):
                reached(Step.ADVANCED)
                lived.append(panel.sessions[row])
        return tuple(lived)

    def _lived(self, panel: Panel, row: int, ended: Sequence[tuple[str, dt.date]]) -> bool:
        """Live through a session unless that was done before, or it lies before the account."""
        with self._ledger.writing() as connection:
            book = self._book_in(connection)
            session, newest = panel.sessions[row], book.session
            if session < book.terms.opened or (newest is not None and session <= newest):
                return False
            orders = living_orders(connection, self._account, book.engine.account)
            write_lived(connection, lived_through(book, orders, panel, row, ended=ended))
        return True

    def account(self) -> BrokerAccount:
        """Return cash and equity."""
        book = self._book()
        return BrokerAccount(cash=book.cash, equity=book.equity)

    def positions(self) -> tuple[BrokerPosition, ...]:
        """List everything held, by symbol."""
        return tuple(
            BrokerPosition(
                symbol=each.symbol,
                quantity=each.quantity,
                average_price=price(each.basis / each.quantity),
            )
            for each in self._book().holdings
        )

    def open_orders(self) -> tuple[BrokerOrder, ...]:
        """List orders that may still be filled; the exits of brackets are no orders."""
        with self._ledger.reading() as connection:
            return tuple(each.told() for each in open_orders(connection, self._account))

    def fills(self, since: dt.date | None) -> tuple[Fill, ...]:
        """List fills of sessions from `since` on in the order in which they happened."""
        with self._ledger.reading() as connection:
            return read_fills(connection, self._terms_in(connection), since)

    def cash_flows(self, since: dt.date | None) -> tuple[CashFlow, ...]:
        """List interest, fees and what was written off; capital is where the account begins."""
        with self._ledger.reading() as connection:
            return read_flows(connection, self._terms_in(connection), since)

    def share_actions(self, since: dt.date | None) -> tuple[ShareAction, ...]:
        """List holdings that were restated because prices were."""
        with self._ledger.reading() as connection:
            return read_actions(connection, self._terms_in(connection), since)

    def submit(self, order: Order) -> BrokerOrder:
        """Accept an order for the next session, once; see `Broker.submit`.

        Raises:
            OrderRejectedError: It makes no sense, or its symbol has no bars here.
        """
        with self._ledger.writing() as connection:
            placed = find_order(connection, self._account, order.client_order_id)
            if placed is None:
                book = self._book_in(connection, holdings=False)
                problem = check_acceptable(order, book)
                if problem:
                    raise OrderRejectedError(
                        broker=self.name, client_order_id=order.client_order_id, problem=problem
                    )
                placed = place_order(connection, order)
        return placed.told()

    def get_by_client_id(self, client_order_id: str) -> BrokerOrder | None:
        """Return an order by our name for it, or None where the venue has none."""
        with self._ledger.reading() as connection:
            found = find_order(connection, self._account, client_order_id)
        return None if found is None else found.told()

    def cancel(self, client_order_id: str) -> None:
        """Cancel an order that waits, and the bracket of what it has bought so far.

        Nothing happens where it has ended, or where there is none.
        """
        with self._ledger.writing() as connection:
            waiting = open_orders(connection, self._account)
            chosen = [each for each in waiting if each.order.client_order_id == client_order_id]
            self._withdraw(connection, chosen)

    def cancel_all(self) -> int:
        """Cancel every open order and return how many there were; brackets of others stay."""
        with self._ledger.writing() as connection:
            waiting = open_orders(connection, self._account)
            self._withdraw(connection, waiting)
        return len(waiting)

    def close_all(self) -> int:
        """Cancel every order, close everything at the next fill prices; return how much that is.

        Orders that close everything already stay.
        """
        with self._ledger.writing() as connection:
            book, waiting = self._book_in(connection), open_orders(connection, self._account)
            closing = [each for each in waiting if is_closing(each.order)]
            self._withdraw(connection, [each for each in waiting if each not in closing])
            symbols = {each.order.symbol for each in closing}
            for order in closing_orders(book, sequence=next_place(connection, self._account)):
                if order.symbol not in symbols:
                    place_order(connection, order)
        return len(book.holdings)

    def clock(self) -> BrokerClock:
        """Return the close of the newest session: the venue trades between sessions."""
        book = self._book()
        return BrokerClock(now=book.now, is_open=False, session=book.session or book.terms.opened)

    def _withdraw(self, connection: Connection, orders: Sequence[VenueOrder]) -> None:
        if orders:
            engine, changed = withdrawn(self._book_in(connection).engine, orders)
            write_engine(connection, self._account, engine)
            write_orders(connection, changed)

    def _book(self) -> VenueBook:
        with self._ledger.reading() as connection:
            return self._book_in(connection)

    def _book_in(self, connection: Connection, *, holdings: bool = True) -> VenueBook:
        book = read_venue(connection, self._account, holdings=holdings)
        if book is None:
            raise self._unknown()
        return book

    def _terms_in(self, connection: Connection) -> VenueTerms:
        terms = read_terms(connection, self._account)
        if terms is None:
            raise self._unknown()
        return terms

    def _unknown(self) -> LedgerError:
        return LedgerError(
            ledger=self._ledger.name, problem=f"the paper venue has no account '{self._account}'"
        )
