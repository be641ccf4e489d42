"""Core flows: does it work, and would a strategy have paid."""

from typing import Annotated

from pydantic import Field

from slices.analyze import tasks as analyze
from slices.backtest import tasks as backtest
from slices.data import tasks as data
from slices.domain.backtests import QUICK_TEST_SYMBOLS, QuickTest, SimpleBacktest
from slices.domain.bars import Adjustment
from slices.domain.parameters import (
    DEFAULT_COSTS,
    DEFAULT_RULES,
    DEFAULT_SYMBOLS,
    Capital,
    Costs,
    ReturnAdjustment,
    Seed,
    SessionDate,
    SourceName,
    Symbols,
    TradingRules,
)
from slices.domain.strategies import StrategyOption, StrategySettings
from slices.monitor import tasks as monitor
from slices.runtime.workflow import workflow


@workflow()
def quick_test(
    symbols: Symbols = QUICK_TEST_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    capital: Capital = 100_000.0,
) -> QuickTest:
    """Does this installation work?

    Loads bars, tests the default strategy (a cross of moving averages over 10 and 50 sessions) and
    publishes a report, in seconds. With its defaults it also knows what the answer must be.

    Args:
        symbols: One ticker or more.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        capital: Account value at the start, in account currency.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=Adjustment.TOTAL
    )
    data.check_sizing_allowed(bars)
    tested = backtest.backtest_strategy(bars, capital=capital)
    findings = backtest.quick_test_findings(bars, tested)
    return monitor.publish(findings)


@workflow(backtest.check_strategy)
def simple_backtest(
    symbols: Symbols = DEFAULT_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    capital: Capital = 100_000.0,
    strategy: StrategyOption = "sma_cross",
    parameters: StrategySettings | None = None,
    in_sample_fraction: Annotated[float, Field(ge=0.1, le=0.9)] = 0.5,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    seed: Seed = 0,
) -> SimpleBacktest:
    """Would this strategy have paid?

    Trades a strategy of the catalogue on past bars, each symbol an equal share of the account:
    decided at a close, traded at the next session, charged for every trade, and compared with
    buying the symbols once and holding them. The report shows returns by month, drawdowns, trades
    and costs, a verdict on whether the result may be believed, and what the newest bars show.

    Args:
        symbols: One ticker or more; a strategy that compares symbols needs several.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        capital: Account value at the start, in account currency.
        strategy: Which strategy; `auto` chooses one on the first part of the sessions and tests it
            on the rest.
        parameters: The strategy's parameters that are not to keep their defaults, such as fast=20;
            docs/strategies.md lists them.
        in_sample_fraction: Which share of the sessions `auto` chooses on.
        costs: What trading costs.
        rules: What the account may trade.
        seed: Start of the random sequences behind the verdict.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    patterns = analyze.analyse_symbols.submit(bars, bars.symbols)
    choice = backtest.choose_strategy(
        bars,
        strategy=strategy,
        parameters=parameters,
        in_sample_fraction=in_sample_fraction,
        costs=costs,
        rules=rules,
        capital=capital,
    )
    tested = backtest.backtest_choice(
        bars, choice, costs=costs, rules=rules, capital=capital, seed=seed
    )
    rivals = backtest.rivals(bars, choice, costs=costs, rules=rules, capital=capital)
    findings = backtest.simple_backtest_findings(
        bars,
        choice=choice,
        tested=tested,
        rivals=rivals,
        seen=analyze.seen_sections(patterns.result()),
    )
    return monitor.publish(findings)
