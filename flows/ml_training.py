"""Training of models: whether returns can be learnt, and by what."""

from prefect import unmapped

from slices.data import tasks as data
from slices.domain.bars import Adjustment
from slices.domain.learning import (
    DEFAULT_LABEL,
    DEFAULT_MODEL,
    DEFAULT_SPLITS,
    LEARNING_SYMBOLS,
    LabelSettings,
    ModelName,
    SplitSettings,
)
from slices.domain.model_training import (
    ALL_KINDS,
    FeatureNames,
    ModelKinds,
    ModelTraining,
    TuningTrials,
)
from slices.domain.parameters import (
    DEFAULT_COSTS,
    Costs,
    PortfolioSymbols,
    ReturnAdjustment,
    Seed,
    SessionDate,
    SourceName,
)
from slices.ml_strategy import tasks as ml
from slices.monitor import tasks as monitor
from slices.runtime.workflow import workflow


@workflow(ml.check_features_known)
def ml_model_training(
    symbols: PortfolioSymbols = LEARNING_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    model: ModelName = DEFAULT_MODEL,
    features: FeatureNames | None = None,
    label: LabelSettings = DEFAULT_LABEL,
    splits: SplitSettings = DEFAULT_SPLITS,
    kinds: ModelKinds = ALL_KINDS,
    trials: TuningTrials = 6,
    costs: Costs = DEFAULT_COSTS,
    seed: Seed = 0,
) -> ModelTraining:
    """Can it be learnt, honestly?

    Trains several kinds of model to rank symbols by the returns that follow, scores them on
    sessions they have not learnt from, and registers the best one as challenger. It becomes
    champion, the one that trades, only where stated tests hold: believable figures, skill beyond
    what the best of all trials shows by luck, skill that is still alive, and more of it than the
    champion has on the same sessions. Not being promoted is a result like any other. A training
    that finds something where there is nothing fails. Combinations of blocks, where asked for, are
    further evidence; nothing is decided by them.

    Args:
        symbols: At least two tickers; they are ranked against each other.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        model: Its name in the registry.
        features: Which features to learn from; empty takes all that these bars can give.
        label: What is predicted, over how many sessions and from which on.
        splits: How sessions are parted into learning and testing.
        kinds: Kinds of model to train side by side.
        trials: Sets of parameters to try for each kind, on sessions before the first that tests.
        costs: What trading costs in the portfolio that tests the scores.
        seed: Of everything drawn at random.
    """
    bars = data.load_bars(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    data.check_sizing_allowed(bars)
    store = ml.open_tracking.submit()
    built = ml.build_features(bars, names=tuple(features) if features else None)
    proof = ml.check_features.submit(bars, built.names, seed=seed)
    tuned = ml.tune.map(
        unmapped(bars), unmapped(built), kind=kinds, label=unmapped(label),
        splits=unmapped(splits), trials=trials, seed=seed,
    )  # fmt: skip
    validated = ml.validate_tuned.map(
        unmapped(bars), unmapped(built), tuned, label=unmapped(label), splits=unmapped(splits),
        costs=unmapped(costs), seed=seed,
    )  # fmt: skip
    chosen = ml.choose_candidate(tuned=tuned.result(), validations=validated.result())
    canaries = ml.run_canaries.submit(
        bars, built, label=label, splits=splits, kind=chosen.kind, parameters=chosen.parameters,
        seed=seed,
    )  # fmt: skip
    bundle = ml.final_bundle(bars, built, chosen, name=model, label=label, splits=splits, seed=seed)
    findings = ml.training_findings(
        bars, built, proof=proof.result(), tuned=tuned.result(), validations=validated.result(),
        canaries=ml.quiet_canaries(canaries.result()), bundle=bundle, splits=splits, costs=costs,
        paths=ml.path_evidence(
            bars, built, chosen, label=label, splits=splits, costs=costs, seed=seed
        ),
    )  # fmt: skip
    store.result()
    tracked = ml.track_training(
        findings, bundle, built, pictures=monitor.drawn(ml.training_pictures(findings))
    )
    promotion = ml.promote(
        bundle, ml.register_training(tracked, bundle), bars=bars, features=built,
        canaries=tracked.evidence.canaries,
    )  # fmt: skip
    return monitor.publish(ml.concluded(tracked, promotion))
