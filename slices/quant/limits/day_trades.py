"""Day trades, as FINRA Rule 4210(f)(8)(B) counts them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.calendar import sessions_between
from slices.domain.exact import ZERO
from slices.domain.limits import Breach, ReasonCode
from slices.quant.limits.facts import LONGEST_CLOSURE_DAYS, SESSIONS_LOOKED_AT
from slices.quant.limits.numbers import exact, in_money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from slices.domain.accounts import Position
    from slices.domain.limits import RiskLimits
    from slices.domain.orders import Fill
    from slices.quant.limits.facts import GateFacts

MOST_DAY_TRADES = 3
"""Day trades within five sessions that do not make a pattern."""


@dataclass(frozen=True, kw_only=True)
class Traded:
    """Signed shares that changed hands, or would."""

    symbol: str
    session: dt.date
    shares: Decimal


def day_trades(
    fills: Sequence[Fill],
    *,
    session: dt.date,
    calendar: str = "XNYS",
    positions: Sequence[Position] = (),
) -> int:
    """Count the day trades of the five sessions that end with one.

    A day trade opens and closes shares of one symbol in the same session. Several fills in one
    direction count as one: buy, sell, sell is one day trade; buy, sell, buy, sell are two. Selling
    what was held overnight, and buying it back, is none.

    Args:
        fills: In the order in which they happened, those of the five sessions included.
        session: The last of the five.
        calendar: Exchange calendar; holidays are no sessions.
        positions: Held after the fills; tells what was held overnight.
    """
    traded = [Traded(symbol=each.symbol, session=each.session, shares=each.quantity)
              for each in fills]  # fmt: skip
    held = {each.symbol: each.quantity for each in positions}
    return count_day_trades(traded, held, _window(session, calendar))


def day_trade_breach(
    facts: GateFacts, limits: RiskLimits, wanted: Sequence[Traded]
) -> Breach | None:
    """Return whether an order would make one day trade too many of a small account.

    Args:
        facts: Fills and positions before it.
        limits: Below what equity the rule holds; 0 turns it off.
        wanted: Open and accepted orders of the symbol in the session in which they could fill,
            the order itself last; those before it are taken as filled.
    """
    least, session = exact(limits.pattern_day_trader_equity), facts.fill_session
    if facts.book.day_start_equity >= least or not wanted:
        return None
    held = {each.symbol: each.quantity for each in facts.book.positions}
    window = _window(session, facts.calendar)
    before = _count_of(facts, wanted[:-1], held, window, only=wanted[-1].symbol)
    after = _count_of(facts, wanted, held, window, only=wanted[-1].symbol)
    if after == before:
        return None
    after += _count_of(facts, (), held, window, but=wanted[-1].symbol)
    if after <= MOST_DAY_TRADES:
        return None
    found = f"{after} day trades within {SESSIONS_LOOKED_AT} sessions with equity of "
    return Breach(
        code=ReasonCode.PATTERN_DAY_TRADER,
        found=found + in_money(facts.book.day_start_equity),
        allowed=f"{MOST_DAY_TRADES}, or equity of {in_money(least)}",
    )


def count_day_trades(
    traded: Iterable[Traded], held: Mapping[str, Decimal], window: frozenset[dt.date]
) -> int:
    """Count the day trades of some sessions; see `day_trades`.

    Args:
        traded: In order.
        held: Signed shares by symbol after all of it.
        window: The sessions.
    """
    by_symbol: dict[str, list[Traded]] = defaultdict(list)
    for each in traded:
        by_symbol[each.symbol].append(each)
    return sum(
        _of_symbol(each, held.get(symbol, ZERO), window) for symbol, each in by_symbol.items()
    )


def _count_of(
    facts: GateFacts,
    wanted: Sequence[Traded],
    held: Mapping[str, Decimal],
    window: frozenset[dt.date],
    *,
    only: str = "",
    but: str = "",
) -> int:
    done = [
        Traded(symbol=each.symbol, session=each.session, shares=each.quantity)
        for each in facts.recent_fills
        if each.symbol == only or (not only and each.symbol != but)
    ]
    moved = sum((each.shares for each in wanted), ZERO)
    return count_day_trades((*done, *wanted), {**held, only: held.get(only, ZERO) + moved}, window)


def _of_symbol(traded: Sequence[Traded], held: Decimal, window: frozenset[dt.date]) -> int:
    shares = held - sum((each.shares for each in traded), ZERO)
    count, opened_in = 0, None
    for each in sorted(traded, key=lambda trade: trade.session):
        after = shares + each.shares
        if shares * each.shares < 0:
            count += opened_in == each.session and each.session in window
            opened_in = each.session if shares * after < 0 else None
        else:
            opened_in = each.session
        shares = after
    return count


def _window(session: dt.date, calendar: str) -> frozenset[dt.date]:
    days = dt.timedelta(days=LONGEST_CLOSURE_DAYS + SESSIONS_LOOKED_AT)
    known = sessions_between(session - days, session, calendar=calendar)
    return frozenset(known[-SESSIONS_LOOKED_AT:])
