from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from slices.adaptive_portfolio.charts import MOST_SHOWN
from slices.adaptive_portfolio.findings import portfolio_findings
from slices.adaptive_portfolio.wording import annualized_error
from slices.domain.bars import BarShape
from slices.domain.dataset import SymbolQuality
from slices.domain.portfolio import (
    Allocator,
    AllocatorEvaluation,
    Diversification,
    EfficientFrontier,
    FrontierPoint,
    HoldingsRisk,
    PortfolioAnalysis,
    RiskContribution,
    TailMethod,
    TailRisk,
)
from slices.domain.report import BarChart, Heatmap, PointChart, Table
from slices.monitor.html import render_html
from slices.quant.metrics import performance
from tests.support.frames import made_up_ref

DAYS = 1200
FIRST = dt.date(2015, 1, 2)
SESSIONS = tuple(FIRST + dt.timedelta(days=each) for each in range(DAYS))


def analysis(count: int) -> PortfolioAnalysis:
    """Put an analysis of made-up figures together, to see what is made of many of them."""
    rng = np.random.default_rng(1)
    symbols = tuple(f"S{each:03}" for each in range(count))
    returns = rng.normal(0.0005, 0.01, size=DAYS)
    measured = performance(returns, periods_per_year=252)
    weights = tuple(rng.dirichlet(np.full(count, 0.1)).tolist())
    correlations = np.corrcoef(rng.normal(size=(count, 3 * count)))
    numbers = rng.uniform(0.1, 0.4, size=count).tolist()
    quality = tuple(
        SymbolQuality(symbol=each, rows=DAYS, first_session=FIRST, last_session=SESSIONS[-1])
        for each in symbols
    )
    return portfolio_findings(
        made_up_ref(*quality, shape=BarShape.CLOSE_ONLY),
        risk=HoldingsRisk(
            symbols=symbols,
            weights=weights,
            capital=1e6,
            performance=measured,
            tails=tuple(
                TailRisk(method=each, confidence=0.95, value_at_risk=0.02, expected_shortfall=0.03)
                for each in TailMethod
            ),
            contributions=tuple(
                RiskContribution(
                    symbol=symbol,
                    weight=weight,
                    annualized_volatility=number,
                    contribution=weight * number,
                    share=weight,
                )
                for symbol, weight, number in zip(symbols, weights, numbers, strict=True)
            ),
            diversification_ratio=1.5,
            effective_bets=3.0,
            drawdown_sessions=SESSIONS,
            drawdowns=tuple(rng.uniform(0, 0.3, size=DAYS).tolist()),
        ),
        structure=Diversification(
            symbols=symbols,
            sessions=DAYS,
            correlations=tuple(map(tuple, correlations.tolist())),
            average_correlation=0.3,
            order=symbols[::-1],
            clusters=(symbols,),
            most_alike=(symbols[0], symbols[1], 0.9),
            least_alike=(symbols[0], symbols[-1], -0.1),
        ),
        evaluations=[
            AllocatorEvaluation(
                allocator=each,
                symbols=symbols,
                weights=() if each is Allocator.MAX_SHARPE else weights,
                undefined_reason="no answer" if each is Allocator.MAX_SHARPE else "",
                refits=40,
                undefined_refits=1,
                failed_refits=0,
                refit_reasons=(),
                performance=measured,
                annual_turnover=1.2,
                annual_costs=0.01,
                sessions=SESSIONS,
                equity=tuple((1e6 * np.cumprod(1 + returns)).tolist()),
            )
            for each in Allocator
        ],
        frontier=EfficientFrontier(
            symbols=symbols,
            points=tuple(
                FrontierPoint(expected_return=0.1 + each, volatility=0.1 + each**2, weights=weights)
                for each in np.linspace(0, 0.2, 20).tolist()
            ),
            asset_returns=tuple(numbers),
            asset_volatilities=tuple(numbers[::-1]),
        ),
    )


@pytest.mark.parametrize("count", [2, 20, 400])
def test_the_page_stays_small_however_many_symbols(count: int) -> None:
    page = render_html(analysis(count).report, written_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert len(page.encode()) < 500_000
    assert "No answer" in page


def test_charts_of_many_symbols_show_those_that_matter_and_tables_all() -> None:
    found = analysis(50)
    blocks = found.report.blocks()
    heatmap = next(each for each in blocks if isinstance(each, Heatmap))
    scatter = next(each for each in blocks if isinstance(each, PointChart))
    bars = [each for each in blocks if isinstance(each, BarChart)]
    assert len(heatmap.labels) == len(scatter.points[0].x) == MOST_SHOWN
    assert {len(each.categories) for each in bars} == {MOST_SHOWN}
    heaviest = max(found.risk.contributions, key=lambda each: each.weight).symbol
    assert heaviest in heatmap.labels
    assert all(heaviest in each.categories for each in bars)
    assert all("of 50 symbols" in each.caption for each in (heatmap, scatter, *bars))
    rows = {each.key: len(each.rows) for each in blocks if isinstance(each, Table)}
    assert rows["weights"] == rows["risk-contributions"] == rows["data-quality"] == 50


def test_an_allocator_without_an_answer_is_named_with_its_reason() -> None:
    tables = [each for each in analysis(5).report.blocks() if isinstance(each, Table)]
    weights = next(each for each in tables if each.key == "weights")
    assert "Max Sharpe" not in weights.columns
    assert "Max Sharpe: no answer" in weights.caption


def test_the_error_of_a_sharpe_ratio_shrinks_with_the_years_observed() -> None:
    judged = analysis(2).evaluations[0]
    flat = dataclasses.replace(judged.performance, sharpe_ratio=0.0)
    one_year = dataclasses.replace(judged, performance=flat, sessions=SESSIONS[:252])
    four_years = dataclasses.replace(one_year, sessions=SESSIONS[: 4 * 252])
    assert annualized_error(one_year, periods=252) == pytest.approx(1.0)
    assert annualized_error(four_years, periods=252) == pytest.approx(0.5)
    assert annualized_error(one_year, periods=365) == pytest.approx((365 / 252) ** 0.5)
