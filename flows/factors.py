"""Factor portfolios: equal risk, past winners, stretched prices."""

from typing import Annotated

from prefect import unmapped
from pydantic import Field

from slices.adaptive_portfolio import tasks as portfolio
from slices.backtest import tasks as backtest
from slices.data import tasks as data
from slices.domain.bars import Adjustment
from slices.domain.factor_parameters import (
    DIVERSE_SYMBOLS,
    WIDE_SYMBOLS,
    EstimatorName,
    SharingAllocator,
    SpreadKind,
    TargetVolatility,
    WindowSessions,
    check_momentum_fit,
    check_reversion_fit,
)
from slices.domain.factor_portfolios import (
    CovarianceEstimator,
    MeanReversionPortfolio,
    MomentumPortfolio,
    RiskParityPortfolio,
)
from slices.domain.parameters import (
    DEFAULT_COSTS,
    DEFAULT_RULES,
    Capital,
    Costs,
    PortfolioSymbols,
    RebalanceFrequency,
    ReturnAdjustment,
    Seed,
    SessionDate,
    SourceName,
    TradingRules,
)
from slices.domain.portfolio import Allocator
from slices.monitor import tasks as monitor
from slices.runtime.workflow import workflow


@workflow()
def risk_parity_portfolio(
    symbols: PortfolioSymbols = DIVERSE_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    capital: Capital = 100_000.0,
    estimator: EstimatorName = CovarianceEstimator.LEDOIT_WOLF,
    lookback_sessions: WindowSessions = 252,
    halflife_sessions: Annotated[float, Field(ge=5, le=1260)] = 63.0,
    rebalance: RebalanceFrequency = "monthly",
    target_volatility: TargetVolatility | None = None,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    seed: Seed = 0,
) -> RiskParityPortfolio:
    """What if every asset carried the same risk?

    Finds the weights whose contributions to the risk are equal, proves that they are (the run
    fails otherwise), walks them through history net of costs, and shows how equal the risk was
    that followed, with three covariance estimators side by side.

    Args:
        symbols: At least two tickers.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        capital: Account value in account currency at the start.
        estimator: How covariances are estimated; the others are shown for comparison.
        lookback_sessions: How many sessions of returns weights are fitted on.
        halflife_sessions: After how many sessions a return counts half, for `exponential` alone.
        rebalance: How often weights are fitted anew and traded.
        target_volatility: Volatility a year to scale to, 0.1 is 10 %; empty invests all there is.
        costs: What trading costs.
        rules: What the account may trade; `gross_exposure` above 1 allows borrowing.
        seed: Start of the bootstrap and of the look-ahead probe.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    rule = portfolio.parity_rule(
        estimator=estimator,
        lookback_sessions=lookback_sessions,
        halflife_sessions=halflife_sessions,
        target_volatility=target_volatility,
        gross_exposure=rules.gross_exposure,
    )
    equal_risk = portfolio.equal_risk.submit(bars, rule=rule)
    estimators = portfolio.evaluate_estimator.map(
        unmapped(bars), portfolio.ESTIMATORS, rule=unmapped(rule), rebalance=rebalance
    )
    targets = portfolio.risk_parity_targets(bars, rule=rule, rebalance=rebalance, seed=seed)
    tested = backtest.backtest_targets(
        bars, targets, costs=costs, rules=rules, capital=capital, seed=seed
    )
    findings = portfolio.risk_parity_findings(
        bars,
        equal_risk=equal_risk.result(),
        estimators=estimators.result(),
        tested=tested,
        tearsheet=backtest.tearsheet_sections(tested),
    )
    return monitor.publish(findings)


@workflow(check_momentum_fit)
def momentum_portfolio(
    symbols: PortfolioSymbols = WIDE_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    capital: Capital = 100_000.0,
    lookback_sessions: WindowSessions = 252,
    skip_sessions: Annotated[int, Field(ge=0, le=252)] = 21,
    per_volatility: bool = False,
    top_fraction: Annotated[float, Field(gt=0, le=1)] = 0.3,
    top_count: Annotated[int, Field(ge=1, le=2000)] | None = None,
    absolute: bool = False,
    allocator: SharingAllocator = Allocator.INVERSE_VOLATILITY,
    largest_weight: Annotated[float, Field(gt=0, le=1)] = 1.0,
    target_volatility: TargetVolatility | None = None,
    volatility_sessions: WindowSessions = 126,
    rebalance: RebalanceFrequency = "monthly",
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    seed: Seed = 0,
) -> MomentumPortfolio:
    """Does riding the winners pay?

    Ranks symbols by their return over the lookback without its newest month, holds the best and
    shares the account among them, walked through history net of costs. Shows how long the score
    tells anything about returns. Symbols that cannot be had are left out and named; one that is
    listed late, or has a hole, is no candidate until its window is whole.

    Args:
        symbols: The universe, at least two tickers.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        capital: Account value in account currency at the start.
        lookback_sessions: How many sessions ago the formation window begins.
        skip_sessions: How many of the newest sessions it leaves out.
        per_volatility: Whether returns are divided by their volatility before they are ranked.
        top_fraction: Which share of the candidates is held.
        top_count: How many symbols are held; empty leaves it to `top_fraction`.
        absolute: Whether a winner must also have gained; what is not held stays cash.
        allocator: How the account is shared among the winners.
        largest_weight: Largest weight of one symbol; with few winners the rest stays cash.
        target_volatility: Volatility a year to scale to, 0.1 is 10 %; empty invests all there is.
        volatility_sessions: How many returns that volatility is estimated from.
        rebalance: How often winners are chosen anew and traded.
        costs: What trading costs.
        rules: What the account may trade; `gross_exposure` above 1 allows borrowing.
        seed: Start of the bootstrap and of the look-ahead probe.
    """
    loaded = data.load_available(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    rule = portfolio.momentum_rule(
        lookback_sessions=lookback_sessions,
        skip_sessions=skip_sessions,
        per_volatility=per_volatility,
        top_fraction=top_fraction,
        top_count=top_count,
        absolute=absolute,
        allocator=allocator,
        largest_weight=largest_weight,
        target_volatility=target_volatility,
        volatility_sessions=volatility_sessions,
        gross_exposure=rules.gross_exposure,
    )
    decay = portfolio.score_decay.submit(loaded.bars, rule=rule)
    walk = portfolio.walk_momentum(loaded.bars, rule=rule, rebalance=rebalance, seed=seed)
    tested = backtest.backtest_targets(
        loaded.bars, walk.targets, costs=costs, rules=rules, capital=capital, seed=seed
    )
    findings = portfolio.momentum_findings(
        loaded.bars,
        left_out=loaded.left_out,
        rule=rule,
        selection=walk.selection,
        decay=decay.result(),
        tested=tested,
        tearsheet=backtest.tearsheet_sections(tested),
    )
    return monitor.publish(findings)


@workflow(check_reversion_fit)
def mean_reversion_portfolio(
    symbols: PortfolioSymbols = WIDE_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    capital: Capital = 100_000.0,
    spread: SpreadKind = "residual",
    window_sessions: WindowSessions = 60,
    evidence_sessions: Annotated[int, Field(ge=60, le=2520)] = 252,
    shortest_half_life: Annotated[float, Field(gt=0, le=250)] = 2.0,
    longest_half_life: Annotated[float, Field(gt=0, le=500)] = 40.0,
    largest_p_value: Annotated[float, Field(gt=0, le=1)] = 0.1,
    entry_z: Annotated[float, Field(gt=0, le=10)] = 2.0,
    exit_z: Annotated[float, Field(ge=-5, le=5)] = 0.5,
    stop_z: Annotated[float, Field(gt=0, le=100)] = 4.0,
    most_sessions: Annotated[int, Field(ge=1, le=2520)] = 40,
    shorting: bool = False,
    allocator: SharingAllocator = Allocator.INVERSE_VOLATILITY,
    largest_weight: Annotated[float, Field(gt=0, le=1)] = 0.2,
    reselect: RebalanceFrequency = "monthly",
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    seed: Seed = 0,
) -> MeanReversionPortfolio:
    """Does buying the stretched pay?

    Watches how far each symbol is from its mean, against the market or alone; filters those whose
    deviations have come back soon enough before (half-life, unit root test); buys what is
    stretched and lets it go when it has come back, is stretched too far, or was held too long.
    Decided at every close, walked through history net of costs, with the evidence per symbol.

    Args:
        symbols: The universe, at least two tickers.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        capital: Account value in account currency at the start.
        spread: What is watched, log prices `residual` to the equal-weight market or `log_price`.
        window_sessions: How many closes mean and deviation of the z-score stand on.
        evidence_sessions: How many sessions half-life and unit root test stand on.
        shortest_half_life: Shortest half-life of a candidate, in sessions.
        longest_half_life: Longest half-life of a candidate, in sessions.
        largest_p_value: Largest p-value of a candidate's unit root test.
        entry_z: A spread further from its mean than so many deviations is taken.
        exit_z: One that has come back within so many is let go.
        stop_z: One stretched beyond so many is let go.
        most_sessions: One held for so many sessions is let go.
        shorting: Whether spreads above their mean are sold short.
        allocator: How the account is shared among positions.
        largest_weight: Largest weight of one position.
        reselect: How often candidates are filtered anew.
        costs: What trading costs.
        rules: What the account may trade; `gross_exposure` is shared among positions.
        seed: Start of the bootstrap and of the look-ahead probe.
    """
    loaded = data.load_available(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    rule = portfolio.reversion_rule(
        spread=spread,
        window_sessions=window_sessions,
        evidence_sessions=evidence_sessions,
        shortest_half_life=shortest_half_life,
        longest_half_life=longest_half_life,
        largest_p_value=largest_p_value,
        entry_z=entry_z,
        exit_z=exit_z,
        stop_z=stop_z,
        most_sessions=most_sessions,
        shorting=shorting,
        allocator=allocator,
        largest_weight=largest_weight,
        gross_exposure=rules.gross_exposure,
    )
    evidence = portfolio.reversion_evidence.submit(loaded.bars, rule=rule, reselect=reselect)
    walk = portfolio.walk_reversion(loaded.bars, rule=rule, reselect=reselect, seed=seed)
    tested = backtest.backtest_targets(
        loaded.bars, walk.targets, costs=costs, rules=rules, capital=capital, seed=seed
    )
    findings = portfolio.mean_reversion_findings(
        loaded.bars,
        left_out=loaded.left_out,
        rule=rule,
        evidence=evidence.result(),
        walk=walk,
        tested=tested,
        tearsheet=backtest.tearsheet_sections(tested),
    )
    return monitor.publish(findings)
