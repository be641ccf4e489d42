from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from slices.domain.accounts import Execution, TradingState
from slices.domain.errors import BadDataError, ParameterError
from slices.domain.exact import quantity
from slices.domain.limits import DEFAULT_LIMITS, ReasonCode, RiskLimits
from slices.domain.orders import FlowKind, OrderState, Side
from slices.domain.parameters import Costs
from slices.domain.stops import StopKind
from slices.domain.trading import OrderPlan, PlannedOrder, StopRule
from slices.ledger.accounts import account_names, read_book
from slices.ledger.booking import fills_of, flows_of
from slices.ledger.orders import orders_of
from slices.ledger.states import release, set_state
from slices.ledger.stops import stops_of
from slices.paper_trade import desk
from slices.quant.panel import read_panel
from tests.slices.paper_trade.paper_accounts import books, closes, dumped, ohlcv
from tests.slices.quant.market import stored

BARS = closes(symbols=4, sessions=60)
PANEL = read_panel(BARS)
DAYS = PANEL.sessions
FIRST = PANEL.symbols[0]


def plan(day: dt.date, *orders: PlannedOrder, strategy: str = "by hand") -> OrderPlan:
    return OrderPlan(workflow="a_flow", strategy=strategy, session=day, orders=orders)


def purchase(symbol: str = FIRST, shares: float = 100, **given: object) -> PlannedOrder:
    return PlannedOrder(symbol=symbol, side=Side.BUY, quantity=quantity(shares), **given)


def test_a_new_account_holds_its_capital_and_is_marked() -> None:
    book = desk.settle("new", BARS, as_of=DAYS[10], capital=5_000.0)
    assert (book.opened, book.session) == (DAYS[10], DAYS[10])
    assert (book.cash, book.equity, book.capital) == (Decimal(5000),) * 3
    assert book.positions == ()
    with books() as ledger:
        assert [each.kind for each in flows_of(ledger, "new")] == [FlowKind.DEPOSIT]


def test_what_is_ordered_at_a_close_fills_at_the_next_session() -> None:
    desk.settle("fills", BARS, as_of=DAYS[10])
    placed = desk.submit("fills", BARS, plan(DAYS[10], purchase()))
    assert [each.state for each in placed.records] == [OrderState.ACCEPTED]
    same = desk.settle("fills", BARS, as_of=DAYS[10])
    assert same.positions == ()
    assert len(same.open_orders) == 1
    book = desk.settle("fills", BARS, as_of=DAYS[11])
    (held,) = book.positions
    assert (held.symbol, held.quantity, held.opened) == (FIRST, Decimal(100), DAYS[11])
    price = PANEL.close[11, 0]
    assert float(held.average_price) == pytest.approx(price, abs=1e-8)
    assert float(book.cash) == pytest.approx(100_000 - 100 * price * 1.001, abs=1e-5)
    assert book.open_orders == ()


def test_with_opens_it_fills_at_the_open() -> None:
    bars = ohlcv("MSFT", "IBM")
    panel = read_panel(bars)
    desk.settle("opens", bars, as_of=panel.sessions[50])
    desk.submit("opens", bars, plan(panel.sessions[50], purchase("MSFT")))
    book = desk.settle("opens", bars, as_of=panel.sessions[51])
    column = panel.symbols.index("MSFT")
    assert float(book.positions[0].average_price) == pytest.approx(panel.open[51, column], abs=1e-8)
    assert float(book.positions[0].mark) == pytest.approx(panel.close[51, column], abs=1e-8)


def test_handing_a_plan_in_again_changes_nothing() -> None:
    desk.settle("again", BARS, as_of=DAYS[10])
    first = desk.submit("again", BARS, plan(DAYS[10], purchase()))
    before = dumped("again")
    second = desk.submit("again", BARS, plan(DAYS[10], purchase()))
    desk.settle("again", BARS, as_of=DAYS[10])
    assert not first.is_repeated
    assert second.is_repeated
    assert dumped("again") == before
    with books() as ledger:
        assert len(orders_of(ledger, "again")) == 1


