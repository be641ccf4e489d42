"""The reversion rule walked through history: filter, take, let go, all on past closes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.mean_reversion.evidence import (
    adf_critical,
    adf_statistics,
    half_lives,
)
from slices.adaptive_portfolio.mean_reversion.sizing import position_weights
from slices.adaptive_portfolio.mean_reversion.spreads import log_spreads, z_scores
from slices.adaptive_portfolio.walking import (
    as_targets,
    complete_windows,
    decision_dates,
    probed,
    rows_of,
)
from slices.domain.factor_portfolios import EpisodeEnd, ReversionEpisode, ReversionWalk
from slices.quant.panel import read_panel
from slices.quant.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import datetime as dt

    from slices.adaptive_portfolio.mean_reversion.spreads import ReversionRule
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import RebalanceFrequency
    from slices.quant.panel import Panel

ENDS = {1: EpisodeEnd.EXIT, 2: EpisodeEnd.STOP, 3: EpisodeEnd.TIME}
FEWEST_SYMBOLS = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Decided:
    """What was decided at each close.

    Attributes:
        weights: T x N fractions of equity; NaN where a position is left alone.
        scores: T x N z-scores.
        positions: T x N: 1 long, -1 short, 0 flat.
        ends: T x N reasons why a position ended there, 0 where none did.
        candidates: T x N; where the newest selection lets a position be taken.
        reasons: Why the allocator had no answer, one sentence each.
    """

    weights: FloatArray
    scores: FloatArray
    positions: IntArray
    ends: IntArray
    candidates: BoolArray
    reasons: tuple[str, ...]


def walk_reversion(
    bars: DatasetRef,
    *,
    rule: ReversionRule,
    reselect: RebalanceFrequency = "monthly",
    seed: int = 0,
) -> ReversionWalk:
    """Take and let go of stretched prices through history.

    Args:
        bars: The symbols; one is a candidate while its evidence window has no hole.
        rule: Which spreads are believed in, and the levels to act on.
        reselect: Candidates are filtered anew at the last session of every such period; positions
            are decided at every close.
        seed: Of the cuts at which the rule is proven not to look ahead.

    Raises:
        InsufficientHistoryError: Where fewer than 63 sessions follow the first selection.
    """
    panel = read_panel(bars)
    dates = selection_dates(panel, rule, reselect)
    found = decided(panel, rule, dates)
    probe = probed(
        lambda known: decided(known, rule, dates).weights,
        panel,
        lookback_sessions=rule.evidence_sessions,
        seed=seed,
    )
    selections = rows_of(panel, dates)
    targets = as_targets(
        "Mean reversion", panel, found.weights, first_session=dates[0], probe=probe
    )
    return ReversionWalk(
        targets=targets,
        episodes=listed_episodes(panel, found),
        selections=int(selections.size),
        average_candidates=float(found.candidates[selections].sum(axis=1).mean()),
        undefined=len(found.reasons),
        reasons=tuple(dict.fromkeys(found.reasons)),
    )


def selection_dates(
    panel: Panel, rule: ReversionRule, reselect: RebalanceFrequency
) -> tuple[dt.date, ...]:
    """List the sessions at which candidates are filtered.

    Raises:
        InsufficientHistoryError: Where fewer than 63 sessions follow the first.
    """
    whole = complete_windows(panel.close, rule.evidence_sessions)
    return decision_dates(panel, reselect, whole.sum(axis=1) >= FEWEST_SYMBOLS)


def decided(panel: Panel, rule: ReversionRule, dates: tuple[dt.date, ...]) -> Decided:
    """Decide at every close from closes up to it."""
    from slices.adaptive_portfolio.mean_reversion.kernels import episodes

    spreads = log_spreads(panel.close, rule.spread)
    scores = z_scores(spreads, rule.window_sessions)
    candidates = passing(panel, spreads, rule, rows_of(panel, dates))
    levels = np.array([rule.entry_z, rule.exit_z, rule.stop_z])
    positions, ends = episodes(scores, candidates, levels, rule.most_sessions, rule.shorting)
    weights, reasons = position_weights(panel, rule, positions)
    return Decided(
        weights=weights,
        scores=scores,
        positions=positions,
        ends=ends,
        candidates=candidates,
        reasons=reasons,
    )


def passing(
    panel: Panel, spreads: FloatArray, rule: ReversionRule, selections: IntArray
) -> BoolArray:
    """Mark, from each selection to the next, the symbols whose evidence passes.

    Evidence stands on the window that ends at the selection.
    """
    whole = complete_windows(panel.close, rule.evidence_sessions)
    marks = np.zeros(spreads.shape, dtype=np.bool_)
    for at, row in enumerate(selections):
        places = np.flatnonzero(whole[row])
        until = selections[at + 1] if at + 1 < selections.size else spreads.shape[0]
        if places.size == 0:
            continue
        windows = spreads[row - rule.evidence_sessions : row + 1, places].T
        marks[row:until, places] = believed(windows, rule)
    return marks


def believed(windows: FloatArray, rule: ReversionRule) -> BoolArray:
    """Tell which spreads come back soon enough and look stationary.

    Args:
        windows: S x T.
        rule: The bounds.

    Returns:
        S marks; False where the evidence is undefined.
    """
    half_life, _ = half_lives(windows)
    soon = (half_life >= rule.shortest_half_life) & (half_life <= rule.longest_half_life)
    marks = np.asarray(soon, dtype=np.bool_)
    some = np.flatnonzero(marks)
    if some.size:
        marks[some] = adf_statistics(windows[some]) <= adf_critical(rule.largest_p_value)
    return marks


def listed_episodes(panel: Panel, found: Decided) -> tuple[ReversionEpisode, ...]:
    """List what was held, in the order in which it was decided on, then by symbol."""
    before = np.vstack((np.zeros_like(found.positions[:1]), found.positions[:-1]))
    starts = np.argwhere((found.positions != 0) & (before == 0))
    return tuple(_episode(panel, found, int(row), int(column)) for row, column in starts)


def _episode(panel: Panel, found: Decided, row: int, column: int) -> ReversionEpisode:
    later = np.flatnonzero(found.ends[row + 1 :, column])
    out = row + 1 + int(later[0]) if later.size else None
    last = len(panel.sessions) - 1
    return ReversionEpisode(
        symbol=panel.symbols[column],
        is_long=bool(found.positions[row, column] > 0),
        decided_in=panel.sessions[row],
        decided_out=None if out is None else panel.sessions[out],
        end=None if out is None else ENDS[int(found.ends[out, column])],
        entry_z=float(found.scores[row, column]),
        exit_z=float("nan") if out is None else float(found.scores[out, column]),
        sessions_held=(last if out is None else out) - row,
    )
