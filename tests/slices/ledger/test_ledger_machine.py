"""Orders and fills as a broker may report them, against a reference that keeps one plain list."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from slices.domain.accounts import TradingState
from slices.domain.orders import Fill, Order, OrderState, Side
from slices.domain.trading_errors import LedgerError
from slices.ledger.accounts import account_names, open_account, read_book
from slices.ledger.booking import book, fills_of
from slices.ledger.opening import Ledger
from slices.ledger.orders import find_order, write_answer
from slices.ledger.states import release
from slices.ledger.verifying import verify
from tests.support.ledgers import (
    AT,
    CAPITAL,
    SESSION,
    accept,
    answer,
    fill,
    ledger_at,
    order,
    same_but,
)


@dataclass
class Reference:
    """What a broker did and what the books were told of it."""

    orders: dict[str, Order] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    pending: list[Fill] = field(default_factory=list)
    told: dict[str, Fill] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)

    def filled(self, name: str) -> Decimal:
        mine = (each.quantity for each in self.told.values() if each.client_order_id == name)
        return sum((abs(each) for each in mine), Decimal(0))

    def state(self, name: str) -> OrderState:
        if self.filled(name) == self.orders[name].quantity:
            return OrderState.FILLED
        if name in self.cancelled:
            return OrderState.CANCELLED
        return OrderState.PARTLY_FILLED if self.filled(name) else OrderState.ACCEPTED


class Fills(RuleBasedStateMachine):
    """Fills that come twice, late, in parts, after a cancel, too many, or changed."""

    ledger: Ledger

    def __init__(self) -> None:
        super().__init__()
        self.account = f"m{len(account_names(self.ledger))}"
        open_account(self.ledger, self.account, capital=CAPITAL, session=SESSION, at=AT)
        self.reference = Reference()

    @rule(shares=st.integers(1, 20), side=st.sampled_from(Side), symbol=st.sampled_from("AB"))
    def places(self, shares: int, side: Side, symbol: str) -> None:
        name = f"{self.account}-{len(self.reference.orders)}"
        wanted = order(name, shares=shares, side=side, symbol=symbol, account=self.account)
        accept(self.ledger, wanted)
        self.reference.orders[name] = wanted
        self.reference.done[name] = 0

    @precondition(lambda self: self.reference.orders)
    @rule(
        pick=st.integers(0, 99),
        shares=st.integers(1, 20),
        at_price=st.decimals("1", "500", places=3),
        day=st.integers(0, 5),
    )
    def trades(self, pick: int, shares: int, at_price: Decimal, day: int) -> None:
        name = list(self.reference.orders)[pick % len(self.reference.orders)]
        wanted = self.reference.orders[name]
        shares = min(shares, int(wanted.quantity) - self.reference.done[name])
        if shares == 0 or name in self.reference.cancelled:
            return
        self.reference.done[name] += shares
        happened = fill(
            f"{name}-{self.reference.done[name]}",
            wanted.side.sign * shares,
            at_price,
            of=name,
            symbol=wanted.symbol,
            account=self.account,
            day=day,
            commission="0.01",
        )
        self.reference.pending.append(happened)

    @precondition(lambda self: self.reference.pending)
    @rule(picks=st.lists(st.integers(0, 99), min_size=1, max_size=4))
    def reports(self, picks: list[int]) -> None:
        pending = self.reference.pending
        batch = [pending[pick % len(pending)] for pick in picks]
        new = {each.fill_id for each in batch} - self.reference.told.keys()
        assert book(self.ledger, self.account, fills=batch, at=AT) == len(new)
        self.reference.told |= {each.fill_id: each for each in batch}

    @precondition(lambda self: self.reference.orders)
    @rule(pick=st.integers(0, 99))
    def cancels(self, pick: int) -> None:
        name = list(self.reference.orders)[pick % len(self.reference.orders)]
        ended = answer(self.reference.orders[name], OrderState.CANCELLED)
        write_answer(self.ledger, name, ended, at=AT)
        self.reference.cancelled.add(name)

    @precondition(lambda self: self.reference.orders)
    @rule(pick=st.integers(0, 99))
    def fills_too_much(self, pick: int) -> None:
        name = list(self.reference.orders)[pick % len(self.reference.orders)]
        wanted = self.reference.orders[name]
        left = int(wanted.quantity - self.reference.filled(name))
        sign = wanted.side.sign
        extra = fill(
            f"{name}-extra",
            sign * (left + 1),
            of=name,
            symbol=wanted.symbol,
            account=self.account,
        )
        self._refuses(extra)

    @precondition(lambda self: self.reference.told)
    @rule(pick=st.integers(0, 99))
    def changes_a_fill(self, pick: int) -> None:
        told = list(self.reference.told.values())[pick % len(self.reference.told)]
        self._refuses(same_but(told, at_price=told.price + 1))

    def _refuses(self, wrong: Fill) -> None:
        with pytest.raises(LedgerError):
            book(self.ledger, self.account, fills=[wrong], at=AT)
        assert read_book(self.ledger, self.account).state is TradingState.HALTED
        release(self.ledger, self.account, reason="goes on", by="test", at=AT)

    @invariant()
    def books_are_the_reference(self) -> None:
        found, told = read_book(self.ledger, self.account), self.reference.told.values()
        assert {each.fill_id for each in fills_of(self.ledger, self.account)} == set(
            self.reference.told
        )
        assert found.cash == CAPITAL - sum(
            (each.quantity * each.price + each.commission for each in told), Decimal(0)
        )
        for symbol in "AB":
            shares = sum((each.quantity for each in told if each.symbol == symbol), Decimal(0))
            assert found.held(symbol) == shares

    @invariant()
    def r37_equity_is_cash_plus_positions(self) -> None:
        found = read_book(self.ledger, self.account, curve=False)
        gains = found.realized_pnl + sum(each.unrealized_pnl for each in found.positions)
        assert found.equity == found.cash + found.long_value + found.short_value
        assert found.equity == CAPITAL + gains - found.costs

    @invariant()
    def orders_are_the_reference(self) -> None:
        for name in self.reference.orders:
            record = find_order(self.ledger, name)
            assert record is not None
            assert record.filled_quantity == self.reference.filled(name)
            assert record.state is self.reference.state(name)


@pytest.mark.slow
def test_r25_fills_in_any_order_twice_late_or_too_many(tmp_path: Path) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    Fills.ledger = ledger_at(f"sqlite:///{tmp_path}/paper.db", tmp_path)
    few = settings(max_examples=15, stateful_step_count=20, deadline=None, derandomize=True)
    try:
        run_state_machine_as_test(Fills, settings=few)  # type: ignore[no-untyped-call]
        assert verify(Fills.ledger).problem == ""
    finally:
        Fills.ledger.close()
