"""Changes of who trades, and the events that tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.alerts import ChampionChanged, Level
from slices.runtime import events, registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from slices.domain.models import ModelVersion


def rollback(
    name: str, reason: str, *, announce: Callable[[ChampionChanged], object] = events.emit
) -> ModelVersion:
    """Let the champion before trade again, in one step.

    Args:
        name: Of the model.
        reason: Why, in words.
        announce: Who is told.

    Returns:
        Who trades now.

    Raises:
        ModelError: There is none to go back to.
    """
    with registry.changing(name):
        before = registry.version_by_alias(name, "champion")
        restored = registry.rollback(name, reason)
    announce(changed(name, before, restored, f"rolled back to {restored}: {reason}"))
    return restored


def retire(
    name: str, reason: str, *, announce: Callable[[ChampionChanged], object] = events.emit
) -> ModelVersion:
    """Let the champion trade no more, and nobody in its place.

    Args:
        name: Of the model.
        reason: Why, in words.
        announce: Who is told.

    Returns:
        The version that was retired.

    Raises:
        ModelNotFoundError: There is no champion.
    """
    retired = registry.retire(name, reason)
    announce(changed(name, retired, None, f"{retired} was retired: {reason}"))
    return retired


def changed(
    name: str, before: ModelVersion | None, after: ModelVersion | None, message: str
) -> ChampionChanged:
    """Describe a change of champion; version 0 stands for nobody."""
    return ChampionChanged(
        subject=name,
        level=Level.WARNING if after is None else Level.INFO,
        message=message,
        version=after.version if after else 0,
        before=before.version if before else 0,
    )
