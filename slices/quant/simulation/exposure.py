"""How much an account was invested, how much it traded, and what that cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.backtests import CostAttribution
from slices.quant.simulation.account import FillReason

if TYPE_CHECKING:
    from slices.quant.panel import Panel
    from slices.quant.simulation.account import Simulation
    from slices.quant.types import FloatArray


def gross_exposure(simulation: Simulation) -> FloatArray:
    """Return T sums of absolute position values over equity, at the close."""
    return np.asarray(np.abs(simulation.values).sum(axis=1) / simulation.divisors, dtype=np.float64)


def net_exposure(simulation: Simulation) -> FloatArray:
    """Return T sums of signed position values over equity, at the close."""
    return np.asarray(simulation.values.sum(axis=1) / simulation.divisors, dtype=np.float64)


def session_turnover(simulation: Simulation, panel: Panel) -> FloatArray:
    """Return the one-way turnover of every session.

    Half of what was bought and sold, over the equity at the fill prices before trading; in the
    session of ruin over the equity at the close before. Positions that the end of their data or
    ruin closed are not traded and do not count.

    Args:
        simulation: T sessions.
        panel: The bars it was simulated on.
    """
    fills, sessions = simulation.fills, simulation.equity.size
    is_trade = ~np.isin(fills.reasons, (FillReason.DELISTING, FillReason.RUIN))
    notional = np.where(is_trade, np.abs(fills.quantities * fills.prices), 0.0)
    prices = np.where(np.isnan(panel.close), simulation.marks, panel.fill_prices)
    held = np.where(simulation.shares == 0.0, 0.0, simulation.shares * prices).sum(axis=1)
    spent = np.bincount(fills.rows, weights=fills.costs, minlength=sessions)
    before = simulation.cash + held + spent
    ruined = simulation.ruined_row
    if ruined >= 0:
        before[ruined:] = simulation.equity[max(ruined - 1, 0)]
    traded = np.bincount(fills.rows, weights=notional, minlength=sessions)
    return np.asarray(traded / (2.0 * before), dtype=np.float64)


def annual_turnover(simulation: Simulation, panel: Panel) -> float:
    """Return one-way turnover as fractions of equity per year; NaN with a single session."""
    years = (simulation.equity.size - 1) / panel.periods_per_year
    return float(session_turnover(simulation, panel).sum()) / years if years > 0 else math.nan


def cost_attribution(simulation: Simulation) -> CostAttribution:
    """Add up what trading and holding cost and earned, in money."""
    fills = simulation.fills
    return CostAttribution(
        commission=float(fills.commissions.sum()),
        spread=float(fills.spreads.sum()),
        impact=float(fills.impacts.sum()),
        borrow_fees=float(simulation.borrow_fees.sum()),
        interest=float(simulation.interest.sum()),
        dividends=float(simulation.dividends.sum()),
    )
