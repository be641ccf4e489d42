from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.ensembles import multi_strategy_portfolio
from slices.domain.ensembles import Combination, MultiStrategyPortfolio
from slices.domain.errors import ParameterError
from slices.domain.fingerprint import fingerprint
from slices.domain.strategies import StrategyName
from tests.support.runs import artifacts, task_runs

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

CHOSEN = {
    "symbols": ["JNJ", "KO", "PG"],
    "start": "2014-01-02",
    "strategies": ["sma_cross", "rsi_reversal"],
    "combination": "inverse_volatility",
}


@pytest.fixture(scope="module")
def state() -> State[Any]:
    return multi_strategy_portfolio(**CHOSEN, return_state=True)


@pytest.fixture(scope="module")
def found(state: State[Any]) -> MultiStrategyPortfolio:
    return state.result()


def test_it_completes_with_every_combination(
    state: State[Any], found: MultiStrategyPortfolio
) -> None:
    assert state.name == "Completed"
    assert [each.strategy for each in found.members] == [
        StrategyName.SMA_CROSS,
        StrategyName.RSI_REVERSAL,
    ]
    assert len(found.backtests) == len(Combination)
    assert found.chosen is Combination.INVERSE_VOLATILITY
    assert len({each.sessions for each in found.backtests}) == 1
    assert all(each.verdict.probe.findings == () for each in found.backtests)
    assert all(each.verdict.probe.cuts for each in found.backtests)


def test_the_parts_of_the_profit_belong_to_the_chosen_ensemble(
    found: MultiStrategyPortfolio,
) -> None:
    tested = found.backtests[list(Combination).index(found.chosen)]
    parts = found.attribution
    assert parts.total == pytest.approx(tested.equity[-1] - tested.capital)
    assert sum(parts.members) + parts.costs + parts.drift == pytest.approx(parts.total)


def test_it_is_published(state: State[Any], found: MultiStrategyPortfolio) -> None:
    keys = {each.key for each in artifacts(state.state_details.flow_run_id)}
    assert {"multi-strategy-portfolio", "multi-strategy-portfolio-members"} <= keys
    page = Path(found.report_path).read_text()
    assert found.headline.split(";")[0] in page


def test_a_second_run_computes_nothing(found: MultiStrategyPortfolio) -> None:
    again = multi_strategy_portfolio(**CHOSEN, return_state=True)
    runs = task_runs(again.state_details.flow_run_id, expected=2 + 2 + 1 + 4 + 2)
    fresh = [each.name for each in runs if each.state_name != "Cached"]
    assert len(runs) == 11
    assert len(fresh) == 1
    assert "publish" in fresh[0]
    assert fingerprint(again.result().backtests) == fingerprint(found.backtests)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("strategies", ["sma_cross"]), ("strategies", ["macd", "macd"]), ("combination", "best")],
)
def test_bad_parameters_are_refused(parameter: str, value: object) -> None:
    with pytest.raises(ParameterError, match=parameter):
        multi_strategy_portfolio(**{parameter: value})


def test_a_strategy_that_compares_symbols_needs_several() -> None:
    with pytest.raises(ParameterError, match="two or more"):
        multi_strategy_portfolio(["KO"], strategies=["macd", "cross_sectional_momentum"])
