"""The evidence per symbol now, and what became of the trades that ended in each way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.mean_reversion.evidence import (
    adf_p_values,
    adf_statistics,
    half_lives,
    hurst_exponent,
    variance_ratio,
)
from slices.adaptive_portfolio.mean_reversion.spreads import log_spreads, z_scores
from slices.adaptive_portfolio.mean_reversion.walk import passing, selection_dates
from slices.adaptive_portfolio.walking import complete_windows, rows_of
from slices.domain.factor_portfolios import EndSummary, EpisodeEnd, ReversionEvidence
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.adaptive_portfolio.mean_reversion.spreads import ReversionRule
    from slices.domain.backtests import Trade
    from slices.domain.dataset import DatasetRef
    from slices.domain.factor_portfolios import ReversionEpisode
    from slices.domain.parameters import RebalanceFrequency
    from slices.quant.types import FloatArray


def reversion_evidence(
    bars: DatasetRef, *, rule: ReversionRule, reselect: RebalanceFrequency = "monthly"
) -> tuple[ReversionEvidence, ...]:
    """Estimate on the newest window whether each symbol's spread comes back.

    Only half-life and the unit root test decide who is a candidate; variance ratio and Hurst
    exponent are there to see whether they say the same.

    Raises:
        InsufficientHistoryError: Where there is too little history for a walk-forward.
    """
    panel = read_panel(bars)
    spreads = log_spreads(panel.close, rule.spread)
    selections = rows_of(panel, selection_dates(panel, rule, reselect))
    shares = passing(panel, spreads, rule, selections)[selections].mean(axis=0)
    whole = complete_windows(panel.close, rule.evidence_sessions)[-1]
    newest = spreads[-rule.evidence_sessions - 1 :].T
    z_score = z_scores(spreads[-rule.window_sessions :], rule.window_sessions)[-1]
    return tuple(
        symbol_evidence(
            symbol,
            newest[at] if whole[at] else None,
            rule=rule,
            z_score=float(z_score[at]),
            candidate_share=float(shares[at]),
        )
        for at, symbol in enumerate(panel.symbols)
    )


def symbol_evidence(
    symbol: str,
    window: FloatArray | None,
    *,
    rule: ReversionRule,
    z_score: float,
    candidate_share: float,
) -> ReversionEvidence:
    """Estimate one symbol's evidence; all of it is NaN without a whole window."""
    known = np.full(rule.evidence_sessions + 1, np.nan) if window is None else window
    series = known[None, :]
    half_life, error = (float(each[0]) for each in half_lives(series))
    statistic = adf_statistics(series)
    p_value = float(adf_p_values(statistic)[0])
    ratio, ratio_z = variance_ratio(known)
    reason = _reason(half_life, p_value, rule, is_whole=window is not None)
    return ReversionEvidence(
        symbol=symbol,
        z_score=z_score,
        half_life_sessions=half_life,
        half_life_error=error,
        adf_statistic=float(statistic[0]),
        adf_p_value=p_value,
        variance_ratio=ratio,
        variance_ratio_z=ratio_z,
        hurst=hurst_exponent(known),
        candidate_share=candidate_share,
        passes=not reason,
        reason=reason,
    )


def _reason(half_life: float, p_value: float, rule: ReversionRule, *, is_whole: bool) -> str:
    if not is_whole:
        return "a bar is missing"
    if not half_life > 0:
        return "does not come back"
    if half_life > rule.longest_half_life:
        return "too slow"
    if half_life < rule.shortest_half_life:
        return "too fast"
    return "" if p_value <= rule.largest_p_value else "may be a walk"


def end_summaries(
    episodes: Sequence[ReversionEpisode], trades: Sequence[Trade], open_trades: Sequence[Trade]
) -> tuple[EndSummary, ...]:
    """Count the trades of each way to end and what they made, net of costs.

    A trade belongs to the newest episode of its symbol that was decided before its first fill.
    One that closed without such a decision closed because its data ended, and counts as open.
    """
    found: dict[EpisodeEnd | None, list[Trade]] = {end: [] for end in (*EpisodeEnd, None)}
    for trade in (*trades, *open_trades):
        found[None if trade.exit_session is None else _end(trade, episodes)].append(trade)
    return tuple(_summary(end, members) for end, members in found.items())


def _end(trade: Trade, episodes: Sequence[ReversionEpisode]) -> EpisodeEnd | None:
    before = [
        each
        for each in episodes
        if each.symbol == trade.symbol and each.decided_in < trade.entry_session
    ]
    return max(before, key=lambda each: each.decided_in).end if before else None


def _summary(end: EpisodeEnd | None, trades: list[Trade]) -> EndSummary:
    returns = [each.return_on_entry for each in trades]
    return EndSummary(
        end=end,
        trades=len(trades),
        average_sessions=float(np.mean([e.sessions_held for e in trades])) if trades else math.nan,
        average_return=float(np.mean(returns)) if trades else math.nan,
        hit_rate=float(np.mean([each > 0 for each in returns])) if trades else math.nan,
        pnl=math.fsum(each.pnl for each in trades),
    )
