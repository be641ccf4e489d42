"""What becomes of a champion whose skill is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.alerts import FeatureDrifted, Level, ModelAged, SkillDecayed
from slices.domain.fingerprint import fingerprint
from slices.domain.learning_errors import ModelError
from slices.domain.model_monitoring import ChampionAction, CheckState
from slices.ml_strategy.registry.changing import changed
from slices.runtime import events, registry
from slices.runtime.atomic import write_whole
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.alerts import ChampionChanged, Event
    from slices.domain.model_monitoring import ModelWatch, MonitorLimits, OnDead


def replace_dead(
    watch: ModelWatch,
    *,
    on_dead: OnDead,
    announce: Callable[[ChampionChanged], object] = events.emit,
) -> ChampionAction:
    """Take the right to trade from a champion whose skill is gone, in one step.

    Args:
        watch: What was asked of it.
        on_dead: Whether nobody trades in its place, or the champion before does, where there is
            one that was not retired; `keep` changes nothing.
        announce: Who is told of a change.
    """
    found, name = watch.decay, watch.model.name
    if not found.is_gone or on_dead == "keep":
        still = "its skill is gone and it stays by request" if found.is_gone else "it stays"
        return ChampionAction(outcome="kept", champion=watch.model, reason=still)
    reason = (
        f"its skill is gone: IC {found.mean:.4f} over {len(found.sessions)} sessions until "
        f"{watch.session}, validated {found.expected:.4f}"
    )
    with registry.changing(name):
        current = registry.version_by_alias(name, "champion")
        if current is None or current.version != watch.model.version:
            other = "it was the champion no longer"
            return ChampionAction(outcome="kept", champion=current, reason=other)
        registry.retire(name, reason)
        action = _succeeded(name, reason, is_wanted=on_dead == "rollback")
    announce(changed(name, current, action.champion, f"{current} was {action.outcome}: {reason}"))
    return action


def _succeeded(name: str, reason: str, *, is_wanted: bool) -> ChampionAction:
    """Let the champion before trade again, where that is wanted and there is one."""
    if not is_wanted:
        return ChampionAction(outcome="retired", champion=None, reason=reason)
    try:
        before = registry.rollback(name, reason)
    except ModelError as refused:
        why = f"{reason}; {refused.problem}"
        return ChampionAction(outcome="retired", champion=None, reason=why)
    return ChampionAction(outcome="rolled back", champion=before, reason=reason)


def events_of(watch: ModelWatch, *, limits: MonitorLimits) -> tuple[Event, ...]:
    """List what whoever listens must know of a champion, the reasons to train anew."""
    due: list[Event] = []
    if watch.decay.state is CheckState.ALARM:
        due.append(_decayed(watch))
    if watch.drift.is_alarm:
        due.append(_drifted(watch))
    if watch.age_sessions > limits.most_age_sessions:
        due.append(_aged(watch, limits))
    return tuple(due)


def _decayed(watch: ModelWatch) -> SkillDecayed:
    found = watch.decay
    return SkillDecayed(
        subject=watch.model.name,
        level=Level.ERROR,
        message=f"{watch.model}: IC {found.mean:.4f} over {len(found.sessions)} sessions, "
        f"validated {found.expected:.4f}",
        information_coefficient=found.mean,
        expected=found.expected,
        session=str(watch.session),
    )


def _drifted(watch: ModelWatch) -> FeatureDrifted:
    worst = watch.drift.features[0]
    return FeatureDrifted(
        subject=watch.model.name,
        level=Level.WARNING,
        message=f"{watch.model}: {watch.drift.beyond} features beyond their limit, farthest "
        f"{worst.name} at {worst.multiple:.2f} times its own",
        features=watch.drift.beyond,
        worst=worst.name,
        session=str(watch.session),
    )


def _aged(watch: ModelWatch, limits: MonitorLimits) -> ModelAged:
    return ModelAged(
        subject=watch.model.name,
        level=Level.WARNING,
        message=f"{watch.model}: trained {watch.age_sessions} sessions ago, allowed "
        f"{limits.most_age_sessions}",
        age_sessions=watch.age_sessions,
        allowed_sessions=limits.most_age_sessions,
    )


def announce_once(
    watch: ModelWatch, event: Event, *, announce: Callable[[Event], object] = events.emit
) -> bool:
    """Send an event, unless this was announced of this version at this session before.

    A file stands for the announcement. It is written after the event was sent, so that a crash
    between lets the event be sent twice rather than never.

    Args:
        watch: What was asked of the champion.
        event: What must be known of it.
        announce: Who is told.

    Returns:
        Whether it was sent now.
    """
    name = fingerprint(event.name, str(watch.model), str(watch.session))
    file = load_settings().ledger_folder / "announced" / name
    if file.exists():
        return False
    announce(event)
    write_whole(file, b"")
    return True
