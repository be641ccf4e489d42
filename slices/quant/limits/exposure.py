"""What an account may come to hold: positions, and what open orders may yet add to them.

Every open order may fill or not. A position is therefore a range of shares, and a limit is held
against the end of it that is worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.accounts import Mark
from slices.domain.exact import ZERO
from slices.domain.orders import OrderKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slices.domain.accounts import AccountBook
    from slices.domain.orders import Order, OrderRecord


@dataclass(frozen=True, kw_only=True)
class Range:
    """Signed shares of one symbol that may come to be held.

    Attributes:
        held: At the instant of the decision.
        certain: Held, and what orders at market of the same batch make of it.
        purchases: Of orders that may fill or not; at least 0.
        sales: Likewise; at most 0.
        exit_purchases: Of orders that may fill or not and only reduce; at least 0.
        exit_sales: Likewise; at most 0.
        pending: Expected change by an older order to a weight, which a newer one replaces.
    """

    held: Decimal = ZERO
    certain: Decimal = ZERO
    purchases: Decimal = ZERO
    sales: Decimal = ZERO
    exit_purchases: Decimal = ZERO
    exit_sales: Decimal = ZERO
    pending: Decimal = ZERO

    @property
    def lowest(self) -> Decimal:
        """Shares if every sale fills, exits first, and no purchase does."""
        left = max(min(self.certain, ZERO), self.certain + self.exit_sales)
        return left + self.sales + min(self.pending, ZERO)

    @property
    def highest(self) -> Decimal:
        """Shares if every purchase fills, exits first, and no sale does."""
        left = min(max(self.certain, ZERO), self.certain + self.exit_purchases)
        return left + self.purchases + max(self.pending, ZERO)

    @property
    def without_exits(self) -> Range:
        """The range an order at market meets, which fills before any exit."""
        return replace(self, exit_purchases=ZERO, exit_sales=ZERO)

    @property
    def largest(self) -> Decimal:
        """Largest absolute number of shares."""
        return max(abs(self.lowest), abs(self.highest))

    def with_possible(self, shares: Decimal) -> Range:
        """Return the range with an order that may fill or not."""
        if shares > 0:
            return replace(self, purchases=self.purchases + shares)
        return replace(self, sales=self.sales + shares)

    def with_exit(self, shares: Decimal) -> Range:
        """Return the range with an order that may fill or not, and only reduces."""
        if shares > 0:
            return replace(self, exit_purchases=self.exit_purchases + shares)
        return replace(self, exit_sales=self.exit_sales + shares)

    def with_certain(self, shares: Decimal) -> Range:
        """Return the range with an order that fills."""
        return replace(self, certain=self.certain + shares)


NOTHING = Range()


@dataclass(frozen=True, kw_only=True, eq=False)
class Exposure:
    """Everything limits are held against, for one way the orders before may have gone.

    Attributes:
        marks: Newest price of every symbol that has one.
        ranges: By symbol; symbols that are not named are not held.
        equity: Money: at the marks, less the costs of orders that are not filled yet.
        cash: Money if every purchase fills and no uncertain sale does.
        settled: The same without what sales bring that are not settled.
        gross: Money: sum of the largest absolute position values.
        net_lowest: Money: sum of the lowest signed position values.
        net_highest: Money: sum of the highest.
        unpriced: Symbols held, or with open orders, whose price nobody knows.
    """

    marks: Mapping[str, Mark]
    ranges: Mapping[str, Range]
    equity: Decimal
    cash: Decimal
    settled: Decimal
    gross: Decimal = ZERO
    net_lowest: Decimal = ZERO
    net_highest: Decimal = ZERO
    unpriced: tuple[str, ...] = ()

    def range_of(self, symbol: str) -> Range:
        """Return what may be held of a symbol."""
        return self.ranges.get(symbol, NOTHING)

    def value_of(self, symbol: str) -> Decimal:
        """Return the largest absolute value a position may have, in money."""
        found = self.ranges.get(symbol)
        return found.largest * self.marks[symbol].price if found else ZERO

    def with_range(self, symbol: str, changed: Range) -> Exposure:
        """Return the exposure with another range of one symbol."""
        before, mark = self.range_of(symbol), self.marks[symbol].price
        return replace(
            self,
            ranges={**self.ranges, symbol: changed},
            gross=self.gross + (changed.largest - before.largest) * mark,
            net_lowest=self.net_lowest + (changed.lowest - before.lowest) * mark,
            net_highest=self.net_highest + (changed.highest - before.highest) * mark,
        )

    def with_money(self, *, cash: Decimal, settled: Decimal, costs: Decimal) -> Exposure:
        """Return the exposure after cash came or went, and costs were charged."""
        return replace(
            self,
            cash=self.cash + cash,
            settled=self.settled + settled,
            equity=self.equity - costs,
        )


def exposure_of(
    book: AccountBook,
    *,
    marks: Iterable[Mark] = (),
    unsettled_cash: Decimal = ZERO,
    cost_rate: Decimal = ZERO,
) -> Exposure:
    """Return what an account may come to hold before anything new is ordered.

    Args:
        book: Positions, cash and open orders.
        marks: Newest prices; a held symbol without one keeps its position's.
        unsettled_cash: Money from sales that are not settled yet.
        cost_rate: What a fill costs, as a fraction of its notional.
    """
    given = {each.symbol: each for each in marks}
    valid = {symbol: each for symbol, each in given.items() if is_price(each.price)}
    exposure = _held(book, _own_marks(book) | valid, unsettled_cash)
    invalid = tuple(each.symbol for each in book.positions if each.symbol in given.keys() - valid)
    exposure = replace(exposure, unpriced=invalid)
    for record in book.open_orders:
        exposure = _with_open(exposure, record, cost_rate)
    return exposure


def is_price(price: Decimal) -> bool:
    """Tell whether something can be valued at this price."""
    return price.is_finite() and price > 0


def _own_marks(book: AccountBook) -> dict[str, Mark]:
    """Return what positions were marked at; what was paid where they never were."""
    return {
        each.symbol: Mark(
            symbol=each.symbol,
            price=each.average_price if each.mark is None else each.mark,
            session=each.marked or each.opened,
        )
        for each in book.positions
    }


def dearest_price(order: Order, mark: Decimal) -> Decimal:
    """Return the highest price an order may have to be paid at, as far as can be known."""
    return max(mark, order.limit_price or ZERO, order.stop_price or ZERO)


def _held(book: AccountBook, marks: Mapping[str, Mark], unsettled: Decimal) -> Exposure:
    values = [each.quantity * marks[each.symbol].price for each in book.positions]
    net = sum(values, ZERO)
    return Exposure(
        marks=marks,
        ranges={
            each.symbol: Range(held=each.quantity, certain=each.quantity) for each in book.positions
        },
        equity=book.cash + net,
        cash=book.cash,
        settled=book.cash - unsettled,
        gross=sum((abs(each) for each in values), ZERO),
        net_lowest=net,
        net_highest=net,
    )


def _with_open(exposure: Exposure, record: OrderRecord, cost_rate: Decimal) -> Exposure:
    order, shares = record.order, record.open_quantity
    if order.symbol not in exposure.marks:
        return replace(exposure, unpriced=(*exposure.unpriced, order.symbol))
    price = dearest_price(order, exposure.marks[order.symbol].price)
    costs = abs(shares) * price * cost_rate
    spent = max(ZERO, shares) * price + (costs if shares > 0 else ZERO)
    charged = exposure.with_money(
        cash=-spent, settled=-spent, costs=ZERO if is_weight_at_market(order) else costs
    )
    return charged.with_range(
        order.symbol, _with_record(exposure.range_of(order.symbol), order, shares)
    )


def _with_record(before: Range, order: Order, shares: Decimal) -> Range:
    if order.reduce_only:
        return before.with_exit(shares)
    if is_weight_at_market(order):
        return replace(before, pending=before.pending + shares)
    return before.with_possible(shares)


def is_weight_at_market(order: Order) -> bool:
    """Tell whether an order makes a position a weight at the next fill."""
    return order.target_weight is not None and order.kind is OrderKind.MARKET
