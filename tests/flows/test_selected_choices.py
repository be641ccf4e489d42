"""Paper trading with strategy `selected`: which stored choice an account trades, and which not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from flows.cli.options import build_parser, given_parameters
from flows.core import simple_backtest
from flows.trading import paper_trading
from slices.domain.calendar import session_close
from slices.domain.choices import ActiveChoice, ChoiceBasis
from slices.domain.errors import ParameterError
from slices.domain.report import Table
from slices.domain.strategies import StrategyName
from slices.ledger.choices import record_choice
from tests.slices.paper_trade.paper_accounts import books

SYMBOLS = ("MSFT", "IBM")
FIRST, SECOND = dt.date(2012, 6, 29), dt.date(2012, 7, 31)


def stored(
    session: dt.date,
    strategy: StrategyName,
    *parameters: tuple[str, str],
    name: str,
    symbols: tuple[str, ...] = SYMBOLS,
) -> ActiveChoice:
    choice = ActiveChoice(
        name=name,
        session=session,
        strategy=strategy,
        parameters=parameters,
        symbols=symbols,
        basis=ChoiceBasis.MODEL,
        reason="It was the best.",
        regime="bull_quiet",
        probabilities=((strategy.value, 0.75), ("macd", 0.25)),
        decision_sessions=21,
        data_fingerprint="f",
        prefect_run_id="flow-run",
        mlflow_run_id="tracked-run",
        recorded_at=session_close(session),
    )
    with books() as ledger:
        record_choice(ledger, choice)
    return choice


@pytest.fixture(scope="module")
def series() -> tuple[ActiveChoice, ActiveChoice]:
    crossing = (("fast", "5"), ("slow", "15"), ("short", "False"))
    return (
        stored(FIRST, StrategyName.SMA_CROSS, *crossing, name="series"),
        stored(SECOND, StrategyName.BUY_AND_HOLD, name="series"),
    )


def look(**changed: Any) -> Any:
    asked = {
        "symbols": list(SYMBOLS),
        "account": "looking",
        "execution": "plan",
        "strategy": "selected",
        "selection": "series",
    }
    return paper_trading(**(asked | changed))


@pytest.mark.parametrize(
    ("as_of", "place"), [("2012-06-29", 0), ("2012-07-30", 0), ("2012-07-31", 1), ("2012-08-03", 1)]
)
def test_the_newest_choice_made_by_the_session_is_traded(
    series: tuple[ActiveChoice, ...], as_of: str, place: int
) -> None:
    found = look(as_of=as_of)
    assert found.choice.selected == series[place]
    assert found.choice.strategy is series[place].strategy
    assert found.caveats == ()
    (table,) = (
        each
        for each in found.report.blocks()
        if isinstance(each, Table) and each.key == "selected-probabilities"
    )
    assert table.rows[0][1] == 0.75
    assert "tracked-run" in table.caption


@pytest.mark.slow
def test_a_replay_keeps_the_choice_valid_at_its_start(series: tuple[ActiveChoice, ...]) -> None:
    chosen = look(
        account="chosen", execution="paper", replay_from="2012-07-02", replay_to="2012-08-31"
    )
    assert chosen.choice.selected == series[0]
    named = look(
        account="named", execution="paper", replay_from="2012-07-02", replay_to="2012-08-31",
        strategy="sma_cross", parameters={"fast": 5, "slow": 15},
    )  # fmt: skip
    ours, theirs = ([each.equity for each in one.view.book.curve] for one in (chosen, named))
    assert ours == theirs
    assert len(set(ours)) > 10


def test_without_a_choice_nothing_is_traded(series: tuple[ActiveChoice, ...]) -> None:
    assert series
    with pytest.raises(ParameterError, match=r"'series' made by 2012-06-28.*ml_strategy_selection"):
        look(as_of="2012-06-28")
    with pytest.raises(ParameterError, match=r"'nobody' made by .*'series' from 2012-06-29"):
        look(as_of="2012-08-01", selection="nobody")


def test_an_old_choice_and_other_symbols_are_named(series: tuple[ActiveChoice, ...]) -> None:
    assert series
    old = look(as_of="2012-12-31").caveats
    assert len(old) == 1
    assert "the next was due after 21" in old[0]
    other = look(as_of="2012-08-01", symbols=["MSFT", "AAPL"]).caveats
    assert len(other) == 1
    assert "is traded on MSFT, AAPL" in other[0]


def test_a_choice_that_compares_symbols_needs_several() -> None:
    momentum = StrategyName.CROSS_SECTIONAL_MOMENTUM
    stored(FIRST, momentum, name="comparing")
    with pytest.raises(ParameterError, match="two or more"):
        look(symbols=["MSFT"], selection="comparing", as_of="2012-07-02")


def test_a_choice_whose_parameters_no_longer_exist_is_refused() -> None:
    stored(FIRST, StrategyName.SMA_CROSS, ("speed", "5"), name="outdated")
    with pytest.raises(ParameterError, match="speed"):
        look(selection="outdated", as_of="2012-07-02")


def test_parameters_cannot_be_set_beside_a_choice() -> None:
    with pytest.raises(ParameterError, match="brings the parameters"):
        look(parameters={"fast": 5})


def test_only_an_account_can_trade_a_choice() -> None:
    with pytest.raises(ParameterError, match="strategy"):
        simple_backtest(list(SYMBOLS), strategy="selected")


def test_the_command_line_takes_a_series() -> None:
    words = ["--strategy", "selected", "--selection", "series"]
    given = given_parameters(
        paper_trading, build_parser("paper_trading", paper_trading).parse_args(words)
    )
    assert given == {"strategy": "selected", "selection": "series"}
