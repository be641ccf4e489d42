"""How the account is shared among the positions of the reversion rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.walking import complete_windows, shared_out
from slices.domain.errors import ConvergenceError, InfeasibleError
from slices.quant.returns import simple_returns

if TYPE_CHECKING:
    from slices.adaptive_portfolio.mean_reversion.spreads import ReversionRule
    from slices.quant.panel import Panel
    from slices.quant.types import BoolArray, FloatArray, IntArray

SAME = 1e-9
"""Targets this close to the ones before are not decided anew: the position is left alone."""
NO_ROOM = 1e-9


def position_weights(
    panel: Panel, rule: ReversionRule, positions: IntArray
) -> tuple[FloatArray, tuple[str, ...]]:
    """Decide weights where the set of positions changes; a position that ends gets exactly 0.

    The allocator shares the exposure among all positions, so one that comes or goes may change
    the others; where their weights stay the same they are left alone and drift. Where the
    allocator has no answer, what is held stays, and what is new is not bought.

    Args:
        panel: The symbols.
        rule: Allocator, largest weight and exposure.
        positions: T x N: 1 long, -1 short, 0 flat.

    Returns:
        T x N fractions of equity, NaN where a position is left alone; and why the allocator had
        no answer, one sentence each.
    """
    weights, reasons = np.full(positions.shape, np.nan), []
    whole = complete_windows(panel.close, rule.evidence_sessions)
    before = np.vstack((np.zeros_like(positions[:1]), positions[:-1]))
    targets = np.zeros(positions.shape[1])
    for row in np.flatnonzero((positions != before).any(axis=1)):
        kept = np.where(positions[row] == np.sign(targets), targets, 0.0)
        try:
            wanted = _shared(panel, rule, positions[row], kept, whole[row], int(row))
        except (InfeasibleError, ConvergenceError) as error:
            reasons.append(str(error))
            wanted = kept
        changed = (np.abs(wanted - targets) > SAME) | (wanted == 0) & (targets != 0)
        weights[row, changed] = wanted[changed]
        targets = np.where(changed, wanted, targets)
    return weights, tuple(reasons)


def _shared(
    panel: Panel,
    rule: ReversionRule,
    positions: IntArray,
    kept: FloatArray,
    whole: BoolArray,
    row: int,
) -> FloatArray:
    """Share the exposure; positions without a whole window of returns keep their weights."""
    places = np.flatnonzero((positions != 0) & whole)
    wanted = kept.copy()
    wanted[places] = 0.0
    room = rule.gross_exposure - float(np.abs(wanted).sum())
    if places.size == 0 or room <= NO_ROOM:
        return wanted
    directions = positions[places].astype(np.float64)
    returns = simple_returns(panel.close[row - rule.evidence_sessions : row + 1, places])
    shares = shared_out(
        rule.allocator, returns * directions, largest=rule.largest_weight, total=room
    )
    wanted[places] = directions * shares
    return wanted
