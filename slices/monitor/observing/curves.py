"""An account's equity curve: its returns, what it lost, and as many points as a picture needs."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.exact import ZERO
from slices.domain.orders import FlowKind
from slices.quant.metrics.drawdown import max_drawdown
from slices.quant.metrics.tails import expected_shortfall, value_at_risk

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from slices.domain.accounts import AccountBook, EquityPoint
    from slices.domain.orders import CashFlow
    from slices.quant.types import FloatArray

OWN_MONEY = frozenset({FlowKind.DEPOSIT, FlowKind.WITHDRAWAL})
FEWEST_RETURNS = 30
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class CurveRisk:
    """What the curve says of risk; see `domain.observations.AccountFacts`."""

    max_drawdown: float
    volatility: float
    value_at_risk: float
    expected_shortfall: float


def curve_risk(book: AccountBook, flows: Iterable[CashFlow]) -> CurveRisk:
    """Measure risk by an account's returns; NaN of all but drawdown below 30 of them.

    Args:
        book: With its curve.
        flows: All of the account; money paid in or out is neither a gain nor a loss.
    """
    returns = own_returns(book, flows)
    is_enough = returns.size >= FEWEST_RETURNS
    return CurveRisk(
        max_drawdown=max(book.drawdown, max_drawdown(returns) if returns.size else 0.0),
        volatility=float(returns.std(ddof=1)) if is_enough else math.nan,
        value_at_risk=value_at_risk(returns, confidence=CONFIDENCE) if is_enough else math.nan,
        expected_shortfall=expected_shortfall(returns, confidence=CONFIDENCE)
        if is_enough
        else math.nan,
    )


def own_returns(book: AccountBook, flows: Iterable[CashFlow]) -> FloatArray:
    """Return the return of every session, the first one from the money the account began with.

    Args:
        book: With its curve.
        flows: All of the account.

    Returns:
        At most one value for each point of the curve; none after equity that is not above 0.
    """
    own = [each for each in flows if each.kind in OWN_MONEY]
    later = [each for each in own if each.flow_id != f"{book.name}-opening"]
    before = book.capital - sum((each.amount for each in later), ZERO)
    paid = _paid_at(book.curve, later)
    returns: list[float] = []
    for point in book.curve:
        if before <= 0:
            break
        returns.append(float((point.equity - paid[point.session]) / before - 1))
        before = point.equity
    return np.array(returns, dtype=np.float64)


def _paid_at(
    curve: Sequence[EquityPoint], flows: Iterable[CashFlow]
) -> defaultdict[dt.date, Decimal]:
    """Add up money by the first session of the curve at or after it was paid."""
    sessions = [each.session for each in curve]
    paid: defaultdict[dt.date, Decimal] = defaultdict(lambda: ZERO)
    for each in flows:
        place = bisect_left(sessions, each.session)
        if place < len(sessions):
            paid[sessions[place]] += each.amount
    return paid


def thinned(curve: Sequence[EquityPoint], *, most: int) -> tuple[EquityPoint, ...]:
    """Keep at most so many points: the first, the last, and of each stretch its lowest and highest.

    Args:
        curve: In order.
        most: Points to keep, at least 4.
    """
    if len(curve) <= most:
        return tuple(curve)
    edges = np.linspace(1, len(curve) - 1, (most - 2) // 2 + 1).astype(int)
    kept = {0, len(curve) - 1}
    for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        places = range(first, end)
        kept |= {min(places, key=lambda at: curve[at].equity),
                 max(places, key=lambda at: curve[at].equity)}  # fmt: skip
    return tuple(curve[place] for place in sorted(kept))
