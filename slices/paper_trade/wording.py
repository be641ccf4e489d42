"""Sentences about an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.report import Unit

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.paper_trading import Parity, SessionOrder, SessionsTraded

ALLOWED = {
    TradingState.REDUCING: "may only make positions smaller",
    TradingState.HALTED: "is halted and trades nothing",
}


def state_sentence(book: AccountBook) -> str:
    """Say what an account that may not do everything may do, and why; empty for an active one."""
    if book.state is TradingState.ACTIVE:
        return ""
    why = f": {book.state_reason}" if book.state_reason else ""
    return f"Account '{book.name}' {ALLOWED[book.state]}{why}."


def release_sentence(book: AccountBook) -> str:
    """Say how an account may trade again."""
    return (
        f"`tradeflows release --account {book.name} --reason ...` ends that and is recorded; "
        "without an account where everything is halted."
    )


def gap_sentence(found: Parity) -> str:
    """Say in one sentence whether an account and its backtest are one."""
    span = f"{found.sessions[0]} to {found.sessions[-1]}"
    gap = written(found.largest_gap, Unit.MONEY)
    if found.is_equal:
        return (
            f"Equal: a backtest of the same rule from {span} has the same "
            f"{counted(found.fills, 'fill')}, one for one, and no close of the account value "
            f"differs by more than {gap}."
        )
    ended = written(found.total.total, Unit.MONEY)
    return (
        f"From {span} the account made {ended} more than a backtest of the same rule: "
        f"{found.matched:,} of its {counted(found.fills, 'fill')} are among the "
        f"{found.tested_fills:,} of the backtest, and the account values differ by up to {gap}."
    )


def headline(book: AccountBook, traded: SessionsTraded, *, label: str, is_plan: bool) -> str:
    """Say what the account is worth and what became of the newest decision."""
    worth = written(float(book.equity), Unit.MONEY)
    made = written(return_since(book), Unit.FRACTION)
    since = f"{made} since {book.opened}" if book.session else "not begun yet"
    return (
        f"{label}: paper account '{book.name}' is worth {worth} at the close of {traded.session} "
        f"({since}); {outcome(traded, is_plan=is_plan)}."
    )


def outcome(traded: SessionsTraded, *, is_plan: bool) -> str:
    """Say what a run has done, as half a sentence."""
    if is_plan:
        return f"{counted(len(traded.orders), 'order')} would be handed in, and none was"
    if traded.is_repeated:
        return "all of it had been done before, so nothing was sent"
    sent = counted(traded.placed, "order") if traded.placed else "no order"
    span = "" if traded.decided <= 1 else f" in {counted(traded.decided, 'session')}"
    denied = f", {traded.denied:,} denied" if traded.denied else ""
    return f"{sent} sent{span}{denied}"


def return_since(book: AccountBook) -> float:
    """Return what an account made of its capital, as a fraction."""
    return float(book.equity / book.capital - 1)


def refused_caveats(
    orders: tuple[SessionOrder, ...], book: AccountBook, session: str
) -> tuple[str, ...]:
    """Name the orders of the newest close that were not let through, each with its reasons.

    Of a halted account the halt is reason enough.
    """
    refused = tuple(each for each in orders if each.is_refused)
    if book.state is TradingState.HALTED:
        held = f" {counted(len(refused), 'order')} of {session} held back." if refused else ""
        return (f"{state_sentence(book)}{held} {release_sentence(book)}",)
    state = state_sentence(book)
    states = (f"{state} {release_sentence(book)}",) if state else ()
    return states + tuple(
        f"{each.symbol}: the order of {session} was denied ({listed(each.reasons)})"
        for each in refused
    )