def test_missed_sessions_are_lived_through_one_by_one() -> None:
    desk.settle("away", BARS, as_of=DAYS[10])
    desk.submit("away", BARS, plan(DAYS[10], purchase()))
    book = desk.settle("away", BARS, as_of=DAYS[20])
    assert [each.session for each in book.curve] == list(DAYS[10:21])
    assert book.positions[0].opened == DAYS[11]
    worth = float(book.cash) + 100 * PANEL.close[11:21, 0]
    assert [float(each.equity) for each in book.curve[1:]] == pytest.approx(list(worth), abs=1e-4)


def test_a_plan_writes_nothing() -> None:
    book = desk.settle("unborn", BARS, as_of=DAYS[10], execution="plan", capital=10_000.0)
    assert (book.session, book.cash) == (None, Decimal(10_000))
    placed = desk.submit(
        "unborn", BARS, plan(DAYS[10], purchase(shares=1e6)), execution="plan", book=book
    )
    assert placed.records == ()
    codes = {each.code for each in placed.decisions[0].breaches}
    assert ReasonCode.INSUFFICIENT_CASH in codes
    with books() as ledger:
        assert "unborn" not in account_names(ledger)


def test_a_plan_for_a_known_account_is_judged_by_its_books_and_changes_none() -> None:
    desk.settle("known", BARS, as_of=DAYS[10], capital=1_000.0)
    before = dumped("known")
    read = desk.settle("known", BARS, as_of=DAYS[12], execution="plan")
    assert read.session == DAYS[10]
    affordable = purchase(shares=float(900 / PANEL.close[12, 0]))
    dear = purchase(PANEL.symbols[1], shares=float(2000 / PANEL.close[12, 1]))
    said = desk.submit("known", BARS, plan(DAYS[12], affordable, dear), execution="plan")
    assert [each.is_accepted for each in said.decisions] == [True, False]
    assert dumped("known") == before


def test_the_gate_denies_and_says_why() -> None:
    desk.settle("denied", BARS, as_of=DAYS[10])
    limits = RiskLimits(max_order_quantity=50)
    placed = desk.submit("denied", BARS, plan(DAYS[10], purchase()), limits=limits)
    (record,) = placed.records
    assert record.state is OrderState.DENIED
    assert any(ReasonCode.QUANTITY_TOO_LARGE in each for each in record.reasons)
    assert desk.settle("denied", BARS, as_of=DAYS[11]).positions == ()


def test_r37_a_purchase_without_the_cash_for_its_costs_is_denied() -> None:
    day, close = DAYS[10], float(PANEL.close[10, 0])
    codes = []
    for account, part in (("affordable", 0.9989), ("short_of_costs", 0.9995)):
        desk.settle(account, BARS, as_of=day)
        shares = 100_000 * part / close
        (record,) = desk.submit(account, BARS, plan(day, purchase(shares=shares))).records
        codes.append((record.state, any(ReasonCode.INSUFFICIENT_CASH in r for r in record.reasons)))
    assert codes == [(OrderState.ACCEPTED, False), (OrderState.DENIED, True)]


def test_a_halted_account_lives_on_and_orders_nothing() -> None:
    at = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    desk.settle("halted", BARS, as_of=DAYS[10])
    with books() as ledger:
        set_state(ledger, "halted", TradingState.HALTED, reason="a test", by="test", at=at)
    placed = desk.submit("halted", BARS, plan(DAYS[10], purchase()))
    assert [each.state for each in placed.records] == [OrderState.DENIED]
    book = desk.settle("halted", BARS, as_of=DAYS[11])
    assert (book.state, book.state_reason, book.session) == (
        TradingState.HALTED,
        "a test",
        DAYS[11],
    )
    with books() as ledger:
        release(ledger, "halted", reason="tested", by="test", at=at)
    again = desk.submit("halted", BARS, plan(DAYS[11], purchase()))
    assert [each.state for each in again.records] == [OrderState.ACCEPTED]


