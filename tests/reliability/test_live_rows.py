"""Rows of RELIABILITY that live trading answers for, over the wire against a local stand-in."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from slices.domain.accounts import Mark, TradingMode, TradingState
from slices.domain.exact import ZERO, money
from slices.domain.limits import DEFAULT_LIMITS, RiskLimits
from slices.domain.orders import OrderState, Side
from slices.domain.trading_errors import (
    AmbiguousOrderError,
    BrokerUnavailableError,
    LedgerError,
    LiveTradingRefusedError,
    ReconciliationError,
)
from slices.ledger.accounts import close_session, open_account, read_book
from slices.ledger.opening import Ledger
from slices.ledger.orders import orders_of
from slices.ledger.path import place
from slices.ledger.reconciling import reconcile
from slices.ledger.sending import resolve
from slices.ledger.states import trading_state
from slices.live_trade import desk
from slices.live_trade.beginning import check_modes
from slices.live_trade.broker import AlpacaBroker, open_broker
from tests.slices.live_trade.live_accounts import bars, live_books, purchase, switch_on, switches
from tests.slices.live_trade.live_orders import ACCOUNT, SESSION, an_order, broker_at
from tests.support.broker_server import KEY, Exchange, trading_server
from tests.support.ledgers import AT, ledger_at

POST = "POST /v2/orders"


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with trading_server() as running:
        yield running


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Ledger]:
    opened = fresh_books(tmp_path)
    yield opened
    opened.close()


def fresh_books(folder: Path) -> Ledger:
    opened = ledger_at(f"sqlite:///{folder}/live.db", folder, mode=TradingMode.LIVE)
    open_account(opened, ACCOUNT, capital=money(100_000), session=SESSION, at=AT)
    return opened


def placed(books: Ledger, broker: AlpacaBroker, shares: str = "10") -> OrderState:
    """Send one order on the one path."""
    marks = [Mark(symbol="AAPL", price=Decimal("100.000000000"), session=SESSION)]
    close_session(books, ACCOUNT, session=SESSION, marks=marks, at=AT)
    made = place(
        books, broker, ACCOUNT, [an_order(shares=shares)], limits=DEFAULT_LIMITS, session=SESSION,
        at=AT, workflow="test", strategy="none",
    )  # fmt: skip
    return made.records[0].state


def state_of(books: Ledger) -> OrderState:
    (record,) = orders_of(books, ACCOUNT)
    return record.state


@pytest.mark.parametrize("fault", ["drop", "504", "500", "stall", "html"])
def test_r24_an_order_that_was_taken_without_an_answer_is_found_and_never_sent_again(
    exchange: Exchange, books: Ledger, fault: str
) -> None:
    exchange.misbehave(fault, POST, taken=True)
    broker = broker_at(exchange, timeout=0.5)
    assert placed(books, broker) is OrderState.ACCEPTED
    assert (exchange.requests(POST), len(exchange.orders)) == (1, 1)


@pytest.mark.parametrize("fault", ["drop", "504", "stall"])
def test_r24_an_order_nobody_can_be_asked_about_stays_unknown_until_somebody_can(
    exchange: Exchange, books: Ledger, fault: str
) -> None:
    exchange.misbehave(fault, POST, taken=True)
    exchange.misbehave("503", "by_client_order_id", times=2)
    broker = broker_at(exchange, timeout=0.5)
    assert placed(books, broker) is OrderState.UNKNOWN
    with pytest.raises(BrokerUnavailableError):
        resolve(books, broker, ACCOUNT, at=AT)
    assert state_of(books) is OrderState.UNKNOWN
    resolve(books, broker, ACCOUNT, at=AT)
    assert state_of(books) is OrderState.ACCEPTED
    assert (exchange.requests(POST), len(exchange.orders)) == (1, 1)


def test_r24_an_order_that_never_arrived_is_asked_for_before_it_is_sent_again(
    exchange: Exchange, books: Ledger
) -> None:
    exchange.misbehave("lose", POST)
    broker = broker_at(exchange)
    assert placed(books, broker) is OrderState.UNKNOWN
    resolve(books, broker, ACCOUNT, at=AT)
    assert state_of(books) is OrderState.ACCEPTED
    lines = [each for each in exchange.asked if "orders" in each]
    sent = [place for place, line in enumerate(lines) if line == POST]
    asked = [place for place, line in enumerate(lines) if "by_client_order_id" in line]
    assert len(sent) == 2
    assert any(sent[0] < each < sent[1] for each in asked)
    assert len(exchange.orders) == 1


def test_r12_the_same_order_from_several_at_once_is_one_order(exchange: Exchange) -> None:
    brokers = [broker_at(exchange) for _ in range(6)]
    answers: list[str] = []
    barrier = threading.Barrier(len(brokers))

    def send(broker: AlpacaBroker) -> None:
        barrier.wait()
        answers.append(broker.submit(an_order()).broker_order_id)

    threads = [threading.Thread(target=send, args=(each,)) for each in brokers]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(exchange.orders), len(answers), len(set(answers))) == (1, 6, 1)


def test_r15_a_broker_that_stalls_ends_in_an_error_after_two_requests(exchange: Exchange) -> None:
    exchange.misbehave("stall", "/v2/", times=1000)
    with pytest.raises(AmbiguousOrderError, match=r"0\.5 seconds"):
        broker_at(exchange, timeout=0.5, brief=0.1).submit(an_order())
    assert len(exchange.asked) == 2
    with pytest.raises(BrokerUnavailableError, match=r"0\.5 seconds"):
        broker_at(exchange, timeout=0.5, brief=0.1).positions()
    assert len(exchange.asked) == 3


def test_r15_an_answer_that_comes_byte_by_byte_is_not_waited_for(exchange: Exchange) -> None:
    exchange.misbehave("trickle", "/v2/positions")
    with pytest.raises(BrokerUnavailableError, match=r"0\.5 seconds"):
        broker_at(exchange, timeout=0.5).positions()
    assert not exchange.trickled


def test_r15_what_became_of_an_order_is_waited_for_a_fifth_of_the_limit(
    exchange: Exchange,
) -> None:
    exchange.misbehave("stall", "/v2/", times=1000)
    broker = open_broker(ACCOUNT, key=KEY, secret="x" * 20, url=exchange.url, timeout_seconds=0.5)
    with pytest.raises(AmbiguousOrderError, match=r"0\.5 seconds.*0\.1 seconds"):
        broker.submit(an_order())


@st.composite
def executions(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Shares and prices in cents of the fills of an order for 100 shares; it may stay partial."""
    shares = draw(st.lists(st.integers(1, 40), min_size=1, max_size=6))
    kept = [
        each
        for each, total in zip(shares, itertools.accumulate(shares), strict=True)
        if total <= 100
    ]
    return [(each, draw(st.integers(9_000, 11_000))) for each in kept]


