from __future__ import annotations

import dataclasses
import html
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from flows.factors import mean_reversion_portfolio, momentum_portfolio, risk_parity_portfolio
from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.domain.factor_portfolios import (
    CovarianceEstimator,
    MeanReversionPortfolio,
    MomentumPortfolio,
    RiskParityPortfolio,
)
from slices.domain.fingerprint import fingerprint
from slices.runtime.settings import load_settings
from tests.support.frames import ohlcv
from tests.support.runs import artifacts, task_runs

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

SYMBOLS = ["AAPL", "CVX", "JNJ", "KO", "PG", "XOM"]
PERIOD = {"symbols": SYMBOLS, "start": "2012-01-03", "end": "2016-12-30"}
SHORT = PERIOD | {"lookback_sessions": 126}
TASKS = {"parity": 2 + 1 + 3 + 1 + 1 + 2, "momentum": 2 + 4 + 1, "reversion": 2 + 4 + 1}


@pytest.fixture(scope="module")
def parity() -> State[RiskParityPortfolio]:
    return risk_parity_portfolio(return_state=True, target_volatility=0.08, **SHORT)


@pytest.fixture(scope="module")
def momentum() -> State[MomentumPortfolio]:
    return momentum_portfolio(return_state=True, top_count=2, **SHORT)


@pytest.fixture(scope="module")
def reversion() -> State[MeanReversionPortfolio]:
    return mean_reversion_portfolio(
        return_state=True, largest_p_value=0.5, shorting=True, most_sessions=15, **PERIOD
    )


@pytest.fixture(scope="module")
def states(parity: Any, momentum: Any, reversion: Any) -> dict[str, Any]:
    return {"parity": parity, "momentum": momentum, "reversion": reversion}


every_flow = pytest.mark.parametrize("name", TASKS)


@every_flow
def test_it_completes_and_shows_what_it_found(states: dict[str, Any], name: str) -> None:
    state = states[name]
    assert state.name == "Completed"
    found = state.result()
    assert found.caveats == ()
    assert found.bars.symbols == tuple(SYMBOLS)
    assert "not controlled" in found.notes[0]
    assert found.provenance.seed == 0
    assert found.backtest.verdict.probe.findings == ()
    assert len(found.backtest.verdict.probe.cuts) > 0
    assert found.backtest.sessions[0] > found.bars.first_session
    assert found.backtest.verdict.grade.value.upper() in found.headline
    kinds = [str(each.type) for each in artifacts(state.state_details.flow_run_id)]
    assert kinds.count("table") >= 5
    assert kinds.count("image") == 1
    page = Path(found.report_path)
    assert page.is_relative_to(load_settings().reports_folder)
    assert found.bars.universe_note in html.unescape(page.read_text())
    assert found.to_dict()["backtest"]["label"] == found.backtest.label
    assert found.report_path in repr(found)


@every_flow
def test_no_two_blocks_of_a_report_share_a_key(states: dict[str, Any], name: str) -> None:
    blocks = states[name].result().report.blocks()
    kinds = [(type(each).__name__, each.key) for each in blocks if hasattr(each, "key")]
    assert len(set(kinds)) == len(kinds)
    assert states[name].result().report.chart in {key for _, key in kinds}


@pytest.mark.parametrize(
    ("name", "flow", "options"),
    [
        ("parity", risk_parity_portfolio, SHORT | {"target_volatility": 0.08}),
        ("momentum", momentum_portfolio, SHORT | {"top_count": 2}),
        (
            "reversion",
            mean_reversion_portfolio,
            PERIOD | {"largest_p_value": 0.5, "shorting": True, "most_sessions": 15},
        ),
    ],
)
def test_a_second_run_takes_every_computed_step_from_the_cache(
    states: dict[str, Any], name: str, flow: Any, options: dict[str, Any]
) -> None:
    again = flow(return_state=True, **options)
    runs = task_runs(again.state_details.flow_run_id, expected=TASKS[name])
    assert len(runs) == TASKS[name]
    computed = [run for run in runs if "kind:act" not in run.tags]
    assert len(computed) == TASKS[name] - 1
    assert {run.state_name for run in computed} == {"Cached"}
    first, second = states[name].result(), again.result()
    for field in dataclasses.fields(first):
        if field.name not in {"report", "report_path", "provenance"}:
            ours, theirs = getattr(first, field.name), getattr(second, field.name)
            assert fingerprint(ours) == fingerprint(theirs)


