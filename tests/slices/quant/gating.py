"""Accounts, orders and facts for the tests of limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from slices.domain.accounts import AccountBook, Mark, Position, TradingMode
from slices.domain.calendar import session_close
from slices.domain.limits import GateDecision, ReasonCode, RiskLimits
from slices.domain.orders import Order, OrderRecord, OrderState, Side
from slices.quant.limits.facts import GateFacts
from slices.quant.limits.gate import judge_orders

SESSION = dt.date(2024, 7, 8)
CLOSE = session_close(SESSION)
UNIT = Decimal("0.000000001")
OPEN_LIMITS = RiskLimits(
    max_gross_exposure=20.0,
    max_net_exposure=20.0,
    max_leverage=20.0,
    max_concentration=20.0,
)
"""Nothing but cash beyond twentyfold leverage stands in the way."""


def order(
    symbol: str, side: Side, quantity: object = 1, *, name: str = "", **fields: object
) -> Order:
    """Return an order at market unless the fields say otherwise."""
    shares = Decimal(str(quantity))
    plain = Order(
        client_order_id=name or f"{symbol} {side} {quantity}",
        account="main",
        workflow="tests",
        strategy="rule",
        session=SESSION,
        symbol=symbol,
        side=side,
        quantity=shares,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def buy(symbol: str, quantity: object = 1, **fields: object) -> Order:
    """Return a purchase."""
    return order(symbol, Side.BUY, quantity, **fields)  # type: ignore[arg-type]


def sell(symbol: str, quantity: object = 1, **fields: object) -> Order:
    """Return a sale."""
    return order(symbol, Side.SELL, quantity, **fields)  # type: ignore[arg-type]


def to_weight(symbol: str, weight: float, quantity: object = 0, **fields: object) -> Order:
    """Return an order to a weight."""
    side = Side.BUY if weight > 0 else Side.SELL
    name = f"{symbol} to {weight}"
    return order(symbol, side, quantity, name=name, target_weight=weight, **fields)


def record(
    placed: Order,
    state: OrderState = OrderState.ACCEPTED,
    *,
    at: dt.datetime = CLOSE,
    filled: object = 0,
) -> OrderRecord:
    """Return an order the ledger knows."""
    return OrderRecord(
        order=placed,
        state=state,
        filled_quantity=Decimal(str(filled)),
        decided_at=at,
        updated_at=at,
    )


def book(
    cash: object = 100_000, held: dict[str, object] | None = None, **fields: object
) -> AccountBook:
    """Return an account whose positions were paid, and are marked, at 100."""
    positions = tuple(
        Position(
            symbol=symbol,
            quantity=Decimal(str(shares)),
            basis=Decimal(str(shares)) * 100,
            mark=Decimal(100),
            marked=SESSION,
            opened=SESSION,
        )
        for symbol, shares in (held or {}).items()
    )
    plain = AccountBook(
        name="main",
        mode=TradingMode.PAPER,
        capital=Decimal(100_000),
        opened=SESSION,
        session=SESSION,
        cash=Decimal(str(cash)),
        positions=positions,
        day_start_equity=Decimal(100_000),
        peak_equity=Decimal(100_000),
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def marks(*symbols: str, price: object = 100, session: dt.date = SESSION) -> tuple[Mark, ...]:
    """Return the same mark for some symbols."""
    return tuple(Mark(symbol=each, price=Decimal(str(price)), session=session) for each in symbols)


def facts(account: AccountBook | None = None, **fields: object) -> GateFacts:
    """Return what is known at a close at which A to F cost 100."""
    plain = GateFacts(
        book=account or book(), session=SESSION, at=CLOSE, marks=marks("A", "B", "C", "D", "E", "F")
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def judged(
    orders: Iterable[Order], known: GateFacts | None = None, limits: RiskLimits = OPEN_LIMITS
) -> tuple[GateDecision, ...]:
    """Judge a batch."""
    return judge_orders(tuple(orders), known or facts(), limits)


def codes(decision: GateDecision) -> set[ReasonCode]:
    """Return why an order is denied."""
    return {each.code for each in decision.breaches}


def accepted(decisions: Sequence[GateDecision]) -> list[str]:
    """Return the names of accepted orders."""
    return [each.client_order_id for each in decisions if each.is_accepted]


def limited(**fields: object) -> RiskLimits:
    """Return wide limits but for the fields given."""
    return OPEN_LIMITS.model_copy(update=fields)
