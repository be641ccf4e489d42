"""Checking a calibration where it was not fitted: how often probabilities and intervals hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.forecasts import DEFAULT_SERVING
from slices.domain.models import LoadedModel, ModelRefusal
from slices.domain.parameters import DEFAULT_COSTS
from slices.domain.prediction_trading import CalibrationCheck, CoverageYear, ReliabilityPoint
from slices.ml_strategy.predicting.held_out import SHOWN_LEVELS, HeldOut, held_out

if TYPE_CHECKING:
    from slices.domain.forecasts import ServingLimits
    from slices.domain.learning import LabelSettings, OutOfSampleScores
    from slices.domain.parameters import Costs
    from slices.quant.types import FloatArray

BINS = 10


def calibration_check(
    model: LoadedModel | ModelRefusal,
    *,
    limits: ServingLimits = DEFAULT_SERVING,
    costs: Costs = DEFAULT_COSTS,
) -> CalibrationCheck | None:
    """Judge a model's calibration on its out-of-sample scores; see `held_out`.

    Args:
        model: Whose; None is the answer where there is none.
        limits: With the confidence of the decision and the level of the intervals.
        costs: Of trading; a round trip is what the interval of the decision is compared with.
            Commissions per share are left out, for prices are not at hand.
    """
    if isinstance(model, ModelRefusal):
        return None
    return checked(model.bundle.out_of_sample, model.bundle.label, limits=limits, costs=costs)


def checked(
    scores: OutOfSampleScores, label: LabelSettings, *, limits: ServingLimits, costs: Costs
) -> CalibrationCheck:
    """Judge the calibration of out-of-sample scores."""
    said, level = held_out(scores, label=label), limits.interval_level
    wanted = worth_their_costs(
        said, scores.volatilities, confidence=limits.decision_confidence, costs=2 * costs.rate
    )
    given = np.isfinite(wanted)
    return CalibrationCheck(
        points=reliability(said),
        coverages=tuple((each, said.coverage(each)) for each in sorted({*SHOWN_LEVELS, level})),
        level=level,
        years=tuple(_year(said, each, level) for each in said.years()),
        brier_score=said.brier_score,
        abstaining=float((wanted[given] == 0).mean()) if given.any() else math.nan,
    )


def worth_their_costs(
    said: HeldOut, volatilities: FloatArray, *, confidence: float, costs: float | FloatArray
) -> FloatArray:
    """Mark predictions that a return beyond the costs was to be expected of, long or short.

    Args:
        said: What calibrations said of later sessions.
        volatilities: S x N deviations over the horizon.
        confidence: Probability with which the return exceeds the costs.
        costs: Of a round trip, fractions: one for all, or S x N.

    Returns:
        S x N: 1 for a long position, -1 for a short one, 0 where the model abstains; NaN where
        nothing was said.
    """
    lower = (said.expected + said.bound(1.0 - confidence)[:, None]) * volatilities
    upper = (said.expected + said.bound(confidence)[:, None]) * volatilities
    side = np.where(lower > costs, 1.0, np.where(upper < -costs, -1.0, 0.0))
    return np.where(np.isfinite(lower + upper), side, np.nan)


def reliability(said: HeldOut) -> tuple[ReliabilityPoint, ...]:
    """Set probabilities beside how often they came true, in at most ten equal parts."""
    known = np.isfinite(said.probabilities) & np.isfinite(said.is_above)
    chances, outcomes = said.probabilities[known], said.is_above[known]
    order = np.argsort(chances, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if part.size]
    return tuple(
        ReliabilityPoint(
            predicted=float(chances[part].mean()),
            observed=float(outcomes[part].mean()),
            count=part.size,
        )
        for part in parts
    )


def _year(said: HeldOut, year: int, level: float) -> CoverageYear:
    rows = [each.year == year for each in said.sessions]
    count = int(np.isfinite(said.is_inside(level)[rows]).sum())
    return CoverageYear(year=year, coverage=said.coverage(level, year=year), count=count)
