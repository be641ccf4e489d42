"""The flow that looks at many symbols from every side."""

from typing import Annotated

from prefect import unmapped
from pydantic import Field

from slices.analyze import tasks as analyze
from slices.backtest import tasks as backtest
from slices.data import tasks as data
from slices.domain.bars import Adjustment
from slices.domain.full_analysis import FullAnalysis
from slices.domain.parameters import (
    DEFAULT_COSTS,
    DEFAULT_SYMBOLS,
    Capital,
    Costs,
    ReturnAdjustment,
    SessionDate,
    SourceName,
    Symbols,
)
from slices.domain.sizing import DEFAULT_SIZING, SizingRules
from slices.market_regime import tasks as market_regime
from slices.monitor import tasks as monitor
from slices.position_sizing import tasks as position_sizing
from slices.runtime.workflow import workflow


@workflow()
def full_analysis(
    symbols: Symbols = DEFAULT_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    capital: Capital = 100_000.0,
    costs: Costs = DEFAULT_COSTS,
    sizing: SizingRules = DEFAULT_SIZING,
    detailed_symbols: Annotated[int, Field(ge=0, le=50)] = 8,
) -> FullAnalysis:
    """What is going on in these symbols?

    Looks at indicators, candle and price patterns, support and resistance, trend, volatility and
    regime of every symbol, tries all strategies on each, sizes a position, and shows how the
    symbols move together. A symbol that cannot be had is named with its reason and left out.

    Args:
        symbols: Tickers, each once.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        capital: Account value in account currency.
        costs: What trading costs.
        sizing: What limits the size of one position.
        detailed_symbols: How many symbols to show in detail; the tables have all.
    """
    loaded = data.load_available(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    bars = loaded.bars
    batches = analyze.symbol_batches(bars.symbols)
    market = market_regime.market_overview.submit(bars)
    structure = analyze.structure_overview.submit(bars)
    analyses = analyze.analyse_symbols.map(unmapped(bars), batches)
    regimes = market_regime.symbol_regimes.map(unmapped(bars), batches)
    comparisons = backtest.compare_strategies.map(
        unmapped(bars), symbols=batches, costs=unmapped(costs), capital=capital
    )
    sizes = position_sizing.size_advice.map(
        unmapped(bars), batches, capital=capital, sizing=unmapped(sizing)
    )
    sections = (
        *market_regime.regime_sections(market.result(), regimes.result()),
        backtest.comparison_section(comparisons.result()),
        position_sizing.sizing_section(sizes.result(), capital=capital),
    )
    findings = analyze.full_findings(
        bars,
        left_out=loaded.left_out,
        analyses=analyses.result(),
        regimes=regimes.result(),
        comparisons=comparisons.result(),
        sizes=sizes.result(),
        market=market.result(),
        structure=structure.result(),
        sections=sections,
        detailed_symbols=detailed_symbols,
    )
    return monitor.publish(findings)
