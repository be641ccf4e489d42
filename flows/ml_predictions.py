"""Trading on what a model says, and what that would have been worth."""

from typing import Annotated

from pydantic import Field

from flows.ml_training import ml_model_training
from slices.adaptive_portfolio import tasks as portfolio
from slices.backtest import tasks as backtest
from slices.data import tasks as data
from slices.domain.accounts import AccountName, Execution
from slices.domain.bars import Adjustment
from slices.domain.forecasts import DEFAULT_SERVING, ServingLimits
from slices.domain.learning import (
    DEFAULT_MODEL,
    DEFAULT_SPLITS,
    LEARNING_SYMBOLS,
    ModelAlias,
    ModelName,
    SplitSettings,
)
from slices.domain.limits import DEFAULT_LIMITS, RiskLimits
from slices.domain.ml_driven import DEFAULT_DRIVEN_SIZING, DrivenSizing, MlDriven
from slices.domain.model_training import ALL_KINDS, ModelKinds, TuningTrials
from slices.domain.parameters import (
    DEFAULT_COSTS,
    DEFAULT_RULES,
    Capital,
    Costs,
    PortfolioSymbols,
    ReturnAdjustment,
    Seed,
    SessionDate,
    SourceName,
    TradingRules,
)
from slices.domain.prediction_trading import PredictionTrading
from slices.domain.rebalancing import DEFAULT_REBALANCE, RebalanceRules
from slices.live_trade import tasks as live_trade
from slices.market_regime import tasks as market_regime
from slices.ml_strategy import tasks as learning
from slices.monitor import tasks as monitor
from slices.paper_trade import tasks as paper_trade
from slices.runtime.workflow import workflow


@workflow(learning.check_alias, live_trade.check_approval)
def ml_prediction_trading(
    symbols: PortfolioSymbols = LEARNING_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    as_of: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    model: ModelName = DEFAULT_MODEL,
    alias: ModelAlias = "champion",
    serving: ServingLimits = DEFAULT_SERVING,
    most_weight: Annotated[float, Field(gt=0, le=1)] = 0.2,
    account: AccountName = "predictions",
    execution: Execution = "paper",
    approval: bool = False,
    capital: Capital = 100_000.0,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    limits: RiskLimits = DEFAULT_LIMITS,
    rebalance: RebalanceRules = DEFAULT_REBALANCE,
) -> PredictionTrading:
    """What does the model say at this close, and what is bought of it?

    Asks the champion at the close of a session and buys, for the sessions its predictions are
    about, what is expected to earn more than a round trip costs with the confidence asked for;
    from everything else it abstains, and what is not bought is cash. A model that is stale, was
    tampered with, was trained on other features or symbols, or is shown values that are not known,
    is not asked: then nothing is bought or sold. Every prediction is written down with the session
    it can be checked at, and its outcome when that has come. Running it again changes nothing.

    Args:
        symbols: The universe the model was trained on; whatever the account holds is among them.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; features need the history they were trained with.
        as_of: Session to act at; empty takes the last of the bars.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        model: Name in the registry of models.
        alias: Which version; a challenger has not earned real money.
        serving: Beyond which the model is not asked, and how sure it has to be.
        most_weight: Largest share of one symbol in what a session's predictions decide about.
        account: Name of the account; a paper account is opened where there is none, a live one
            needs every switch (`tradeflows live-check`).
        execution: Whether orders are handed in, with play money or, with every switch of
            `tradeflows live-check`, as `live`; `plan` only shows them and writes nothing.
        approval: Whether a person must approve the orders first; the run pauses until then.
        capital: Money at the start of a new account, in account currency.
        costs: What trading costs, the same for the account's whole life.
        rules: What the account may trade, the same for its whole life; live, whole shares only.
        limits: What the risk gate lets through, and losses from which on it lets less through.
        rebalance: Band around each weight, how far to trade, smallest trade, cash buffer.
    """
    desk = live_trade if execution == "live" else paper_trade
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=as_of, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    found = learning.find_model(model, alias)
    features = learning.live_features(bars, found.feature_names)
    history = learning.stand_in(
        found,
        learning.announce_refusal(
            found, learning.predict_latest(found, features, bars, limits=serving, costs=costs)
        ),
        execution=execution,
    )
    book = desk.settle(
        account, bars, as_of=as_of, execution=execution, capital=capital, costs=costs,
        rules=rules, limits=limits,
    )  # fmt: skip
    plan = portfolio.plan_rebalance(
        bars, book, learning.prediction_targets(bars, history, most_weight=most_weight),
        rules=rebalance, costs=costs, whole_shares=rules.whole_shares or execution == "live",
        lookback_sessions=252,
    )  # fmt: skip
    orders = learning.prediction_orders(plan, history)
    kept = learning.keep_predictions(bars, found, history, execution=execution)
    if approval:
        orders = live_trade.approve(account, orders, execution=execution)
    placed = portfolio.nothing_to_place(account, plan)
    if orders.orders:
        placed = desk.submit(account, bars, orders, limits=limits, execution=execution, book=book)
    findings = learning.prediction_trading_findings(
        bars, model=found, history=history, book=book, plan=plan, orders=orders, placed=placed,
        kept=kept, execution=execution, limits=serving,
        check=learning.calibration_check(found, limits=serving, costs=costs),
    )  # fmt: skip
    return monitor.publish(findings)