def test_risks_are_equal_and_the_account_keeps_to_its_exposure(
    parity: State[RiskParityPortfolio],
) -> None:
    found = parity.result()
    assert found.equal_risk.largest_deviation < 1e-6
    shares = [each.share for each in found.equal_risk.contributions]
    assert shares == pytest.approx([1 / 6] * 6, abs=1e-6)
    assert [each.estimator for each in found.estimators] == list(CovarianceEstimator)
    assert 0 < found.equal_risk.leverage < 1
    assert max(found.backtest.gross_exposure) <= 1.01
    assert 0.06 < found.backtest.performance.annualized_volatility < 0.1


def test_winners_are_held_and_their_score_is_judged(momentum: State[MomentumPortfolio]) -> None:
    found = momentum.result()
    held = [each.symbol for each in found.selection.scores if each.weight > 0]
    assert held == [each.symbol for each in found.selection.scores[:2]]
    assert [each.horizon_sessions for each in found.decay] == [1, 5, 10, 21, 42, 63, 126]
    assert all(math.isfinite(each.t_statistic) for each in found.decay)
    assert found.backtest.annual_turnover > 0.5
    assert found.backtest.trades


def test_every_trade_of_the_reversion_ended_in_a_known_way(
    reversion: State[MeanReversionPortfolio],
) -> None:
    found = reversion.result()
    counted = {each.end: each.trades for each in found.ends}
    assert sum(counted.values()) == len(found.backtest.trades) + len(found.backtest.open_trades)
    decided = [each for each in found.episodes if each.end is not None]
    assert sum(counted.values()) - counted[None] == len(decided)
    for end, trades in counted.items():
        if end is not None:
            assert trades == sum(each.end is end for each in decided)
    assert any(not each.is_long for each in found.backtest.trades)
    assert max(each.sessions_held for each in found.backtest.trades) <= 15
    assert {each.symbol for each in found.evidence} == set(SYMBOLS)


@pytest.mark.parametrize(
    ("flow", "options", "parameter"),
    [
        (risk_parity_portfolio, {"symbols": ["AAPL"]}, "symbols"),
        (risk_parity_portfolio, {"target_volatility": 0}, "target_volatility"),
        (risk_parity_portfolio, {"estimator": "guess"}, "estimator"),
        (risk_parity_portfolio, {"lookback_sessions": 5}, "lookback_sessions"),
        (momentum_portfolio, {"skip_sessions": 250}, "skip_sessions"),
        (momentum_portfolio, {"volatility_sessions": 300}, "volatility_sessions"),
        (momentum_portfolio, {"top_fraction": 0}, "top_fraction"),
        (momentum_portfolio, {"top_count": 0}, "top_count"),
        (momentum_portfolio, {"allocator": "max_sharpe"}, "allocator"),
        (mean_reversion_portfolio, {"exit_z": 2.5}, "entry_z"),
        (mean_reversion_portfolio, {"stop_z": 1.5}, "stop_z"),
        (mean_reversion_portfolio, {"longest_half_life": 1.0}, "longest_half_life"),
        (mean_reversion_portfolio, {"spread": "price"}, "spread"),
        (mean_reversion_portfolio, {"start": "2015-01-05", "end": "2014-01-06"}, "start"),
    ],
)
def test_bad_parameters_are_refused_before_a_run(
    flow: Any, options: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(ParameterError) as raised:
        flow(**options)
    assert raised.value.parameter == parameter


def test_too_little_history_fails_with_what_was_needed() -> None:
    failed = momentum_portfolio(return_state=True, symbols=SYMBOLS, start="2016-06-01",
                                end="2016-12-30")  # fmt: skip
    assert failed.is_failed()
    assert isinstance(failed.result(raise_on_failure=False), InsufficientHistoryError)


@pytest.mark.slow
def test_a_missing_symbol_degrades_the_run_and_a_late_one_joins_when_it_can(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(3)

    def noisy(frame: pl.DataFrame) -> pl.DataFrame:
        wave = pl.Series(np.exp(np.cumsum(random.normal(0, 0.01, frame.height))))
        return frame.with_columns(pl.col("open", "high", "low", "close") * wave)

    frames = {name: noisy(ohlcv(500)) for name in ("AAA", "BBB", "CCC")}
    frames["LATE"] = noisy(ohlcv(500)).slice(200)
    for name, frame in frames.items():
        frame.drop("split_factor", "total_factor").write_parquet(tmp_path / f"{name}.parquet")
    state = momentum_portfolio(
        return_state=True,
        symbols=[*frames, "GONE"],
        source="files",
        feed=str(tmp_path),
        adjustment="split",
        lookback_sessions=126,
        top_fraction=1.0,
    )
    assert state.name == "Degraded"
    found = state.result()
    assert any(each.startswith("GONE: ") for each in found.caveats)
    assert any("LATE" in each for each in found.notes)
    held = {each.symbol: each.entry_session for each in found.backtest.open_trades}
    late = frames["LATE"]["session"]
    assert held["AAA"] < late[126] < held["LATE"]
