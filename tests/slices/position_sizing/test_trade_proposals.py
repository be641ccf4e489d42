from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from slices.domain.accounts import AccountBook, TradingMode
from slices.domain.dataset import DatasetRef
from slices.domain.errors import BadDataError, ParameterError
from slices.domain.fingerprint import fingerprint
from slices.domain.limits import RiskLimits
from slices.domain.numbers import written
from slices.domain.orders import Order, OrderRecord, OrderState, Side
from slices.domain.position_sizing import FirstCheck, PositionSize, TradeProposal
from slices.domain.report import Unit
from slices.domain.sizing import PositionRules, RiskBudget
from slices.domain.stops import Stop, StopKind
from slices.position_sizing.bounds import Terms
from slices.position_sizing.checking import nothing_placed, problems_of
from slices.position_sizing.trade import (
    WORKFLOW,
    check_rules_fit,
    propose_trade,
    trade_risk,
    universe,
)
from slices.position_sizing.trade_findings import risk_adjusted_findings
from slices.quant.panel import read_panel
from slices.runtime.codec import decode, encode
from tests.slices.position_sizing.sizing_panels import QUIET, book, panel
from tests.slices.quant.market import stored

PANEL = panel(3)
AT = dt.datetime(2025, 1, 2, 21, tzinfo=dt.UTC)
BUDGET = RiskBudget()


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    closes = {name: PANEL.close[:, i] for i, name in enumerate(PANEL.symbols)}
    folder: Path = tmp_path_factory.mktemp("bars")
    return stored(folder, PANEL.sessions, closes, opens=closes)


def proposed(
    bars: DatasetRef,
    books: AccountBook,
    *,
    terms: Terms | None = None,
    side: Side = Side.BUY,
    stop: StopKind = StopKind.FIXED,
) -> TradeProposal:
    return propose_trade(
        bars,
        "S0",
        books,
        QUIET,
        trade_risk(bars, "S0", books, budget=BUDGET),
        terms=terms or Terms(),
        side=side,
        exits=(stop, 2.0, 15),
    )


def waiting(workflow: str, session: dt.date, *, shares: int) -> OrderRecord:
    order = Order(
        client_order_id=workflow,
        account="main",
        workflow=workflow,
        strategy="x",
        session=session,
        symbol="S0",
        side=Side.BUY,
        quantity=Decimal(shares),
    )
    return OrderRecord(order=order, state=OrderState.ACCEPTED, decided_at=AT, updated_at=AT)


def test_risk_is_measured_against_the_rest_of_the_universe_and_the_account(
    bars: DatasetRef,
) -> None:
    found = trade_risk(bars, "S0", book(PANEL, S1=300.0), budget=BUDGET)
    returns = PANEL.close[1:] / PANEL.close[:-1] - 1
    others = returns[:, 1:].mean(axis=1)
    covariance = np.cov(returns[:, 0], others, ddof=1)
    assert found.beta == pytest.approx(covariance[0, 1] / covariance[1, 1])
    expected = np.corrcoef(returns[:, 0], returns[:, 1])[0, 1]
    assert found.correlation == pytest.approx(expected)
    assert np.isnan(trade_risk(bars, "S0", book(PANEL), budget=BUDGET).correlation)


@pytest.mark.parametrize("side", list(Side))
def test_the_target_lies_twice_as_far_away_as_the_stop(bars: DatasetRef, side: Side) -> None:
    found = proposed(bars, book(PANEL), side=side)
    assert isinstance(found.size, PositionSize)
    assert found.exits is not None
    assert found.exits.target_price is not None
    risk = (found.size.price - found.exits.stop_price) * side.sign
    assert risk > 0
    reward = (found.exits.target_price - found.size.price) * side.sign
    assert reward == pytest.approx(2 * risk)
    (order,) = found.plan.orders
    assert (order.side, float(order.quantity)) == (side, found.quantity)
    assert float(order.quantity) == found.size.quantity > 0