def test_a_loss_beyond_the_limit_takes_the_account_out_of_trading(tmp_path: Path) -> None:
    values = {"AA": np.array([100.0, 100.0, 100.0, 80.0, 80.0, 40.0, 80.0])}
    bars = stored(tmp_path, DAYS[:7], values)
    limits = DEFAULT_LIMITS.model_copy(update={"max_drawdown": 0.5})
    desk.settle("loser", bars, as_of=DAYS[1], limits=limits)
    desk.submit("loser", bars, plan(DAYS[1], purchase("AA", 950)), limits=limits)
    states = [desk.settle("loser", bars, as_of=day, limits=limits).state for day in DAYS[2:7]]
    assert states == [
        TradingState.ACTIVE,
        TradingState.REDUCING,
        TradingState.REDUCING,
        TradingState.HALTED,
        TradingState.HALTED,
    ]


def test_stops_are_recorded_for_orders_that_were_let_through() -> None:
    desk.settle("stops", BARS, as_of=DAYS[10])
    rules = (
        StopRule(kind=StopKind.FIXED, level=Decimal(90)),
        StopRule(kind=StopKind.TIME, most_sessions=5),
    )
    wanted = plan(
        DAYS[10],
        purchase(stops=rules),
        purchase(PANEL.symbols[1], shares=1e9, stops=rules),
    )
    for _ in range(2):
        desk.submit("stops", BARS, wanted)
    with books() as ledger:
        found = stops_of(ledger, "stops")
    assert {(each.symbol, each.kind) for each in found} == {
        (FIRST, StopKind.FIXED),
        (FIRST, StopKind.TIME),
    }
    assert len(found) == 2
    assert {each.armed for each in found} == {DAYS[10]}


def test_r23_stops_are_there_with_their_orders_wherever_the_process_dies() -> None:
    rules = (StopRule(kind=StopKind.FIXED, level=Decimal(90)),)
    desk.settle("dies", BARS, as_of=DAYS[10])

    class Died(BaseException):
        pass

    def dead(*_: object, **__: object) -> None:
        raise Died

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("slices.ledger.path._send", dead)
        with pytest.raises(Died):
            desk.submit("dies", BARS, plan(DAYS[10], purchase(stops=rules)))
    book = desk.settle("dies", BARS, as_of=DAYS[10])
    assert len(book.open_orders) == 1
    assert desk.settle("dies", BARS, as_of=DAYS[11]).held(FIRST) == 100
    with books() as ledger:
        assert [each.kind for each in stops_of(ledger, "dies")] == [StopKind.FIXED]


def test_r33_a_release_counts_losses_anew_and_lets_the_account_trade(tmp_path: Path) -> None:
    closes_ = np.array([100.0, 100.0, 100.0, 60.0, 60.0, 59.0, 58.0])
    bars = stored(tmp_path, DAYS[: closes_.size], {"AA": closes_, "BB": closes_ + 1.0})
    limits = RiskLimits(max_daily_loss=0.2, max_drawdown=0.25)
    desk.settle("back", bars, as_of=DAYS[1], limits=limits)
    desk.submit("back", bars, plan(DAYS[1], purchase("AA", 900)), limits=limits)
    assert desk.settle("back", bars, as_of=DAYS[4], limits=limits).state is TradingState.HALTED
    with books() as ledger:
        release(ledger, "back", reason="looked at", by="a person", at=dt.datetime.now(dt.UTC))
        book = read_book(ledger, "back")
    assert (book.state, book.drawdown) == (TradingState.ACTIVE, 0.0)
    again = desk.submit("back", bars, plan(DAYS[4], purchase("BB", 10)), limits=limits)
    assert [each.state for each in again.records] == [OrderState.ACCEPTED]
    later = desk.settle("back", bars, as_of=DAYS[6], limits=limits)
    assert later.state is TradingState.ACTIVE
    assert later.held("BB") == 10
    assert 0 < later.drawdown < 0.1


def test_an_earlier_session_is_refused() -> None:
    desk.settle("late", BARS, as_of=DAYS[20])
    with pytest.raises(ParameterError, match="as_of"):
        desk.settle("late", BARS, as_of=DAYS[19])


