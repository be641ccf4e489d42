"""Forecasts walked through history: out-of-sample scores, believed as far as was known by then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.views.believing import (
    TrackRecord,
    aligned_scores,
    belief_at,
    track_record,
)
from slices.adaptive_portfolio.views.optimising import Market, Terms, decided, market_of, terms_of
from slices.adaptive_portfolio.walking import (
    as_targets,
    complete_windows,
    decision_dates,
    probed,
    rows_of,
)
from slices.domain.errors import ConvergenceError, InfeasibleError, InsufficientHistoryError
from slices.domain.models import ModelRefusal
from slices.domain.parameters import Costs, RebalanceFrequency
from slices.domain.verdicts import LookAheadProbe
from slices.domain.view_portfolio import Belief, ViewWalk
from slices.quant.allocation.bounds import uniform_bounds
from slices.quant.allocation.quadratic import min_variance
from slices.quant.panel import Panel, read_panel
from slices.quant.returns import simple_returns
from slices.quant.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.dataset import DatasetRef
    from slices.domain.learning import LabelSettings, OutOfSampleScores
    from slices.domain.models import LoadedModel
    from slices.domain.view_portfolio import ViewRules

FORECASTS, WITHOUT, EQUAL, CALM = (
    "With forecasts", "The same without forecasts", "Equal weights", "Least variance",
)  # fmt: skip
NOT_PROBED = LookAheadProbe(cuts=(), findings=())
PROBE_STEPS: dict[RebalanceFrequency, int] = {
    "weekly": 4, "monthly": 1, "quarterly": 1, "yearly": 1,
}  # fmt: skip
"""Which of the decisions are probed: of many alike some will do, as each is made all over again."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """What is walked: scores by session, what they were worth, and the terms.

    Attributes:
        scores: T x N, NaN where there is none.
        able: T x N marks of symbols with a whole window of bars.
    """

    panel: Panel
    scores: FloatArray
    record: TrackRecord
    able: BoolArray
    terms: Terms
    costs: Costs


@dataclass(frozen=True, kw_only=True, eq=False)
class Walk:
    """What was decided: T x N weights by rule, the beliefs, and why there were no answers."""

    weights: dict[str, FloatArray]
    beliefs: tuple[Belief, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """Weights that were decided at a session and are filled at the next one."""

    row: int
    weights: FloatArray

    def drifted(self, panel: Panel, row: int) -> FloatArray:
        """Return what prices have made of them at the close of a later session.

        Costs are left out. A symbol without a price of the fill is valued from the close before;
        one without a close at the later session stays as it was.
        """
        filled = panel.fill_prices[self.row + 1]
        before, now = panel.close[self.row], panel.close[row]
        whence = np.where(np.isfinite(filled), filled, before)
        growth = np.divide(now, whence, out=np.ones_like(now), where=np.isfinite(now / whence))
        values = self.weights * growth
        return np.asarray(values / values.sum(), dtype=np.float64)


def walk_views(
    bars: DatasetRef,
    model: LoadedModel | ModelRefusal,
    *,
    rules: ViewRules,
    costs: Costs,
    rebalance: RebalanceFrequency = "weekly",
    seed: int = 0,
) -> ViewWalk:
    """Decide through history by what a model had said out of sample, beside rules without it.

    Args:
        bars: The universe, and the prices outcomes are taken from.
        model: Its stored out-of-sample scores are all that is used.
        rules: How scores become weights.
        costs: What a decision weighs.
        rebalance: A decision is made at the last session of every such period, from the first at
            which enough outcomes are known.
        seed: Of the cuts at which the rule is proven not to look ahead.

    Returns:
        Nothing but the reason where there is no model, or fewer than 63 sessions follow the first
        decision.
    """
    if isinstance(model, ModelRefusal):
        return _no_walk(f"there is no model to judge ({model.reason})")
    scores, label = model.bundle.out_of_sample, model.bundle.label
    panel = read_panel(bars)

    def course_on(known: Panel) -> Course:
        terms = terms_of(rules, label, rebalance, periods_per_year=panel.periods_per_year)
        return course(known, scores, label, terms=terms, costs=costs)

    whole = course_on(panel)
    try:
        dates = decision_dates(panel, rebalance, believable(whole))
    except InsufficientHistoryError as error:
        return _no_walk(f"too few outcomes are known ({error})")
    walk = walked(whole, dates)
    some = dates[:: PROBE_STEPS[rebalance]]
    probe = probed(
        lambda known: walked(course_on(known), some, only=FORECASTS).weights[FORECASTS],
        panel,
        lookback_sessions=rules.lookback_sessions,
        seed=seed,
    )
    targets = (
        as_targets(
            name, panel, weights, first_session=dates[0],
            probe=probe if name == FORECASTS else NOT_PROBED,
        )
        for name, weights in walk.weights.items()
    )  # fmt: skip
    return ViewWalk(
        targets=tuple(replace(each, trials=model.bundle.trials) for each in targets),
        beliefs=walk.beliefs,
        undefined=len(walk.reasons),
        reasons=tuple(dict.fromkeys(walk.reasons)),
    )


def _no_walk(reason: str) -> ViewWalk:
    return ViewWalk(targets=(), beliefs=(), undefined=0, reasons=(reason,))


def course(
    panel: Panel,
    scores: OutOfSampleScores,
    label: LabelSettings,
    *,
    terms: Terms,
    costs: Costs,
) -> Course:
    """Set out-of-sample scores beside a panel, and what they were worth on it."""
    aligned = aligned_scores(panel, scores)
    return Course(
        panel=panel,
        scores=aligned,
        record=track_record(panel, aligned, label),
        able=complete_windows(panel.close, terms.rules.lookback_sessions),
        terms=terms,
        costs=costs,
    )


def believable(walk: Course) -> BoolArray:
    """Mark the sessions at which enough outcomes are known and some symbol has a score."""
    known = np.cumsum(np.isfinite(walk.record.coefficients))
    late = np.concatenate((np.zeros(walk.record.reach, np.int64), known))[: known.size]
    scored = (np.isfinite(walk.scores) & walk.able).any(axis=1)
    return np.asarray((late >= walk.terms.rules.fewest_sessions) & scored, dtype=np.bool_)


def walked(walk: Course, dates: tuple[dt.date, ...], *, only: str = "") -> Walk:
    """Decide at each date, by every rule or one, from what was known at its close.

    A symbol without a whole window is not held; where a rule has no answer nothing is decided and
    positions stay.
    """
    names = [each for each in (FORECASTS, WITHOUT, EQUAL, CALM) if only in {"", each}]
    weights = {name: np.full(walk.panel.close.shape, np.nan) for name in names}
    held: dict[str, Held] = {}
    beliefs, reasons = [], []
    for row in map(int, rows_of(walk.panel, dates)):
        session, fewest = walk.panel.sessions[row], walk.terms.rules.fewest_sessions
        belief = belief_at(walk.record, row, session, fewest=fewest)
        beliefs.append(belief)
        places = np.flatnonzero(walk.able[row])
        try:
            market = _market(walk, row, places)
            rows = {
                name: _weights(walk, name, market, belief, row=row, places=places, held=held)
                for name in names
            }
        except (InfeasibleError, ConvergenceError) as error:
            reasons.append(str(error))
            continue
        for name in names:
            weights[name][row] = 0.0
            weights[name][row, places] = rows[name]
            held[name] = Held(row=row, weights=weights[name][row])
    return Walk(weights=weights, beliefs=tuple(beliefs), reasons=tuple(reasons))


def _market(walk: Course, row: int, places: IntArray) -> Market:
    if places.size == 0:
        raise InfeasibleError(problem="no symbol has a whole window of bars")
    window = walk.terms.rules.lookback_sessions
    closes = walk.panel.close[row - window : row + 1, places]
    return market_of(simple_returns(closes), closes[-1], walk.terms.rules, walk.costs)


def _weights(
    walk: Course,
    name: str,
    market: Market,
    belief: Belief,
    *,
    row: int,
    places: IntArray,
    held: dict[str, Held],
) -> FloatArray:
    """Return the weights of one rule at one session, of the symbols with a whole window."""
    lower, upper = uniform_bounds(places.size, largest=walk.terms.rules.largest_weight)
    if name == EQUAL:
        return np.full(places.size, 1.0 / places.size)
    if name == CALM:
        return min_variance(market.covariance, lower, upper)
    before = held.get(name)
    now = before.drifted(walk.panel, row)[places] if before else np.zeros(places.size)
    scores = walk.scores[row, places]
    listened = belief if name == FORECASTS else replace(belief, reliability=0.0, believed=0.0)
    return decided(market, walk.terms, scores=scores, belief=listened, held=now).weights
