"""No accepted sequence of orders leads beyond a limit; what holds of every batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.accounts import AccountBook, Mark, Position
from slices.domain.limits import RiskLimits
from slices.domain.orders import Order, OrderKind, Side
from tests.slices.quant.gating import (
    SESSION,
    UNIT,
    accepted,
    book,
    facts,
    judged,
    limited,
    order,
    record,
    to_weight,
)

SYMBOLS = "ABCD"
SECTORS = {"A": "tech", "B": "tech"}
MOST_RESTING = 5


@dataclass(frozen=True, kw_only=True)
class Market:
    """An account at a venue that fills at the marks, kept without the gate's arithmetic."""

    cash: Decimal
    rate: Decimal
    held: dict[str, Decimal] = field(default_factory=dict)
    marks: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(SYMBOLS, Decimal(100)))
    resting: tuple[Order, ...] = ()

    def filled(self, placed: Order) -> Market:
        shares = placed.signed_quantity
        if placed.reduce_only:
            held = self.held.get(placed.symbol, Decimal(0))
            shares = max(-abs(held), min(abs(held), shares)) if held * shares < 0 else Decimal(0)
        return self.traded(placed.symbol, shares)

    def traded(self, symbol: str, shares: Decimal) -> Market:
        value = shares * self.marks[symbol]
        held = self.held.get(symbol, Decimal(0)) + shares
        cash = self.cash - value - abs(value) * self.rate
        return replace(self, cash=cash, held={**self.held, symbol: held})

    def without(self, place: int) -> Market:
        return replace(self, resting=self.resting[:place] + self.resting[place + 1 :])

    def value(self, symbol: str) -> Decimal:
        return self.held.get(symbol, Decimal(0)) * self.marks[symbol]

    @property
    def equity(self) -> Decimal:
        return self.cash + sum((self.value(each) for each in SYMBOLS), Decimal(0))

    def outcomes(self) -> Iterator[Market]:
        """Yield the account for every choice of waiting orders that fill."""
        for count in range(len(self.resting) + 1):
            for chosen in itertools.combinations(self.resting, count):
                after = self
                for each in chosen:
                    after = after.filled(each)
                yield after

    def book(self) -> AccountBook:
        positions = tuple(
            Position(
                symbol=symbol,
                quantity=shares,
                basis=shares * 100,
                mark=self.marks[symbol],
                marked=SESSION,
                opened=SESSION,
            )
            for symbol, shares in self.held.items()
            if shares
        )
        waiting = tuple(record(each) for each in self.resting)
        return replace(
            book(self.cash, open_orders=waiting),
            positions=positions,
            day_start_equity=Decimal(1),
            peak_equity=Decimal(1),
        )

    def judged(self, orders: Sequence[Order], limits: RiskLimits) -> list[Order]:
        prices = tuple(
            Mark(symbol=each, price=price, session=SESSION) for each, price in self.marks.items()
        )
        known = facts(self.book(), marks=prices, cost_rate=self.rate)
        names = set(accepted(judged(orders, known, limits)))
        return [each for each in orders if each.client_order_id in names]


def beyond(market: Market, limits: RiskLimits) -> list[str]:
    """Name the limits an account is beyond."""
    equity = market.equity
    values = {each: market.value(each) for each in SYMBOLS}
    tech = sum((abs(values[each]) for each in SECTORS), Decimal(0))
    largest = max(abs(each) for each in values.values())
    gross = sum((abs(each) for each in values.values()), Decimal(0))
    net = abs(sum(values.values(), Decimal(0)))
    owed = max(Decimal(0), -market.cash)
    found = {
        "gross": gross > Decimal(str(limits.max_gross_exposure)) * equity,
        "net": net > Decimal(str(limits.max_net_exposure)) * equity,
        "concentration": largest > Decimal(str(limits.max_concentration)) * equity,
        "sector": tech > Decimal(str(limits.max_sector_exposure or 1000)) * equity,
        "position": largest > Decimal(str(limits.max_position_notional or 10**12)),
        "debt": owed > Decimal(str(limits.max_leverage - 1)) * equity,
        "short": not limits.allow_short and any(each < 0 for each in values.values()),
    }
    return [name for name, is_beyond in found.items() if is_beyond]


