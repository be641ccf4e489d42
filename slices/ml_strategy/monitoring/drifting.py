"""Drift of features, now and in every window since training."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.model_monitoring import DriftWatch, FeatureDrift
from slices.ml_strategy.monitoring.drift import window_drift

if TYPE_CHECKING:
    from slices.domain.models import ModelBundle
    from slices.ml_strategy.examples import Examples
    from slices.ml_strategy.monitoring.drift import WindowDrift
    from slices.quant.types import IntArray

STEP_SESSIONS = 21


def drift_watch(bundle: ModelBundle, examples: Examples) -> DriftWatch:
    """Compare the newest window with training, and those that ended since, one a month.

    Args:
        bundle: The model.
        examples: Of its features; the newest window may reach back into training.
    """
    reference, sessions = bundle.drift, examples.sessions
    trained = bisect_right(sessions, bundle.known_until)
    ends = window_ends(trained, len(sessions))
    windows = [
        window_drift(
            reference,
            examples.features[
                examples.rows_at(np.arange(max(0, end + 1 - reference.window_sessions), end + 1))
            ],
            examples.names,
        )
        for end in ends
    ]
    newest = windows[-1]
    return DriftWatch(
        session=sessions[-1],
        window_sessions=reference.window_sessions,
        features=_features(bundle, newest),
        beyond=newest.beyond,
        beyond_limit=reference.psi_count_limit,
        largest=float(np.fmax.reduce(newest.multiples, initial=0.0)),
        alone_limit=reference.alone_limit,
        is_alarm=newest.is_alarm,
        alarm_rate=reference.alarm_rate,
        ends=tuple(sessions[end] for end in ends),
        beyond_history=tuple(each.beyond for each in windows),
        alarms=tuple(each.is_alarm for each in windows),
    )


def window_ends(trained: int, sessions: int) -> IntArray:
    """Return the last positions of windows: the newest, and every 21st before it since training.

    >>> window_ends(900, 950).tolist(), window_ends(950, 950).tolist()
    ([907, 928, 949], [949])
    """
    ends = np.arange(sessions - 1, min(trained, sessions - 1) - 1, -STEP_SESSIONS)
    return ends[::-1]


def _features(bundle: ModelBundle, newest: WindowDrift) -> tuple[FeatureDrift, ...]:
    """List features of a window, farthest first and those that cannot be judged last."""
    reference = bundle.drift
    listed = [
        FeatureDrift(
            name=name,
            psi=float(newest.psi[place]),
            psi_limit=float(reference.psi_limits[place]),
            ks=float(newest.ks[place]),
            ks_limit=float(reference.ks_limits[place]),
            shift=float(newest.shift[place]),
            multiple=float(newest.multiples[place]),
            measure=newest.measures[place],
            unknown_share=float(newest.unknown[place]),
            trained_unknown_share=float(reference.shares[place, -1]),
        )
        for place, name in enumerate(newest.names)
    ]
    return tuple(
        sorted(listed, key=lambda each: (-np.nan_to_num(each.multiple, nan=-1.0), each.name))
    )
