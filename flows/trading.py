"""Trading flows: a strategy traded session by session."""

from typing import Annotated, Literal

from pydantic import Field

from slices.analyze import tasks as analyze
from slices.backtest import tasks as backtest
from slices.data import tasks as data
from slices.domain.accounts import AccountName
from slices.domain.bars import Adjustment
from slices.domain.choices import DEFAULT_SELECTION, SelectionName
from slices.domain.limits import DEFAULT_LIMITS, RiskLimits
from slices.domain.paper_trading import PaperTrading
from slices.domain.parameters import (
    DEFAULT_COSTS,
    DEFAULT_RULES,
    DEFAULT_SYMBOLS,
    Capital,
    Costs,
    ReturnAdjustment,
    SessionDate,
    SourceName,
    Symbols,
    TradingRules,
)
from slices.domain.strategies import AccountStrategyOption, StrategySettings
from slices.monitor import tasks as monitor
from slices.paper_trade import tasks as paper_trade
from slices.runtime.workflow import workflow


@workflow(backtest.check_strategy, paper_trade.check_replay)
def paper_trading(
    symbols: Symbols = DEFAULT_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    as_of: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    account: AccountName = "main",
    execution: Literal["plan", "paper"] = "paper",
    capital: Capital = 100_000.0,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    limits: RiskLimits = DEFAULT_LIMITS,
    strategy: AccountStrategyOption = "sma_cross",
    parameters: StrategySettings | None = None,
    selection: SelectionName = DEFAULT_SELECTION,
    in_sample_fraction: Annotated[float, Field(ge=0.1, le=0.9)] = 0.5,
    sizing: Literal["equal_shares", "volatility_target"] = "equal_shares",
    target_volatility: Annotated[float, Field(ge=0.02, le=1)] = 0.15,
    replay_from: SessionDate | None = None,
    replay_to: SessionDate | None = None,
) -> PaperTrading:
    """What does this strategy do with play money, session by session?

    Brings a paper account up to a session (what was ordered before fills there, at the next open,
    or close where the data has no opens), decides at its close, and hands the orders through the
    risk gate to a simulated exchange that trades by the rules of the backtest. Running it again
    changes nothing. With `replay_from` it lives through past sessions one after the other, going
    on where the account stands, and shows the account beside a backtest of the same rule.

    Args:
        symbols: One ticker or more; everything the account holds must be among them.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        as_of: Session to act at; empty takes the last of the bars.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        account: Name of the paper account; it is opened where there is none.
        execution: Whether orders are handed in; `plan` only shows them and writes nothing.
        capital: Money at the start of a new account, in account currency.
        costs: What trading costs, the same for the account's whole life.
        rules: What the account may trade, the same for its whole life.
        limits: What the risk gate lets through, and losses from which on it lets less through.
        strategy: Which strategy; `auto` chooses one on bars up to the session, or the replay, and
            `selected` takes the newest choice that ml_strategy_selection stored by then.
        parameters: The strategy's parameters that are not to keep their defaults, such as fast=20;
            docs/strategies.md lists them.
        selection: Which series of stored choices `selected` reads.
        in_sample_fraction: Which share of these bars `auto` chooses on.
        sizing: Whether a signal gets its equal share of the account, or less of what moves more.
        target_volatility: Volatility a year that `volatility_target` aims at for every symbol.
        replay_from: First past session to decide at; empty acts at one session only.
        replay_to: Last past session to decide at; empty takes the last of the bars.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=as_of or replay_to,
        adjustment=adjustment,
    )  # fmt: skip
    data.check_sizing_allowed(bars)
    patterns = analyze.analyse_symbols.submit(bars, bars.symbols)
    known = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=replay_from or as_of,
        adjustment=adjustment,
    )  # fmt: skip
    selected = paper_trade.selected_choice(known, strategy=strategy, selection=selection)
    choice = backtest.choose_strategy(
        known, strategy=strategy, parameters=parameters, selected=selected,
        in_sample_fraction=in_sample_fraction, costs=costs, rules=rules, capital=capital,
    )  # fmt: skip
    rule = paper_trade.rule_of(
        choice, sizing=sizing, target_volatility=target_volatility, rules=rules
    )
    if replay_from is None:
        book = paper_trade.settle(
            account, bars, as_of=as_of, execution=execution, capital=capital, costs=costs,
            rules=rules, limits=limits,
        )  # fmt: skip
        plan = paper_trade.plan_session(account, bars, rule, book=book, as_of=as_of)
        placed = paper_trade.submit(
            account, bars, plan, limits=limits, execution=execution, book=book
        )
        traded = paper_trade.traded(plan, placed, execution=execution)
    else:
        traded = paper_trade.trade_sessions(
            account, bars, rule, replay_from=replay_from, replay_to=replay_to, capital=capital,
            costs=costs, rules=rules, limits=limits,
        )  # fmt: skip
    view = paper_trade.view_account(
        account, bars, rule, traded, is_replay=replay_from is not None, capital=capital,
        costs=costs, rules=rules,
    )  # fmt: skip
    findings = paper_trade.paper_trading_findings(
        bars, rule=rule, traded=traded, view=view, execution=execution,
        seen=analyze.seen_sections(patterns.result()),
    )  # fmt: skip
    return monitor.publish(findings)
