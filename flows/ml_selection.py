"""Selection flows: which strategy now."""

from typing import Literal

from prefect import unmapped

from slices.adaptive_portfolio import tasks as portfolio
from slices.backtest import tasks as backtest
from slices.data import tasks as data
from slices.domain.bars import Adjustment
from slices.domain.choices import DEFAULT_SELECTION, SelectionName
from slices.domain.learning import LEARNING_SYMBOLS
from slices.domain.parameters import (
    DEFAULT_COSTS,
    DEFAULT_RULES,
    Capital,
    Costs,
    ReturnAdjustment,
    Seed,
    SessionDate,
    SourceName,
    Symbols,
    TradingRules,
)
from slices.domain.selection_parameters import (
    ALL_STRATEGIES,
    DEFAULT_PERIODS,
    FallbackOption,
    SelectionModel,
    SelectionPeriods,
    SelectionStrategies,
    TuningTrials,
)
from slices.domain.strategy_selection import StrategySelection
from slices.market_regime import tasks as regimes
from slices.ml_strategy import tasks as ml
from slices.monitor import tasks as monitor
from slices.optimize import tasks as optimize
from slices.runtime.workflow import workflow


@workflow(ml.check_selection)
def ml_strategy_selection(
    symbols: Symbols = LEARNING_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    capital: Capital = 100_000.0,
    strategies: SelectionStrategies = ALL_STRATEGIES,
    model: SelectionModel = SelectionModel.LIGHTGBM,
    fallback: FallbackOption = "leader",
    periods: SelectionPeriods = DEFAULT_PERIODS,
    tuning_trials: TuningTrials = 60,
    selection: SelectionName = DEFAULT_SELECTION,
    activate: Literal["paper", "plan"] = "paper",
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    seed: Seed = 0,
) -> StrategySelection:
    """Which strategy now?

    Trades every strategy alone, teaches a classifier which one was best after which regimes and
    recent performance, lets it choose out of sample at the end of every period, and compares the
    account that follows it, switching paid for, with an equal mix, the leader so far and the best
    in hindsight. Where it beats the mix at equal risk its choice for the newest session stands,
    otherwise the fallback does. The choice, with parameters tuned on the past, is stored where
    `paper_trading` with strategy `selected` trades it.

    Args:
        symbols: What every strategy trades.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Session to choose at; empty takes the last there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        capital: Account value in account currency.
        strategies: At least two strategies of the catalogue to choose among.
        model: Which classifier counts; the other one is shown beside it.
        fallback: What is chosen where the model does not beat the equal mix, which no account can
            trade itself; `leader` is the best record so far, `none` stores nothing.
        periods: When is decided, and on how much the classifier is trained.
        tuning_trials: Sets of parameters of the chosen strategy to try; 0 keeps the defaults.
        selection: Name under which the choice is stored, one for each session.
        activate: Whether the choice is stored for paper accounts; `plan` only shows it.
        costs: What trading costs.
        rules: What the account may trade.
        seed: Of the classifier, the bootstrap and the search.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    regime = regimes.market_regime.submit(bars)
    traded = portfolio.strategy_sleeve.map(
        unmapped(bars), strategies, costs=unmapped(costs), rules=unmapped(rules), capital=capital
    )
    examples = ml.selection_examples(bars, traded.result(), regime.result(), periods=periods)
    walked = ml.walk_selection.map(
        unmapped(examples), list(SelectionModel), periods=unmapped(periods), seed=seed
    )
    wanted = ml.selection_targets(
        bars, traded.result(), regime.result(), examples=examples, walked=walked.result(),
        model=model, periods=periods, costs=costs, rules=rules, capital=capital, seed=seed,
    )  # fmt: skip
    tested = backtest.backtest_targets.map(
        unmapped(bars), wanted, costs=unmapped(costs), rules=unmapped(rules), capital=capital,
        seed=seed,
    )  # fmt: skip
    judged = ml.judge_selection(
        examples, walked.result(), traded.result(), tested.result(), model=model,
        fallback=fallback, seed=seed,
    )  # fmt: skip
    trials = [
        optimize.search(bars, each)
        for each in optimize.plan_search.map(
            unmapped(bars), strategy=ml.tunable(judged, trials=tuning_trials),
            trials=tuning_trials, costs=unmapped(costs), capital=capital, seed=seed,
        ).result()
    ]  # fmt: skip
    decided = ml.settle_choice(
        bars, judged, surfaces=optimize.search_surface.map(trials).result(),
        luck=optimize.overfitting_evidence.map(
            unmapped(bars), trials, validation=trials
        ).result(),
    )  # fmt: skip
    tracked = ml.track_selection(bars, judged, decided, periods=periods, seed=seed)
    activated = ml.activate_choice(
        bars, judged, decided, selection=selection, activate=activate, periods=periods,
        run_id=tracked,
    )  # fmt: skip
    findings = ml.selection_findings(
        bars, judged, decided, activated, tested=tested.result()[0], run_id=tracked
    )
    return monitor.publish(findings)
