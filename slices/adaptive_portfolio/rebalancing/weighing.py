"""A plan as values: lines, tracking error, and what other bands would cost."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.rebalancing.planning import Terms, planned_changes
from slices.adaptive_portfolio.rebalancing.standing import check_held, holdings_at
from slices.domain.exact import quantity as exact_quantity
from slices.domain.numbers import written
from slices.domain.orders import Side
from slices.domain.rebalancing import BandPoint, RebalanceLine, RebalancePlan
from slices.domain.report import Unit
from slices.domain.trading import OrderPlan, PlannedOrder
from slices.quant.covariance import sample_covariance
from slices.quant.panel import read_panel
from slices.quant.returns import simple_returns

if TYPE_CHECKING:
    import datetime as dt

    from slices.adaptive_portfolio.rebalancing.planning import Changes, Holdings
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.parameters import Costs
    from slices.domain.rebalancing import RebalanceRules, TargetWeights
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

WORKFLOW = "portfolio_rebalance"
STRATEGY = "rebalance"
BANDS = (0.0, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1)
NO_RELATIVE_BAND = 100.0
UNFUNDED = "cash does not reach this far"


def plan_rebalance(
    bars: DatasetRef,
    book: AccountBook,
    targets: TargetWeights,
    *,
    rules: RebalanceRules,
    costs: Costs,
    whole_shares: bool,
    lookback_sessions: int,
) -> RebalancePlan:
    """Plan the trades that bring an account back to its targets, at the closes of a session.

    Args:
        bars: Up to the session, with everything that is held.
        book: The account.
        targets: What is to be held.
        rules: Band, smallest trade and cash buffer.
        costs: What trading costs.
        whole_shares: Whether whole shares are traded only.
        lookback_sessions: On how many returns the tracking error stands.

    Raises:
        SymbolNotFoundError: Where bars of something held are missing.
    """
    check_held(book, bars)
    panel = read_panel(bars)
    holdings, weights = holdings_at(panel, book, costs), np.array(targets.weights)
    terms = Terms(rules=rules, costs=costs, whole_shares=whole_shares)
    changes = planned_changes(holdings, weights, terms)
    spread = annual_covariance(panel, lookback_sessions)
    lines = _lines(holdings, changes)
    session = panel.sessions[-1]
    return RebalancePlan(
        session=session,
        targets=targets,
        lines=lines,
        equity=holdings.equity,
        cash=holdings.cash,
        cash_after=cash_after(holdings, changes),
        turnover=turnover(holdings, changes.shares),
        costs=float(changes.costs.sum()),
        tracking_before=_tracking(holdings, changes, np.zeros(weights.size), spread),
        tracking_after=_tracking(holdings, changes, changes.shares, spread),
        unfunded=tuple(each.symbol for each in lines if each.reason == UNFUNDED),
        unpriced=tuple(
            each.symbol
            for each, priced in zip(lines, holdings.tradable, strict=True)
            if not priced and (each.held or each.target_weight)
        ),
        waiting=len(book.open_orders),
        curve=trade_off(holdings, weights, terms, spread),
        orders=_orders(book, session, targets, lines),
    )


def annual_covariance(panel: Panel, lookback_sessions: int) -> FloatArray | None:
    """Return the covariance of the newest returns per year; None where there are too few.

    Only sessions count in which every symbol has a return.
    """
    returns = simple_returns(panel.close)[-lookback_sessions:]
    complete = returns[np.isfinite(returns).all(axis=1)]
    if complete.shape[0] < 2:
        return None
    return np.asarray(sample_covariance(complete) * panel.periods_per_year)


def tracking_error(drift: FloatArray, covariance: FloatArray | None) -> float:
    """Return the deviation of returns that a drift from the targets leads to.

    Args:
        drift: N weights less targets.
        covariance: N x N, per year; None where unknown.

    >>> round(tracking_error(np.array([0.1, -0.1]), np.diag([0.04, 0.09])), 9)
    0.036055513
    """
    if covariance is None:
        return math.nan
    return math.sqrt(max(0.0, float(drift @ covariance @ drift)))


def turnover(holdings: Holdings, shares: FloatArray) -> float:
    """Return half of what is bought and sold, over equity."""
    if holdings.equity <= 0:
        return math.nan
    return float(np.abs(shares) @ holdings.prices) / (2 * holdings.equity)


def cash_after(holdings: Holdings, changes: Changes) -> float:
    """Return cash once everything is filled at the prices it was planned at."""
    return holdings.cash - float(changes.shares @ holdings.prices) - float(changes.costs.sum())


def trade_off(
    holdings: Holdings, weights: FloatArray, terms: Terms, covariance: FloatArray | None
) -> tuple[BandPoint, ...]:
    """Plan with bands of other widths, the relative one left out."""
    return tuple(
        _point(holdings, weights, terms, covariance, band) for band in BANDS if holdings.equity > 0
    )


def _point(
    holdings: Holdings,
    weights: FloatArray,
    terms: Terms,
    covariance: FloatArray | None,
    band: float,
) -> BandPoint:
    update = {"absolute_band": band, "relative_band": NO_RELATIVE_BAND}
    other = replace(terms, rules=terms.rules.model_copy(update=update))
    changes = planned_changes(holdings, weights, other)
    return BandPoint(
        band=band,
        trades=int(np.count_nonzero(changes.shares)),
        turnover=turnover(holdings, changes.shares),
        costs=float(changes.costs.sum()) / holdings.equity,
        tracking_error=_tracking(holdings, changes, changes.shares, covariance),
    )


def _tracking(
    holdings: Holdings, changes: Changes, shares: FloatArray, covariance: FloatArray | None
) -> float:
    equity = changes.equity if shares.any() else holdings.equity
    if equity <= 0:
        return math.nan
    weights = (holdings.shares + shares) * holdings.prices / equity
    return tracking_error(weights - changes.targets, covariance)


def _lines(holdings: Holdings, changes: Changes) -> tuple[RebalanceLine, ...]:
    after = (holdings.shares + changes.shares) * holdings.prices
    held = holdings.shares * holdings.prices
    equity = changes.equity if changes.equity > 0 else math.nan
    return tuple(
        RebalanceLine(
            symbol=symbol,
            price=float(holdings.prices[i]) if holdings.tradable[i] else math.nan,
            held=float(holdings.shares[i]),
            quantity=float(changes.shares[i]),
            held_weight=float(held[i]) / equity,
            target_weight=float(changes.targets[i]),
            weight_after=float(after[i]) / equity,
            band=float(changes.bands[i]),
            costs=float(changes.costs[i]),
            reason=_reason(holdings, changes, i),
        )
        for i, symbol in enumerate(holdings.symbols)
    )


def _reason(holdings: Holdings, changes: Changes, i: int) -> str:
    if not holdings.tradable[i]:
        return "no close in this session"
    if changes.shares[i] < changes.wanted[i]:
        return UNFUNDED
    if changes.shares[i]:
        return "not among the targets" if changes.targets[i] == 0 else "beyond its band"
    if changes.equity <= 0:
        return "nothing is left to share out"
    drift = float(holdings.shares[i] * holdings.prices[i]) / changes.equity - changes.targets[i]
    return "inside its band" if abs(drift) <= changes.bands[i] + 1e-9 else "too small to trade"


def _orders(
    book: AccountBook,
    session: dt.date,
    targets: TargetWeights,
    lines: tuple[RebalanceLine, ...],
) -> OrderPlan:
    traded = sorted(
        (each for each in lines if each.quantity), key=lambda e: (e.quantity > 0, e.symbol)
    )
    details = (
        ("basis", targets.basis),
        *((f"target {each.symbol}", f"{each.target_weight:.9f}") for each in lines),
    )
    return OrderPlan(
        workflow=WORKFLOW,
        strategy=STRATEGY,
        session=session,
        orders=tuple(_order(book, each) for each in traded),
        details=details,
    )


def _order(book: AccountBook, line: RebalanceLine) -> PlannedOrder:
    held, shares = book.held(line.symbol), exact_quantity(abs(line.quantity))
    closes = line.quantity == -line.held and float(held) == line.held
    now, target = (written(each, Unit.FRACTION) for each in (line.held_weight, line.target_weight))
    return PlannedOrder(
        symbol=line.symbol,
        side=Side.BUY if line.quantity > 0 else Side.SELL,
        quantity=abs(held) if closes else shares,
        valid_sessions=1,
        purpose=f"{line.symbol} is {now} of equity and is to be {target}",
    )
