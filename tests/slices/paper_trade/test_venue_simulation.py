"""What the paper venue fills is what a simulation of the same decisions fills."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.exact import ZERO, quantity
from slices.domain.orders import Fill
from slices.domain.parameters import DEFAULT_COSTS, TradingRules
from slices.ledger.opening import Ledger
from slices.paper_trade.fill_reports import EXITS, WORDS
from slices.paper_trade.venue import PaperBroker
from slices.quant.simulation.account import FillReason, Simulation
from slices.quant.simulation.intents import OrderIntent
from slices.quant.simulation.targets import last_rows, simulate_targets
from tests.slices.quant.market import panel_of, us_closes
from tests.slices.quant.simulated import Case, hard_cases, plain_cases, random_orders
from tests.support.venues import made_ledger, opened, order_of, ordered

UNIT = 1e-9


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = made_ledger(tmp_path_factory.mktemp("venue"))
    yield made
    made.close()


def bookable(intent: OrderIntent) -> OrderIntent:
    """Round what an order holds in exact numbers."""
    numbers = {
        name: None if value is None else round(value, 9)
        for name in ("quantity", "limit_price", "stop_price")
        for value in [getattr(intent, name)]
    }
    return replace(intent, **numbers)


def traded(ledger: Ledger, case: Case, orders: list[OrderIntent]) -> PaperBroker:
    """Hand every order in at the close it was decided at."""
    panel, last = case.panel, last_rows(case.panel.close)
    ended = [
        (symbol, panel.sessions[row])
        for symbol, row in zip(panel.symbols, last, strict=True)
        if row >= 0
    ]
    broker, name = opened(ledger, panel, costs=case.costs, rules=case.rules, capital=case.capital)
    for t, session in enumerate(panel.sessions):
        assert broker.advance(panel, until=session, ended=ended) == (session,)
        for sequence, each in enumerate(orders):
            if each.row == t and broker.engine_equity > 0:
                broker.submit(order_of(each, panel, name, sequence))
    return broker


def check_fills(case: Case, batch: Simulation, fills: tuple[Fill, ...]) -> None:
    lines, panel = batch.fills, case.panel
    assert len(fills) == lines.rows.size
    for place, fill in enumerate(fills):
        assert fill.session == panel.sessions[lines.rows[place]]
        assert fill.symbol == panel.symbols[lines.columns[place]]
        assert float(fill.quantity) == pytest.approx(lines.quantities[place], abs=2 * UNIT)
        assert float(fill.price) == pytest.approx(lines.prices[place], abs=UNIT)
        assert float(fill.costs) == pytest.approx(lines.costs[place], abs=2e-6)
        reason = FillReason(lines.reasons[place])
        assert fill.reason in {WORDS.get(reason), EXITS.get(reason), WORDS[FillReason.TARGET]}


def check_books(case: Case, batch: Simulation, broker: PaperBroker) -> None:
    fills, flows = broker.fills(None), broker.cash_flows(None)
    told = broker.account()
    summed = sum((each.cash for each in fills), ZERO) + sum((each.amount for each in flows), ZERO)
    assert float(told.cash) == pytest.approx(case.capital + float(summed), abs=1e-7)
    assert float(told.cash) == pytest.approx(batch.cash[-1], abs=1e-3)
    assert float(told.equity) == pytest.approx(batch.equity[-1], abs=1e-2)
    held = dict(zip(case.panel.symbols, batch.shares[-1].tolist(), strict=True))
    told_held = {each.symbol: each.quantity for each in broker.positions()}
    assert told_held == {name: quantity(each) for name, each in held.items() if quantity(each)}
    for symbol in case.panel.symbols:
        summed = sum((each.quantity for each in fills if each.symbol == symbol), ZERO)
        assert told_held.get(symbol, ZERO) == summed


@settings(max_examples=12)
@given(st.one_of(plain_cases(), hard_cases()), st.integers(0, 10_000))
def test_orders_fill_as_in_a_simulation(ledger: Ledger, case: Case, seed: int) -> None:
    case = replace(case.until(25), dividends=None, splits=None)
    orders = random_orders(np.random.default_rng(seed), case, 25)
    orders = sorted(map(bookable, orders), key=lambda each: each.row)
    batch = case.ordered(orders)
    broker = traded(ledger, case, orders)
    check_fills(case, batch, broker.fills(None))
    check_books(case, batch, broker)


@settings(max_examples=6)
@given(hard_cases())
def test_weights_fill_as_in_a_simulation(ledger: Ledger, case: Case) -> None:
    case = replace(case.until(20), dividends=None, splits=None)
    decided = [
        OrderIntent(row=int(row), column=int(column), weight=float(case.targets[row, column]))
        for row, column in np.argwhere(~np.isnan(case.targets))
    ]
    batch = case.simulated()
    broker = traded(ledger, case, decided)
    check_fills(case, batch, broker.fills(None))
    check_books(case, batch, broker)


@pytest.mark.slow
def test_a_year_of_daily_trading_drifts_by_less_than_a_cent(ledger: Ledger) -> None:
    panel = panel_of(us_closes()[2][-252:, :5])
    random = np.random.default_rng(11)
    weights = random.dirichlet(np.ones(len(panel.symbols)), len(panel.sessions))
    broker, name = opened(ledger, panel, costs=DEFAULT_COSTS)
    batch = simulate_targets(
        panel, weights, costs=DEFAULT_COSTS, rules=TradingRules(), capital=100_000.0
    )
    for t, session in enumerate(panel.sessions):
        broker.advance(panel, until=session)
        told = broker.account()
        assert float(told.equity) == pytest.approx(broker.engine_equity, abs=0.01)
        assert float(told.equity) == pytest.approx(batch.equity[t], abs=0.01)
        assert float(told.cash) > -0.01
        for symbol, weight in zip(panel.symbols, weights[t], strict=True):
            broker.submit(ordered(name, session, symbol=symbol, weight=float(weight)))
    assert len(broker.fills(None)) == batch.fills.rows.size > 1000
    assert broker.engine_equity == pytest.approx(batch.equity[-1], rel=1e-12)
