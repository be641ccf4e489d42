"""What forecasts say should be held, from bars to orders, past and report."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.ml_portfolio import ml_portfolio_optimization
from slices.domain.errors import ParameterError
from slices.domain.models import LoadedModel
from slices.domain.orders import OrderState
from slices.ml_strategy.bundles.files import bundle_files
from slices.ml_strategy.registry.loading import find_model
from slices.runtime import registry
from slices.runtime.mlflow_store import open_tracking
from slices.runtime.tracking import TrackedPart, TrackedRun, track
from tests.slices.paper_trade.paper_accounts import dumped
from tests.support.planted import Planted, planted
from tests.support.served import LATER, trained

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from slices.domain.dataset import DatasetRef
    from slices.domain.view_portfolio import MlPortfolioOptimization

pytestmark = pytest.mark.slow

MODEL = "views-of-a-test"
SESSIONS = 760


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[Planted, Path]:
    made = planted(symbols=12, sessions_on=SESSIONS, sessions_off=0, strength=0.15)
    return made, made.write(tmp_path_factory.mktemp("market") / "planted.parquet")


@pytest.fixture(scope="module")
def base(market: tuple[Planted, Path]) -> dict[str, Any]:
    made, file = market
    return {
        "symbols": list(made.symbols), "source": "files", "feed": str(file),
        "adjustment": "split", "model": MODEL,
        "views": {"lookback_sessions": 60, "fewest_sessions": 60},
    }  # fmt: skip


def ran(**parameters: Any) -> State[MlPortfolioOptimization]:
    return ml_portfolio_optimization(return_state=True, **parameters)


@pytest.fixture(scope="module")
def unasked(base: dict[str, Any]) -> State[MlPortfolioOptimization]:
    """Before there is any model."""
    return ran(**base, account="views-unasked")


@pytest.fixture(scope="module")
def champion(unasked: State[MlPortfolioOptimization]) -> LoadedModel:
    """A model of the same bars, as champion of the registry."""
    bars: DatasetRef = unasked.result().bars
    bundle = dataclasses.replace(trained(bars, SESSIONS - LATER), name=MODEL)
    open_tracking()
    part = TrackedPart(name=MODEL, parameters=(), metrics=())
    run_id = track(TrackedRun(experiment="served", key=MODEL, main=part))
    version = registry.register(MODEL, run_id=run_id, files=bundle_files(bundle), key="first")
    registry.set_champion(MODEL, version.version, "for a test")
    found = find_model(MODEL)
    assert isinstance(found, LoadedModel)
    return found


@pytest.fixture(scope="module")
def traded(base: dict[str, Any], champion: LoadedModel) -> State[MlPortfolioOptimization]:
    assert champion.bundle.name == MODEL
    return ran(**base, account="views-trades")


def test_a_challenger_never_trades_live(base: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="challenger"):
        ml_portfolio_optimization(**base, alias="challenger", execution="live")


def test_without_a_model_nothing_is_changed_and_the_run_says_so(
    unasked: State[MlPortfolioOptimization],
) -> None:
    result = unasked.result()
    assert unasked.name == "Degraded"
    assert result.model is None
    assert result.plan.trades == ()
    assert result.plan.orders.orders == ()
    assert result.placed.records == ()
    assert result.backtests == result.tests == result.beliefs == ()
    assert any(MODEL in each for each in result.caveats)
    assert Path(result.report_path).is_file()


def test_forecasts_become_weights_and_orders(
    traded: State[MlPortfolioOptimization], champion: LoadedModel
) -> None:
    result = traded.result()
    assert result.model == champion.version
    assert result.mlflow_run_id == champion.version.run_id
    assert result.views.belief.believed > 0
    weights = {each.symbol: each.weight for each in result.views.lines}
    assert sum(weights.values()) == pytest.approx(1.0)
    assert max(weights.values()) <= 0.2 + 1e-9
    alphas = {each.symbol: each.alpha for each in result.views.lines}
    best, worst = max(alphas, key=alphas.__getitem__), min(alphas, key=alphas.__getitem__)
    assert weights[best] > weights[worst]
    bought = {each.order.symbol for each in result.placed.records}
    assert bought == {name for name, weight in weights.items() if weight > 0.003}
    assert {each.state for each in result.placed.records} == {OrderState.ACCEPTED}
    spent = sum(each.quantity * each.price for each in result.plan.trades)
    assert spent == pytest.approx(99_000, rel=0.01)


def test_the_past_is_judged_by_scores_of_sessions_nobody_had_seen(
    traded: State[MlPortfolioOptimization], champion: LoadedModel
) -> None:
    result = traded.result()
    own, *others = result.backtests
    scored = champion.bundle.out_of_sample.sessions
    assert own.sessions[0] >= scored[60]
    assert len({each.sessions for each in result.backtests}) == 1
    assert [each.rival for each in result.tests] == [each.label for each in others]
    assert all(each.session >= own.sessions[0] for each in result.beliefs)
    assert own.verdict.probe.findings == ()
    text = Path(result.report_path).read_text(encoding="utf-8")
    for each in ("Did forecasts pay?", "How far the model was believed", "Least variance"):
        assert each in text
    assert result.headline in text


def test_a_model_that_is_too_good_is_named_suspect(
    traded: State[MlPortfolioOptimization],
) -> None:
    assert traded.name == "Degraded"
    assert any("SUSPECT" in each for each in traded.result().caveats)


def test_a_second_run_sends_nothing(
    base: dict[str, Any], traded: State[MlPortfolioOptimization]
) -> None:
    assert traded.result().placed.records
    before = dumped("views-trades")
    again = ran(**base, account="views-trades").result()
    assert again.plan.trades == ()
    assert again.plan.waiting == len(traded.result().placed.records)
    assert dumped("views-trades") == before


def test_a_plan_writes_nothing(base: dict[str, Any], champion: LoadedModel) -> None:
    assert champion.version.version
    result = ran(**base, account="views-plan", execution="plan").result()
    assert result.plan.trades
    assert result.placed.records == ()
    assert all(each.is_accepted for each in result.looked.decisions)


@pytest.mark.parametrize(
    "parameters",
    [
        {"symbols": ["AAPL"]},
        {"symbols": ["AAPL", "MSFT"]},
        {"views": {"risk_aversion": 0}},
        {"views": {"prior": "max_sharpe"}},
        {"views": {"largest_weight": 0.01}},
        {"model": "Not A Name"},
        {"execution": "plan", "approval": True},
    ],
)
def test_bad_parameters_are_refused_before_a_run_exists(parameters: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        ml_portfolio_optimization.validate_parameters(parameters)
