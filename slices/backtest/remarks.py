"""What became of decisions otherwise than decided, one sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.bars import Adjustment
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.report import Unit
from slices.quant.simulation.exposure import gross_exposure

if TYPE_CHECKING:
    from slices.domain.parameters import Costs, TradingRules
    from slices.quant.panel import Panel
    from slices.quant.simulation.account import Simulation
    from slices.quant.types import BoolArray, FloatArray

DRIFT = 0.01
"""Gross exposure this much above what the rules allow, relative to it, is worth a remark."""

CORRECTED_FOR = {Adjustment.SPLIT: "splits", Adjustment.TOTAL: "splits and dividends"}


def remarks(
    account: Simulation,
    panel: Panel,
    weights: FloatArray,
    *,
    costs: Costs,
    rules: TradingRules,
    adjustment: Adjustment,
) -> tuple[str, ...]:
    """Say what the simulation had to do otherwise than decided, and what it cannot know.

    Args:
        account: What became of the decisions.
        panel: The bars it was simulated on.
        weights: T x N decided weights, NaN where nothing was decided.
        costs: Of every trade.
        rules: What the account may trade.
        adjustment: What the prices are corrected for.
    """
    return (
        *_ruin(account, panel),
        *_hindered(account, panel, weights),
        *_missed(account, panel),
        *_late(account, panel),
        *_drifted(account, panel, rules),
        *_counted_otherwise(costs, rules, adjustment),
    )


def _ruin(account: Simulation, panel: Panel) -> tuple[str, ...]:
    if account.ruined_row < 0:
        return ()
    owed = written(account.written_off, Unit.MONEY)
    beyond = f" It then owed {owed} more than it had." if account.written_off > 0 else ""
    return (
        f"The account lost everything on {panel.sessions[account.ruined_row]}; from there on it is "
        f"worth 0 and nothing was traded.{beyond}",
    )


def _hindered(account: Simulation, panel: Panel, weights: FloatArray) -> tuple[str, ...]:
    """Say which positions costs or whole shares kept from being opened."""
    rows, columns = np.nonzero(hindered(account, panel, weights))
    if not rows.size:
        return ()
    has_shortfall = account.shortfalls[rows + 1] > 0
    reasons = (
        ("costs would have taken everything", bool((~has_shortfall).any())),
        ("the weight was worth less than a whole share", bool(has_shortfall.any())),
    )
    why = ", or because ".join(text for text, is_met in reasons if is_met)
    return (
        f"{counted(rows.size, 'decision')} to open a position led to no "
        f"trade, first of {panel.symbols[columns[0]]} on {panel.sessions[rows[0]]}, because {why}.",
    )


def hindered(account: Simulation, panel: Panel, weights: FloatArray) -> BoolArray:
    """Mark decisions to open a position that could have been traded and were not.

    Returns:
        T x N; where cash, volume or a bar was missing, nothing is marked.
    """
    marked = np.zeros(weights.shape, dtype=np.bool_)
    marked[:-1] = (
        np.isfinite(weights[:-1])
        & (weights[:-1] != 0)
        & (account.shares[:-1] == 0)
        & (account.shares[1:] == 0)
        & np.isfinite(panel.close[1:])
        & np.isfinite(panel.fill_prices[1:])
        & (account.equity[1:, None] > 0)
    )
    if panel.volume is not None:
        marked[:-1] &= panel.volume[1:] > 0
    marked[account.scaled_rows - 1] = False
    marked[account.fills.decided, account.fills.columns] = False
    return marked


def _missed(account: Simulation, panel: Panel) -> tuple[str, ...]:
    missed = float(account.shortfalls.sum())
    money = written(missed, Unit.MONEY)
    if account.scaled_rows.size:
        return (
            f"In {counted(account.scaled_rows.size, 'session')}, first on "
            f"{panel.sessions[int(account.scaled_rows[0])]}, less was bought than decided, because "
            "positions that had grown left too little cash. Not traded for this or any other "
            f"reason: {money} in all.",
        )
    if missed > 0:
        return (
            f"Trades worth {money} in all were not made, because of whole shares or for want of "
            "volume.",
        )
    return ()


def _late(account: Simulation, panel: Panel) -> tuple[str, ...]:
    """Say what was decided after a symbol's last bar; what came after ruin goes without saying."""
    lived = len(panel.sessions) if account.ruined_row < 0 else account.ruined_row
    late = {panel.symbols[int(column)] for row, column in account.ignored if row < lived}
    if not late:
        return ()
    return (
        f"Decisions for {listed(tuple(sorted(late)), most=5)} came after the last bar and were not "
        "traded.",
    )


def _drifted(account: Simulation, panel: Panel, rules: TradingRules) -> tuple[str, ...]:
    gross = gross_exposure(account)
    row = int(gross.argmax())
    if not gross[row] > rules.gross_exposure * (1.0 + DRIFT):
        return ()
    highest, limit = (written(each, Unit.FRACTION) for each in (gross[row], rules.gross_exposure))
    return (
        f"Gross exposure was up to {highest} of equity, on {panel.sessions[row]}: the limit of "
        f"{limit} holds for decisions, not for what prices make of positions afterwards.",
    )


def _counted_otherwise(
    costs: Costs, rules: TradingRules, adjustment: Adjustment
) -> tuple[str, ...]:
    """Say which rules count shares that nobody could have held at these prices.

    Money is not touched by adjustment, so neither are costs in basis points nor a least commission
    of a fill. Volume is adjusted for splits as shares are, so what compares the two is right where
    prices are adjusted for splits alone.
    """
    is_total = adjustment is Adjustment.TOTAL
    used = (
        ("whole shares", rules.whole_shares),
        ("commission per share", costs.commission_per_share > 0),
        ("market impact", is_total and costs.impact > 0),
        ("the limit on volume", is_total and rules.volume_share < 1),
    )
    names = tuple(name for name, is_used in used if is_used)
    if adjustment is Adjustment.RAW or not names:
        return ()
    return (
        f"Shares are counted at prices adjusted for {CORRECTED_FOR[adjustment]}, so the effect of "
        f"{listed(names)} is not that of the time.",
    )