@pytest.mark.slow
@examples(max_examples=15)
@given(
    fills=executions(),
    read_after=st.sets(st.integers(0, 5)),
    cancels=st.booleans(),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_r25_partial_repeated_and_reordered_fills_leave_the_right_position(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    fills: list[tuple[int, int]],
    read_after: set[int],
    cancels: bool,
    flags: tuple[bool, bool],
) -> None:
    opened = fresh_books(tmp_path_factory.mktemp("books"))
    with trading_server() as exchange:
        broker = broker_at(exchange)
        exchange.repeats_activities, exchange.reverses_activities = flags
        exchange.now = AT
        assert placed(opened, broker, "100") is OrderState.ACCEPTED
        for number, (shares, cents) in enumerate(fills):
            exchange.now += dt.timedelta(seconds=1)
            exchange.fill(exchange.orders[0], str(shares), str(Decimal(cents) / 100))
            if number in read_after:
                reconcile(opened, broker, ACCOUNT, at=AT)
        if cancels:
            broker.cancel_all()
        reconcile(opened, broker, ACCOUNT, at=AT)
        assert reconcile(opened, broker, ACCOUNT, at=AT).booked == 0
    book = read_book(opened, ACCOUNT)
    total = sum(each for each, _ in fills)
    assert book.held("AAPL") == total
    assert book.cash == 100_000 - sum((each * Decimal(cents) / 100 for each, cents in fills), ZERO)
    expected = OrderState.FILLED if total == 100 else (
        OrderState.CANCELLED if cancels else
        OrderState.PARTLY_FILLED if total else OrderState.ACCEPTED
    )  # fmt: skip
    assert state_of(opened) is expected
    opened.close()


def test_r25_more_shares_than_ordered_halt_the_account(exchange: Exchange, books: Ledger) -> None:
    broker = broker_at(exchange)
    placed(books, broker)
    exchange.fill(exchange.orders[0], "11", "100")
    with pytest.raises(LedgerError, match="11"):
        reconcile(books, broker, ACCOUNT, at=AT)
    assert trading_state(books, ACCOUNT)[0] is TradingState.HALTED


@pytest.mark.parametrize("what", ["omitted", "unknown position", "unknown order", "missing cash"])
def test_r27_what_broker_and_books_do_not_agree_on_halts(
    exchange: Exchange, books: Ledger, what: str
) -> None:
    broker = broker_at(exchange)
    placed(books, broker)
    exchange.fill(exchange.orders[0], "10", "100")
    reconcile(books, broker, ACCOUNT, at=AT)
    match what:
        case "omitted":
            exchange.omitted.add("AAPL")
        case "unknown position":
            exchange.positions["IBM"] = (Decimal(1), Decimal(100))
        case "unknown order":
            exchange.accept({"symbol": "IBM", "qty": "1", "side": "buy", "type": "limit",
                             "time_in_force": "day"})  # fmt: skip
        case _:
            exchange.cash -= Decimal("0.01")
    with pytest.raises(ReconciliationError):
        reconcile(books, broker, ACCOUNT, at=AT)
    assert trading_state(books, ACCOUNT)[0] is TradingState.HALTED


def test_r27_a_fill_of_an_order_placed_elsewhere_halts(exchange: Exchange, books: Ledger) -> None:
    broker = broker_at(exchange)
    order = exchange.accept({"symbol": "IBM", "qty": "1", "side": "buy", "type": "market",
                             "time_in_force": "day"})  # fmt: skip
    exchange.fill(order, "1", "100")
    with pytest.raises(LedgerError):
        reconcile(books, broker, ACCOUNT, at=AT)
    assert trading_state(books, ACCOUNT)[0] is TradingState.HALTED


WRONG = {
    "TRADEFLOWS_LIVE_TRADING": ("", "true", "ENABLED"),
    "TRADEFLOWS_LIVE_CONFIRMATION": ("", "0" * 32),
    "TRADEFLOWS_BROKER_KEY": (
        "",
        "changeme",
        "your_key",
        "test-key",
        "xxxx",
        "PKZ7Q2M9R4W8B1C5D3E6",
    ),
    "TRADEFLOWS_BROKER_SECRET": ("", "changeme", "YOUR-SECRET-KEY-GOES-HERE", "x" * 40, KEY),
    "TRADEFLOWS_BROKER_URL": ("https://paper-api.alpaca.markets", "http://api.alpaca.markets"),
}


def refused(
    ref: object, home: Path, exchange: Exchange, *, execution: str = "live"
) -> LiveTradingRefusedError:
    """Try everything; nothing may have been asked, sent or written."""
    with pytest.raises(LiveTradingRefusedError) as settling:
        desk.settle(ACCOUNT, ref, execution=execution)  # type: ignore[arg-type]
    with pytest.raises(LiveTradingRefusedError):
        desk.submit(ACCOUNT, ref, purchase(), execution=execution)  # type: ignore[arg-type]
    assert (exchange.asked, exchange.orders) == ([], [])
    assert not home.exists()
    return settling.value


def test_r38_every_combination_of_missing_switches_refuses(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ref, home = bars(tmp_path), tmp_path / "home"
    monkeypatch.setenv("TRADEFLOWS_HOME", str(home))
    on = switches(exchange)
    needed = [each for each in on if each not in {"TRADEFLOWS_BROKER_TIMEOUT_SECONDS"}]
    for there in itertools.product([True, False], repeat=len(needed)):
        if all(there):
            continue
        for name, is_there in zip(needed, there, strict=True):
            if is_there:
                monkeypatch.setenv(name, on[name])
            else:
                monkeypatch.delenv(name, raising=False)
        refused(ref, home, exchange)


@pytest.mark.parametrize(
    ("variable", "value"), [(name, each) for name, values in WRONG.items() for each in values]
)
def test_r38_a_wrong_switch_is_named_and_its_value_is_not_shown(
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    value: str,
) -> None:
    ref, home = bars(tmp_path), tmp_path / "home"
    switch_on(monkeypatch, exchange, home)
    monkeypatch.setenv(variable, value)
    said = str(refused(ref, home, exchange))
    assert variable in said
    if value and variable.endswith(("KEY", "SECRET")):
        assert value not in said


@pytest.mark.parametrize("execution", ["plan", "paper"])
def test_r38_the_caller_has_to_say_live(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, execution: str
) -> None:
    switch_on(monkeypatch, exchange, tmp_path / "home")
    refused(bars(tmp_path), tmp_path / "home", exchange, execution=execution)


def test_r38_a_confirmation_is_for_one_account_its_limits_and_this_code(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ref = bars(tmp_path)
    switch_on(monkeypatch, exchange, tmp_path / "home")
    desk.settle(ACCOUNT, ref)
    with pytest.raises(LiveTradingRefusedError):
        desk.settle("other", ref)
    with pytest.raises(LiveTradingRefusedError):
        desk.settle(ACCOUNT, ref, limits=RiskLimits(max_leverage=2))
    monkeypatch.setattr("slices.live_trade.optin.source_digest", lambda *_: "other code")
    with pytest.raises(LiveTradingRefusedError):
        desk.settle(ACCOUNT, ref)


def test_r38_a_ledger_of_paper_accounts_is_refused(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ref, home = bars(tmp_path), tmp_path / "home"
    switch_on(monkeypatch, exchange, home)
    paper = tmp_path / "paper.db"
    ledger_at(f"sqlite:///{paper}", tmp_path, mode=TradingMode.PAPER).close()
    monkeypatch.setenv("TRADEFLOWS_LIVE_LEDGER_URL", f"sqlite:///{paper}")
    with pytest.raises(LiveTradingRefusedError, match="paper"):
        desk.settle(ACCOUNT, ref)
    monkeypatch.setenv("TRADEFLOWS_LIVE_LEDGER_URL", "")
    monkeypatch.setenv("TRADEFLOWS_LEDGER_URL", f"sqlite:///{home}/ledger/live.db")
    with pytest.raises(LiveTradingRefusedError, match="LEDGER"):
        desk.settle(ACCOUNT, ref)
    assert exchange.requests("POST") == 0


def test_r38_a_paper_account_behind_live_keys_is_refused(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    switch_on(monkeypatch, exchange, tmp_path / "home")
    exchange.number = "PA3XYZ"
    with pytest.raises(LiveTradingRefusedError, match="paper"):
        desk.settle(ACCOUNT, bars(tmp_path))
    with live_books() as ledger:
        assert orders_of(ledger, ACCOUNT) == ()


def test_r38_live_keys_do_not_trade_for_paper_books(exchange: Exchange, tmp_path: Path) -> None:
    paper = ledger_at(f"sqlite:///{tmp_path}/p.db", tmp_path, mode=TradingMode.PAPER)
    with pytest.raises(LiveTradingRefusedError):
        check_modes(paper, broker_at(exchange))
    paper.close()


def test_r38_with_every_switch_on_it_trades(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ref = bars(tmp_path)
    switch_on(monkeypatch, exchange, tmp_path / "home")
    desk.settle(ACCOUNT, ref)
    desk.submit(ACCOUNT, ref, purchase())
    assert [each["side"] for each in exchange.orders] == [Side.BUY.value]
