"""Portfolio flows: what is held, what could be."""

from typing import Annotated

from prefect import unmapped
from pydantic import Field

from slices.adaptive_portfolio import tasks as portfolio
from slices.analyze import tasks as analyze
from slices.data import tasks as data
from slices.domain.bars import Adjustment
from slices.domain.parameters import (
    DEFAULT_BOUNDS,
    DEFAULT_COSTS,
    DEFAULT_SYMBOLS,
    Capital,
    Confidence,
    Costs,
    HeldWeights,
    PortfolioSymbols,
    RebalanceFrequency,
    ReturnAdjustment,
    SessionDate,
    SourceName,
    WeightBounds,
    check_bounds_fit,
    check_weights_fit,
)
from slices.domain.portfolio import PortfolioAnalysis
from slices.monitor import tasks as monitor
from slices.runtime.workflow import workflow


@workflow(check_weights_fit, check_bounds_fit)
def portfolio_analysis(
    symbols: PortfolioSymbols = DEFAULT_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    capital: Capital = 100_000.0,
    held_weights: HeldWeights | None = None,
    lookback_sessions: Annotated[int, Field(ge=20, le=2520)] = 252,
    rebalance: RebalanceFrequency = "monthly",
    bounds: WeightBounds = DEFAULT_BOUNDS,
    costs: Costs = DEFAULT_COSTS,
    confidence: Confidence = 0.95,
) -> PortfolioAnalysis:
    """What do I hold, and what should I?

    Measures the risk of the held weights (volatility, drawdown, value at risk and expected
    shortfall, what each holding adds), shows how the holdings move together, and compares the held
    weights with seven allocators out of sample and net of costs, with the efficient frontier.

    Args:
        symbols: At least two tickers.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        capital: Account value in account currency.
        held_weights: What is held now, as fractions that sum to 1; empty means equal weights.
        lookback_sessions: How many sessions of returns each allocator is fitted on.
        rebalance: How often weights are fitted anew and traded.
        bounds: Smallest and largest weight of one symbol.
        costs: What trading costs.
        confidence: Confidence of value at risk and expected shortfall.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    risk = analyze.holdings_risk.submit(
        bars,
        held_weights=held_weights,
        capital=capital,
        confidence=confidence,
    )
    structure = analyze.diversification.submit(bars)
    frontier = portfolio.efficient_frontier.submit(
        bars, lookback_sessions=lookback_sessions, bounds=bounds
    )
    evaluations = portfolio.evaluate.map(
        unmapped(bars),
        portfolio.compared(held_weights),
        held_weights=unmapped(held_weights),
        lookback_sessions=lookback_sessions,
        rebalance=rebalance,
        bounds=unmapped(bounds),
        costs=unmapped(costs),
        capital=capital,
        confidence=confidence,
    )
    findings = portfolio.portfolio_findings(
        bars,
        risk=risk.result(),
        structure=structure.result(),
        evaluations=evaluations.result(),
        frontier=frontier.result(),
    )
    return monitor.publish(findings)
