"""Why an account made another profit than its backtest: one telescope over matched fills.

A pair of fills is turned into one another in five steps, of which each changes one thing: the
bars to those the account saw, the session, the price, the quantity, the costs. What a step adds to
the profit up to the last close is its part, so the parts add up to the difference, exactly.

References:
    Perold (1988), The implementation shortfall: paper versus reality; here with the backtest as
    the paper portfolio, and fill by fill.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from slices.domain.paper_trading import Divergence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

ALL, CASH = "all", "cash"
PARTS = ("timing", "price", "fee", "size", "data")
SAME_SIZE = 1e-6
"""Relative difference of quantities that rounding to the books' units may make."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One fill, in the shares of the last session.

    Attributes:
        decided: Session at whose close it was decided.
        quantity: Signed shares; 0 where the other side of a pair has no like.
        price: Before costs.
        costs: Money, at least 0.
    """

    symbol: str
    session: dt.date
    decided: dt.date
    quantity: float
    price: float
    costs: float

    @property
    def rate(self) -> float:
        """Costs over notional; 0 where nothing was traded."""
        notional = abs(self.quantity) * self.price
        return self.costs / notional if notional else 0.0


@dataclass(frozen=True, kw_only=True)
class Quotes:
    """Prices of one set of bars.

    Attributes:
        fill: Price at which a symbol fills in a session; NaN where that is not known.
        last: Price a symbol is valued at after the last session.
    """

    fill: Callable[[str, dt.date], float]
    last: Callable[[str], float]


Pair = tuple[Leg | None, Leg | None]
"""A fill of the account and its like in the backtest; either may be missing."""


def divergence(
    legs: Sequence[Leg],
    tested: Sequence[Leg],
    *,
    bars: Quotes,
    seen: Quotes,
    unattended: Collection[dt.date] = (),
    cash: float = 0.0,
) -> tuple[tuple[Divergence, ...], Divergence]:
    """Split the difference between an account's profit and its backtest's.

    Args:
        legs: Fills of the account.
        tested: Fills of the backtest.
        bars: Prices the backtest traded at.
        seen: Prices the account could have traded at, when it did.
        unattended: Sessions at which nobody decided for the account: what the backtest decided
            there, and the account never, is timing.
        cash: Money the account received and the backtest did not, other than by fills.

    Returns:
        The parts by symbol, those with any, largest first; and their sum.
    """
    found: dict[str, list[Divergence]] = defaultdict(list)
    for pair in matched(legs, tested):
        found[_symbol(pair)].append(split(pair, bars=bars, seen=seen, unattended=unattended))
    rows = [added(symbol, parts) for symbol, parts in found.items()]
    if cash:
        rows.append(Divergence(symbol=CASH, fee=cash))
    rows.sort(key=lambda each: (-abs(each.total), each.symbol))
    return tuple(each for each in rows if _has_parts(each)), added(ALL, rows)


def matched(legs: Iterable[Leg], tested: Iterable[Leg]) -> tuple[Pair, ...]:
    """Pair every fill with its like: of the same session first, then of the next one there is.

    Only fills of one symbol and one side are paired, in the order in which they happened.
    """
    pairs: list[Pair] = []
    mine, others = _by_side(legs), _by_side(tested)
    for key in {**mine, **others}:
        pairs += _paired(mine[key], others[key])
    return tuple(pairs)


def same(pair: Pair) -> bool:
    """Tell whether both sides traded the same quantity in the same session."""
    one, other = pair
    if one is None or other is None or one.session != other.session:
        return False
    return math.isclose(one.quantity, other.quantity, rel_tol=SAME_SIZE, abs_tol=SAME_SIZE)


def split(
    pair: Pair, *, bars: Quotes, seen: Quotes, unattended: Collection[dt.date] = ()
) -> Divergence:
    """Split what one pair of fills contributes; see the module."""
    one, other = _completed(pair)
    symbol, sign = other.symbol, other.quantity
    before, after = _seen(seen, other), _seen(seen, one)
    marks = bars.last(symbol), seen.last(symbol)
    charged = other.rate if other.quantity else one.rate
    paid = one.rate if one.quantity else charged
    profits = (
        profit(sign, other.price, marks[0], charged),
        profit(sign, before, marks[1], charged),
        profit(sign, after, marks[1], charged),
        profit(sign, one.price, marks[1], charged),
        profit(one.quantity, one.price, marks[1], charged),
        profit(one.quantity, one.price, marks[1], paid),
    )
    data, timing, price, size, fee = (later - earlier for earlier, later in pairwise(profits))
    if pair[0] is None and other.decided in unattended:
        timing, size = timing + size, 0.0
    return Divergence(symbol=symbol, timing=timing, price=price, fee=fee, size=size, data=data)


def profit(quantity: float, price: float, mark: float, rate: float) -> float:
    """Return what a fill has made by the last close, net of its costs.

    >>> profit(10.0, 100.0, 110.0, 0.001)
    99.0
    """
    return quantity * (mark - price) - abs(quantity) * price * rate


def added(symbol: str, parts: Sequence[Divergence]) -> Divergence:
    """Add parts up under one name, without loss."""
    sums = (math.fsum(getattr(each, name) for each in parts) for name in PARTS)
    return Divergence(symbol=symbol, **dict(zip(PARTS, sums, strict=True)))


def _by_side(legs: Iterable[Leg]) -> dict[tuple[str, bool], list[Leg]]:
    grouped: dict[tuple[str, bool], list[Leg]] = defaultdict(list)
    for each in legs:
        grouped[each.symbol, each.quantity > 0].append(each)
    return grouped


def _paired(mine: list[Leg], others: list[Leg]) -> list[Pair]:
    waiting = list(others)
    pairs: list[Pair] = []
    alone: list[Leg] = []
    for each in mine:
        like = next((other for other in waiting if other.session == each.session), None)
        if like is None:
            alone.append(each)
        else:
            waiting.remove(like)
            pairs.append((each, like))
    return pairs + _left_over(alone, waiting)


def _left_over(alone: list[Leg], waiting: list[Leg]) -> list[Pair]:
    """Pair what was traded late with the newest decision before it that was not traded in time."""
    pairs: list[Pair] = []
    for each in alone:
        earlier = [other for other in waiting if other.session < each.session]
        like = earlier[-1] if earlier else None
        if like is not None:
            waiting.remove(like)
        pairs.append((each, like))
    return pairs + [(None, other) for other in waiting]


def _completed(pair: Pair) -> tuple[Leg, Leg]:
    """Give a side that is missing a fill of nothing, so that all of the other is size."""
    one, other = pair
    if one is None and other is not None:
        return _nothing(other), other
    if one is not None and other is None:
        return one, _nothing(one)
    if one is None or other is None:
        message = "a pair needs a fill"
        raise ValueError(message)
    return one, other


def _nothing(like: Leg) -> Leg:
    return Leg(
        symbol=like.symbol,
        session=like.session,
        decided=like.decided,
        quantity=0.0,
        price=like.price,
        costs=0.0,
    )


def _seen(seen: Quotes, leg: Leg) -> float:
    """Return what the account saw in a fill's session; the fill's own price where it saw none."""
    found = seen.fill(leg.symbol, leg.session)
    return leg.price if math.isnan(found) else found


def _symbol(pair: Pair) -> str:
    one, other = pair
    return one.symbol if one is not None else other.symbol if other is not None else ALL


def _has_parts(each: Divergence) -> bool:
    return any(getattr(each, name) != 0.0 for name in PARTS)
