"""What to hold now: one decision from forecasts, an account and what trading costs."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from slices.adaptive_portfolio.views.deciding import optimise_views
from slices.adaptive_portfolio.views.findings import ml_portfolio_findings
from slices.adaptive_portfolio.views.planning import plan_views
from slices.adaptive_portfolio.views.risk import measure_risk
from slices.domain.accounts import AccountBook, Position, TradingMode
from slices.domain.errors import InsufficientHistoryError, SymbolNotFoundError
from slices.domain.exact import money, price, quantity
from slices.domain.forecasts import Forecasts
from slices.domain.models import LoadedModel, ModelRefusal
from slices.domain.parameters import DEFAULT_COSTS, Costs
from slices.domain.rebalancing import RebalancePlan
from slices.domain.trading import Placement
from slices.domain.view_portfolio import (
    DEFAULT_VIEW_REBALANCE,
    OptimisedViews,
    ViewRules,
    ViewWalk,
)
from slices.ml_strategy.predicting.serving import predict
from slices.quant.panel import read_panel
from tests.slices.adaptive_portfolio.view_panels import FREE, as_scores
from tests.slices.quant.market import stored
from tests.support.served import Served, served

RULES = ViewRules(lookback_sessions=60, fewest_sessions=60)
BUFFER = DEFAULT_VIEW_REBALANCE.cash_buffer
REFUSAL = "the model is stale: found 200 sessions; allowed: 126"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return served(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def said(market: Served) -> Forecasts:
    found = predict(market.model, market.features, market.bars)
    assert found.forecasts
    return found


def book_of(market: Served, weights: dict[str, float] | None = None) -> AccountBook:
    """An account of 100,000 that holds these fractions of it."""
    panel, day = read_panel(market.bars), market.bars.last_session
    closes = dict(zip(panel.symbols, panel.close[-1].tolist(), strict=True))
    positions = tuple(
        Position(
            symbol=symbol, quantity=quantity(100_000 * weight / closes[symbol]),
            basis=money(100_000 * weight), mark=price(closes[symbol]), marked=day, opened=day,
        )
        for symbol, weight in (weights or {}).items()
    )  # fmt: skip
    capital = Decimal(100_000)
    return AccountBook(
        name="main", mode=TradingMode.PAPER, capital=capital, opened=day, session=day,
        cash=capital - sum((each.value for each in positions), Decimal(0)), positions=positions,
        day_start_equity=capital, peak_equity=capital,
    )  # fmt: skip


def optimised(
    market: Served,
    forecasts: Forecasts,
    *,
    book: AccountBook | None = None,
    model: LoadedModel | ModelRefusal | None = None,
    rules: ViewRules = RULES,
    costs: Costs = FREE,
) -> OptimisedViews:
    return optimise_views(
        market.bars, book or book_of(market), model or market.model, forecasts,
        measure_risk(market.bars, rules=rules),
        rules=rules, costs=costs, rebalance="weekly", cash_buffer=BUFFER,
    )  # fmt: skip


def planned(market: Served, book: AccountBook, views: OptimisedViews) -> RebalancePlan:
    return plan_views(
        market.bars, book, views, rules=DEFAULT_VIEW_REBALANCE, costs=DEFAULT_COSTS,
        whole_shares=False, lookback_sessions=60,
    )  # fmt: skip


def worthless(model: LoadedModel, market: Served) -> LoadedModel:
    """The same model, whose scores of the past were all equal."""
    panel = read_panel(market.bars)
    scores = as_scores(panel, np.ones(panel.close.shape))
    return replace(model, bundle=replace(model.bundle, out_of_sample=scores))


def test_weights_are_whole_and_lean_to_the_higher_scores(market: Served, said: Forecasts) -> None:
    views = optimised(market, said)
    weights = np.array([each.weight for each in views.lines])
    scores = np.array([each.standard_score for each in views.lines])
    assert weights.sum() == pytest.approx(1.0)
    assert weights.max() <= RULES.largest_weight + 1e-12
    assert weights.min() >= 0
    assert weights @ scores > 0.2
    assert sum(each.risk_share for each in views.lines) == pytest.approx(1.0)
    assert views.expected_gain > 0
    assert views.targets.weights == pytest.approx(weights, abs=1e-9)
    assert all(each.error > 0 for each in views.lines)


def test_a_model_worth_nothing_leaves_exactly_the_prior(market: Served, said: Forecasts) -> None:
    views = optimised(market, said, model=worthless(market.model, market))
    assert views.belief.believed == 0
    for each in views.lines:
        assert each.weight == pytest.approx(each.prior_weight, abs=1e-8)
        assert each.alpha == 0
    assert views.volatility == pytest.approx(views.volatility_prior)


def test_what_is_best_already_is_not_traded(market: Served, said: Forecasts) -> None:
    views = optimised(market, said, costs=DEFAULT_COSTS)
    weights = dict(zip(views.targets.symbols, views.targets.weights, strict=True))
    book = book_of(market, {k: v * (1 - BUFFER) for k, v in weights.items() if v > 0})
    again = optimised(market, said, book=book, costs=DEFAULT_COSTS)
    assert again.targets.weights == pytest.approx(views.targets.weights, abs=1e-5)
    assert planned(market, book, again).trades == ()


def test_costs_beyond_all_gains_leave_what_is_held(market: Served, said: Forecasts) -> None:
    held = dict.fromkeys(market.bars.symbols, (1 - BUFFER) / 12)
    book = book_of(market, held)
    views = optimised(market, said, book=book, costs=Costs(commission_bps=1000))
    assert views.unmoved >= 11
    assert planned(market, book, views).trades == ()
    free = optimised(market, said, book=book)
    assert free.expected_gain > views.expected_gain
    assert len(planned(market, book, free).trades) > 6


@pytest.mark.parametrize("held", [{}, {"P01": 0.4, "P05": 0.3}])
def test_a_refusal_changes_nothing(market: Served, said: Forecasts, held: dict[str, float]) -> None:
    refused = replace(said, forecasts=(), refusals=(REFUSAL,))
    book = book_of(market, held)
    views = optimised(market, refused, book=book)
    plan = planned(market, book, views)
    assert views.refusals == (REFUSAL,)
    assert plan.trades == plan.orders.orders == ()
    assert (plan.turnover, plan.costs) == (0.0, 0.0)
    assert math.isnan(views.expected_gain)
    kept = dict(zip(views.targets.symbols, views.targets.weights, strict=True))
    assert {name: kept[name] for name in held} == pytest.approx(held, abs=1e-6)


def test_without_a_model_nothing_is_believed_or_changed(market: Served, said: Forecasts) -> None:
    nobody = ModelRefusal(model="planted", reason="there is none")
    refused = replace(said, model=None, forecasts=(), refusals=("there is none",))
    views = optimised(market, refused, model=nobody, book=book_of(market, {"P03": 0.5}))
    assert views.belief.sessions == 0
    assert views.belief.believed == 0
    assert planned(market, book_of(market, {"P03": 0.5}), views).trades == ()


def with_hole(market: Served, folder: Path, symbol: str) -> Served:
    panel = read_panel(market.bars)
    closes = panel.close.copy()
    closes[-10, panel.symbols.index(symbol)] = np.nan
    named = {name: closes[:, i].copy() for i, name in enumerate(panel.symbols)}
    return replace(market, bars=stored(folder, panel.sessions, named))


def test_a_hole_keeps_a_symbol_out_and_holding_it_stops_everything(
    market: Served, said: Forecasts, tmp_path: Path
) -> None:
    holed = with_hole(market, tmp_path, "P04")
    views = optimised(holed, said)
    assert "P04" not in {each.symbol for each in views.lines}
    assert views.risk.left_out == ("P04",)
    assert views.targets.weights[holed.bars.symbols.index("P04")] == 0
    book = book_of(holed, {"P04": 0.2, "P05": 0.2})
    stopped = optimised(holed, said, book=book)
    assert any("P04" in each for each in stopped.refusals)
    assert planned(holed, book, stopped).trades == ()


def test_a_symbol_without_a_forecast_has_no_view(market: Served, said: Forecasts) -> None:
    fewer = replace(said, forecasts=tuple(e for e in said.forecasts if e.symbol != "P02"))
    line = next(e for e in optimised(market, fewer).lines if e.symbol == "P02")
    assert math.isnan(line.view)
    assert math.isfinite(line.weight)


def test_what_is_held_needs_bars(market: Served, said: Forecasts) -> None:
    book = book_of(market, {"P01": 0.1})
    strange = replace(book, positions=(replace(book.positions[0], symbol="ZZZ"),))
    with pytest.raises(SymbolNotFoundError):
        optimised(market, said, book=strange)


def test_too_short_a_history_is_refused(market: Served) -> None:
    with pytest.raises(InsufficientHistoryError):
        measure_risk(market.bars, rules=ViewRules(lookback_sessions=2000))


def test_the_orders_carry_this_decision_and_the_report_is_whole(
    market: Served, said: Forecasts
) -> None:
    book = book_of(market)
    views = optimised(market, said, book=book, costs=DEFAULT_COSTS)
    plan = planned(market, book, views)
    assert plan.orders.workflow == "ml_portfolio_optimization"
    nothing = Placement(account="main", session=plan.session, decisions=(), records=())
    result = ml_portfolio_findings(
        market.bars, book=book, model=market.model, forecasts=said, views=views, plan=plan,
        looked=nothing, placed=nothing, execution="plan", tested=[],
        walk=ViewWalk(targets=(), beliefs=(), undefined=0, reasons=("too young",)),
    )  # fmt: skip
    assert any("too young" in each for each in result.notes)
    assert any("SUSPECT" in each for each in result.caveats)
    titles = [each.title for each in result.report.sections]
    assert "What the forecasts say" in titles
    assert "Trades" in titles
    assert result.to_dict()["headline"] == result.headline
    assert {each.key for each in result.report.blocks() if not hasattr(each, "text")} >= {"views"}
