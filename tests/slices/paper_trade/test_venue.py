"""The paper venue as a broker: what it accepts, fills, takes back and remembers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from slices.domain.accounts import TradingMode
from slices.domain.calendar import session_close, sessions_between
from slices.domain.errors import IntegrityError, ParameterError, SymbolNotFoundError
from slices.domain.exact import quantity
from slices.domain.orders import Bracket, OrderKind, OrderState
from slices.domain.parameters import Costs, TradingRules
from slices.domain.trading_errors import LedgerError, OrderRejectedError
from slices.ledger.opening import Ledger
from slices.ledger.sending import Step
from slices.ledger.venue_tables import VENUE_ACCOUNTS
from slices.paper_trade.venue import PaperBroker
from tests.slices.quant.simulated import EVERY_COST, random_panel
from tests.support.venues import (
    ALWAYS,
    CAPITAL,
    flat,
    made_ledger,
    opened,
    ordered,
    quoted,
)

WIDE = TradingRules(gross_exposure=2)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = made_ledger(tmp_path_factory.mktemp("venue"))
    yield made
    made.close()


def held(broker: PaperBroker) -> dict[str, Decimal]:
    return {each.symbol: each.quantity for each in broker.positions()}


def test_r20_the_venue_has_the_time_of_its_bars(ledger: Ledger) -> None:
    """Two closes on either side of a change of the clocks lie 23 hours apart, none less."""
    days = tuple(sessions_between(dt.date(2024, 3, 6), dt.date(2024, 3, 14)))
    panel = replace(flat(*(100.0,) * len(days)), sessions=days)
    name = "clock"
    broker = PaperBroker.open(
        ledger,
        name,
        capital=CAPITAL,
        session=days[0],
        costs=Costs(),
        rules=TradingRules(),
    )
    seen = [broker.clock().now]
    for session in days:
        broker.advance(panel, until=session)
        assert broker.advance(panel, until=session) == ()
        assert broker.advance(panel, until=days[0]) == ()
        told = broker.clock()
        assert (told.now, told.session) == (session_close(session), session)
        seen.append(told.now)
        broker.submit(ordered(name, session, weight=float(session.day % 2)))
    assert seen[1:] == sorted(set(seen[1:]))
    fills = broker.fills(None)
    assert [each.at for each in fills] == [session_close(each.session) for each in fills]
    assert [each.session for each in fills] == list(days[2:])


def test_an_order_decided_at_a_close_fills_at_the_next_open(ledger: Ledger) -> None:
    panel = quoted((100, 100, 100, 100), (103, 110, 101, 108))
    broker, name = opened(ledger, panel)
    broker.advance(panel, until=panel.sessions[0])
    order = ordered(name, panel.sessions[0], 10)
    told = broker.submit(order)
    assert (told.state, told.filled_quantity) == (OrderState.ACCEPTED, 0)
    assert [each.client_order_id for each in broker.open_orders()] == [order.client_order_id]
    assert broker.fills(None) == ()
    broker.advance(panel, until=panel.sessions[1])
    (fill,) = broker.fills(None)
    assert (fill.price, fill.quantity, fill.session) == (103, 10, panel.sessions[1])
    assert broker.open_orders() == ()
    assert broker.account().equity == CAPITAL + 50


def test_what_follows_is_not_looked_at(ledger: Ledger) -> None:
    whole = random_panel(np.random.default_rng(4), 12, 3)
    names = ("open", "high", "low", "close", "volume")
    shifted = {n: np.vstack([getattr(whole, n)[:8], 3 * getattr(whole, n)[8:]]) for n in names}
    told = []
    for panel in (whole, replace(whole, **shifted), whole.until(8)):
        broker, _ = opened(ledger, panel, costs=EVERY_COST)
        for session in panel.sessions[:8]:
            broker.advance(panel, until=session)
            for symbol in panel.symbols:
                name = broker._account
                broker.submit(ordered(name, session, symbol=symbol, weight=0.3))
        told.append([(f.symbol, f.quantity, f.price, f.costs) for f in broker.fills(None)])
    assert told[0] == told[1] == told[2]
    assert len(told[0]) > 10


def test_an_account_is_opened_once(ledger: Ledger) -> None:
    panel = flat(100, 101)
    first, name = opened(ledger, panel)
    first.advance(panel, until=panel.sessions[1])
    again, _ = opened(ledger, panel, account=name)
    assert again.session == panel.sessions[1]
    assert again.account() == first.account()


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"costs": Costs(commission_bps=1)}, "costs: .*commission_bps=1.*commission_bps=0"),
        ({"rules": WIDE}, "rules: .*gross_exposure=2.*gross_exposure=1"),
        ({"capital": 5.0}, "capital: found 5.*allowed: 100000"),
    ],
)
def test_an_account_keeps_what_it_was_opened_with(
    ledger: Ledger, changed: dict[str, object], what: str
) -> None:
    panel = flat(100, 101)
    opened(ledger, panel, account="kept")
    with pytest.raises(ParameterError, match=what):
        opened(ledger, panel, account="kept", **changed)


def test_play_money_stays_out_of_ledgers_of_live_accounts(tmp_path: Path) -> None:
    live = made_ledger(tmp_path, TradingMode.LIVE)
    with pytest.raises(LedgerError, match="live"):
        PaperBroker(live, "main")
    live.close()


def test_an_account_nobody_opened_is_named(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="'nobody'"):
        PaperBroker(ledger, "nobody").account()


def test_orders_that_cannot_be_are_rejected_and_leave_nothing(ledger: Ledger) -> None:
    panel = flat(100, 101, 102)
    broker, name = opened(ledger, panel)
    day = panel.sessions[1]
    early = ordered(name, panel.sessions[0], 1)
    with pytest.raises(OrderRejectedError, match="first session"):
        broker.submit(early)
    broker.advance(panel, until=day)
    refused = {
        "the venue is at": ordered(name, panel.sessions[2], 1),
        "no bars": ordered(name, day, 1, symbol="ZZZZ"),
        "account 'other'": ordered("other", day, 1),
        "shares other than 0": ordered(name, day, 0),
        "limit_price": ordered(name, day, 1, kind=OrderKind.LIMIT),
        "stop_price": ordered(name, day, 1, kind=OrderKind.STOP),
        "trail": ordered(name, day, -1, kind=OrderKind.TRAILING_STOP, trail=1.5),
        "weight": ordered(name, day, weight=1.5),
        "valid_sessions": ordered(name, day, 1, valid=0),
        "stop_loss": ordered(name, day, 1, bracket=Bracket(stop_loss=-0.1)),
    }
    for why, order in refused.items():
        with pytest.raises(OrderRejectedError, match=why):
            broker.submit(order)
        assert broker.get_by_client_id(order.client_order_id) is None
    assert broker.open_orders() == ()


def test_a_second_order_of_a_name_is_the_first(ledger: Ledger) -> None:
    panel = flat(100, 101)
    broker, name = opened(ledger, panel)
    broker.advance(panel, until=panel.sessions[0])
    order = ordered(name, panel.sessions[0], 10)
    first = broker.submit(order)
    assert broker.submit(replace(order, quantity=quantity(99))) == first
    broker.advance(panel, until=panel.sessions[1])
    assert [each.quantity for each in broker.fills(None)] == [10]
    assert broker.submit(order).state is OrderState.FILLED
    assert len(broker.fills(None)) == 1


@pytest.mark.parametrize("is_handed_in", [False, True])
def test_a_cancelled_order_never_fills(ledger: Ledger, is_handed_in: bool) -> None:  # noqa: FBT001
    panel = flat(100, 100, 90, 80)
    broker, name = opened(ledger, panel)
    broker.advance(panel, until=panel.sessions[0])
    low = ordered(name, panel.sessions[0], 10, kind=OrderKind.LIMIT, limit=95)
    other = ordered(name, panel.sessions[0], 5, kind=OrderKind.LIMIT, limit=95, sequence=1)
    for each in (low, other):
        broker.submit(each)
    if is_handed_in:
        broker.advance(panel, until=panel.sessions[1])
    broker.cancel(low.client_order_id)
    broker.cancel("nobody knows it")
    told = broker.get_by_client_id(low.client_order_id)
    assert told is not None
    assert told.state is OrderState.CANCELLED
    assert [each.client_order_id for each in broker.open_orders()] == [other.client_order_id]
    broker.advance(panel, until=panel.sessions[-1])
    assert held(broker) == {"A": 5}
    broker.cancel(other.client_order_id)
    still = broker.get_by_client_id(other.client_order_id)
    assert still is not None
    assert still.state is OrderState.FILLED


def test_everything_that_waits_is_cancelled_and_brackets_stay(ledger: Ledger) -> None:
    panel = flat(100, 100, 90, 80)
    broker, name = opened(ledger, panel)
    broker.advance(panel, until=panel.sessions[0])
    broker.submit(ordered(name, panel.sessions[0], 10, bracket=Bracket(stop_loss=0.05)))
    broker.submit(ordered(name, panel.sessions[0], 7, kind=OrderKind.LIMIT, limit=85, sequence=1))
    broker.advance(panel, until=panel.sessions[1])
    broker.submit(ordered(name, panel.sessions[1], weight=0.9))
    assert broker.cancel_all() == 2
    assert broker.cancel_all() == 0
    broker.advance(panel, until=panel.sessions[-1])
    assert [(f.quantity, f.price, f.reason) for f in broker.fills(None)] == [
        (10, 100, "market"),
        (-10, 90, "stop loss"),
    ]


def test_closing_everything_sells_what_is_held_once(ledger: Ledger) -> None:
    panel = random_panel(np.random.default_rng(8), 4, 3)
    broker, name = opened(ledger, panel, rules=WIDE)
    broker.advance(panel, until=panel.sessions[0])
    for symbol, weight in zip(panel.symbols, (0.5, -0.4, 0.0), strict=True):
        broker.submit(ordered(name, panel.sessions[0], symbol=symbol, weight=weight))
    broker.advance(panel, until=panel.sessions[1])
    assert broker.close_all() == broker.close_all() == 2
    assert broker.cancel_all() == broker.close_all() == 2
    broker.advance(panel, until=panel.sessions[-1])
    assert held(broker) == {}
    assert len(broker.fills(None)) == 4
    assert broker.account().cash == broker.account().equity
    assert float(broker.account().equity) == pytest.approx(broker.engine_equity, abs=1e-4)


def test_bars_of_everything_held_are_needed(ledger: Ledger) -> None:
    panel = random_panel(np.random.default_rng(3), 6, 3)
    broker, name = opened(ledger, panel)
    broker.advance(panel, until=panel.sessions[0])
    broker.submit(ordered(name, panel.sessions[0], symbol="S1", weight=0.5))
    with pytest.raises(SymbolNotFoundError, match="S1"):
        broker.advance(panel.columns([0, 2]), until=panel.sessions[1])
    broker.advance(panel.columns([2, 1]), until=panel.sessions[1])
    with pytest.raises(SymbolNotFoundError, match="S1"):
        broker.advance(panel.columns([0]), until=panel.sessions[2])
    assert broker.session == panel.sessions[1]
    assert broker.advance(panel.columns([1]), until=panel.sessions[5]) == panel.sessions[2:6]


def test_a_session_is_lived_through_whole_or_not_at_all(ledger: Ledger) -> None:
    """Whoever dies between two sessions goes on where the first ended, and ends alike."""
    panel = random_panel(np.random.default_rng(9), 8, 2)

    class DeadError(Exception):
        pass

    def die(step: Step) -> None:
        assert step is Step.ADVANCED
        raise DeadError

    told = []
    for is_killed in (False, True):
        broker, name = opened(ledger, panel, costs=EVERY_COST)
        broker.advance(panel, until=panel.sessions[0])
        broker.submit(ordered(name, panel.sessions[0], symbol="S0", weight=0.5))
        broker.submit(
            ordered(name, panel.sessions[0], 20, symbol="S1", bracket=Bracket(trail=0.02))
        )
        for session in panel.sessions[1:] if is_killed else ():
            with pytest.raises(DeadError):
                broker.advance(panel, until=panel.sessions[-1], reached=die)
            assert broker.session == session
            broker = PaperBroker(ledger, name)
        broker.advance(panel, until=panel.sessions[-1])
        fills = [(f.session, f.symbol, f.quantity, f.price, f.costs) for f in broker.fills(None)]
        told.append((fills, broker.account(), broker.positions()))
    assert told[0] == told[1]


def test_a_state_somebody_changed_is_refused(ledger: Ledger) -> None:
    panel = flat(100, 100)
    broker, name = opened(ledger, panel)
    mine = VENUE_ACCOUNTS.c.account == name
    with ledger.writing() as connection:
        state = connection.execute(select(VENUE_ACCOUNTS.c.state).where(mine)).scalar_one()
        changed = state.replace('"cash":100000.0', '"cash":900000.0')
        assert changed != state
        connection.execute(update(VENUE_ACCOUNTS).where(mine).values(state=changed))
    with pytest.raises(IntegrityError):
        broker.advance(panel, until=panel.sessions[1])
    assert broker.session is None


def test_every_date_can_be_a_session(ledger: Ledger) -> None:
    panel = flat(100, 100, 100, first=dt.date(2024, 3, 2))
    broker, _ = opened(ledger, panel)
    assert broker.advance(panel, until=panel.sessions[-1]) == panel.sessions
    assert broker.clock().now == session_close(panel.sessions[-1], calendar=ALWAYS)
