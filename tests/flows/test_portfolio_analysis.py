from __future__ import annotations

import dataclasses
import math
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.portfolio import portfolio_analysis
from slices.domain.errors import SymbolNotFoundError
from slices.domain.fingerprint import fingerprint
from slices.domain.portfolio import Allocator, PortfolioAnalysis
from slices.runtime.settings import load_settings
from tests.support.runs import artifacts, task_runs

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

TASKS = 2 + 3 + len(Allocator) + 2
PERIOD = {"start": "2009-01-02", "end": "2012-12-31"}


@pytest.fixture(scope="module")
def state() -> State[PortfolioAnalysis]:
    return portfolio_analysis(
        symbols=["AAPL", "MSFT", "GOOGL"],
        held_weights={"GOOGL": 0.2, "AAPL": 0.5, "MSFT": 0.3},
        return_state=True,
        **PERIOD,
    )


@pytest.fixture(scope="module")
def analysis(state: State[PortfolioAnalysis]) -> PortfolioAnalysis:
    return state.result()


def flow_run_id(state: State[Any]) -> Any:
    return state.state_details.flow_run_id


def test_it_completes_on_real_prices(
    state: State[PortfolioAnalysis], analysis: PortfolioAnalysis
) -> None:
    assert state.name == "Completed"
    assert analysis.caveats == ()
    assert analysis.bars.symbols == ("AAPL", "MSFT", "GOOGL")
    assert (analysis.bars.first_session.year, analysis.bars.last_session.year) == (2009, 2012)


def test_every_allocator_is_judged_out_of_sample(analysis: PortfolioAnalysis) -> None:
    assert {each.allocator for each in analysis.evaluations} == set(Allocator)
    for each in analysis.evaluations:
        assert sum(each.weights) == pytest.approx(1)
        assert min(each.weights) >= 0
        assert each.sessions[0] > analysis.bars.first_session
        assert each.annual_costs > 0
        assert math.isfinite(each.performance.sharpe_ratio)


def test_the_held_weights_are_the_ones_measured(analysis: PortfolioAnalysis) -> None:
    held = {each.symbol: each for each in analysis.risk.contributions}
    assert held["AAPL"].weight == 0.5
    assert sum(each.share for each in held.values()) == pytest.approx(1)
    total = sum(each.contribution for each in held.values())
    assert total == pytest.approx(analysis.risk.performance.annualized_volatility)


def test_a_second_run_takes_every_computed_step_from_the_cache(
    state: State[PortfolioAnalysis], analysis: PortfolioAnalysis
) -> None:
    again = portfolio_analysis(
        symbols=["AAPL", "MSFT", "GOOGL"],
        held_weights={"AAPL": 0.5, "MSFT": 0.3, "GOOGL": 0.2},
        return_state=True,
        **PERIOD,
    )
    first = task_runs(flow_run_id(state), expected=TASKS)
    second = task_runs(flow_run_id(again), expected=TASKS)
    assert len(first) == len(second) == TASKS
    computed = [run for run in second if "kind:compute" in run.tags or "kind:fetch" in run.tags]
    assert {run.state_name for run in computed} == {"Cached"}
    assert len(computed) == TASKS - 1
    result = again.result()
    for name in ("risk", "structure", "evaluations", "frontier", "bars", "headline", "summary"):
        assert fingerprint(getattr(result, name)) == fingerprint(getattr(analysis, name))


def test_the_provenance_repeats_the_run(
    state: State[PortfolioAnalysis], analysis: PortfolioAnalysis
) -> None:
    provenance = analysis.provenance
    assert provenance is not None
    assert provenance.prefect_run_id == str(flow_run_id(state))
    assert provenance.flow == "portfolio-analysis"
    assert provenance.data_fingerprint == analysis.bars.fingerprint
    named = dict(provenance.parameters)
    assert named["start"] == "2009-01-02"
    assert named["capital"] == "100000.0"
    assert "not controlled" in provenance.universe_note


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"src", "href"} and value and not value.startswith(("#", "data:")):
                self.outside.append(f"{tag} {value}")


def test_the_report_is_one_small_page_that_asks_nobody(analysis: PortfolioAnalysis) -> None:
    page = Path(analysis.report_path)
    assert page.is_relative_to(load_settings().reports_folder)
    text = page.read_text()
    assert len(text.encode()) < 500_000
    links = Links()
    links.feed(text)
    assert analysis.provenance is not None
    assert links.outside == [f"a {analysis.provenance.prefect_url}"]
    assert analysis.headline.split(":")[0] in text
    for expected in ("Equal weight", "HRP", analysis.bars.fingerprint, "prefers-color-scheme"):
        assert expected in text


def test_the_run_shows_its_artifacts(state: State[PortfolioAnalysis]) -> None:
    kinds: dict[str, int] = {}
    for each in artifacts(flow_run_id(state)):
        kinds[str(each.type)] = kinds.get(str(each.type), 0) + 1
    assert kinds["table"] >= 5
    assert kinds["markdown"] == 2  # the summary, and the link to the page on disk
    assert kinds["image"] == 1


def test_the_result_reads_well_everywhere(analysis: PortfolioAnalysis) -> None:
    assert analysis.report_path in repr(analysis)
    assert "<table>" in analysis._repr_html_()
    plain = analysis.to_dict()
    assert plain["risk"]["capital"] == 100_000.0  # type: ignore[call-overload,index]
    assert "report" not in plain


def test_r07_an_unknown_symbol_fails_the_run_and_offers_what_there_is() -> None:
    failed = portfolio_analysis(symbols=["AAPL", "ZZZZ"], return_state=True)
    assert failed.is_failed()
    error = failed.result(raise_on_failure=False)
    assert isinstance(error, SymbolNotFoundError)
    assert error.symbols == ("ZZZZ",)
    assert "MSFT" in error.available


def test_r09_other_data_is_another_answer(analysis: PortfolioAnalysis) -> None:
    shorter = portfolio_analysis(**PERIOD | {"end": "2012-12-28"})
    assert shorter.bars.fingerprint != analysis.bars.fingerprint
    assert shorter.risk != analysis.risk


def test_r18_a_tampered_result_is_refused_and_computed_anew(analysis: PortfolioAnalysis) -> None:
    results = load_settings().results_folder
    stored = sorted(results.glob("analyze.holdings_risk-*"))
    assert stored
    for file in stored:
        file.write_text(file.read_text().replace("0.5", "0.9"))
    again = portfolio_analysis(
        symbols=["AAPL", "MSFT", "GOOGL"],
        held_weights={"AAPL": 0.5, "MSFT": 0.3, "GOOGL": 0.2},
        **PERIOD,
    )
    assert again.risk == analysis.risk


def test_r10_a_damaged_dataset_is_rebuilt(analysis: PortfolioAnalysis) -> None:
    dataset = Path(analysis.bars.path)
    whole = dataset.read_bytes()
    dataset.write_bytes(whole[: len(whole) // 2])
    again = portfolio_analysis(
        symbols=["AAPL", "MSFT", "GOOGL"],
        held_weights={"AAPL": 0.5, "MSFT": 0.3, "GOOGL": 0.2},
        **PERIOD,
    )
    assert dataset.read_bytes() == whole
    assert dataclasses.replace(again.bars, path="") == dataclasses.replace(analysis.bars, path="")
