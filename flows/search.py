"""Search flows: parameters, and whether they are luck."""

from prefect import unmapped

from slices.backtest import tasks as backtest
from slices.data import tasks as data
from slices.domain.bars import Adjustment
from slices.domain.parameters import (
    DEFAULT_COSTS,
    Capital,
    Costs,
    ReturnAdjustment,
    Seed,
    SessionDate,
    SourceName,
    Symbols,
)
from slices.domain.strategies import StrategyName
from slices.domain.studies import (
    DEFAULT_STUDY_SYMBOLS,
    DEFAULT_WINDOWS,
    FixedParameters,
    Optimization,
    ParameterRanges,
    SearchMethod,
    TrialCount,
    ValidationWindows,
)
from slices.monitor import tasks as monitor
from slices.optimize import tasks as optimize
from slices.runtime.workflow import workflow


@workflow(optimize.check_search)
def optimization(
    symbols: Symbols = DEFAULT_STUDY_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    capital: Capital = 100_000.0,
    strategy: StrategyName = StrategyName.SMA_CROSS,
    method: SearchMethod = SearchMethod.GRID,
    trials: TrialCount = 1_000,
    fixed: FixedParameters | None = None,
    ranges: ParameterRanges | None = None,
    windows: ValidationWindows = DEFAULT_WINDOWS,
    costs: Costs = DEFAULT_COSTS,
    seed: Seed = 0,
) -> Optimization:
    """Which parameters, and is it luck?

    Tries many sets of parameters of one strategy, looks for a plateau rather than a peak, and
    judges the choice: walk-forward out of sample, by combinatorial purged cross-validation, by the
    probability of overfitting and by a Sharpe ratio deflated for every trial made. An interrupted
    study goes on where it stopped.

    Args:
        symbols: At least one ticker; each is traded in a sleeve of its own.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        capital: Account value in account currency.
        strategy: Which rule's parameters to search.
        method: How trials are chosen; `grid` covers the space evenly, `tpe` learns from trial to
            trial and takes 1,000 at most.
        trials: How many sets of parameters to try at most.
        fixed: Parameters to set and not to vary, such as short=true.
        ranges: Narrower ranges to search, such as slow=20:200.
        windows: Sessions parameters are chosen on and traded after, in the walk-forward.
        costs: What trading costs.
        seed: Of random points and of everything resampled.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    store = optimize.open_tracking.submit()
    plan = optimize.plan_search(
        bars, strategy=strategy, method=method, trials=trials, fixed=fixed, ranges=ranges,
        windows=windows, costs=costs, capital=capital, seed=seed,
    )  # fmt: skip
    made = optimize.search(bars, plan)
    surface = optimize.search_surface.submit(made)
    validation = optimize.validation(bars, plan, made)
    folds = optimize.walk.submit(bars, validation, windows=windows)
    combinatorial = optimize.combinatorial_evidence.submit(validation)
    overfitting = optimize.overfitting_evidence.submit(bars, made, validation=validation)
    rules = optimize.candidates(
        bars, made, validation=validation, folds=folds.result(), surface=surface.result()
    )
    backtests = backtest.backtest_targets.map(
        unmapped(bars), rules, costs=unmapped(costs), capital=capital, seed=seed
    )
    study = optimize.optimization_findings(
        bars,
        trials=made,
        validation=validation,
        surface=surface.result(),
        folds=folds.result(),
        combinatorial=combinatorial.result(),
        overfitting=overfitting.result(),
        backtests=backtests.result(),
    )
    store.result()
    return monitor.publish(optimize.track_study(study, made))