def some_limits() -> st.SearchStrategy[RiskLimits]:
    tenths = st.integers(1, 20).map(lambda each: each / 10)
    return st.builds(
        lambda **fields: limited(
            sectors=SECTORS, duplicate_seconds=0.0, pattern_day_trader_equity=0.0, **fields
        ),
        max_gross_exposure=tenths,
        max_net_exposure=tenths,
        max_concentration=tenths,
        max_sector_exposure=st.none() | tenths,
        max_position_notional=st.none() | st.integers(5_000, 100_000).map(float),
        max_leverage=st.sampled_from([1.0, 1.0, 1.5, 3.0]),
        allow_short=st.booleans(),
    )


KINDS = st.sampled_from([OrderKind.MARKET, OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP])
RAW = st.tuples(
    st.sampled_from(SYMBOLS),
    st.sampled_from(Side),
    st.integers(1, 600),
    KINDS,
    st.integers(-5, 5),
    st.booleans(),
)
Wanted = tuple[str, Side, int, OrderKind, int, bool]
BATCHES = st.lists(RAW, min_size=1, max_size=4)
FILLS = st.integers(0, MOST_RESTING)
MOVES = st.tuples(st.sampled_from(SYMBOLS), st.integers(70, 140))
STEPS = st.lists(BATCHES | FILLS | MOVES, min_size=3, max_size=10)


def order_of(raw: Wanted, market: Market, name: str) -> Order:
    symbol, side, shares, kind, offset, reduces = raw
    level = (market.marks[symbol] * (100 + offset) / 100).quantize(Decimal("0.01"))
    prices = {OrderKind.LIMIT: {"limit_price": level}, OrderKind.STOP: {"stop_price": level}}
    fields = prices.get(kind, {})
    return order(symbol, side, shares, name=name, kind=kind, reduce_only=reduces, **fields)


def traded(market: Market, batch: list[Order], limits: RiskLimits) -> Market:
    """Fill what is accepted at market, and let the rest wait."""
    room = MOST_RESTING - len(market.resting)
    for each in market.judged(batch, limits):
        if each.kind is OrderKind.MARKET:
            market = market.filled(each)
        elif room:
            market, room = replace(market, resting=(*market.resting, each)), room - 1
    return market


def moved(market: Market, move: tuple[str, int], limits: RiskLimits) -> Market:
    """Move a mark, unless that alone breaks a limit."""
    symbol, percent = move
    price = (market.marks[symbol] * percent / 100).quantize(Decimal("0.01"))
    after = replace(market, marks={**market.marks, symbol: price})
    return market if any(beyond(each, limits) for each in after.outcomes()) else after


@settings(max_examples=200)
@given(limits=some_limits(), rate=st.sampled_from([Decimal(0), Decimal("0.002")]), steps=STEPS)
def test_r32_no_accepted_sequence_ever_leads_beyond_a_limit(
    limits: RiskLimits, rate: Decimal, steps: list[object]
) -> None:
    market = Market(cash=Decimal(100_000), rate=rate)
    for number, step in enumerate(steps):
        if isinstance(step, list):
            batch = [order_of(raw, market, f"{number}.{i}") for i, raw in enumerate(step)]
            market = traded(market, batch, limits)
        elif isinstance(step, tuple):
            market = moved(market, step, limits)
        elif market.resting:
            place = step % len(market.resting)  # type: ignore[operator]
            market = market.filled(market.resting[place]).without(place)
        for outcome in market.outcomes():
            assert not beyond(outcome, limits)


WEIGHTS = st.lists(st.integers(-10, 10), min_size=4, max_size=4)


@given(limits=some_limits(), steps=st.lists(WEIGHTS | MOVES, min_size=2, max_size=8))
def test_r32_no_accepted_weights_ever_lead_beyond_a_limit(
    limits: RiskLimits, steps: list[object]
) -> None:
    market = Market(cash=Decimal(100_000), rate=Decimal(0))
    for step in steps:
        if isinstance(step, tuple):
            market = moved(market, step, limits)
            continue
        weights = dict(zip(SYMBOLS, step, strict=True))  # type: ignore[call-overload]
        orders = [to_weight(symbol, each / 10) for symbol, each in weights.items()]
        market = weighed(market, market.judged(orders, limits), limits)
        assert not beyond(market, limits)


