"""Everything a champion is asked, and what each answer means."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

from slices.domain.errors import counted
from slices.domain.model_monitoring import CheckState, ModelWatch, MonitorCheck
from slices.domain.numbers import UNDEFINED, signed, written
from slices.domain.report import Unit
from slices.ml_strategy.labels.joining import examples_of
from slices.ml_strategy.monitoring.decay import decay_watch
from slices.ml_strategy.monitoring.drifting import drift_watch
from slices.ml_strategy.monitoring.promises import COIN, calibration_watch
from slices.ml_strategy.monitoring.recorded import compared_predictions
from slices.ml_strategy.monitoring.since import check_same_bars, check_same_inputs, scores_since

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import PredictionRecord
    from slices.domain.learning import FeatureSetRef
    from slices.domain.model_monitoring import (
        CalibrationWatch,
        DecayWatch,
        DriftWatch,
        MonitorLimits,
        RecordedPredictions,
    )
    from slices.domain.models import LoadedModel

WATCH_T, ALARM_T = 1.645, 3.09
"""One look in twenty, and one in a thousand, goes beyond by chance."""

NOTHING_KNOWN = "no outcome since training"
LEAST_SHORTFALL = 0.02
LEAST_SHOWN, MOST_SHOWN = 0.01, 1000.0
WATCHED_AGE = 0.9


def watch_champion(
    bars: DatasetRef,
    features: FeatureSetRef,
    champion: LoadedModel,
    records: tuple[PredictionRecord, ...],
    *,
    limits: MonitorLimits,
) -> ModelWatch:
    """Ask a champion everything.

    Args:
        bars: Its universe, until now, of the source, feed and adjustment it trades on.
        features: Those it was trained on, of these bars.
        champion: The model.
        records: Its predictions in the ledger; others are left out.
        limits: From which on it is no longer taken for what it was.

    Raises:
        ParameterError: Where the symbols are not those it was trained on, or source, feed or
            adjustment of the bars others than it trades on.
        ModelError: Where its features are defined otherwise by now.
    """
    bundle, version = champion.bundle, champion.version
    check_same_inputs(bundle, features)
    check_same_bars(bundle, bars)
    examples = examples_of(bars, features, bundle.label)
    since = scores_since(bundle, examples)
    own = tuple(e for e in records if (e.model, e.version) == (version.name, version.version))
    drift = drift_watch(bundle, examples)
    decay = decay_watch(
        since, bundle.out_of_sample, label=bundle.label, alarm_rate=limits.decay_alarm_rate
    )
    promises = calibration_watch(
        since, bundle.calibration, label=bundle.label, level=limits.interval_level
    )
    recorded = compared_predictions(own, since)
    age = len(examples.sessions) - bisect_right(examples.sessions, bundle.known_until)
    return ModelWatch(
        model=version,
        session=examples.sessions[-1],
        trained_until=bundle.known_until,
        age_sessions=age,
        drift=drift,
        decay=decay,
        calibration=promises,
        recorded=recorded,
        checks=(
            skill_check(decay),
            drift_check(drift),
            age_check(age, limits.most_age_sessions),
            probability_check(promises),
            interval_check(promises),
            recorded_check(recorded),
        ),
    )


def skill_check(decay: DecayWatch) -> MonitorCheck:
    """Judge whether ranks still come true."""
    count = counted(len(decay.sessions), "matured session")
    evidence = float(decay.evidence.max()) if decay.evidence.size else math.nan
    return MonitorCheck(
        name="Skill",
        state=decay.state,
        found=f"IC {_coefficient(decay.mean)}, evidence of none {_to_one(evidence)}"
        if decay.sessions
        else NOTHING_KNOWN,
        allowed=f"evidence below {_to_one(decay.limit)}",
        detail=f"over {count}; validated IC {_coefficient(decay.expected)} ± "
        f"{decay.expected_error:.4f}",
    )


def _coefficient(value: float) -> str:
    return UNDEFINED if math.isnan(value) else signed(f"{value:.4f}")


def _to_one(ratio: float) -> str:
    """Write a ratio of likelihoods.

    >>> _to_one(19.96), _to_one(0.004), _to_one(5e5)
    ('20 to 1', 'below 0.01 to 1', 'above 1,000 to 1')
    """
    if math.isnan(ratio):
        return "unknown"
    if ratio > MOST_SHOWN:
        return f"above {MOST_SHOWN:,.0f} to 1"
    return "below 0.01 to 1" if ratio < LEAST_SHOWN else f"{ratio:.3g} to 1"


def drift_check(drift: DriftWatch) -> MonitorCheck:
    """Judge whether features look as in training."""
    state = CheckState.ALARM if drift.is_alarm else CheckState.OK
    if math.isnan(drift.alone_limit):
        state = CheckState.UNKNOWN
    elif not drift.is_alarm and drift.beyond > drift.beyond_limit / 2:
        state = CheckState.WATCH
    total = len(drift.features)
    return MonitorCheck(
        name="Features",
        state=state,
        found=f"{drift.beyond} of {total} beyond their limit, the farthest {drift.largest:.2f} x",
        allowed=f"{drift.beyond_limit} of {total}, each {drift.alone_limit:.2f} x",
        detail=f"newest {drift.window_sessions} sessions against training",
    )


def age_check(age: int, most: int) -> MonitorCheck:
    """Judge how long ago a model was trained.

    >>> age_check(130, 126).state.value, age_check(20, 126).state.value
    ('alarm', 'ok')
    """
    state = CheckState.WATCH if age > WATCHED_AGE * most else CheckState.OK
    return MonitorCheck(
        name="Age",
        state=CheckState.ALARM if age > most else state,
        found=counted(age, "session"),
        allowed=counted(most, "session"),
        detail="since the last bars it was trained on",
    )


def probability_check(promises: CalibrationWatch) -> MonitorCheck:
    """Judge whether probabilities are worth more than a coin."""
    return MonitorCheck(
        name="Probabilities",
        state=_by_t(promises.brier_t),
        found=f"Brier score {promises.brier_score:.4f}" if promises.sessions else NOTHING_KNOWN,
        allowed=f"not significantly above {COIN}",
        detail=f"{_errors_off(promises.brier_t)}over {counted(promises.sessions, 'session')}; "
        f"validated {promises.validated_brier:.4f}",
    )


def interval_check(promises: CalibrationWatch) -> MonitorCheck:
    """Judge whether intervals hold as many returns as they promise."""
    short = promises.level - promises.coverage
    state = _by_t(short / promises.coverage_error if promises.coverage_error > 0 else math.nan)
    if state in (CheckState.ALARM, CheckState.WATCH) and short < LEAST_SHORTFALL:
        state = CheckState.OK
    return MonitorCheck(
        name="Intervals",
        state=state,
        found=f"{written(promises.coverage, Unit.FRACTION)} of returns within"
        if promises.sessions
        else NOTHING_KNOWN,
        allowed=f"{written(promises.level, Unit.FRACTION)}, less {LEAST_SHORTFALL:.0%} and chance",
        detail=f"over {counted(promises.sessions, 'session')}, standard error "
        f"{written(promises.coverage_error, Unit.FRACTION)}; validated "
        f"{written(promises.validated_coverage, Unit.FRACTION)}",
    )


def _errors_off(t_statistic: float) -> str:
    return "" if math.isnan(t_statistic) else f"{t_statistic:+.1f} standard errors from a coin "


def _by_t(t_statistic: float) -> CheckState:
    if math.isnan(t_statistic):
        return CheckState.UNKNOWN
    if t_statistic > ALARM_T:
        return CheckState.ALARM
    return CheckState.WATCH if t_statistic > WATCH_T else CheckState.OK


def recorded_check(recorded: RecordedPredictions) -> MonitorCheck:
    """Judge whether the ledger has what the model says."""
    state = CheckState.ALARM if recorded.differing else CheckState.OK
    first = f", first {recorded.first_differing}" if recorded.first_differing else ""
    return MonitorCheck(
        name="Recorded predictions",
        state=state if recorded.recorded else CheckState.UNKNOWN,
        found=f"{recorded.differing} of {recorded.recorded} differ{first}"
        if recorded.recorded
        else _nothing_compared(recorded),
        allowed="as the model says now",
        detail=f"{recorded.matured} have an outcome in the books",
    )


def _nothing_compared(recorded: RecordedPredictions) -> str:
    if not recorded.written:
        return "none are in the books"
    if recorded.waiting == recorded.written:
        return f"none is mature yet, {recorded.written:,} are written down"
    return f"none of {recorded.written:,} written down can be made again on these bars"