@pytest.mark.parametrize(
    ("stop", "kinds"),
    [
        (StopKind.FIXED, {StopKind.FIXED, StopKind.TARGET}),
        (StopKind.TRAILING, {StopKind.TRAILING, StopKind.TARGET}),
        (StopKind.ATR, {StopKind.ATR, StopKind.TARGET}),
        (StopKind.TIME, {StopKind.FIXED, StopKind.TIME, StopKind.TARGET}),
    ],
)
def test_the_order_brings_its_bracket_and_its_stops(
    bars: DatasetRef, stop: StopKind, kinds: set[StopKind]
) -> None:
    (order,) = proposed(bars, book(PANEL), stop=stop).plan.orders
    assert {each.kind for each in order.stops} == kinds
    assert order.bracket is not None
    assert (order.bracket.trail is not None) == (stop is StopKind.TRAILING)
    assert (order.bracket.stop_loss_price is not None) == (stop is not StopKind.TRAILING)
    assert (order.bracket.most_sessions == 15) == (stop is StopKind.TIME)
    levels = {each.kind: each.level for each in order.stops}
    assert order.bracket.take_profit_price == pytest.approx(float(levels[StopKind.TARGET] or 0))


@pytest.mark.parametrize("stop", [StopKind.FIXED, StopKind.TRAILING, StopKind.ATR, StopKind.TIME])
def test_a_real_broker_gets_two_prices_and_the_rest_is_recorded(
    bars: DatasetRef, stop: StopKind
) -> None:
    live = replace(book(PANEL), mode=TradingMode.LIVE)
    (order,) = proposed(bars, live, stop=stop).plan.orders
    assert order.bracket is not None
    assert order.bracket.stop_loss_price is not None
    assert order.bracket.take_profit_price is not None
    prices = (order.bracket.stop_loss_price, order.bracket.take_profit_price)
    assert prices == tuple(round(each, 2) for each in prices)
    assert order.bracket.trail is order.bracket.most_sessions is None
    assert stop in {each.kind for each in order.stops}


def test_a_budget_that_is_spent_leaves_no_order_and_says_so(bars: DatasetRef) -> None:
    spent = Terms(budget=RiskBudget(account_shortfall=1e-4))
    found = proposed(bars, book(PANEL, S1=500.0), terms=spent)
    assert found.plan.orders == ()
    assert found.quantity == 0
    (reason,) = found.refusals
    assert "risk budget of the account" in reason


def test_a_position_the_other_way_has_to_be_closed_first(bars: DatasetRef) -> None:
    found = proposed(bars, book(PANEL, S0=50.0), side=Side.SELL)
    assert found.plan.orders == ()
    assert "closed before" in found.refusals[0]


def test_only_what_is_missing_is_traded(bars: DatasetRef) -> None:
    whole = proposed(bars, book(PANEL))
    some = proposed(bars, book(PANEL, S0=20.0))
    assert some.quantity == pytest.approx(whole.quantity - 20, abs=1)
    enough = proposed(bars, book(PANEL, S0=whole.quantity))
    assert enough.plan.orders == ()
    assert "allows" in enough.refusals[0]


@pytest.mark.parametrize("side", list(Side))
def test_where_nothing_is_traded_the_account_stays_as_it_is(bars: DatasetRef, side: Side) -> None:
    little = Terms(sizing=PositionRules(risk=0.0005))
    found = proposed(bars, book(PANEL, S0=120.0, S1=100.0), terms=little, side=side)
    assert found.quantity == 0
    assert found.exits is None
    size = found.size
    assert isinstance(size, PositionSize)
    assert 0 < size.quantity < 120
    assert size.after == size.before
    for said in (f"{size.quantity:g} shares", "120 shares held", "nothing is bought or sold"):
        assert said in size.explanation


