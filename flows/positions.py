"""Position flows: bringing an account back to target, watching the stops of what it holds."""

from typing import Annotated, Literal

from pydantic import Field

from slices.adaptive_portfolio import tasks as portfolio
from slices.data import tasks as data
from slices.domain.accounts import AccountName, Execution
from slices.domain.bars import Adjustment
from slices.domain.limits import DEFAULT_LIMITS, RiskLimits
from slices.domain.parameters import (
    DEFAULT_COSTS,
    DEFAULT_RULES,
    DEFAULT_SYMBOLS,
    Capital,
    Costs,
    HeldWeights,
    ReturnAdjustment,
    SessionDate,
    SourceName,
    Symbols,
    TradingRules,
)
from slices.domain.portfolio import Allocator
from slices.domain.rebalancing import (
    DEFAULT_REBALANCE,
    PortfolioRebalance,
    RebalanceRules,
    check_targets_fit,
)
from slices.domain.stop_monitor import DEFAULT_STOP, DefaultStop, StopLossMonitor
from slices.live_trade import tasks as live_trade
from slices.monitor import tasks as monitor
from slices.paper_trade import tasks as paper_trade
from slices.runtime.workflow import workflow


@workflow(check_targets_fit, live_trade.check_approval)
def portfolio_rebalance(
    symbols: Symbols = DEFAULT_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    as_of: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    account: AccountName = "main",
    execution: Execution = "plan",
    approval: bool = False,
    capital: Capital = 100_000.0,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    limits: RiskLimits = DEFAULT_LIMITS,
    target_weights: HeldWeights | None = None,
    allocator: Literal[
        Allocator.EQUAL_WEIGHT,
        Allocator.INVERSE_VOLATILITY,
        Allocator.MIN_VARIANCE,
        Allocator.MAX_SHARPE,
        Allocator.RISK_PARITY,
        Allocator.HIERARCHICAL_RISK_PARITY,
        Allocator.MIN_EXPECTED_SHORTFALL,
    ] = Allocator.INVERSE_VOLATILITY,
    lookback_sessions: Annotated[int, Field(ge=20, le=2520)] = 252,
    rebalance: RebalanceRules = DEFAULT_REBALANCE,
) -> PortfolioRebalance:
    """Which trades bring me back to target?

    Compares what an account holds with target weights, trades only what has drifted beyond its
    band, sales before purchases, and keeps a buffer of cash after costs. Shows turnover, costs,
    the tracking error before and after, what wider and narrower bands would cost, and what the
    risk gate says. By default that is all; on paper or live the orders are handed in, once
    in a session however often it runs. What is held and has no target is sold.

    Args:
        symbols: One ticker or more; everything the account holds must be among them.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        as_of: Session to act at; empty takes the last of the bars.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        account: Name of the account; a paper account is opened where there is none, a live one
            needs every switch (`tradeflows live-check`).
        execution: Whether orders are handed in, with play money or, with every switch of
            `tradeflows live-check`, as `live`; `plan` only shows them for a paper account.
        approval: Whether a person must approve the orders first; the run pauses until then.
        capital: Money at the start of a new account, in account currency.
        costs: What trading costs, the same for the account's whole life.
        rules: What the account may trade, the same for its whole life; live, whole shares only.
        limits: What the risk gate lets through, and losses from which on it lets less through.
        target_weights: What is to be held, such as AAPL=0.6,MSFT=0.4; empty asks `allocator`.
        allocator: How weights are fitted where none are given.
        lookback_sessions: On how many of the newest returns weights and tracking error stand.
        rebalance: Band around each target, how far to trade, smallest trade, cash buffer.
    """
    desk = live_trade if execution == "live" else paper_trade
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=as_of, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    book = desk.settle(
        account, bars, as_of=as_of, execution=execution, capital=capital, costs=costs,
        rules=rules, limits=limits,
    )  # fmt: skip
    targets = portfolio.rebalance_targets(
        bars, target_weights=target_weights, allocator=allocator,
        lookback_sessions=lookback_sessions,
    )  # fmt: skip
    plan = portfolio.plan_rebalance(
        bars, book, targets, rules=rebalance, costs=costs,
        whole_shares=rules.whole_shares or execution == "live",
        lookback_sessions=lookback_sessions,
    )  # fmt: skip
    looked = portfolio.nothing_to_place(account, plan)
    if plan.trades:
        looked = desk.look(account, bars, plan.orders, limits=limits, book=book)
    placed, orders = looked, plan.orders
    if approval:
        orders = live_trade.approve(account, orders, execution=execution)
    if orders.orders and execution != "plan":
        placed = desk.submit(account, bars, orders, limits=limits, execution=execution, book=book)
    findings = portfolio.portfolio_rebalance_findings(
        bars, book=book, plan=plan, looked=looked, placed=placed, execution=execution,
        refusal=orders.refusal,
    )  # fmt: skip
    return monitor.publish(findings)


@workflow()
def stop_loss_monitor(
    symbols: Symbols = DEFAULT_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    as_of: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    account: AccountName = "main",
    execution: Execution = "paper",
    capital: Capital = 100_000.0,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    limits: RiskLimits = DEFAULT_LIMITS,
    default_stop: DefaultStop = DEFAULT_STOP,
    lookback_sessions: Annotated[int, Field(ge=20, le=2520)] = 252,
) -> StopLossMonitor:
    """Is any stop hit?

    Looks at every bar since each stop was armed, with levels that stand on earlier bars alone,
    and leaves a position whose stop was reached: one order for the whole position, once, however
    often this runs. It fills at the next session, at what is paid there: where the price jumped
    past the level, the loss is larger than the stop promised, and is reported so. Stops of
    positions that are gone are ended.

    Args:
        symbols: One ticker or more; everything the account holds must be among them.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at, before every stop was armed; empty takes all there is.
        as_of: Session to act at; empty takes the last of the bars.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        account: Name of the account; a paper account must exist, a live one needs every switch
            (`tradeflows live-check`).
        execution: Whether positions are left, with play money or, with every switch of
            `tradeflows live-check`, as `live`; `plan` only shows it for a paper account.
        capital: Money the account began with, in account currency.
        costs: What trading costs, the same for the account's whole life.
        rules: What the account may trade, the same for its whole life.
        limits: What the risk gate lets through, and losses from which on it lets less through.
        default_stop: The stop a position gets that has none; by default it gets none.
        lookback_sessions: On how many of the newest returns the volatility stands.
    """
    desk = live_trade if execution == "live" else paper_trade
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=as_of, adjustment=adjustment
    )
    book = desk.settle(
        account, bars, as_of=as_of, execution=execution, capital=capital, costs=costs,
        rules=rules, limits=limits, opens=False,
    )  # fmt: skip
    stops = portfolio.keep_stops(bars, book, default_stop=default_stop, execution=execution)
    watch = portfolio.watch_stops(bars, book, stops, lookback_sessions=lookback_sessions)
    portfolio.record_triggers(bars, watch, execution=execution)
    placed = [
        desk.submit(account, bars, plan, limits=limits, execution=execution, book=book)
        for plan in watch.plans
    ]
    findings = portfolio.stop_loss_findings(
        bars, book=book, stops=stops, watch=watch, placed=placed, execution=execution
    )
    return monitor.publish(findings)
