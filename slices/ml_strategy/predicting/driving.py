"""Following a model through sessions it had not seen, and the same without it.

Scores are those of the walk-forward in training, each by a model that was fitted on earlier
sessions alone, and after the training those of the model itself. A weight at a close stands on
scores, regime and volatility known then, and fills at the next session.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.backtests import TargetWeights
from slices.domain.errors import InsufficientHistoryError
from slices.domain.forecasts import DEFAULT_SERVING
from slices.domain.learning import OutOfSampleScores
from slices.domain.ml_driven import DEFAULT_DRIVEN_SIZING, DrivenPlan
from slices.domain.parameters import DEFAULT_COSTS
from slices.domain.regimes import REGIMES, UNKNOWN, Regime
from slices.domain.verdicts import LookAheadProbe
from slices.ml_strategy.labels.joining import examples_of
from slices.ml_strategy.labels.ranks import forward_returns, session_ranks
from slices.ml_strategy.labels.volatility import horizon_volatility
from slices.ml_strategy.monitoring.since import check_same_inputs, scores_since
from slices.ml_strategy.predicting.checking import worth_their_costs
from slices.ml_strategy.predicting.held_out import held_out
from slices.ml_strategy.predicting.scaling import round_trips
from slices.quant.panel import Panel, read_panel
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import ServingLimits
    from slices.domain.learning import FeatureSetRef
    from slices.domain.ml_driven import DrivenSizing
    from slices.domain.models import LoadedModel, ModelBundle
    from slices.domain.parameters import Costs
    from slices.domain.regimes import RegimeHistory
    from slices.quant.types import IntArray

LEG_SHARE = 5
FEWEST_SESSIONS = 64
NOT_PROBED = LookAheadProbe(cuts=())
"""Scores of models that are gone cannot be made again on a changed future."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Course:
    """S sessions of scores, and how much of the account was to be invested at each."""

    panel: Panel
    scores: OutOfSampleScores
    size: FloatArray
    trials: int


def out_of_sample(
    bars: DatasetRef, features: FeatureSetRef, model: LoadedModel
) -> OutOfSampleScores:
    """Put together what was said at every session by somebody who had not seen it.

    Args:
        bars: Of the universe of the model.
        features: Of the bars, as the model is asked with.
        model: With the scores of its walk-forward.

    Returns:
        Scores of the sessions and symbols of these bars, with outcomes worked out from them.

    Raises:
        ParameterError: Where the universe is another one.
        ModelError: Where features are defined otherwise.
        InsufficientHistoryError: Where fewer than 64 sessions are left.
    """
    bundle, panel = model.bundle, read_panel(bars)
    check_same_inputs(bundle, features)
    stored = bundle.out_of_sample
    later = scores_since(bundle, examples_of(bars, features, bundle.label))
    spread = _spread(stored, panel) | _spread(later, panel)
    if len(spread) < FEWEST_SESSIONS:
        raise InsufficientHistoryError(
            symbol="out-of-sample scores", needed=FEWEST_SESSIONS, found=len(spread)
        )
    rows = np.array(sorted(spread), dtype=np.int64)
    returns = forward_returns(panel.close, bundle.label)[rows]
    usual = horizon_volatility(panel.close, horizon=bundle.label.horizon_sessions)
    return OutOfSampleScores(
        kind=stored.kind,
        symbols=panel.symbols,
        sessions=tuple(panel.sessions[row] for row in rows),
        scores=np.array([spread[row] for row in rows.tolist()]),
        labels=session_ranks(returns),
        forward_returns=returns,
        volatilities=usual[rows],
        folds=np.zeros(rows.size, dtype=np.int64),
    )


def _spread(scores: OutOfSampleScores, panel: Panel) -> dict[int, FloatArray]:
    """Return scores by row of the panel, in the order of its symbols."""
    row = {each: place for place, each in enumerate(panel.sessions)}
    order = [scores.symbols.index(each) for each in panel.symbols]
    return {
        row[session]: scores.scores[place, order]
        for place, session in enumerate(scores.sessions)
        if session in row
    }


def driven_plan(
    bars: DatasetRef,
    model: LoadedModel,
    scores: OutOfSampleScores,
    regime: RegimeHistory,
    *,
    sizing: DrivenSizing = DEFAULT_DRIVEN_SIZING,
    limits: ServingLimits = DEFAULT_SERVING,
    costs: Costs = DEFAULT_COSTS,
) -> DrivenPlan:
    """Decide at every session what following the model means, and what not following it does.

    Args:
        bars: The universe.
        model: Whose scores.
        scores: Out of sample; see `out_of_sample`.
        regime: Of the market of these bars, as known at each close.
        sizing: How much of the account follows.
        limits: With the confidence of the decision.
        costs: Of trading; a round trip is what intervals are compared with.
    """
    size = sizes(regime, scores.sessions, sizing)
    course = _Course(panel=read_panel(bars), scores=scores, size=size, trials=model.bundle.trials)
    horizon = model.bundle.label.horizon_sessions
    turns = np.arange(0, len(scores.sessions), horizon)
    crises = regime_codes(regime, scores.sessions) == REGIMES.index(Regime.CRISIS)
    later = sum(each > model.bundle.known_until for each in scores.sessions)
    return DrivenPlan(
        ranked=_targets("Best fifth of the ranking", course, turns, ranked_weights(scores.scores)),
        confident=_targets(
            "What is worth its costs", course, np.arange(size.size),
            _confident(
                model.bundle, scores, sizing=sizing, limits=limits,
                costs=round_trips(costs, _closes_at(course.panel, scores)),
            ),
        ),
        sized=_targets("All symbols, sized alike", course, turns, _equal(scores.scores)),
        equal=_targets(
            "All symbols equally", replace(course, size=np.ones(size.size)), turns,
            _equal(scores.scores),
        ),
        stored_sessions=len(scores.sessions) - later,
        later_sessions=later,
        mean_size=float(size.mean()),
        crisis_sessions=int(crises.sum()),
    )  # fmt: skip


