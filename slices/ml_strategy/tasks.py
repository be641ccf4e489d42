"""The learning work flows can order."""

from typing import Literal

from slices.domain.alerts import Level, PredictionRefused
from slices.domain.dataset import DatasetRef
from slices.domain.forecasts import Forecasts
from slices.domain.learning import FeatureSetRef, LabelSettings, SplitSettings
from slices.domain.model_monitoring import ModelWatch, MonitorLimits
from slices.domain.models import LoadedModel, ModelRefusal
from slices.domain.parameters import Costs
from slices.domain.training import PathEvidence, Validation
from slices.ml_strategy import observing
from slices.ml_strategy.bundles import final
from slices.ml_strategy.canaries import running
from slices.ml_strategy.features import building, catalogue, evidence, findings, grouping, selecting
from slices.ml_strategy.leaks import features as leaks
from slices.ml_strategy.monitoring import acting, recorded, watching
from slices.ml_strategy.monitoring import findings as monitoring_findings
from slices.ml_strategy.predicting import (
    checking,
    driven_findings,
    driving,
    followed,
    ordering,
    recording,
    serving,
    standing,
    weighing,
)
from slices.ml_strategy.predicting import findings as prediction_findings
from slices.ml_strategy.registry import changing, loading
from slices.ml_strategy.selecting import activating, deciding, examples, judging, rules, walking
from slices.ml_strategy.selecting import findings as selection
from slices.ml_strategy.selecting import tracked as selection_tracked
from slices.ml_strategy.training import charts, choosing, promoting, tracked
from slices.ml_strategy.training import findings as training
from slices.ml_strategy.tuning import searching
from slices.ml_strategy.validation import paths, validating
from slices.runtime.events import emit
from slices.runtime.kinds import act, compute, train

build_features = compute(building.build_features)
technical_features = compute(grouping.technical_features)
market_features = compute(grouping.market_features)
interaction_features = compute(grouping.interaction_features)
feature_names = findings.feature_names
feature_evidence = compute(evidence.feature_evidence)
select_features = compute(selecting.select_features)
feature_findings = compute(findings.feature_findings)
check_features = compute(leaks.check_features)
check_features_known = catalogue.check_features_known
run_canaries = train(running.run_canaries)
check_canaries = running.check_canaries

tune = train(searching.tune)
validate = train(validating.validate)
validate_tuned = train(validating.validate_tuned)
walk_paths = train(paths.walk_paths)
final_bundle = train(final.final_bundle)


def path_evidence(
    bars: DatasetRef,
    features: FeatureSetRef,
    chosen: Validation,
    *,
    label: LabelSettings,
    splits: SplitSettings,
    costs: Costs,
    seed: int,
) -> PathEvidence | None:
    """Test the chosen kind of model by combinations of blocks, where that was asked for."""
    if splits.combinatorial_blocks is None:
        return None
    return walk_paths(bars, features, chosen, label=label, splits=splits, costs=costs, seed=seed)


quiet_canaries = choosing.quiet_canaries
choose_candidate = compute(choosing.choose_candidate)
training_findings = compute(training.training_findings)
training_pictures = charts.pictures
open_tracking = act(tracked.open_tracking)
track_training = act(tracked.track_training)
register_training = act(tracked.register_training)
promote = act(promoting.promote)
concluded = training.concluded

load_model = act(loading.load_model)
find_model = act(loading.find_model)
rollback = act(changing.rollback)
retire = act(changing.retire)

model_facts = observing.model_facts
recorded_predictions = act(recorded.recorded_predictions)
watch_champion = compute(watching.watch_champion)
replace_dead = act(acting.replace_dead)
unwatched_findings = compute(monitoring_findings.unwatched_findings)
model_monitoring_findings = compute(monitoring_findings.model_monitoring_findings)


check_selection = selection.check_selection
selection_examples = compute(examples.selection_examples)
walk_selection = train(walking.walk_selection)
selection_targets = compute(rules.selection_targets)
judge_selection = compute(judging.judge_selection)
tunable = deciding.tunable
settle_choice = compute(deciding.settle_choice)
track_selection = act(selection_tracked.track_selection)
activate_choice = act(activating.activate_choice)
selection_findings = compute(selection.selection_findings)


def announce_watch(
    watch: ModelWatch, *, limits: MonitorLimits, retrain: Literal["event", "never"]
) -> tuple[str, ...]:
    """Keep what was seen, and send an event for every reason to train anew, once for each session.

    Returns:
        Names of those that were sent now.
    """
    observing.keep_look(watch.model, watch.drift)
    if retrain == "never":
        return ()
    due = acting.events_of(watch, limits=limits)
    return tuple(each.name for each in due if acting.announce_once(watch, each))


live_features = compute(serving.live_features)
predict = compute(serving.predict)
predict_many = compute(serving.predict_many)
predict_latest = compute(serving.predict_latest)
calibration_check = compute(checking.calibration_check)
prediction_targets = weighing.prediction_targets
prediction_orders = ordering.prediction_orders
check_alias = ordering.check_alias
stand_in = act(standing.stand_in)
keep_predictions = act(recording.keep_predictions)
record_predictions = act(recording.record_predictions)
mature_predictions = act(recording.mature_predictions)
find_champion = act(followed.find_champion)
find_trained = act(followed.find_trained)
out_of_sample = compute(driving.out_of_sample)
driven_plan = compute(driving.driven_plan)
ml_driven_findings = compute(driven_findings.ml_driven_findings)
prediction_trading_findings = compute(prediction_findings.prediction_trading_findings)


def announce_refusal(
    model: LoadedModel | ModelRefusal, history: tuple[Forecasts, ...]
) -> tuple[Forecasts, ...]:
    """Send an event where a model was not asked at the newest session, and return what was said."""
    newest = history[-1]
    if newest.refusals:
        named = model.model if isinstance(model, ModelRefusal) else model.version.name
        emit(
            PredictionRefused(
                subject=named,
                level=Level.ERROR,
                message=f"{named} at {newest.session}: {'; '.join(newest.refusals)}",
                session=str(newest.session),
            )
        )
    return history
