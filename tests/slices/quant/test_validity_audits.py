"""What the market's simulation leaves behind stands an audit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slices.domain.orders import Bracket, OrderKind
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES, TradingRules
from slices.domain.verdicts import Leak
from slices.quant.panel import Panel
from slices.quant.simulation.account import FillReason
from slices.quant.simulation.intents import OrderIntent
from slices.quant.simulation.orders import simulate_orders
from slices.quant.simulation.targets import simulate_targets
from slices.quant.validity.futures import changed
from slices.quant.validity.look_ahead import audit_fills
from tests.slices.quant.chance import close_panel, ohlcv_panel, random_weights


def with_holes(panel: Panel) -> Panel:
    """Take away one bar in forty, and the newest of one symbol, which leaves."""
    holes = np.random.default_rng(0).random(panel.close.shape) < 1 / 40
    holes[-30:, 1] = True
    return changed(panel, lambda values: np.where(holes, np.nan, values))


@pytest.fixture(scope="module")
def traded_bars() -> Panel:
    panel = ohlcv_panel()
    return with_holes(panel.between(len(panel.sessions) - 500, len(panel.sessions)))


def random_orders(panel: Panel, count: int) -> list[OrderIntent]:
    """Orders of every kind at random, many with a bracket, for symbols with a bar."""
    random = np.random.default_rng(1)
    orders = []
    for _ in range(count):
        row, column = (int(random.integers(0, size)) for size in panel.close.shape)
        price, side = panel.close[row, column], random.choice([-1.0, 1.0])
        if np.isnan(price):
            continue
        kind = random.choice([OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP])
        bracket = Bracket(stop_loss=0.02, take_profit=0.03, trail=0.04, most_sessions=10)
        orders.append(
            OrderIntent(
                row=row,
                column=column,
                quantity=side * 10.0,
                kind=OrderKind(kind),
                limit_price=price * (1 - 0.01 * side) if kind == OrderKind.LIMIT else None,
                stop_price=price * (1 + 0.01 * side) if kind == OrderKind.STOP else None,
                valid_sessions=5,
                bracket=bracket if random.random() < 0.5 else None,
            )
        )
    return orders


@pytest.mark.parametrize("kind", ["long_short", "long_flat", "weights"])
@pytest.mark.parametrize("feed", ["close", "ohlcv"])
def test_weights_are_filled_as_they_could_be(kind: str, feed: str, traded_bars: Panel) -> None:
    panel = traded_bars if feed == "ohlcv" else with_holes(close_panel().between(7000, 7500))
    weights = random_weights(kind, *panel.close.shape, np.random.default_rng(0))
    account = simulate_targets(
        panel, weights, costs=DEFAULT_COSTS, rules=DEFAULT_RULES, capital=1e6
    )
    assert account.fills.rows.size > 100
    assert FillReason.DELISTING in account.fills.reasons
    assert audit_fills(account, panel) == ()


def test_orders_are_filled_as_they_could_be(traded_bars: Panel) -> None:
    account = simulate_orders(
        traded_bars,
        random_orders(traded_bars, 400),
        costs=DEFAULT_COSTS,
        rules=TradingRules(gross_exposure=4.0),
        capital=1e6,
    )
    seen = {FillReason(each) for each in account.fills.reasons}
    assert {FillReason.LIMIT, FillReason.STOP, FillReason.STOP_LOSS, FillReason.TIME_LIMIT} <= seen
    assert audit_fills(account, traded_bars) == ()


@pytest.mark.parametrize(
    ("field", "move", "leak"),
    [
        ("decided", 1, Leak.SAME_BAR_FILL),
        ("prices", 1e6, Leak.PRICE_OUTSIDE_BAR),
        ("prices", 1e-3, Leak.CHOSEN_PRICE),
    ],
)
def test_one_changed_fill_among_many_is_found(
    field: str, move: float, leak: Leak, traded_bars: Panel
) -> None:
    weights = random_weights("weights", *traded_bars.close.shape, np.random.default_rng(0))
    account = simulate_targets(
        traded_bars, weights, costs=DEFAULT_COSTS, rules=DEFAULT_RULES, capital=1e6
    )
    values = getattr(account.fills, field).copy()
    values[37] += values.dtype.type(move)
    wrong = replace(account, fills=replace(account.fills, **{field: values}))
    findings = audit_fills(wrong, traded_bars)
    assert leak in {each.leak for each in findings}
    assert findings[0].session == traded_bars.sessions[account.fills.rows[37]]
