"""What trades cost at known prices, and what money is enough for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from slices.domain.parameters import Costs
    from slices.quant.types import FloatArray


def expected_costs(changes: FloatArray, prices: FloatArray, costs: Costs) -> FloatArray:
    """Return commission and half spread of every trade, in money; market impact is left out.

    Args:
        changes: N signed shares.
        prices: N prices.
        costs: What trading costs.

    >>> from slices.domain.parameters import Costs
    >>> charged = Costs(commission_bps=0, slippage_bps=10, commission_minimum=1)
    >>> expected_costs(np.array([-10.0, 0.0]), np.array([50.0, 20.0]), charged).tolist()
    [1.5, 0.0]
    """
    shares = np.abs(changes)
    notional = shares * prices
    commission = notional * costs.commission_bps / 1e4 + shares * costs.commission_per_share
    charged = np.maximum(commission, costs.commission_minimum) + notional * costs.slippage_bps / 1e4
    return np.where(shares > 0, charged, 0.0)


def affordable(money: float, price: float, costs: Costs, *, unit: float) -> float:
    """Return the most shares that money buys, costs paid.

    Args:
        money: What may be spent; nothing is bought for less than one unit.
        price: Of a share.
        costs: What trading costs.
        unit: Smallest quantity, such as 1.

    >>> from slices.domain.parameters import Costs
    >>> affordable(100.0, 10.0, Costs(commission_bps=0, slippage_bps=0), unit=1.0)
    10.0
    >>> affordable(100.0, 10.0, Costs(commission_bps=0, slippage_bps=1), unit=1.0)
    9.0
    """
    spread = price * costs.slippage_bps / 1e4
    each = price * costs.commission_bps / 1e4 + costs.commission_per_share + price + spread
    shares = min(money / each, (money - costs.commission_minimum) / (price + spread))
    units = math.floor(max(0.0, shares) / unit)
    while units > 0 and _spent(units * unit, price, costs) > money:
        units -= 1
    return units * unit


def _spent(shares: float, price: float, costs: Costs) -> float:
    charged = expected_costs(np.array([shares]), np.array([price]), costs)
    return shares * price + float(charged[0])
