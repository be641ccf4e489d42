"""Learning, watched: whether a champion is still true."""

from typing import Literal

from slices.data import tasks as data
from slices.domain.bars import Adjustment
from slices.domain.learning import DEFAULT_MODEL, LEARNING_SYMBOLS, ModelName
from slices.domain.model_monitoring import (
    DEFAULT_MONITOR_LIMITS,
    ModelMonitoring,
    MonitorLimits,
    OnDead,
)
from slices.domain.models import ModelRefusal
from slices.domain.parameters import PortfolioSymbols, ReturnAdjustment, SessionDate, SourceName
from slices.ml_strategy import tasks as learning
from slices.monitor import tasks as monitor
from slices.runtime.workflow import workflow


@workflow()
def ml_model_monitoring(
    symbols: PortfolioSymbols = LEARNING_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    model: ModelName = DEFAULT_MODEL,
    execution: Literal["paper", "live"] = "paper",
    limits: MonitorLimits = DEFAULT_MONITOR_LIMITS,
    retrain: Literal["event", "never"] = "event",
    on_dead: OnDead = "retire",
) -> ModelMonitoring:
    """Is it still true?

    Asks a champion whether its ranks still come true since its training, by a test that may be
    read every day; whether its features look as in training, by limits that were learnt from
    training itself; whether probabilities and intervals keep what they promise; how old it is; and
    whether the books have what it says. Only outcomes that are known count. What gives alarm is
    announced, and an automation trains anew. A champion whose skill is gone trades no more.

    Args:
        symbols: The universe the champion was trained on.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; features need the history they were trained with.
        end: Session to act at; empty takes the last of the bars.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        model: Name in the registry of models.
        execution: Whose predictions are looked up, those of paper accounts or of live ones.
        limits: Age, drift and decay from which on a champion is not taken for what it was.
        retrain: Whether alarms are announced, so that an automation trains anew, or never.
        on_dead: What becomes of a champion whose skill is gone; it is retired, replaced by the
            champion before, or kept.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    champion = learning.find_model(model)
    if isinstance(champion, ModelRefusal):
        return monitor.publish(learning.unwatched_findings(bars, champion))
    features = learning.build_features(bars, names=champion.bundle.predictor.names)
    records = learning.recorded_predictions(bars, champion, execution=execution)
    watch = learning.watch_champion(bars, features, champion, records, limits=limits)
    action = learning.replace_dead(watch, on_dead=on_dead)
    announced = learning.announce_watch(watch, limits=limits, retrain=retrain)
    findings = learning.model_monitoring_findings(
        bars, watch=watch, action=action, announced=announced, limits=limits
    )
    return monitor.publish(findings)
