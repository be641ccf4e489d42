"""Who trades: stated tests decide, and not being promoted is a result like any other.

A trained version becomes champion where all of these hold:

1. It can be believed: no figure is SUSPECT, and no canary sings.
2. It is better than weighing all symbols equally: the one-sided t-statistic of its mean information
   coefficient (IC) over at least 250 out-of-sample sessions, with Newey-West errors, is one that
   the best of all trials made would exceed by luck once in twenty only.
3. It pays: the long-short portfolio of its scores has a Sharpe ratio above zero after costs.
4. It is alive: the IC of the newest 504 sessions is above zero and not significantly below that of
   all before.
5. It fits what it would trade on: its bars are young enough, and the newest features do not stray
   from those of training beyond the calibrated limits.
6. It is better than the champion, if there is one: on the same sessions and symbols the paired
   difference of ICs has a one-sided t-statistic of at least 1.645. The champion's scores are those
   of its own validation and what it says of sessions after its training. A champion that is too old
   to trade needs to be no better, at the same level; one that was trained on later bars, or trades
   on bars of another kind, is never replaced.

A champion whose own skill is gone since its training, by the test that monitoring uses, is retired
even where nobody takes its place.

A verdict stands: the same training is not judged twice, except that a challenger which only the
champion kept from trading is judged anew once nobody trades.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.errors import IntegrityError, ParameterError, listed
from slices.domain.learning_errors import ModelError
from slices.domain.model_monitoring import DEFAULT_MONITOR_LIMITS, MonitorLimits
from slices.domain.models import LoadedModel, ModelRefusal, Promotion, PromotionTest
from slices.ml_strategy.examples import Examples
from slices.ml_strategy.labels.joining import examples_of
from slices.ml_strategy.monitoring.decay import decay_watch
from slices.ml_strategy.monitoring.drifting import drift_watch
from slices.ml_strategy.monitoring.since import check_same_inputs, scores_since
from slices.ml_strategy.registry.changing import changed
from slices.ml_strategy.registry.loading import load_version
from slices.ml_strategy.training import conditions
from slices.ml_strategy.training.comparing import champion_scores
from slices.runtime import events, registry
from slices.runtime.codec import decode, encode

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import Canary, FeatureSetRef
    from slices.domain.models import ModelBundle, ModelVersion

JUDGED = "promotion"


@dataclass(frozen=True, kw_only=True, eq=False)
class Rival:
    """The champion a trained version has to beat.

    Attributes:
        examples: Of its features until now; None where it cannot be asked any more.
        is_gone: Whether its skill is gone since its training.
    """

    model: LoadedModel
    examples: Examples | None
    is_gone: bool


def promote(
    bundle: ModelBundle,
    version: ModelVersion,
    *,
    bars: DatasetRef,
    features: FeatureSetRef,
    canaries: tuple[Canary, ...],
    limits: MonitorLimits = DEFAULT_MONITOR_LIMITS,
) -> Promotion:
    """Make a trained version the champion where all tests of this module hold.

    Args:
        bundle: What was trained.
        version: As which it is registered.
        bars: The newest bars of its symbols.
        features: Built from these bars.
        canaries: Of its training.
        limits: When a champion is too old, or its skill gone.

    Returns:
        What became of it; a version whose verdict stands is left as it is.
    """
    name = version.name
    with registry.changing(name):
        before = registry.version_by_alias(name, "champion")
        judged = dict(registry.said_of(version)).get(JUDGED)
        if judged is not None and _stands(version, before, judged):
            return _known(version, before, judged)
        examples = examples_of(bars, features, bundle.label)
        is_rival = before and not before.retired and before.version != version.version
        others = before if is_rival else None
        rival = rival_of(others, bundle, features=features, examples=examples, limits=limits)
        tests = promotion_tests(bundle, rival, examples=examples, canaries=canaries, limits=limits)
        made = _decided(version, others, rival, tests)
        registry.describe(made.version, described(made))
        registry.say(version, JUDGED, encode((made.reason, made.tests)).decode("ascii"))
    if made.outcome == "promoted" or made.retired:
        events.emit(changed(name, others, made.champion, made.reason))
    return made


def promotion_tests(
    bundle: ModelBundle,
    rival: Rival | ModelRefusal | None,
    *,
    examples: Examples,
    canaries: tuple[Canary, ...],
    limits: MonitorLimits,
) -> tuple[PromotionTest, ...]:
    """Put a trained model to every test, in order.

    Args:
        bundle: What was trained.
        rival: The champion; why it cannot be compared with; or None.
        examples: Of its features, until now.
        canaries: Of its training.
        limits: When a model is too old.
    """
    return (
        conditions.believable(bundle),
        conditions.canaries_quiet(canaries),
        conditions.enough_sessions(bundle),
        conditions.better_than_equal(bundle),
        conditions.pays_its_costs(bundle),
        *conditions.alive_lately(bundle),
        conditions.fresh(bundle, examples.sessions, most_age=limits.most_age_sessions),
        conditions.looks_as_trained(drift_watch(bundle, examples)),
        _against(bundle, rival, examples, limits),
    )


def rival_of(
    before: ModelVersion | None,
    bundle: ModelBundle,
    *,
    features: FeatureSetRef,
    examples: Examples,
    limits: MonitorLimits,
) -> Rival | ModelRefusal | None:
    """Load the champion and ask it about the sessions since its training.

    Returns:
        None where there is none; a refusal where its files are not those that were registered,
        or it predicts something else, so that nothing can be compared, or it trades on bars of
        another kind, on which this one would be refused.
    """
    if before is None:
        return None
    try:
        model = load_version(before)
    except (ModelError, IntegrityError) as refused:
        way_out = f"`tradeflows models retire {before.name}` lets another one trade"
        return ModelRefusal(model=before.name, reason=f"{refused}; {way_out}")
    if model.bundle.label != bundle.label:
        reason = f"the champion predicts {model.bundle.label}, this one {bundle.label}"
        return ModelRefusal(model=before.name, reason=f"{reason}; name another model")
    theirs, ours = (_bars_of(each) for each in (model.bundle, bundle))
    if theirs != ours:
        reason = f"the champion trades on {theirs}, this one was trained on {ours}"
        return ModelRefusal(
            model=before.name, reason=f"{reason}; name another model, or retire the champion"
        )
    try:
        check_same_inputs(model.bundle, features)
    except (ParameterError, ModelError):
        return Rival(model=model, examples=None, is_gone=False)
    since = scores_since(model.bundle, examples)
    decay = decay_watch(
        since,
        model.bundle.out_of_sample,
        label=bundle.label,
        alarm_rate=limits.decay_alarm_rate,
    )
    return Rival(model=model, examples=examples, is_gone=decay.is_gone)


def _bars_of(bundle: ModelBundle) -> str:
    names = listed(tuple(sorted(bundle.symbols)))
    return f"{bundle.adjustment} prices of {bundle.source}/{bundle.feed}, {names}"


def described(promotion: Promotion) -> str:
    """Write what became of a version, and every test, as Markdown."""
    rows = [
        f"| {each.name} | {_number(each.found)} | {_number(each.needed)} | "
        f"{'yes' if each.is_passed else '**no**'} | {each.detail} |"
        for each in promotion.tests
    ]
    head = ["| Test | Found | Needed | Passed | |", "| :-- | --: | --: | :-- | :-- |"]
    return "\n".join([f"{promotion.reason}", "", *head, *rows])


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "none"


def _against(
    bundle: ModelBundle,
    rival: Rival | ModelRefusal | None,
    examples: Examples,
    limits: MonitorLimits,
) -> PromotionTest:
    if rival is None:
        return conditions.no_champion("nobody trades yet")
    if isinstance(rival, ModelRefusal):
        return conditions.incomparable(rival.reason)
    if rival.is_gone:
        return conditions.no_champion(f"{rival.model.version} is retired: its skill is gone")
    theirs, ours = rival.model.bundle.known_until, bundle.known_until
    if ours < theirs:
        reason = f"it was trained on bars until {ours}, {rival.model.version} until {theirs}"
        return conditions.incomparable(reason)
    age = conditions.age_of(rival.model.bundle, examples.sessions)
    return conditions.better_than_champion(
        bundle,
        champion_scores(rival.model, rival.examples),
        name=str(rival.model.version),
        is_old=age > limits.most_age_sessions,
    )


def _decided(
    version: ModelVersion,
    before: ModelVersion | None,
    rival: Rival | ModelRefusal | None,
    tests: tuple[PromotionTest, ...],
) -> Promotion:
    """Change who trades as the tests say, and tell it in a sentence."""
    failed = tuple(each.name for each in tests if not each.is_passed)
    is_gone = isinstance(rival, Rival) and rival.is_gone
    gone = f"{before} is retired, for its skill is gone since its training" if is_gone else ""
    champion = before
    if is_gone:
        registry.retire(version.name, gone)
        champion = None
    reason = f"{version} is not promoted; it failed: {listed(tuple(map(str.lower, failed)))}"
    if not failed:
        reason = f"{version} is promoted: it passed {len(tests)} of {len(tests)} tests"
        champion = registry.set_champion(version.name, version.version, reason)
    return Promotion(
        outcome="challenger" if failed else "promoted",
        version=version if failed or champion is None else champion,
        champion=champion,
        before=before,
        retired=is_gone,
        tests=tests,
        reason=f"{reason}; {gone}" if gone else reason,
    )


def _stands(version: ModelVersion, champion: ModelVersion | None, judged: str) -> bool:
    """Tell whether a verdict is still the last word on a version."""
    _, tests = decode(judged.encode("ascii"))
    failed = [each.name for each in tests if not each.is_passed]
    return champion is not None or bool(version.retired) or failed != [conditions.AGAINST]


def _known(version: ModelVersion, champion: ModelVersion | None, judged: str) -> Promotion:
    reason, tests = decode(judged.encode("ascii"))
    if version.retired:
        way_on = "newer bars or another name make one that can be judged"
        reason = f"{version} is retired ({version.retired}); {way_on}"
    return Promotion(
        outcome="known",
        version=version,
        champion=champion,
        before=champion,
        retired=False,
        tests=tests,
        reason=f"trained before: {reason}",
    )
