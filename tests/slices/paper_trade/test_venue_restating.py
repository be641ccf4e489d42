"""History restated by dividends and splits is noticed; history that merely changed is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.errors import BadDataError
from slices.domain.orders import Bracket, OrderKind
from slices.domain.parameters import TradingRules
from slices.ledger.opening import Ledger
from slices.paper_trade.venue import PaperBroker
from slices.quant.panel import Panel
from slices.quant.simulation.targets import simulate_targets
from tests.slices.quant.simulated import random_panel
from tests.support.venues import BAR_PRICES, FREE, flat, made_ledger, opened, ordered, restated


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = made_ledger(tmp_path_factory.mktemp("venue"))
    yield made
    made.close()


def bought(
    ledger: Ledger, panel: Panel, shares: float, *, bracket: Bracket | None = None
) -> tuple[PaperBroker, str]:
    """Hold some of the first symbol at the close of the third session."""
    broker, name = opened(ledger, panel)
    broker.advance(panel, until=panel.sessions[0])
    symbol = panel.symbols[0]
    broker.submit(ordered(name, panel.sessions[0], shares, symbol=symbol, bracket=bracket))
    broker.advance(panel, until=panel.sessions[2])
    return broker, name


def test_a_split_makes_more_shares_of_the_same_value(ledger: Ledger) -> None:
    seen = flat(100, 100, 102)
    broker, _ = bought(ledger, seen, 10)
    before = broker.account().equity
    split = restated(flat(100, 100, 102, 51), 0.5, until=3)
    broker.advance(split, until=split.sessions[3])
    (action,) = broker.share_actions(None)
    assert (action.old_quantity, action.new_quantity) == (10, 20)
    assert (action.session, action.reason) == (split.sessions[3], "prices restated")
    (position,) = broker.positions()
    assert (position.quantity, position.average_price) == (20, 50)
    assert broker.account().equity == before
    assert broker.share_actions(split.sessions[3]) == (action,)
    broker.advance(split, until=split.sessions[3])
    assert len(broker.share_actions(None)) == 1


@settings(max_examples=6)
@given(st.floats(0.01, 100).filter(lambda f: abs(f - 1) > 1e-3), st.integers(0, 1000))
def test_restating_changes_no_value_and_no_later_fill(
    ledger: Ledger, factor: float, seed: int
) -> None:
    """An account over prices as they came trades as one over the prices of the last day."""
    raw = random_panel(np.random.default_rng(seed), 9, 2)
    weights = np.random.default_rng(seed).uniform(0, 0.5, raw.close.shape)
    final = restated(raw, factor, until=5)
    broker, name = opened(ledger, raw)
    for t, session in enumerate(raw.sessions):
        panel = raw if t < 5 else final
        broker.advance(panel.until(t + 1), until=session)
        for symbol, weight in zip(raw.symbols, weights[t], strict=True):
            broker.submit(ordered(name, session, symbol=symbol, weight=float(weight)))
    fair = simulate_targets(final, weights, costs=FREE, rules=TradingRules(), capital=1e5)
    assert float(broker.account().equity) == pytest.approx(fair.equity[-1], rel=1e-6)
    assert len(broker.share_actions(None)) == 1
    assert float(broker.account().equity) == pytest.approx(broker.engine_equity, abs=0.01)


def test_orders_and_brackets_that_wait_follow_the_prices(ledger: Ledger) -> None:
    seen = flat(100, 100, 100)
    broker, name = bought(ledger, seen, 10, bracket=Bracket(stop_loss=0.1))
    low = ordered(name, seen.sessions[2], 4, kind=OrderKind.LIMIT, limit=96)
    broker.submit(low)
    split = restated(flat(100, 100, 100, 50, 48, 45), 0.5, until=3)
    broker.advance(split, until=split.sessions[3])
    assert len(broker.fills(None)) == 1
    broker.advance(split, until=split.sessions[4])
    limited = broker.fills(None)[-1]
    assert (limited.quantity, limited.price) == (4, 48)
    broker.advance(split, until=split.sessions[5])
    left = broker.fills(None)[-1]
    assert (left.quantity, left.price, left.reason) == (-20, 45, "stop loss")


def test_an_order_stays_an_order_for_as_many_shares(ledger: Ledger) -> None:
    """Its name was given for so many; more would be more than anybody let through."""
    seen = flat(100, 100, 100)
    broker, name = bought(ledger, seen, 10)
    broker.submit(ordered(name, seen.sessions[2], 6))
    resting = ordered(name, seen.sessions[2], 5, kind=OrderKind.LIMIT, limit=90, sequence=1)
    broker.submit(resting)
    once = restated(flat(100, 100, 100, 50, 50), 0.5, until=3)
    broker.advance(once, until=once.sessions[3])
    twice = restated(restated(flat(100, 100, 100, 50, 50, 20), 0.5, until=3), 0.5, until=5)
    broker.advance(once, until=once.sessions[4])
    broker.advance(twice, until=twice.sessions[5])
    bought_later = [(each.quantity, each.price) for each in broker.fills(None)[1:]]
    assert bought_later == [(6, 50), (5, 20)]
    told = broker.get_by_client_id(resting.client_order_id)
    assert told is not None
    assert told.filled_quantity == 5
    assert broker.positions()[0].quantity == (10 * 2 + 6) * 2 + 5


@pytest.mark.parametrize(
    ("row", "price", "problem"),
    [
        (1, 101.0, r"A: found close 101 on 2024-03-05, where it was 100"),
        (2, 50.0, r"A: found close 50 on 2024-03-06, where it was 102"),
        (2, np.nan, r"A: found no close on 2024-03-06, where it was 102"),
    ],
)
def test_a_changed_price_stops_everything(
    ledger: Ledger, row: int, price: float, problem: str
) -> None:
    broker, _ = bought(ledger, flat(100, 100, 102), 10)
    changed = flat(100, 100, 102, 103)
    for name in BAR_PRICES:
        getattr(changed, name)[row] = price
    before = broker.account()
    with pytest.raises(BadDataError, match=problem):
        broker.advance(changed, until=changed.sessions[3])
    assert broker.session == changed.sessions[2]
    assert broker.account() == before


def test_bars_that_begin_after_what_was_seen_are_refused(ledger: Ledger) -> None:
    broker, _ = bought(ledger, flat(100, 100, 102), 10)
    later = flat(100, 100, 102, 103, 104)
    with pytest.raises(BadDataError, match="found no close"):
        broker.advance(later.between(3, 5), until=later.sessions[4])


def test_symbols_nobody_holds_may_change(ledger: Ledger) -> None:
    panel = random_panel(np.random.default_rng(1), 5, 2)
    broker, _ = opened(ledger, panel)
    broker.advance(panel, until=panel.sessions[2])
    changed = replace(panel, close=panel.close * np.array([1.0, 1.1]))
    assert broker.advance(changed, until=changed.sessions[3]) == (changed.sessions[3],)


def test_rounding_of_a_source_is_no_restatement(ledger: Ledger) -> None:
    broker, _ = bought(ledger, flat(100, 100, 102), 10)
    wobbling = flat(100.00001, 99.99999, 102.00001, 103)
    broker.advance(wobbling, until=wobbling.sessions[3])
    assert broker.share_actions(None) == ()
    assert broker.account().equity == Decimal(100_030)


def test_one_price_alone_tells_no_ratio(ledger: Ledger) -> None:
    seen = flat(100)
    broker, name = opened(ledger, seen)
    broker.advance(seen, until=seen.sessions[0])
    broker.submit(ordered(name, seen.sessions[0], 10))
    halved = flat(50, 51)
    with pytest.raises(BadDataError, match=r"found close 50 on .*, where it was 100"):
        broker.advance(halved, until=halved.sessions[1])
