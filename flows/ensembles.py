"""Flows that run several strategies in one account."""

from typing import Annotated

from prefect import unmapped
from pydantic import Field

from slices.adaptive_portfolio import tasks as portfolio
from slices.backtest import tasks as backtest
from slices.data import tasks as data
from slices.domain.bars import Adjustment
from slices.domain.ensembles import (
    DEFAULT_ENSEMBLE,
    Combination,
    EnsembleStrategies,
    MultiStrategyPortfolio,
)
from slices.domain.factor_parameters import WIDE_SYMBOLS
from slices.domain.parameters import (
    DEFAULT_COSTS,
    DEFAULT_RULES,
    Capital,
    Costs,
    RebalanceFrequency,
    ReturnAdjustment,
    Seed,
    SessionDate,
    SourceName,
    Symbols,
    TradingRules,
)
from slices.monitor import tasks as monitor
from slices.runtime.workflow import workflow


@workflow(portfolio.check_members)
def multi_strategy_portfolio(
    symbols: Symbols = WIDE_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    capital: Capital = 100_000.0,
    strategies: EnsembleStrategies = DEFAULT_ENSEMBLE,
    combination: Combination = Combination.RISK_PARITY,
    lookback_sessions: Annotated[int, Field(ge=20, le=2520)] = 252,
    rebalance: RebalanceFrequency = "monthly",
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    seed: Seed = 0,
) -> MultiStrategyPortfolio:
    """Do strategies diversify?

    Trades each strategy alone, measures how alike they are, shares one account among them in four
    ways (equal, inverse volatility, risk parity, online weights) fitted to past returns only, and
    compares the ensembles with their best and their mean member and with holding the symbols.

    Args:
        symbols: What every strategy trades.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        capital: Account value in account currency.
        strategies: At least two strategies of the catalogue, with their default parameters.
        combination: How capital is shared; the other ways are shown beside it.
        lookback_sessions: How many sessions of returns the shares are fitted on.
        rebalance: How often the shares are fitted anew.
        costs: What trading costs.
        rules: What the account may trade.
        seed: Start of the random sequences of the verdict's bootstrap and of the probe.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    traded = portfolio.strategy_sleeve.map(
        unmapped(bars), strategies, costs=unmapped(costs), rules=unmapped(rules), capital=capital
    )
    sleeves = traded.result()
    plans = portfolio.combine(
        bars,
        sleeves,
        lookback_sessions=lookback_sessions,
        rebalance=rebalance,
        costs=costs,
        rules=rules,
        capital=capital,
        seed=seed,
    )
    tested = backtest.backtest_targets.map(
        unmapped(bars),
        portfolio.targets_of(plans),
        costs=unmapped(costs),
        rules=unmapped(rules),
        capital=capital,
        seed=seed,
    )
    backtests = tested.result()
    details = backtest.tearsheet_sections(portfolio.chosen_of(plans, backtests, combination))
    findings = portfolio.ensemble_findings(
        bars,
        sleeves=sleeves,
        plans=plans,
        backtests=backtests,
        chosen=combination,
        details=details,
    )
    return monitor.publish(findings)
