"""Sentences about an account say which way a difference goes, and what was denied."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from slices.domain.orders import OrderState, Side
from slices.domain.paper_trading import Divergence, Parity, SessionOrder
from slices.paper_trade.wording import gap_sentence, sent_sentence


def test_a_profit_below_the_backtest_is_said_to_be_less() -> None:
    behind = Parity(
        sessions=(dt.date(2012, 8, 20), dt.date(2012, 8, 21)),
        equity=(100_000.0, 97_376.0),
        tested=(100_000.0, 100_000.0),
        holding=(100_000.0, 100_000.0),
        fills=0,
        tested_fills=3,
        matched=0,
        denied=3,
        parts=(),
        total=Divergence(symbol="all", size=-2624.0),
    )
    assert "2,624 less than" in gap_sentence(behind)
    assert "0 of its 0" not in gap_sentence(behind)
    ahead = replace(behind, fills=3, matched=1, total=Divergence(symbol="all", size=2624.0))
    assert "2,624 more than" in gap_sentence(ahead)


def test_orders_handed_in_and_denied_are_counted_apart() -> None:
    accepted = SessionOrder(
        client_order_id="tf-1",
        symbol="IBM",
        side=Side.BUY,
        quantity=Decimal(1),
        target_weight=None,
        state=OrderState.ACCEPTED,
    )
    denied = replace(accepted, state=OrderState.DENIED, reasons=("too large",))
    both = sent_sentence((accepted, accepted, denied), is_plan=False)
    assert "2 orders were handed in" in both
    assert "1 was denied" in both
    assert sent_sentence((denied,), is_plan=False) == "1 order was denied."
