"""Which of the candidates is registered, and how many trials that choice was made from."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from slices.ml_strategy.canaries.running import check_canaries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.learning import Canary
    from slices.domain.training import Tuned, Validation


def choose_candidate(validations: Sequence[Validation], tuned: Sequence[Tuned]) -> Validation:
    """Choose the kind whose mean information coefficient is farthest above zero, in its errors.

    One whose figures cannot be believed is chosen only where there is no other; one without a
    statistic, such as always equal, comes last. Among equals the first one asked for is taken.

    Args:
        validations: Of every kind.
        tuned: What was tried for every kind.

    Returns:
        The chosen one, with the trials of all of them: it was chosen from so many.
    """
    best = max(validations, key=_merit)
    return replace(best, trials=trials_of(tuned))


def quiet_canaries(canaries: tuple[Canary, ...]) -> tuple[Canary, ...]:
    """Return the canaries of a training, none of which sings.

    Raises:
        CanaryError: Where one does.
    """
    check_canaries(canaries)
    return canaries


def trials_of(tuned: Sequence[Tuned]) -> int:
    """Count the configurations tried over all kinds."""
    return sum(each.count for each in tuned)


def _merit(validation: Validation) -> tuple[bool, float]:
    found = validation.skill.t_statistic
    return not validation.skill.suspicions, -math.inf if math.isnan(found) else found
