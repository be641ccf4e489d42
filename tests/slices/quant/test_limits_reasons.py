"""Every reason for which an order is denied: the limit itself passes, one unit beyond it not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from slices.domain.accounts import TradingState
from slices.domain.limits import ReasonCode, RiskLimits
from slices.domain.orders import Bracket, Fill, Order, OrderKind, OrderState
from slices.quant.limits.facts import GateFacts
from tests.slices.quant.gating import (
    CLOSE,
    OPEN_LIMITS,
    SESSION,
    UNIT,
    accepted,
    book,
    buy,
    codes,
    facts,
    judged,
    limited,
    marks,
    record,
    sell,
    to_weight,
)

TICK = Decimal("0.01")
HUNDRED = Decimal(100)
SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Edge:
    """The last order that passes and the first one that does not; both are the last of a batch."""

    code: ReasonCode
    passes: Sequence[Order]
    fails: Sequence[Order]
    passes_in: GateFacts = field(default_factory=facts)
    fails_in: GateFacts | None = None
    limits: RiskLimits = OPEN_LIMITS
    name: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()


def day_trade_fills(count: int) -> tuple[Fill, ...]:
    """Buy and sell a symbol in this session, several times, and buy A once more."""
    shares = [1, -1] * count
    pairs = [("F", each) for each in shares] + [("A", 1)]
    return tuple(
        Fill(
            fill_id=f"fill {number}",
            account="main",
            client_order_id="",
            symbol=symbol,
            quantity=Decimal(each),
            price=HUNDRED,
            session=SESSION,
            at=CLOSE,
        )
        for number, (symbol, each) in enumerate(pairs)
    )


def limit_buy(price: object, quantity: object = 1) -> Order:
    return buy("A", quantity, kind=OrderKind.LIMIT, limit_price=Decimal(str(price)))


def stop_sale(price: object) -> Order:
    return sell("A", kind=OrderKind.STOP, stop_price=Decimal(str(price)))


def small(equity: object, trades: int = 3) -> GateFacts:
    """Return a small account in the middle of a session, after some day trades."""
    worth = Decimal(str(equity))
    account = book(24_900, {"A": 1}, day_start_equity=worth, peak_equity=worth)
    fills = day_trade_fills(trades)
    return facts(account, at=CLOSE - dt.timedelta(hours=1), recent_fills=fills)


def after(*placed: Order, seconds: float = 1.0, state: OrderState = OrderState.FILLED) -> GateFacts:
    earlier = CLOSE - dt.timedelta(seconds=seconds)
    return facts(recent_orders=tuple(record(each, state, at=earlier) for each in placed))


HALTED = book(state=TradingState.HALTED, state_reason="by hand")
REDUCING = book(99_900, {"A": 1}, state=TradingState.REDUCING)
HOLDING = facts(book(90_000, {"A": 100}))
CAREFUL = limited(max_leverage=1.0)

EDGES = [
    Edge(code=ReasonCode.HALTED, passes=[buy("A")], fails=[buy("A")], fails_in=facts(HALTED)),
    Edge(
        code=ReasonCode.REDUCING_ONLY,
        passes=[sell("A", 1)],
        fails=[sell("A", 1 + UNIT)],
        passes_in=facts(REDUCING),
        name="turning over",
    ),
    Edge(
        code=ReasonCode.REDUCING_ONLY,
        passes=[to_weight("A", 0.0)],
        fails=[to_weight("A", 0.0005)],
        passes_in=facts(REDUCING),
        name="to a weight",
    ),
    Edge(
        code=ReasonCode.REDUCE_ONLY_INCREASES,
        passes=[sell("A", 100, reduce_only=True)],
        fails=[sell("A", 100 + UNIT, reduce_only=True)],
        passes_in=HOLDING,
    ),
    Edge(
        code=ReasonCode.REDUCE_ONLY_INCREASES,
        passes=[sell("A", 1, reduce_only=True)],
        fails=[buy("A", 1, reduce_only=True)],
        passes_in=HOLDING,
        name="wrong side",
    ),
    Edge(code=ReasonCode.QUANTITY_INVALID, passes=[buy("A", UNIT)], fails=[buy("A", UNIT / 10)]),
    Edge(
        code=ReasonCode.QUANTITY_TOO_LARGE,
        passes=[buy("A", 50)],
        fails=[buy("A", 50 + UNIT)],
        limits=limited(max_order_quantity=50.0),
    ),
    Edge(
        code=ReasonCode.NOTIONAL_TOO_LARGE,
        passes=[buy("A", 50)],
        fails=[buy("A", 50 + UNIT)],
        limits=limited(max_order_notional=5000.0),
    ),
    Edge(
        code=ReasonCode.NOTIONAL_TOO_LARGE,
        passes=[to_weight("A", 0.05)],
        fails=[to_weight("A", 0.05000001)],
        limits=limited(max_order_notional=5000.0),
        name="to a weight",
    ),
    Edge(code=ReasonCode.PRICE_INVALID, passes=[limit_buy(100)], fails=[limit_buy(0)]),
    Edge(
        code=ReasonCode.PRICE_OUTSIDE_COLLAR,
        passes=[limit_buy(110)],
        fails=[limit_buy(110 + TICK)],
        name="limit above",
    ),
    Edge(
        code=ReasonCode.PRICE_OUTSIDE_COLLAR,
        passes=[limit_buy(90)],
        fails=[limit_buy(90 - TICK)],
        name="limit below",
    ),
    Edge(
        code=ReasonCode.PRICE_OUTSIDE_COLLAR,
        passes=[stop_sale(90)],
        fails=[stop_sale(90 - TICK)],
        name="stop",
    ),
    Edge(
        code=ReasonCode.MARK_MISSING,
        passes=[buy("A")],
        fails=[buy("A")],
        fails_in=facts(marks=marks("B")),
    ),
    Edge(
        code=ReasonCode.MARK_STALE,
        passes=[buy("A")],
        fails=[buy("A")],
        # Three sessions before Monday, over a holiday and a weekend, and four.
        passes_in=facts(marks=marks("A", session=dt.date(2024, 7, 2))),
        fails_in=facts(marks=marks("A", session=dt.date(2024, 7, 1))),
    ),
    Edge(
        code=ReasonCode.RESTRICTED,
        passes=[sell("A", 100)],
        fails=[sell("A", 100 + UNIT)],
        passes_in=HOLDING,
        limits=limited(restricted=["A"]),
    ),
    Edge(
        code=ReasonCode.SHORT_NOT_ALLOWED,
        passes=[sell("A", 100)],
        fails=[sell("A", 100 + UNIT)],
        passes_in=HOLDING,
        limits=limited(allow_short=False),
    ),
    Edge(
        code=ReasonCode.DUPLICATE_ORDER,
        passes=[buy("A")],
        fails=[buy("A")],
        passes_in=after(buy("A", name="older"), seconds=60),
        fails_in=after(buy("A", name="older"), seconds=59),
    ),
    Edge(
        code=ReasonCode.ORDER_RATE,
        passes=[buy("A"), buy("B")],
        fails=[buy("A"), buy("B"), buy("C")],
        limits=limited(max_orders_per_minute=2),
    ),
    Edge(
        code=ReasonCode.REPEATED_EXECUTION,
        passes=[buy("A", 1), buy("A", 2)],
        fails=[buy("A", 1), buy("A", 2), buy("A", 3)],
        limits=limited(max_executions_per_symbol=2),
    ),
    Edge(
        code=ReasonCode.POSITION_LIMIT,
        passes=[buy("A", 20)],
        fails=[buy("A", 20 + UNIT)],
        passes_in=HOLDING,
        limits=limited(max_position_notional=12_000.0),
    ),
    Edge(
        code=ReasonCode.GROSS_EXPOSURE,
        passes=[sell("A", 300), buy("B", 200)],
        fails=[sell("A", 300), buy("B", 200 + UNIT)],
        limits=limited(max_gross_exposure=0.5),
    ),
    Edge(
        code=ReasonCode.NET_EXPOSURE,
        passes=[sell("A", 100), buy("B", 300)],
        fails=[sell("A", 100), buy("B", 300 + UNIT)],
        limits=limited(max_net_exposure=0.2),
    ),
    Edge(
        code=ReasonCode.LEVERAGE,
        passes=[buy("A", 1500)],
        fails=[buy("A", 1500 + UNIT)],
        limits=limited(max_leverage=1.5),
    ),
    Edge(
        code=ReasonCode.CONCENTRATION,
        passes=[buy("A", 100)],
        fails=[buy("A", 100 + UNIT)],
        passes_in=HOLDING,
        limits=limited(max_concentration=0.2),
    ),
    Edge(
        code=ReasonCode.SECTOR_EXPOSURE,
        passes=[buy("B", 100)],
        fails=[buy("B", 100 + UNIT)],
        passes_in=HOLDING,
        limits=limited(max_sector_exposure=0.2, sectors={"A": "tech", "B": "tech"}),
    ),
    Edge(
        code=ReasonCode.DAILY_LOSS,
        passes=[buy("A")],
        fails=[buy("A")],
        passes_in=facts(book("90000.000001")),
        fails_in=facts(book(90_000)),
    ),
    Edge(
        code=ReasonCode.DRAWDOWN,
        passes=[sell("A")],
        fails=[sell("A")],
        passes_in=facts(book("49900.000001", {"A": 1}, day_start_equity=Decimal(50_000))),
        fails_in=facts(book(49_900, {"A": 1}, day_start_equity=Decimal(50_000))),
    ),
    Edge(
        code=ReasonCode.INSUFFICIENT_CASH,
        passes=[buy("A", 1000)],
        fails=[buy("A", 1000 + UNIT)],
        limits=CAREFUL,
    ),
    Edge(
        code=ReasonCode.UNSETTLED_CASH,
        passes=[buy("A", 600)],
        fails=[buy("A", 600 + UNIT)],
        passes_in=facts(unsettled_cash=Decimal(40_000)),
        limits=limited(settled_cash_only=True),
    ),
    Edge(
        code=ReasonCode.PATTERN_DAY_TRADER,
        passes=[sell("A")],
        fails=[sell("A")],
        passes_in=small(25_000),
        fails_in=small("24999.999999"),
        name="equity",
    ),
    Edge(
        code=ReasonCode.PATTERN_DAY_TRADER,
        passes=[sell("A")],
        fails=[sell("A")],
        passes_in=small(24_000, 2),
        fails_in=small(24_000, 3),
        name="count",
    ),
    Edge(
        code=ReasonCode.KIND_NOT_SUPPORTED,
        passes=[to_weight("A", 0.5)],
        fails=[to_weight("A", 0.5)],
        fails_in=facts(takes_weights=False),
    ),
    Edge(
        code=ReasonCode.KIND_NOT_SUPPORTED,
        passes=[buy("A", valid_sessions=1)],
        fails=[buy("A", valid_sessions=0)],
        name="lifetime",
    ),
]


@pytest.mark.parametrize("edge", EDGES, ids=str)
def test_r28_limit_itself_passes_and_one_unit_beyond_does_not(edge: Edge) -> None:
    inside = judged(edge.passes, edge.passes_in, edge.limits)
    outside = judged(edge.fails, edge.fails_in or edge.passes_in, edge.limits)
    assert not inside[-1].breaches
    assert edge.code in codes(outside[-1])
    assert len(accepted(outside)) == len(edge.fails) - 1


@pytest.mark.parametrize("code", ReasonCode, ids=str)
def test_r28_every_reason_is_given_by_some_case(code: ReasonCode) -> None:
    assert code in {edge.code for edge in EDGES}


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-1", "1e10"])
def test_r28_impossible_quantity_is_denied_by_name(number: str) -> None:
    (decision,) = judged([buy("A", number)])
    assert codes(decision) == {ReasonCode.QUANTITY_INVALID}


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity", "0", "-1", "1e10"])
@pytest.mark.parametrize(
    ("kind", "name"), [(OrderKind.LIMIT, "limit_price"), (OrderKind.STOP, "stop_price")]
)
def test_r28_impossible_price_is_denied_by_name(number: str, kind: OrderKind, name: str) -> None:
    (decision,) = judged([buy("A", **{"kind": kind, name: Decimal(number)})])
    assert codes(decision) == {ReasonCode.PRICE_INVALID}


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": OrderKind.LIMIT},
        {"kind": OrderKind.STOP_LIMIT, "limit_price": HUNDRED},
        {"kind": OrderKind.TRAILING_STOP},
        {"kind": OrderKind.TRAILING_STOP, "trail": 1.0},
        {"kind": OrderKind.TRAILING_STOP, "trail": float("nan")},
        {"limit_price": HUNDRED},
        {"trail": 0.1},
        {"bracket": Bracket(stop_loss=float("nan"))},
        {"bracket": Bracket(trail=1.0)},
        {"bracket": Bracket(take_profit_price=-1.0)},
    ],
    ids=str,
)
def test_r28_price_that_does_not_go_with_the_kind_is_denied(fields: dict[str, object]) -> None:
    (decision,) = judged([buy("A", **fields)])
    assert codes(decision) == {ReasonCode.PRICE_INVALID}


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -float("inf"), 20.1])
def test_r28_impossible_weight_is_denied_by_name(weight: float) -> None:
    (decision,) = judged([to_weight("A", weight)])
    assert codes(decision) == {ReasonCode.QUANTITY_INVALID}


def test_weight_goes_with_neither_reducing_nor_trailing() -> None:
    trailing = {"kind": OrderKind.TRAILING_STOP, "trail": 0.1}
    for fields in ({"reduce_only": True}, trailing):
        (decision,) = judged([to_weight("A", 0.5, **fields)])
        assert codes(decision) == {ReasonCode.KIND_NOT_SUPPORTED}


def test_r28_numbers_found_and_allowed_are_told_with_units() -> None:
    (decision,) = judged([buy("A", 1001)], limits=limited(max_concentration=1.0))
    (breach,) = decision.breaches
    assert (breach.found, breach.allowed) == ("100.10 % of equity", "100.00 % of equity")


def test_r29_exit_at_market_waits_for_no_fresh_mark() -> None:
    stale = facts(HOLDING.book, marks=marks("A", session=dt.date(2024, 6, 3)))
    limit = sell("A", 100, kind=OrderKind.LIMIT, limit_price=HUNDRED, name="limit")
    for one, expected in ((sell("A", 100), set()), (limit, {ReasonCode.MARK_STALE})):
        (decision,) = judged([one], stale)
        assert codes(decision) == expected


@pytest.mark.parametrize("price", ["NaN", "0", "-1", "Infinity"])
def test_r29_mark_that_is_no_price_lets_nobody_enter(price: str) -> None:
    unknown = facts(HOLDING.book, marks=(*marks("A", price=price), *marks("B")))
    entry, exit_ = judged([buy("B"), sell("A", 100)], unknown)
    assert codes(entry) == {ReasonCode.MARK_MISSING}
    assert exit_.is_accepted


def test_r29_open_order_nobody_can_price_lets_nobody_enter() -> None:
    account = book(open_orders=(record(buy("Z")),))
    (decision,) = judged([buy("A")], facts(account))
    assert codes(decision) == {ReasonCode.MARK_MISSING}


def test_r30_equal_orders_of_one_batch_leave_one() -> None:
    twins = [buy("A", name="first"), buy("A", name="second"), buy("A", 2), buy("B"), sell("A")]
    decisions = judged(twins)
    assert codes(decisions[1]) == {ReasonCode.DUPLICATE_ORDER}
    assert len(accepted(decisions)) == 4


@pytest.mark.parametrize(
    ("known", "is_repetition"),
    [
        (after(buy("A", name="older")), True),
        (after(buy("A", name="older"), state=OrderState.REJECTED), True),
        (after(buy("A", name="older"), state=OrderState.DENIED), False),
        (after(buy("A")), False),
        (after(limit_buy(100)), False),
        (after(sell("A", name="older")), False),
    ],
)
def test_r30_repetition_is_the_same_order_under_another_name(
    known: GateFacts, *, is_repetition: bool
) -> None:
    (decision,) = judged([buy("A")], known)
    assert (ReasonCode.DUPLICATE_ORDER in codes(decision)) == is_repetition


def test_r30_exits_at_two_prices_are_two_orders() -> None:
    prices = {"near": 97, "far": 94, "twin": 97}
    exits = [
        sell("A", name=name, kind=OrderKind.STOP, stop_price=Decimal(each), reduce_only=True)
        for name, each in prices.items()
    ]
    decisions = judged([*exits, sell("A", name="now")], facts(book(held={"A": 10})))
    assert accepted(decisions) == ["near", "far", "now"]
    assert codes(decisions[2]) == {ReasonCode.DUPLICATE_ORDER}


def test_r30_one_name_or_one_weight_counts_once() -> None:
    decisions = judged([buy("A", 1, name="same"), buy("A", 2, name="same")])
    assert len(accepted(decisions)) == 1
    decisions = judged([to_weight("A", 0.1), to_weight("A", 0.2, 5)])
    assert len(accepted(decisions)) == 1


def test_r30_no_time_turns_the_check_off() -> None:
    twins = [buy("A", name="first"), buy("A", name="second")]
    assert len(accepted(judged(twins, limits=limited(duplicate_seconds=0.0)))) == 2


def test_r31_thousand_orders_at_one_instant_leave_as_many_as_are_allowed() -> None:
    symbols = [f"S{number}" for number in range(1000)]
    known = facts(marks=marks(*symbols))
    decisions = judged([buy(each) for each in symbols], known, limited(max_orders_per_minute=137))
    assert len(accepted(decisions)) == 137
    denied = [each for each in decisions if not each.is_accepted]
    assert all(codes(each) == {ReasonCode.ORDER_RATE} for each in denied)


@pytest.mark.parametrize(("seconds", "room"), [(59, 1), (60, 2)])
def test_r31_orders_of_the_last_minute_count(seconds: float, room: int) -> None:
    known = after(buy("D"), seconds=seconds)
    decisions = judged([buy("A"), buy("B")], known, limited(max_orders_per_minute=2))
    assert len(accepted(decisions)) == room


def test_r31_repeated_execution_counts_by_symbol_and_session() -> None:
    other_day = replace(buy("A", 9), session=SESSION - dt.timedelta(days=3))
    known = after(buy("A", 7), buy("B", 7), other_day, seconds=3600)
    orders = [buy("A", 1), buy("A", 2), buy("B", 1)]
    decisions = judged(orders, known, limited(max_executions_per_symbol=2))
    assert [each.is_accepted for each in decisions] == [True, False, True]
    assert codes(decisions[1]) == {ReasonCode.REPEATED_EXECUTION}
