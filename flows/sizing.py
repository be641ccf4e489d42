"""Sizing flows: how large positions may be, and one trade at the size its risk allows."""

from typing import Annotated, Literal

from pydantic import Field

from slices.backtest import tasks as backtest
from slices.data import tasks as data
from slices.domain.accounts import AccountName, Execution
from slices.domain.bars import Adjustment
from slices.domain.limits import DEFAULT_LIMITS, RiskLimits
from slices.domain.orders import Side
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
    Symbol,
    Symbols,
    TradingRules,
)
from slices.domain.position_sizing import PositionSizing, RiskAdjustedTrade
from slices.domain.sizing import (
    DEFAULT_POSITION_RULES,
    DEFAULT_RISK_BUDGET,
    PositionRules,
    RiskBudget,
)
from slices.domain.stops import StopKind
from slices.domain.strategies import StrategyOption, StrategySettings
from slices.live_trade import tasks as live_trade
from slices.market_regime import tasks as market_regime
from slices.monitor import tasks as monitor
from slices.paper_trade import tasks as paper_trade
from slices.position_sizing import tasks as sizes
from slices.runtime.workflow import workflow


@workflow(backtest.check_strategy)
def position_sizing(
    symbols: Symbols = DEFAULT_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    as_of: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    account: AccountName | None = None,
    capital: Capital = 100_000.0,
    strategy: StrategyOption = "sma_cross",
    parameters: StrategySettings | None = None,
    in_sample_fraction: Annotated[float, Field(ge=0.1, le=0.9)] = 0.5,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    sizing: PositionRules = DEFAULT_POSITION_RULES,
    budget: RiskBudget = DEFAULT_RISK_BUDGET,
    seed: Seed = 0,
) -> PositionSizing:
    """How large should a position be?

    Asks a volatility target, the risk up to a stop, the average true range and the Kelly rule (on
    the closed trades of a strategy, shrunk by how little they prove), scales the smallest by the
    regime, and cuts it by the risk budget, liquidity, cash and exposure. Everything that limits a
    size is named with its number. Each symbol is sized as if it were the only one that changes;
    one that cannot be had is named with its reason and left out. Nothing is traded.

    Args:
        symbols: One ticker or more; everything the account holds must be among them.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        as_of: Session to size at; empty takes the last of the bars.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        account: Paper account whose cash and positions count; empty takes the capital alone.
        capital: Money, where no account is named or it is not opened yet, in account currency.
        strategy: Whose closed trades the Kelly rule reads; `auto` chooses one on the first part
            of the sessions and reads its trades of the rest.
        parameters: The strategy's parameters that are not to keep their defaults, such as fast=20;
            docs/strategies.md lists them.
        in_sample_fraction: Which share of the sessions `auto` chooses on.
        costs: What trading costs.
        rules: What the account may trade; `gross_exposure` caps the sizes too.
        sizing: The rules that ask for a size, and caps on it.
        budget: What a session may cost the account.
        seed: Start of the random sequences behind the intervals.
    """
    loaded = data.load_available(
        symbols, source=source, feed=feed, start=start, end=as_of, adjustment=adjustment
    )
    bars = loaded.bars
    regimes = market_regime.symbol_regimes.submit(bars, bars.symbols, with_model=True)
    choice = backtest.choose_strategy(
        bars, strategy=strategy, parameters=parameters, in_sample_fraction=in_sample_fraction,
        costs=costs, rules=rules, capital=capital,
    )  # fmt: skip
    tested = backtest.backtest_choice(
        bars, choice, costs=costs, rules=rules, capital=capital, seed=seed
    )
    book = None
    if account is not None:
        book = paper_trade.settle(
            account, bars, as_of=as_of, execution="plan", capital=capital, costs=costs, rules=rules
        )
    terms = sizes.terms_of(sizing=sizing, budget=budget, costs=costs, rules=rules)
    outcomes = sizes.size_positions(
        bars, tested, regimes.result(), terms=terms, book=book, capital=capital, seed=seed
    )
    findings = sizes.position_sizing_findings(
        loaded, outcomes, choice=choice, tested=tested, terms=terms, book=book, capital=capital
    )
    return monitor.publish(findings)