@workflow()
def ml_driven(
    symbols: PortfolioSymbols = LEARNING_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    model: ModelName = DEFAULT_MODEL,
    serving: ServingLimits = DEFAULT_SERVING,
    sizing: DrivenSizing = DEFAULT_DRIVEN_SIZING,
    capital: Capital = 100_000.0,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    splits: SplitSettings = DEFAULT_SPLITS,
    kinds: ModelKinds = ALL_KINDS,
    trials: TuningTrials = 0,
    seed: Seed = 0,
) -> MlDriven:
    """What does the model say, and does it help?

    Asks the champion about the newest session, and follows it through all sessions that it, or the
    models of its walk-forward, had not seen: the best fifth of its ranking, and only what is worth
    its costs, sized by the volatility that is expected and by the regime of the market. Beside
    that stand the same symbols sized alike without a model, all of them equally, and buying and
    holding them, all net of costs. Where there is no champion, a model is trained first; one that
    is not promoted is shown as the challenger it is.

    Args:
        symbols: The universe the model was trained on.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; features need the history they were trained with.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        model: Name in the registry of models.
        serving: Beyond which the model is not asked, and how sure it has to be.
        sizing: Volatility that is aimed at, what a crisis leaves, and the cap on a symbol.
        capital: Money at the start of every account, in account currency.
        costs: What trading costs.
        rules: What the accounts may trade.
        splits: How sessions are parted where a model is trained first.
        kinds: Kinds of model that are then trained side by side.
        trials: Sets of parameters that are then tried for each kind.
        seed: Of everything drawn at random.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    regime = market_regime.market_regime.submit(bars)
    found = champion = learning.find_champion(model)
    if found is None:
        made = ml_model_training(
            symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment,
            model=model, splits=splits, kinds=kinds, trials=trials, costs=costs, seed=seed,
        )  # fmt: skip
        found = learning.find_trained(model, made.version)
    features = learning.build_features(bars, names=found.feature_names)
    said = learning.predict(found, features, bars, limits=serving, costs=costs)
    plan = learning.driven_plan(
        bars, found, learning.out_of_sample(bars, features, found),
        regime.result().history,
        sizing=sizing, limits=serving, costs=costs,
    )  # fmt: skip
    tested = [
        backtest.backtest_targets(bars, each, costs=costs, rules=rules, capital=capital, seed=seed)
        for each in plan.rules
    ]
    findings = learning.ml_driven_findings(
        bars, model=found, was_trained=champion is None, forecasts=said, regime=regime.result(),
        plan=plan, tested=tested, sheet=backtest.tearsheet_sections(tested[0]), limits=serving,
        check=learning.calibration_check(found, limits=serving, costs=costs),
    )  # fmt: skip
    return monitor.publish(findings)
