"""Trading target weights with shared cash.

The contract: decide at close t; fill at the next session's fill price; never on the same bar. The
equity left after costs is solved exactly and every position becomes its weight of it; shares are
fractional. Positions are marked at the close. Between decisions shares are held and weights
drift. A decision at the last session has no next one: it stays pending and is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slices.domain.errors import BadDataError, ParameterError
from slices.quant.types import FloatArray, IntArray

SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightSimulation:
    """What became of a sequence of target weights.

    Attributes:
        equity: T account values, marked at the close.
        cash: T amounts of cash.
        shares: T x N shares held after each session's fills.
        fill_rows: D sessions at which fills happened.
        quantities: D x N signed quantities filled; 0 where nothing was traded.
        prices: D x N prices of these fills.
        costs: D x N costs of these fills, in money.
        equity_before: D account values at the fill prices, before trading.
        pending: N weights decided at the last session and not traded, or None.
    """

    equity: FloatArray
    cash: FloatArray
    shares: FloatArray
    fill_rows: IntArray
    quantities: FloatArray
    prices: FloatArray
    costs: FloatArray
    equity_before: FloatArray
    pending: FloatArray | None

    @property
    def turnover(self) -> FloatArray:
        """One-way turnover of each rebalance: half the traded value over the equity before it."""
        traded = np.abs(self.quantities * self.prices).sum(axis=1)
        return np.asarray(traded / (2.0 * self.equity_before), dtype=np.float64)


def trade_weights(
    closes: FloatArray,
    fill_prices: FloatArray,
    target_weights: FloatArray,
    *,
    cost_rate: float,
    capital: float,
) -> WeightSimulation:
    """Simulate an account that trades to target weights.

    Args:
        closes: T x N positive closes without NaN.
        fill_prices: T x N positive prices at which decisions of the session before fill: opens,
            or closes where the data has no opens.
        target_weights: T x N fractions of equity decided at each close, not negative, with sum of
            at most 1 (the rest is cash); a row of NaN is no decision.
        cost_rate: Costs as a fraction of traded value, at least 0 and below 1.
        capital: Cash before the first session, positive.

    Raises:
        BadDataError: Where prices are missing, not positive or differ in shape, or weights are
            not allowed.
        ParameterError: Where cost rate or capital are not allowed.

    >>> closes = np.array([[100.0], [110.0], [121.0]])
    >>> targets = np.array([[1.0], [np.nan], [0.0]])
    >>> account = trade_weights(closes, closes, targets, cost_rate=0.0, capital=1000.0)
    >>> account.equity.round(9).tolist(), account.pending.tolist()
    ([1000.0, 1000.0, 1100.0], [0.0])
    """
    from slices.quant.simulation.kernels import simulate_weights

    closes, fill_prices, targets = (
        np.ascontiguousarray(each, dtype=np.float64)
        for each in (closes, fill_prices, target_weights)
    )
    _check_prices(closes, fill_prices)
    decided = _check_weights(targets, shape=closes.shape)
    _check_money(cost_rate=cost_rate, capital=capital)
    is_traded = decided < closes.shape[0] - 1
    rows = decided[is_traded]
    cash, shares, quantities = simulate_weights(
        closes, fill_prices, targets[rows], rows, cost_rate, capital
    )
    prices = fill_prices[rows + 1]
    return WeightSimulation(
        equity=cash + (shares * closes).sum(axis=1),
        cash=cash,
        shares=shares,
        fill_rows=rows + 1,
        quantities=quantities,
        prices=prices,
        costs=cost_rate * np.abs(quantities * prices),
        equity_before=_equity_before(cash, shares, prices, rows),
        pending=None if is_traded.all() else targets[-1].copy(),
    )


def _equity_before(
    cash: FloatArray, shares: FloatArray, prices: FloatArray, rows: IntArray
) -> FloatArray:
    """Value the account at the fill prices with what it held at the decision."""
    return np.asarray(cash[rows] + (shares[rows] * prices).sum(axis=1), dtype=np.float64)


def _check_prices(closes: FloatArray, fill_prices: FloatArray) -> None:
    if closes.ndim != 2 or closes.shape != fill_prices.shape:
        raise BadDataError(
            dataset="prices",
            problem=f"closes {closes.shape} and fill prices {fill_prices.shape} must be T x N",
        )
    for name, prices in (("closes", closes), ("fill prices", fill_prices)):
        if not (np.isfinite(prices) & (prices > 0)).all():
            raise BadDataError(dataset=name, problem="every price must be positive and known")


def _check_weights(targets: FloatArray, *, shape: tuple[int, ...]) -> IntArray:
    """Return the rows that hold decisions."""
    if targets.shape != shape:
        raise BadDataError(
            dataset="target weights", problem=f"found shape {targets.shape}, needed {shape}"
        )
    missing = np.isnan(targets)
    rows = np.flatnonzero(~missing.all(axis=1))
    decided = targets[rows]
    if not np.isfinite(decided).all():
        raise BadDataError(
            dataset="target weights",
            problem="found a row with some weights missing or infinite; "
            "needed rows of finite weights, or of NaN alone for no decision",
        )
    highest = float(decided.sum(axis=1).max(initial=0.0))
    if decided.min(initial=0.0) < 0 or highest > 1.0 + SUM_TOLERANCE:
        raise BadDataError(
            dataset="target weights",
            problem=f"found lowest {decided.min():.6g}, highest sum {highest:.6g}; "
            "needed weights of at least 0 that sum to at most 1",
        )
    return np.asarray(rows, dtype=np.int64)


def _check_money(*, cost_rate: float, capital: float) -> None:
    if not 0 <= cost_rate < 1:
        raise ParameterError(parameter="cost_rate", found=str(cost_rate), allowed="0 to below 1")
    if not 0 < capital < np.inf:
        raise ParameterError(parameter="capital", found=str(capital), allowed="more than 0")
