"""Which shares to trade: symbols beyond their band, sales first, purchases as far as cash goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slices.adaptive_portfolio.rebalancing.charging import affordable, expected_costs
from slices.domain.parameters import Costs
from slices.domain.rebalancing import RebalanceRules
from slices.quant.types import BoolArray, FloatArray

MOST_PASSES = 100
SMALLEST_PART = 1e-9
TOLERANCE = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Holdings:
    """What an account holds of N symbols, at known prices.

    Attributes:
        shares: Signed.
        prices: What each is valued at, positive.
        tradable: Whether there is a price of the session.
    """

    symbols: tuple[str, ...]
    shares: FloatArray
    prices: FloatArray
    tradable: BoolArray
    cash: float

    @property
    def equity(self) -> float:
        """Cash and the value of all positions."""
        return self.cash + float(self.shares @ self.prices)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """By what rules trades are planned."""

    rules: RebalanceRules
    costs: Costs
    whole_shares: bool

    @property
    def unit(self) -> float:
        """Smallest quantity."""
        return 1.0 if self.whole_shares else SMALLEST_PART


@dataclass(frozen=True, kw_only=True, eq=False)
class Changes:
    """Shares to trade, and what is left.

    Attributes:
        shares: N signed shares to trade.
        wanted: The same before cash was looked at.
        costs: N amounts.
        equity: After costs.
        targets: N fractions of that equity, the cash buffer taken off.
        bands: N drifts up to which nothing is traded.
    """

    shares: FloatArray
    wanted: FloatArray
    costs: FloatArray
    equity: float
    targets: FloatArray
    bands: FloatArray


def buffered(weights: FloatArray, cash_buffer: float) -> FloatArray:
    """Scale weights down where they would leave less cash than the buffer.

    >>> buffered(np.array([0.6, 0.4]), 0.1).round(12).tolist()
    [0.54, 0.36]
    """
    total = float(weights.sum())
    return weights * min(1.0, (1.0 - cash_buffer) / total) if total > 0 else weights


def bands_of(targets: FloatArray, rules: RebalanceRules) -> FloatArray:
    """Return the drift up to which each symbol is left alone; none where nothing is to be held.

    >>> from slices.domain.rebalancing import RebalanceRules
    >>> bands_of(np.array([0.5, 0.04, 0.0]), RebalanceRules()).tolist()
    [0.02, 0.01, 0.0]
    """
    return np.minimum(rules.absolute_band, rules.relative_band * targets)


def planned_changes(holdings: Holdings, weights: FloatArray, terms: Terms) -> Changes:
    """Plan the trades that bring holdings back to weights of the equity that costs leave.

    Only what is beyond its band is traded. What it costs makes the equity smaller, on which
    drifts and targets depend, so that both are solved together. A second plan on the outcome of
    the first has no trades.

    Args:
        holdings: What is held.
        weights: N fractions of equity, at least 0, that sum to 1 at most.
        terms: Band, costs, smallest trade, cash buffer, whole shares.
    """
    targets = buffered(weights, terms.rules.cash_buffer)
    bands = bands_of(targets, terms.rules)
    left, chosen = holdings.equity, np.zeros(targets.size, dtype=np.bool_)
    shares = wanted = costs = np.zeros(targets.size)
    for _ in range(MOST_PASSES):
        before, known = left, chosen
        if left <= 0:
            break
        chosen = known | _beyond(holdings, targets, bands, left)
        wanted = np.where(chosen, _wanted(holdings, targets, bands, left, terms), 0.0)
        shares = _funded(holdings, wanted, left, terms)
        costs = expected_costs(shares, holdings.prices, terms.costs)
        left = holdings.equity - float(costs.sum())
        if np.array_equal(chosen, known) and abs(left - before) <= TOLERANCE * holdings.equity:
            break
    return Changes(
        shares=shares, wanted=wanted, costs=costs, equity=left, targets=targets, bands=bands
    )


def _beyond(holdings: Holdings, targets: FloatArray, bands: FloatArray, equity: float) -> BoolArray:
    drift = np.abs(holdings.shares * holdings.prices / equity - targets)
    return np.asarray(holdings.tradable & (drift > bands + TOLERANCE))


def _wanted(
    holdings: Holdings, targets: FloatArray, bands: FloatArray, equity: float, terms: Terms
) -> FloatArray:
    """Return signed shares that are missing, rounded to what can be traded, small ones left out."""
    per_share = equity / holdings.prices
    after = _floor(targets * per_share, terms.unit)
    if terms.rules.trade_to == "edge":
        lowest = _ceiling((targets - bands) * per_share, terms.unit)
        highest = _floor((targets + bands) * per_share, terms.unit)
        inside = np.clip(holdings.shares, lowest, np.maximum(lowest, highest))
        after = np.where(lowest <= highest, inside, after)
    after = np.where(targets > 0, after, 0.0)
    missing = after - holdings.shares
    if terms.whole_shares:
        missing = np.where(after == 0, missing, np.trunc(missing + np.sign(missing) * 1e-9))
    is_small = np.abs(missing) * holdings.prices < terms.rules.smallest_trade
    return np.where(is_small, 0.0, missing)


def _floor(shares: FloatArray, unit: float) -> FloatArray:
    return np.asarray(np.floor(shares / unit + _slack(unit)) * unit)


def _ceiling(shares: FloatArray, unit: float) -> FloatArray:
    return np.asarray(np.ceil(shares / unit - _slack(unit)) * unit)


def _slack(unit: float) -> float:
    """Return what float noise may take off a whole number of units."""
    return 1e-9 if unit >= 1 else 1e-3


def _funded(holdings: Holdings, wanted: FloatArray, equity: float, terms: Terms) -> FloatArray:
    """Cut purchases to what sales and cash pay for, the largest shortfall served first."""
    sold = np.minimum(wanted, 0.0)
    charged = expected_costs(sold, holdings.prices, terms.costs)
    money = holdings.cash - float(sold @ holdings.prices) - float(charged.sum())
    money -= terms.rules.cash_buffer * equity
    shares = sold.copy()
    for i in _in_turn(holdings, wanted):
        price = float(holdings.prices[i])
        bought = min(wanted[i], affordable(money, price, terms.costs, unit=terms.unit))
        if bought * price >= terms.rules.smallest_trade:
            shares[i] = bought
            spent = expected_costs(shares[i : i + 1], holdings.prices[i : i + 1], terms.costs)
            money -= bought * price + float(spent[0])
    return shares


def _in_turn(holdings: Holdings, wanted: FloatArray) -> list[int]:
    """Order purchases: what closes short positions first, then the largest, then by name."""
    return sorted(
        np.flatnonzero(wanted > 0).tolist(),
        key=lambda i: (
            holdings.shares[i] >= 0,
            -wanted[i] * holdings.prices[i],
            holdings.symbols[i],
        ),
    )
