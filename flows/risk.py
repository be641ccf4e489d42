"""Risk flows: protecting an account against its losses, watching its limits."""

from typing import Annotated

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
    Confidence,
    Costs,
    ReturnAdjustment,
    SessionDate,
    SourceName,
    Symbols,
    TradingRules,
)
from slices.domain.protection import DEFAULT_PROTECTION, DrawdownProtection, ProtectionRules
from slices.domain.risk_monitoring import RiskMonitoring
from slices.domain.tiers import DEFAULT_TIERS, CapitalTiers
from slices.live_trade import tasks as live_trade
from slices.monitor import tasks as monitor
from slices.paper_trade import tasks as paper_trade
from slices.runtime.workflow import workflow


@workflow()
def drawdown_protection(
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
    protection: ProtectionRules = DEFAULT_PROTECTION,
    tiers: CapitalTiers = DEFAULT_TIERS,
    lookback_sessions: Annotated[int, Field(ge=20, le=2520)] = 126,
    liquidate: bool = False,
) -> DrawdownProtection:
    """Are we bleeding?

    Looks at what an account has lost since its peak, in its session and how fast, and at whether
    its positions have become one bet. Beyond the thresholds it lets the account only reduce, or
    halts it, before any order is planned; brings exposure down to what is allowed; and shows the
    way back. A state holds over restarts and grows only severer: `tradeflows release` ends it,
    on the record, and losses count anew from there.

    Args:
        symbols: One ticker or more; everything the account holds must be among them.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        as_of: Session to act at; empty takes the last of the bars.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        account: Name of the account; a paper account must exist, a live one needs every switch
            (`tradeflows live-check`).
        execution: Whether anything is done, with play money or, with every switch of
            `tradeflows live-check`, as `live`; `plan` only shows it for a paper account.
        capital: Money the account began with, in account currency.
        costs: What trading costs, the same for the account's whole life.
        rules: What the account may trade, the same for its whole life.
        limits: What the risk gate lets through.
        protection: Thresholds on losses, exposures they allow, and the steps of the way back.
        tiers: Sizes of accounts, and how many positions each should carry.
        lookback_sessions: On how many of the newest returns correlations stand.
        liquidate: Whether all positions are closed before the account is halted.
    """
    desk = live_trade if execution == "live" else paper_trade
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=as_of, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    book = desk.settle(
        account, bars, as_of=as_of, execution=execution, capital=capital, costs=costs,
        rules=rules, limits=limits, opens=False,
    )  # fmt: skip
    released = portfolio.newest_release(account, execution=execution)
    assessed = portfolio.assess_protection(
        bars, book, rules=protection, tiers=tiers, lookback_sessions=lookback_sessions,
        released=released, liquidate=liquidate,
    )  # fmt: skip
    pause = portfolio.pause_trading(bars, assessed, execution=execution, liquidate=liquidate)
    withdrawn = desk.withdraw(
        account, bars, portfolio.to_withdraw(book, assessed), session=book.session or book.opened,
        execution=execution, limits=limits,
    )  # fmt: skip
    plan = portfolio.plan_reduction(
        book, assessed, whole_shares=rules.whole_shares or execution == "live"
    )
    placed = None
    if plan.orders:
        placed = desk.submit(account, bars, plan, limits=limits, execution=execution, book=book)
    halt = portfolio.halt_trading(bars, assessed, pause, execution=execution)
    findings = portfolio.drawdown_protection_findings(
        bars, book=book, protection=assessed, pauses=portfolio.announce_pauses(pause, halt),
        withdrawn=withdrawn, plan=plan, placed=placed,
    )  # fmt: skip
    return monitor.publish(findings)


@workflow()
def risk_monitoring(
    symbols: Symbols = DEFAULT_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    as_of: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    account: AccountName = "main",
    execution: Execution = "plan",
    capital: Capital = 100_000.0,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    limits: RiskLimits = DEFAULT_LIMITS,
    tiers: CapitalTiers = DEFAULT_TIERS,
    window_sessions: Annotated[int, Field(ge=20, le=2520)] = 63,
    lookback_sessions: Annotated[int, Field(ge=20, le=2520)] = 252,
    confidence: Confidence = 0.95,
) -> RiskMonitoring:
    """Is every limit respected?

    Measures an account by its own returns and by what it holds, puts today's weights through bad
    times that have a name, and holds it against every limit. A limit it is beyond makes the run
    end as degraded and sends one event for each limit and session, for automations to act on.
    By default it reads the books as they are and writes nothing into them.

    Args:
        symbols: The universe; everything the account holds must be among them.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        as_of: Session to look at; empty takes the last of the bars.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        account: Name of the account; a paper account must exist, a live one needs every switch
            (`tradeflows live-check`).
        execution: Whether the account is brought up to the session first, on paper or, with every
            switch of `tradeflows live-check`, `live`; `plan` only reads a paper account.
        capital: Money the account began with, in account currency.
        costs: What trading costs, the same for the account's whole life.
        rules: What the account may trade, the same for its whole life.
        limits: What the account may not go beyond.
        tiers: Sizes of accounts, and how many positions each should carry.
        window_sessions: Over how many sessions beta is measured.
        lookback_sessions: On how many returns the tail of today's positions stands.
        confidence: Of value at risk and expected shortfall.
    """
    desk = live_trade if execution == "live" else paper_trade
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=as_of, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    book = desk.settle(
        account, bars, as_of=as_of, execution=execution, capital=capital, costs=costs,
        rules=rules, limits=limits, opens=False,
    )  # fmt: skip
    watch = portfolio.watch_account(
        bars, book, limits=limits, tiers=tiers, window_sessions=window_sessions,
        lookback_sessions=lookback_sessions, confidence=confidence,
    )  # fmt: skip
    portfolio.announce_breaches(watch, mode=book.mode)
    findings = portfolio.risk_monitoring_findings(bars, book=book, watch=watch)
    return monitor.publish(findings)
