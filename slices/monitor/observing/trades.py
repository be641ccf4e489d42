"""What became of an account's orders and fills over the newest thirty days it lived."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingMode
from slices.domain.exact import ZERO
from slices.domain.limits import ReasonCode
from slices.domain.orders import OrderState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from slices.domain.accounts import AccountBook
    from slices.domain.orders import Fill, OrderRecord

WINDOW = dt.timedelta(days=30)
BY_BROKER = "rejected_by_broker"
REFUSED = frozenset({OrderState.DENIED, OrderState.REJECTED})
ENDED = frozenset(
    {OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED}
)


@dataclass(frozen=True, kw_only=True)
class TradeFacts:
    """What happened in the window; see `domain.observations.AccountFacts`."""

    orders: tuple[tuple[str, int], ...]
    rejected: tuple[tuple[str, int], ...]
    fills: int
    fill_ratio: float
    slippage_bps: float
    turnover: float


def window_start(book: AccountBook, *, at: dt.datetime) -> dt.date:
    """Return the first date of the thirty days that end with the account's newest session."""
    return min(book.session or book.opened, at.date()) - WINDOW


def trade_facts(
    book: AccountBook, orders: Sequence[OrderRecord], fills: Sequence[Fill], *, since: dt.date
) -> TradeFacts:
    """Count and measure.

    Args:
        book: The account with its curve.
        orders: Of the window.
        fills: Of the window.
        since: Its first date.
    """
    return TradeFacts(
        orders=_counted(each.state.value for each in orders),
        rejected=_counted(reason_code(each) for each in orders if each.state in REFUSED),
        fills=len(fills),
        fill_ratio=fill_ratio(orders),
        slippage_bps=slippage_bps(book, fills),
        turnover=_turnover(book, fills, since=since),
    )


def _counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(words).items()))


def reason_code(record: OrderRecord) -> str:
    """Return the first reason against an order as one word: the gate's code, or that of the broker.

    A broker says in words of its own why it refuses.
    """
    word = record.reasons[0].partition(":")[0] if record.reasons else ""
    is_gate = record.state is OrderState.DENIED and word in set(ReasonCode)
    return word if is_gate else BY_BROKER


def fill_ratio(orders: Iterable[OrderRecord]) -> float:
    """Return filled quantity over ordered quantity of the orders that ended; NaN without any.

    What the gate denied never was an order to be filled. An order to a weight whose broker calls it
    filled wanted what it got.
    """
    ended = [each for each in orders if each.state in ENDED]
    filled = sum((each.filled_quantity for each in ended), ZERO)
    wanted = sum((_wanted(each) for each in ended), ZERO)
    return float(filled / wanted) if wanted else math.nan


def _wanted(record: OrderRecord) -> Decimal:
    if record.state is OrderState.FILLED:
        return record.filled_quantity
    return max(record.order.quantity, record.filled_quantity)


def slippage_bps(book: AccountBook, fills: Sequence[Fill]) -> float:
    """Return spread and impact as a fraction of what was traded, in basis points.

    NaN without fills, and for live accounts: a real broker's prices hold both already.
    """
    traded = sum((abs(each.quantity * each.price) for each in fills), ZERO)
    if not traded or book.mode is TradingMode.LIVE:
        return math.nan
    return float(sum((each.spread + each.impact for each in fills), ZERO) / traded) * 1e4


def _turnover(book: AccountBook, fills: Sequence[Fill], *, since: dt.date) -> float:
    """Return half of what was traded as a fraction of mean equity at the closes of the window."""
    values = [float(each.equity) for each in book.curve if each.session >= since]
    equity = fmean(values or [float(book.equity)])
    traded = float(sum((abs(each.quantity * each.price) for each in fills), ZERO))
    return traded / 2 / equity if equity > 0 else math.nan