def ranked_weights(scores: FloatArray) -> FloatArray:
    """Share an account equally among the fifth of the symbols with the highest scores.

    Args:
        scores: S x N; NaN where a symbol was not scored.

    Returns:
        S x N; symbols that tie at the border share what is left, so that equal scores are equal
        weights, and nothing is held where nothing was scored.

    >>> ranked_weights(np.array([[3.0, 1.0, 2.0], [5.0, 5.0, 5.0]])).round(3).tolist()
    [[1.0, 0.0, 0.0], [0.333, 0.333, 0.333]]
    """
    known = np.isfinite(scores)
    ordered = np.where(known, scores, -np.inf)
    seats = np.maximum(1, known.sum(axis=1) // LEG_SHARE)[:, None]
    border = np.take_along_axis(-np.sort(-ordered, axis=1), seats - 1, axis=1)
    above, tied = known & (ordered > border), known & (ordered == border)
    left = (seats - above.sum(axis=1, keepdims=True)) / np.maximum(
        1, tied.sum(axis=1, keepdims=True)
    )
    weights: FloatArray = np.where(above, 1.0, np.where(tied, left, 0.0)) / seats
    return weights


def sizes(regime: RegimeHistory, sessions: tuple[dt.date, ...], sizing: DrivenSizing) -> FloatArray:
    """Return how much of an account is invested at each session.

    The wanted volatility over the one expected of the next session, at most 1; in a crisis a share
    of that. What is not known counts as a crisis, and without a forecast nothing is invested.

    Args:
        regime: As known at each close.
        sessions: S sessions.
        sizing: What is aimed at.
    """
    row = {each: place for place, each in enumerate(regime.sessions)}
    expected = np.array(
        [regime.next_volatility[row[each]] if each in row else np.nan for each in sessions]
    )
    known = np.isfinite(expected) & (expected > 0)
    wanted = np.minimum(1.0, sizing.target_volatility / np.where(known, expected, 1.0))
    codes = regime_codes(regime, sessions)
    is_bad = (codes == UNKNOWN) | (codes == REGIMES.index(Regime.CRISIS))
    return np.where(known, wanted * np.where(is_bad, sizing.crisis_share, 1.0), 0.0)


def regime_codes(regime: RegimeHistory, sessions: tuple[dt.date, ...]) -> IntArray:
    """Return the positions in `REGIMES` told by rules at the close of each session."""
    row = {each: place for place, each in enumerate(regime.sessions)}
    found = [int(regime.rule_codes[row[each]]) if each in row else UNKNOWN for each in sessions]
    return np.array(found, dtype=np.int64)


def _equal(scores: FloatArray) -> FloatArray:
    known = np.isfinite(scores)
    weights: FloatArray = known / np.maximum(1, known.sum(axis=1, keepdims=True))
    return weights


def _confident(
    bundle: ModelBundle,
    scores: OutOfSampleScores,
    *,
    sizing: DrivenSizing,
    limits: ServingLimits,
    costs: FloatArray,
) -> FloatArray:
    """Hold each session's worth for the horizon, each a part of the account."""
    said = held_out(scores, label=bundle.label)
    side = worth_their_costs(
        said, scores.volatilities, confidence=limits.decision_confidence, costs=costs
    )
    wanted = side == 1.0
    counts = np.maximum(1, wanted.sum(axis=1, keepdims=True))
    shares = wanted * np.minimum(sizing.most_weight, 1.0 / counts)
    horizon = bundle.label.horizon_sessions
    summed = np.cumsum(np.vstack([np.zeros((horizon, shares.shape[1])), shares]), axis=0)
    weights: FloatArray = np.maximum(0.0, summed[horizon:] - summed[:-horizon]) / horizon
    return weights


def _closes_at(panel: Panel, scores: OutOfSampleScores) -> FloatArray:
    row = {each: place for place, each in enumerate(panel.sessions)}
    return panel.close[[row[each] for each in scores.sessions]]


def _targets(label: str, course: _Course, turns: IntArray, weights: FloatArray) -> TargetWeights:
    return TargetWeights(
        label=label,
        symbols=course.panel.symbols,
        sessions=tuple(course.scores.sessions[turn] for turn in turns.tolist()),
        weights=(weights * course.size[:, None])[turns],
        first_session=course.scores.sessions[0],
        trials=course.trials,
        probe=NOT_PROBED,
    )
