"""The momentum rule walked through history: winners chosen and weighed on past closes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.momentum.scores import Scores, momentum_scores, winners
from slices.adaptive_portfolio.walking import (
    as_targets,
    decision_dates,
    leverage,
    probed,
    rows_of,
    shared_out,
)
from slices.domain.errors import ConvergenceError, InfeasibleError
from slices.domain.factor_portfolios import MomentumScore, MomentumSelection, MomentumWalk
from slices.quant.covariance import sample_covariance
from slices.quant.panel import read_panel
from slices.quant.returns import simple_returns
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    import datetime as dt

    from slices.adaptive_portfolio.momentum.scores import MomentumRule
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import RebalanceFrequency
    from slices.quant.panel import Panel


@dataclass(frozen=True, kw_only=True, eq=False)
class Choices:
    """What was decided at each date.

    Attributes:
        weights: T x N fractions of equity; NaN where nothing is decided.
        candidates: How many symbols had a score, by decision; likewise how many were chosen.
        replaced: Share of the chosen that were not chosen the time before; NaN at the first.
        reasons: Why an allocator had no answer, one sentence each.
    """

    weights: FloatArray
    candidates: tuple[int, ...]
    chosen: tuple[int, ...]
    replaced: tuple[float, ...]
    reasons: tuple[str, ...]


def walk_momentum(
    bars: DatasetRef,
    *,
    rule: MomentumRule,
    rebalance: RebalanceFrequency = "monthly",
    seed: int = 0,
) -> MomentumWalk:
    """Choose and weigh winners through history, and now.

    Args:
        bars: The universe; a symbol is a candidate while its window has no hole.
        rule: Which symbols are winners, and how the account is shared among them.
        rebalance: Winners are chosen at the last session of every such period.
        seed: Of the cuts at which the rule is proven not to look ahead.

    Raises:
        InsufficientHistoryError: Where fewer than 63 sessions follow the first choice.
    """
    panel = read_panel(bars)
    scores = momentum_scores(panel.close, rule, periods_per_year=panel.periods_per_year)
    able = np.asarray(np.isfinite(scores.score).any(axis=1), dtype=np.bool_)
    dates = decision_dates(panel, rebalance, able)
    choices = decided(panel, rule, dates, scores)
    probe = probed(
        lambda known: decided(known, rule, dates).weights,
        panel,
        lookback_sessions=rule.lookback_sessions,
        seed=seed,
    )
    targets = as_targets("Momentum", panel, choices.weights, first_session=dates[0], probe=probe)
    return MomentumWalk(targets=targets, selection=_selection(panel, rule, scores, choices))


def decided(
    panel: Panel, rule: MomentumRule, dates: tuple[dt.date, ...], scores: Scores | None = None
) -> Choices:
    """Decide at each date from closes up to it.

    A symbol that is not chosen gets a weight of 0; where no symbol is a candidate, or the
    allocator has no answer, nothing is decided and positions stay.
    """
    known = scores or momentum_scores(panel.close, rule, periods_per_year=panel.periods_per_year)
    weights = np.full(panel.close.shape, np.nan)
    candidates, chosen, replaced, reasons = [], [], [], []
    before: IntArray | None = None
    for row in rows_of(panel, dates):
        count = int(np.isfinite(known.score[row]).sum())
        places = winners(known.score[row], panel.symbols, rule)
        candidates.append(count)
        chosen.append(places.size)
        replaced.append(_replaced(before, places))
        before = places
        try:
            row_weights = _weighed(panel, rule, places, row)
        except (InfeasibleError, ConvergenceError) as error:
            reasons.append(str(error))
        else:
            weights[row] = row_weights if count else np.nan
    return Choices(
        weights=weights,
        candidates=tuple(candidates),
        chosen=tuple(chosen),
        replaced=tuple(replaced),
        reasons=tuple(reasons),
    )


def _replaced(before: IntArray | None, chosen: IntArray) -> float:
    if before is None or chosen.size == 0:
        return float("nan")
    return float(np.isin(chosen, before, invert=True).mean())


def _weighed(panel: Panel, rule: MomentumRule, chosen: IntArray, row: int) -> FloatArray:
    weights = np.zeros(len(panel.symbols))
    if chosen.size == 0:
        return weights
    returns = simple_returns(panel.close[row - rule.lookback_sessions : row + 1, chosen])
    shares = shared_out(
        rule.allocator,
        returns,
        largest=rule.largest_weight,
        total=min(1.0, rule.gross_exposure),
    )
    weights[chosen] = shares
    if rule.target_volatility is not None:
        factor = leverage(
            shares,
            sample_covariance(returns[-rule.volatility_sessions :]),
            target_volatility=rule.target_volatility,
            gross_exposure=rule.gross_exposure,
            periods_per_year=panel.periods_per_year,
        )
        weights[chosen] *= min(factor, rule.largest_weight / float(shares.max()))
    return weights


def _selection(
    panel: Panel, rule: MomentumRule, scores: Scores, choices: Choices
) -> MomentumSelection:
    """Describe the choices, and choose at the newest session of all."""
    now = decided(panel, rule, panel.sessions[-1:], scores)
    replaced = [each for each in choices.replaced if np.isfinite(each)]
    some = [chosen for chosen, of in zip(choices.chosen, choices.candidates, strict=True) if of]
    return MomentumSelection(
        session=panel.sessions[-1],
        scores=_ranked(panel, scores, now.weights[-1]),
        decisions=len(choices.candidates),
        average_candidates=float(np.mean(choices.candidates)),
        average_chosen=float(np.mean(choices.chosen)),
        average_replaced=float(np.mean(replaced)) if replaced else float("nan"),
        in_cash=sum(chosen == 0 for chosen in some),
        undefined=len(choices.reasons),
        reasons=tuple(dict.fromkeys((*choices.reasons, *now.reasons))),
    )


def _ranked(panel: Panel, scores: Scores, weights: FloatArray) -> tuple[MomentumScore, ...]:
    score, gained = scores.score[-1], scores.formation_return[-1]
    volatility, held = scores.annualized_volatility[-1], np.nan_to_num(weights, nan=0.0)
    rising = [float("inf") if np.isnan(each) else -float(each) for each in score]
    order = sorted(range(len(panel.symbols)), key=lambda at: (rising[at], panel.symbols[at]))
    return tuple(
        MomentumScore(
            symbol=panel.symbols[at],
            score=float(score[at]),
            formation_return=float(gained[at]),
            annualized_volatility=float(volatility[at]),
            weight=float(held[at]),
        )
        for at in order
    )