@pytest.mark.parametrize("held", [0.0, 30.0])
@pytest.mark.parametrize("turned_down", ["by a person", "by the gate", "no"])
def test_an_order_that_is_turned_down_leaves_weight_and_risk_as_they_were(
    bars: DatasetRef, held: float, turned_down: str
) -> None:
    books = book(PANEL, S0=held) if held else book(PANEL)
    proposal = proposed(bars, books, terms=Terms(sizing=PositionRules(risk=0.02)))
    (order,) = proposal.plan.named("main")
    state = OrderState.DENIED if turned_down == "by the gate" else OrderState.ACCEPTED
    record = OrderRecord(order=order, state=state, decided_at=AT, updated_at=AT)
    found = risk_adjusted_findings(
        bars,
        proposal,
        nothing_placed("main", proposal.plan),
        FirstCheck(orders=(record,), stops=(), problems=()),
        book=books,
        refusal="too much" if turned_down == "by a person" else "",
    )
    size, figures = found.proposal.size, {each.label for each in found.report.figures}
    assert isinstance(size, PositionSize)
    is_made = turned_down == "no"
    assert (size.after != size.before) == is_made
    assert ("Lost at the stop" in figures) == is_made
    kept = size.weight if is_made else held * size.price / size.equity
    assert dict(found.summary)["Weight"] == written(kept, Unit.FRACTION)


def test_waiting_orders_count_as_held_but_for_those_of_this_very_decision(
    bars: DatasetRef,
) -> None:
    empty = book(PANEL)
    whole = proposed(bars, empty)
    own = replace(empty, open_orders=(waiting(WORKFLOW, PANEL.sessions[-1], shares=20),))
    assert fingerprint(proposed(bars, own)) == fingerprint(whole)
    others = replace(empty, open_orders=(waiting("other", PANEL.sessions[-1], shares=20),))
    assert proposed(bars, others).quantity == pytest.approx(whole.quantity - 20, abs=1)


def test_something_held_without_bars_stops_everything(bars: DatasetRef) -> None:
    lost = replace(book(PANEL, S1=5.0).positions[0], symbol="ZZZ")
    with pytest.raises(BadDataError, match="ZZZ"):
        proposed(bars, replace(book(PANEL), positions=(lost,)))


def test_the_same_inputs_name_the_same_order_and_survive_storage(bars: DatasetRef) -> None:
    first, second = (proposed(bars, book(PANEL)) for _ in range(2))
    assert first.plan.named("main") == second.plan.named("main")
    assert fingerprint(decode(encode(first))) == fingerprint(first)
    assert read_panel(bars).sessions[-1] == first.plan.session


def test_a_short_sale_that_is_not_allowed_is_refused(bars: DatasetRef) -> None:
    terms = Terms(limits=RiskLimits(allow_short=False))
    assert "short" in proposed(bars, book(PANEL), terms=terms, side=Side.SELL).refusals[0]


def test_the_kelly_rule_alone_cannot_size_a_trade() -> None:
    with pytest.raises(ParameterError, match="kelly"):
        check_rules_fit({"execution": "paper", "sizing": PositionRules(use=["kelly"])})
    check_rules_fit({"execution": "paper", "sizing": PositionRules()})
    assert universe("MSFT", ["AAPL", "MSFT"]) == ["MSFT", "AAPL"]


def test_the_first_check_names_what_is_missing(bars: DatasetRef) -> None:
    plan = proposed(bars, book(PANEL)).plan
    (order,) = plan.named("main")
    record = OrderRecord(order=order, state=OrderState.ACCEPTED, decided_at=AT, updated_at=AT)
    stops = tuple(
        Stop(
            stop_id=f"{order.client_order_id}:{each.kind}",
            account="main",
            symbol="S0",
            kind=each.kind,
            level=each.level,
            armed=plan.session,
        )
        for each in plan.orders[0].stops
    )
    assert problems_of(plan, (record,), stops) == ()
    (missing,) = problems_of(plan, (record,), stops[1:])
    assert "fixed" in missing
    denied = replace(record, state=OrderState.DENIED, reasons=("halted",))
    assert any("halted" in each for each in problems_of(plan, (denied,), ()))
    unknown = replace(record, state=OrderState.UNKNOWN)
    assert any("nobody can tell" in each for each in problems_of(plan, (unknown,), stops))
    assert problems_of(plan, (), stops)
