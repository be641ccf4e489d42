"""Portfolios from forecasts: what a model says should be held, after what it costs."""

from prefect import unmapped

from slices.adaptive_portfolio import tasks as portfolio
from slices.backtest import tasks as backtest
from slices.data import tasks as data
from slices.domain.accounts import AccountName, Execution
from slices.domain.bars import Adjustment
from slices.domain.forecasts import DEFAULT_SERVING, ServingLimits
from slices.domain.learning import DEFAULT_MODEL, LEARNING_SYMBOLS, ModelAlias, ModelName
from slices.domain.limits import DEFAULT_LIMITS, RiskLimits
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
from slices.domain.rebalancing import RebalanceRules
from slices.domain.view_portfolio import (
    DEFAULT_VIEW_REBALANCE,
    DEFAULT_VIEWS,
    MlPortfolioOptimization,
    ViewRules,
    check_views_fit,
)
from slices.live_trade import tasks as live_trade
from slices.ml_strategy import tasks as learning
from slices.monitor import tasks as monitor
from slices.paper_trade import tasks as paper_trade
from slices.runtime.workflow import workflow


@workflow(check_views_fit, learning.check_alias, live_trade.check_approval)
def ml_portfolio_optimization(
    symbols: PortfolioSymbols = LEARNING_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    as_of: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    account: AccountName = "forecasts",
    execution: Execution = "paper",
    approval: bool = False,
    capital: Capital = 100_000.0,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    limits: RiskLimits = DEFAULT_LIMITS,
    model: ModelName = DEFAULT_MODEL,
    alias: ModelAlias = "champion",
    serving: ServingLimits = DEFAULT_SERVING,
    views: ViewRules = DEFAULT_VIEWS,
    decide: RebalanceFrequency = "weekly",
    rebalance: RebalanceRules = DEFAULT_VIEW_REBALANCE,
    seed: Seed = 0,
) -> MlPortfolioOptimization:
    """What do the forecasts say I should hold?

    Asks a registered model at the close of a session and turns its scores into views: as large as
    they have proven to be worth out of sample, and as sure. Blends them with a prior, weighs the
    gain against what trading costs, and hands in the orders that are left. Shows the same rule
    through history, by scores of models that had not seen those sessions, against equal weights
    and against itself without forecasts. A model that must not be asked changes nothing.

    Args:
        symbols: The universe the model was trained on, at least two tickers.
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
        model: Name of the model in the registry.
        alias: Which of its versions is asked; a challenger has not earned real money.
        serving: Beyond which the model says nothing.
        views: Prior, risk aversion, covariance and largest weight of the optimisation.
        decide: How often weights are found anew; what gains are weighed against costs over.
        rebalance: Band around each target, how far to trade, smallest trade, cash buffer.
        seed: Start of the bootstrap and of the look-ahead probe.
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
    asked = learning.find_model(model, alias)
    features = learning.live_features(bars, asked.feature_names)
    forecasts = learning.announce_refusal(
        asked, (learning.predict(asked, features, bars, limits=serving, costs=costs),)
    )[0]
    optimised = portfolio.optimise_views(
        bars, book, asked, forecasts, portfolio.measure_risk(bars, rules=views), rules=views,
        costs=costs, rebalance=decide, cash_buffer=rebalance.cash_buffer,
    )  # fmt: skip
    plan = portfolio.plan_views(
        bars, book, optimised, rules=rebalance, costs=costs,
        whole_shares=rules.whole_shares or execution == "live",
        lookback_sessions=views.lookback_sessions,
    )  # fmt: skip
    walk = portfolio.walk_views(bars, asked, rules=views, costs=costs, rebalance=decide, seed=seed)
    placed = looked = portfolio.nothing_to_place(account, plan)
    orders = plan.orders
    if plan.trades:
        placed = looked = desk.look(account, bars, orders, limits=limits, book=book)
        if approval:
            orders = live_trade.approve(account, orders, execution=execution)
        if orders.orders and execution != "plan":
            placed = desk.submit(
                account, bars, orders, limits=limits, execution=execution, book=book
            )
    findings = portfolio.ml_portfolio_findings(
        bars, book=book, model=asked, forecasts=forecasts, views=optimised, plan=plan,
        looked=looked, placed=placed, walk=walk, execution=execution, refusal=orders.refusal,
        seed=seed,
        tested=backtest.backtest_targets.map(
            unmapped(bars), walk.targets, costs=unmapped(costs), rules=unmapped(rules),
            capital=capital, seed=seed,
        ).result(),
    )  # fmt: skip
    return monitor.publish(findings)