@workflow(sizes.check_rules_fit, live_trade.check_approval)
def risk_adjusted_trading(
    symbol: Symbol = "AAPL",
    symbols: Symbols = DEFAULT_SYMBOLS,
    *,
    side: Side = Side.BUY,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    as_of: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    account: AccountName = "main",
    execution: Execution = "paper",
    approval: bool = False,
    capital: Capital = 100_000.0,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    limits: RiskLimits = DEFAULT_LIMITS,
    sizing: PositionRules = DEFAULT_POSITION_RULES,
    budget: RiskBudget = DEFAULT_RISK_BUDGET,
    stop: Literal["fixed", "trailing", "atr", "time"] = "fixed",
    reward_risk: Annotated[float, Field(gt=0, le=50)] = 2.0,
    most_sessions: Annotated[int, Field(ge=1, le=2520)] = 20,
) -> RiskAdjustedTrade:
    """Should I take this trade, at what size, and with which exits?

    Measures the symbol and the account, sizes the position by its stop, its volatility, the regime
    and what a bad session may cost the account, sets a stop and a target, and hands the order
    through the risk gate. Stop and target are recorded with it. Where nothing is left to trade, no
    order is sent and the reason is given. Running it again in the same session sends nothing.

    Args:
        symbol: What to trade.
        symbols: The universe: everything the account holds, and what the symbol is compared with.
        side: Whether to buy or to sell short.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        as_of: Session to act at; empty takes the last of the bars.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        account: Name of the account; a paper account is opened where there is none, a live one
            needs every switch (`tradeflows live-check`).
        execution: Whether the order is sent, with play money or, with every switch of
            `tradeflows live-check`, as `live`; `plan` only shows it for a paper account.
        approval: Whether a person must approve the orders first; the run pauses until then.
        capital: Money at the start of a new account, in account currency.
        costs: What trading costs, the same for the account's whole life.
        rules: What the account may trade, the same for its whole life.
        limits: What the risk gate lets through, and losses from which on it lets less through.
        sizing: The rules that ask for a size, and caps on it; the Kelly rule has no trades here.
        budget: What a session may cost the account, and how much of it the trade may add.
        stop: Whether the stop stays, trails the best price, keeps average true ranges from the
            best close, or a fixed one is joined by a time limit.
        reward_risk: Distance of the target over that of the stop.
        most_sessions: Sessions after which a stop by time leaves.
    """
    desk = live_trade if execution == "live" else paper_trade
    bars = data.load_bars(
        sizes.universe(symbol, symbols), source=source, feed=feed, start=start, end=as_of,
        adjustment=adjustment,
    )  # fmt: skip
    data.check_sizing_allowed(bars)
    book = desk.settle(
        account, bars, as_of=as_of, execution=execution, capital=capital, costs=costs, rules=rules,
        limits=limits,
    )  # fmt: skip
    regimes = market_regime.symbol_regimes(bars, (symbol,), with_model=True)
    risk = sizes.trade_risk(bars, symbol, book, budget=budget)
    terms = sizes.terms_of(sizing=sizing, budget=budget, costs=costs, rules=rules, limits=limits)
    proposal = sizes.propose_trade(
        bars, symbol, book, regimes[0], risk, terms=terms, side=side,
        exits=(StopKind(stop), reward_risk, most_sessions),
    )  # fmt: skip
    plan = proposal.plan
    if approval:
        plan = live_trade.approve(account, plan, execution=execution)
    placed = sizes.nothing_placed(account, plan)
    if plan.orders:
        placed = desk.submit(account, bars, plan, limits=limits, execution=execution, book=book)
    check = sizes.first_check(placed, plan, execution=execution)
    findings = sizes.risk_adjusted_findings(
        bars, proposal, placed, check, book=book, execution=execution, refusal=plan.refusal
    )
    return monitor.publish(findings)