def test_bars_that_begin_later_are_refused() -> None:
    with pytest.raises(ParameterError, match="as_of"):
        desk.settle("early", BARS, as_of=DAYS[0] - dt.timedelta(days=1))


def test_bars_that_lack_what_is_held_are_refused(tmp_path: Path) -> None:
    desk.settle("lacking", BARS, as_of=DAYS[10])
    desk.submit("lacking", BARS, plan(DAYS[10], purchase()))
    desk.settle("lacking", BARS, as_of=DAYS[11])
    others = stored(tmp_path, DAYS, {"ZZ": PANEL.close[:, 1].copy()})
    for execution in ("paper", "plan"):
        with pytest.raises(ParameterError, match=f"lacking holds {FIRST}") as refused:
            desk.settle("lacking", others, execution=execution)
        assert refused.value.parameter == "symbols"


def test_other_capital_or_costs_are_refused() -> None:
    desk.settle("fixed", BARS, as_of=DAYS[10], capital=1_000.0)
    with pytest.raises(ParameterError, match=r"2,000\.00.*1,000\.00") as refused:
        desk.settle("fixed", BARS, as_of=DAYS[10], capital=2_000.0)
    assert refused.value.parameter == "capital"
    with pytest.raises(ParameterError, match="costs"):
        desk.settle("fixed", BARS, as_of=DAYS[10], capital=1_000.0, costs=Costs(commission_bps=9))


@pytest.mark.parametrize("execution", ["paper", "plan"])
def test_an_account_that_is_not_to_be_opened_is_refused_with_those_there_are(
    execution: Execution,
) -> None:
    desk.settle("there", BARS, as_of=DAYS[10])
    with pytest.raises(ParameterError, match="there") as refused:
        desk.settle("thare", BARS, as_of=DAYS[11], execution=execution, opens=False)
    assert refused.value.parameter == "account"
    with books() as ledger:
        assert "thare" not in account_names(ledger)
    known = desk.settle("there", BARS, as_of=DAYS[10], execution=execution, opens=False)
    assert known.session == DAYS[10]


def test_a_day_without_a_session_takes_the_one_before() -> None:
    weekend = next(
        day for day in (DAYS[10] + dt.timedelta(days=k) for k in range(1, 8)) if day not in DAYS
    )
    book = desk.settle("weekend", BARS, as_of=weekend)
    assert book.session == max(day for day in DAYS if day < weekend)


def test_prices_that_changed_without_an_explanation_are_refused(tmp_path: Path) -> None:
    desk.settle("changed", BARS, as_of=DAYS[10])
    desk.submit("changed", BARS, plan(DAYS[10], purchase()))
    desk.settle("changed", BARS, as_of=DAYS[12])
    values = PANEL.close.copy()
    values[12, 0] *= 1.07
    columns = {name: np.ascontiguousarray(values[:, i]) for i, name in enumerate(PANEL.symbols)}
    other = stored(tmp_path, DAYS, columns)
    before = dumped("changed")
    with pytest.raises(BadDataError, match=FIRST):
        desk.settle("changed", other, as_of=DAYS[13])
    assert dumped("changed") == before


def test_prices_restated_by_one_ratio_keep_the_value(tmp_path: Path) -> None:
    desk.settle("restated", BARS, as_of=DAYS[10])
    desk.submit("restated", BARS, plan(DAYS[10], purchase()))
    before = desk.settle("restated", BARS, as_of=DAYS[14])
    values = PANEL.close * np.array([0.5, 1.0, 1.0, 1.0])
    columns = {name: np.ascontiguousarray(values[:, i]) for i, name in enumerate(PANEL.symbols)}
    book = desk.settle("restated", stored(tmp_path, DAYS, columns), as_of=DAYS[15])
    assert book.positions[0].quantity == Decimal(200)
    gain = 100 * (PANEL.close[15, 0] - PANEL.close[14, 0])
    assert float(book.equity) == pytest.approx(float(before.equity) + gain, abs=1e-3)
    with books() as ledger:
        assert len(fills_of(ledger, "restated")) == 1
        assert read_book(ledger, "restated").positions == book.positions
        assert replace(book, curve=()) == read_book(ledger, "restated", curve=False)