def weighed(market: Market, orders: list[Order], limits: RiskLimits) -> Market:
    """Fill orders to weights: sales first, then as much of the purchases as can be paid."""
    equity = market.equity
    missing = {each.symbol: shares_to(each, market) for each in orders}
    for symbol, shares in missing.items():
        if shares < 0:
            market = market.traded(symbol, shares)
    wanted = sum(shares * market.marks[each] for each, shares in missing.items() if shares > 0)
    payable = market.cash + Decimal(str(limits.max_leverage - 1)) * equity
    share = min(Decimal(1), payable / wanted) if wanted else Decimal(1)
    for symbol, shares in missing.items():
        if shares > 0:
            market = market.traded(symbol, (shares * share).quantize(UNIT, rounding=ROUND_DOWN))
    return market


def shares_to(placed: Order, market: Market) -> Decimal:
    """Return what is missing to a weight, rounded towards holding less."""
    wanted = Decimal(str(placed.target_weight)) * market.equity / market.marks[placed.symbol]
    held = market.held.get(placed.symbol, Decimal(0))
    return wanted.quantize(UNIT, rounding=ROUND_DOWN) - held


SINGLE = st.tuples(some_limits(), st.lists(st.integers(-400, 400), min_size=4, max_size=4), RAW)


@given(single=SINGLE, factor=st.sampled_from([1.0, 1.3, 2.0]), looser=some_limits())
def test_looser_limits_accept_what_tighter_ones_do(
    single: tuple[RiskLimits, list[int], Wanted],
    factor: float,
    looser: RiskLimits,
) -> None:
    tight, held, raw = single
    wide = widest(tight, looser, factor)
    shares = {symbol: Decimal(each) for symbol, each in zip(SYMBOLS, held, strict=True)}
    market = Market(cash=Decimal(150_000), rate=Decimal("0.001"), held=shares)
    wanted = [order_of(raw, market, "one")]
    assert len(market.judged(wanted, wide)) >= len(market.judged(wanted, tight))


def widest(one: RiskLimits, other: RiskLimits, factor: float) -> RiskLimits:
    names = ("max_gross_exposure", "max_net_exposure", "max_concentration", "max_leverage")
    ratios = {
        name: min(20.0, factor * max(getattr(one, name), getattr(other, name))) for name in names
    }
    unlimited = {"max_sector_exposure": None, "max_position_notional": None}
    return one.model_copy(update={**ratios, **unlimited, "allow_short": True})


@given(limits=some_limits(), batch=st.lists(RAW, min_size=2, max_size=8))
def test_denied_orders_leave_no_trace(limits: RiskLimits, batch: list[Wanted]) -> None:
    held = {"A": Decimal(100), "B": Decimal(-100)}
    market = Market(cash=Decimal(100_000), rate=Decimal("0.001"), held=held)
    orders = [order_of(raw, market, str(place)) for place, raw in enumerate(batch)]
    taken = market.judged(orders, limits)
    assert market.judged(taken, limits) == taken


@given(
    limits=some_limits(),
    batch=st.lists(RAW, min_size=1, max_size=6),
    names=st.permutations(["C", "D", "E", "F"]),
)
def test_other_names_change_nothing(
    limits: RiskLimits,
    batch: list[Wanted],
    names: list[str],
) -> None:
    renamed = dict(zip(SYMBOLS, names, strict=True))
    market = Market(cash=Decimal(100_000), rate=Decimal(0))
    orders = [order_of(raw, market, str(place)) for place, raw in enumerate(batch)]
    others = [replace(each, symbol=renamed[each.symbol]) for each in orders]
    sectors = {renamed[each]: sector for each, sector in SECTORS.items()}
    known = facts(market.book())
    first = judged(orders, known, limits)
    second = judged(others, known, limits.model_copy(update={"sectors": sectors}))
    assert first == second
