"""Day trades by FINRA Rule 4210: what counts as one, for how long, and who may make how many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from slices.domain.accounts import AccountBook, Position
from slices.domain.calendar import session_close, sessions_between
from slices.domain.limits import ReasonCode, RiskLimits
from slices.domain.orders import Fill, Order, OrderKind
from slices.quant.limits.day_trades import day_trades
from slices.quant.limits.facts import GateFacts
from tests.slices.quant.gating import (
    OPEN_LIMITS,
    book,
    buy,
    codes,
    judged,
    limited,
    marks,
    record,
    sell,
)

FRIDAY = dt.date(2024, 7, 5)
HOUR = dt.timedelta(hours=1)


def fills_of(*trades: tuple[str, int], on: dt.date = FRIDAY) -> tuple[Fill, ...]:
    """Return fills of one session in the order given."""
    return tuple(
        Fill(
            fill_id=f"{on} {place}",
            account="main",
            client_order_id="",
            symbol=symbol,
            quantity=Decimal(shares),
            price=Decimal(100),
            session=on,
            at=session_close(on),
        )
        for place, (symbol, shares) in enumerate(trades)
    )


def held(symbol: str, shares: int) -> Position:
    return Position(
        symbol=symbol,
        quantity=Decimal(shares),
        basis=Decimal(100 * shares),
        mark=Decimal(100),
        marked=FRIDAY,
        opened=FRIDAY,
    )


@pytest.mark.parametrize(
    ("shares", "left", "expected"),
    [
        pytest.param([10, -10], 0, 1, id="bought_and_sold"),
        pytest.param([-10, 10], 0, 1, id="sold_short_and_covered"),
        pytest.param([10], 10, 0, id="bought_and_kept"),
        pytest.param([5, 5, -10], 0, 1, id="two_purchases_one_sale"),
        pytest.param([10, -5, -5], 0, 1, id="one_purchase_two_sales"),
        pytest.param([10, -5, 5, -10], 0, 2, id="two_changes_of_direction"),
        pytest.param([10, -10, 10, -10], 0, 2, id="twice_round"),
        pytest.param([10, -20], -10, 1, id="turned_over"),
        pytest.param([10, -20, 10], 0, 2, id="turned_over_and_covered"),
        pytest.param([-10], 0, 0, id="what_was_held_overnight_is_sold"),
        pytest.param([-10, 10], 10, 0, id="what_was_held_overnight_is_sold_and_bought_back"),
        pytest.param([-10, 10, -10], 0, 1, id="bought_back_and_sold_again"),
        pytest.param([10, -10], 10, 1, id="added_to_what_was_held_and_sold"),
    ],
)
def test_r36_direction_has_to_change_within_a_session(
    shares: list[int], left: int, expected: int
) -> None:
    fills = fills_of(*(("A", each) for each in shares))
    positions = (held("A", left),) if left else ()
    assert day_trades(fills, session=FRIDAY, positions=positions) == expected


def test_r36_symbols_and_sessions_do_not_mix() -> None:
    two_symbols = fills_of(("A", 10), ("B", -10))
    assert day_trades(two_symbols, session=FRIDAY) == 0
    two_sessions = fills_of(("A", 10), on=dt.date(2024, 7, 3)) + fills_of(("A", -10))
    assert day_trades(two_sessions, session=FRIDAY) == 0


@pytest.mark.parametrize(
    ("traded", "last_counted", "forgotten"),
    [
        # The week of Independence Day 2024: Thursday was a holiday.
        ("2024-07-01", "2024-07-08", "2024-07-09"),
        ("2024-07-03", "2024-07-10", "2024-07-11"),
        # An ordinary week.
        ("2024-06-03", "2024-06-07", "2024-06-10"),
        # Christmas and New Year 2024: Wednesday was a holiday twice.
        ("2024-12-24", "2024-12-31", "2025-01-02"),
        ("2024-12-26", "2025-01-02", "2025-01-03"),
        # Good Friday 2024.
        ("2024-03-25", "2024-04-01", "2024-04-02"),
        # Thanksgiving 2024, with a short Friday, which is a session.
        ("2024-11-25", "2024-12-02", "2024-12-03"),
        # 11 September 2001: four sessions did not take place.
        ("2001-09-10", "2001-09-20", "2001-09-21"),
    ],
)
def test_r36_day_trade_counts_for_five_sessions(
    traded: str, last_counted: str, forgotten: str
) -> None:
    fills = fills_of(("A", 1), ("A", -1), on=dt.date.fromisoformat(traded))
    assert day_trades(fills, session=dt.date.fromisoformat(last_counted)) == 1
    assert day_trades(fills, session=dt.date.fromisoformat(forgotten)) == 0
    before = dt.date.fromisoformat(traded) - dt.timedelta(days=1)
    assert day_trades(fills, session=before) == 0


def account(equity: int = 20_000, **fields: object) -> AccountBook:
    """Return a small account with one share of A that was bought in this session."""
    return book(
        equity - 100,
        {"A": 1},
        day_start_equity=Decimal(equity),
        peak_equity=Decimal(equity),
        **fields,
    )


def during(session: dt.date, fills: Sequence[Fill], known: AccountBook) -> GateFacts:
    """Return what is known an hour before a close."""
    return GateFacts(
        book=known,
        session=session,
        at=session_close(session) - HOUR,
        marks=marks("A", "B", session=session),
        recent_fills=tuple(fills),
    )


def denied(facts: GateFacts, *orders: Order, limits: RiskLimits = OPEN_LIMITS) -> list[bool]:
    decisions = judged(orders or (sell("A"),), facts, limits)
    return [codes(each) == {ReasonCode.PATTERN_DAY_TRADER} for each in decisions]


def three_before(last: dt.date) -> tuple[Fill, ...]:
    """Make a day trade in each of the three sessions before one."""
    sessions = sessions_between(last - dt.timedelta(days=14), last)[-4:-1]
    pairs = (fills_of(("B", 1), ("B", -1), on=each) for each in sessions)
    return tuple(fill for pair in pairs for fill in pair)


def test_r36_fourth_day_trade_is_denied_and_rolls_off() -> None:
    sessions = sessions_between(dt.date(2024, 7, 1), dt.date(2024, 7, 12))
    earlier = three_before(sessions[3])
    assert [each.session for each in earlier[::2]] == sessions[:3]
    outcomes = [
        denied(during(each, (*earlier, *fills_of(("A", 1), on=each)), account()))
        for each in sessions[3:7]
    ]
    # The first of the three day trades is forgotten in the sixth session.
    assert outcomes == [[True], [True], [False], [False]]


def test_r36_opening_is_free_and_closing_is_not() -> None:
    earlier = three_before(FRIDAY)
    known = during(FRIDAY, (*earlier, *fills_of(("A", 1))), account())
    assert denied(known, buy("B"), sell("A")) == [False, True]


def test_r36_what_was_held_overnight_may_be_sold() -> None:
    assert denied(during(FRIDAY, three_before(FRIDAY), account())) == [False]


def test_r36_orders_at_a_close_fill_in_the_next_session() -> None:
    fills = (*three_before(FRIDAY), *fills_of(("A", 1)))
    at_close = during(FRIDAY, fills, account())
    assert denied(at_close) == [True]
    assert denied(replace(at_close, at=session_close(FRIDAY))) == [False]


def test_r36_one_batch_may_not_open_and_close() -> None:
    known = during(
        FRIDAY,
        three_before(FRIDAY),
        book(20_000, day_start_equity=Decimal(20_000), peak_equity=Decimal(20_000)),
    )
    round_trip = [buy("B"), sell("B", 1, kind=OrderKind.LIMIT, limit_price=Decimal(101))]
    assert sum(denied(known, *round_trip)) == 1


def test_r36_waiting_purchase_makes_the_sale_a_day_trade() -> None:
    waiting = record(buy("A", 5, kind=OrderKind.LIMIT, limit_price=Decimal(99)))
    known = during(FRIDAY, three_before(FRIDAY), account(open_orders=(waiting,)))
    assert denied(known) == [True]


def test_r36_large_account_and_no_rule_trade_as_often_as_they_like() -> None:
    fills = (*three_before(FRIDAY), *fills_of(("A", 1)))
    assert denied(during(FRIDAY, fills, account(25_000))) == [False]
    without = limited(pattern_day_trader_equity=0.0)
    assert denied(during(FRIDAY, fills, account()), limits=without) == [False]
