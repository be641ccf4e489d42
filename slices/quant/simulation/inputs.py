"""What a simulation may be given, checked once: bars, costs, rules, corporate actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, MissingColumnsError, ParameterError
from slices.quant.simulation.records import BAR, RecordArray, Terms, blank

if TYPE_CHECKING:
    from slices.domain.parameters import Costs, TradingRules
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray

WINDOW_SESSIONS = 20
"""Sessions of returns that market impact takes its volatility from."""


def check_bars(panel: Panel) -> None:
    """Check that every bar has positive prices; a symbol without a close has no bar.

    Raises:
        BadDataError: Naming the column, the symbol and the session of the first bar that fails.
    """
    for name in ("close", "open", "high", "low"):
        prices = getattr(panel, name)
        if prices is not None:
            _check_shape(panel, name, prices)
            if not (prices.size and prices.min() > 0 and prices.max() < np.inf):
                _check_column(panel, name, prices)


def _check_shape(panel: Panel, name: str, prices: FloatArray) -> None:
    needed = (len(panel.sessions), len(panel.symbols))
    if prices.shape != needed:
        raise BadDataError(dataset=name, problem=f"found shape {prices.shape}, needed {needed}")


def _check_column(panel: Panel, name: str, prices: FloatArray) -> None:
    is_bad = ~((prices > 0) & np.isfinite(prices)) & ~np.isnan(panel.close)
    if is_bad.any():
        row, column = (int(each) for each in np.argwhere(is_bad)[0])
        raise BadDataError(
            dataset=panel.symbols[column],
            problem=f"found {name} {prices[row, column]:g} on {panel.sessions[row]}; "
            "needed a positive price in every bar",
        )


def check_capital(capital: float) -> None:
    """Check that there is money to begin with."""
    if not 0 < capital < np.inf:
        raise ParameterError(parameter="capital", found=str(capital), allowed="more than 0")


def terms_of(costs: Costs, rules: TradingRules, *, periods_per_year: int) -> Terms:
    """Put costs and rules in the units of one session."""
    return Terms(
        commission=costs.commission_bps / 1e4,
        spread=costs.slippage_bps / 1e4,
        per_share=costs.commission_per_share,
        minimum=costs.commission_minimum,
        impact=costs.impact,
        interest=costs.cash_rate / periods_per_year,
        margin=costs.debt_rate / periods_per_year,
        borrow=costs.borrow_rate / periods_per_year,
        volume_share=rules.volume_share,
        gross=rules.gross_exposure,
        borrowed=max(0.0, rules.gross_exposure - 1.0),
        whole=rules.whole_shares,
    )


def bars_of(
    panel: Panel,
    *,
    volatility: FloatArray | None,
    dividends: FloatArray | None,
    splits: FloatArray | None,
) -> RecordArray:
    """Arrange checked bars for the compiled session.

    Args:
        panel: T x N bars.
        volatility: T x N, known before each session; None where impact is not charged.
        dividends: T x N cash per share, 0 where there is none; None where there are none at all.
        splits: T x N new shares for one old, 1 where there is no split.
    """
    bars = blank(BAR, *panel.close.shape)
    high, low = _extremes(panel)
    bars["fill_price"], bars["high"], bars["low"] = panel.fill_prices, high, low
    bars["close"] = panel.close
    bars["volume"] = np.nan if panel.volume is None else panel.volume
    bars["volatility"] = np.nan if volatility is None else volatility
    bars["dividend"] = 0.0 if dividends is None else dividends
    bars["split"] = 1.0 if splits is None else splits
    return bars


def _extremes(panel: Panel) -> tuple[FloatArray, FloatArray]:
    """Return highs and lows; fill prices where no price within a session was observed."""
    if panel.open is None or panel.high is None or panel.low is None:
        return panel.fill_prices, panel.fill_prices
    return panel.high, panel.low


def check_actions(
    shape: tuple[int, ...], *, dividends: FloatArray | None, splits: FloatArray | None
) -> None:
    """Check that dividends are at least 0, splits more than 0, and both as wide as the bars.

    Raises:
        BadDataError: Saying what was found.
    """
    for name, values, lowest in (("dividends", dividends, 0.0), ("splits", splits, 1e-9)):
        if values is None:
            continue
        if values.shape != shape:
            raise BadDataError(dataset=name, problem=f"found shape {values.shape}, needed {shape}")
        if values.size and not (values.min() >= lowest and values.max() < np.inf):
            raise BadDataError(
                dataset=name,
                problem=f"found values from {values.min():g} to {values.max():g}; needed "
                "dividends of at least 0 per share and splits as new shares for one old, "
                "1 where there is none",
            )


def check_volume(panel: Panel, costs: Costs) -> None:
    """Check that impact, where it is charged, has a volume to be worked out from.

    Raises:
        MissingColumnsError: Where the panel has none.
    """
    if costs.impact > 0 and panel.volume is None:
        raise MissingColumnsError(dataset="market impact", needed=("volume",), found=("close",))


def known_volatility(panel: Panel, costs: Costs, *, splits: FloatArray | None) -> FloatArray | None:
    """Return T x N deviations of returns known before each session; None where not charged for."""
    from slices.quant.simulation.volatility import trailing_volatility

    if costs.impact == 0:
        return None
    check_volume(panel, costs)
    ratios = np.ones(panel.close.shape) if splits is None else np.ascontiguousarray(splits)
    return trailing_volatility(np.ascontiguousarray(panel.close), ratios, WINDOW_SESSIONS)
