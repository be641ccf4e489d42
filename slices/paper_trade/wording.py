"""Sentences about an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.paper_trading import CENT
from slices.domain.report import Unit

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.paper_trading import AccountView, Parity, SessionOrder, SessionsTraded

FEWEST_DENIED = 2
"""At so many sessions all orders are denied before it is said that none will be let through."""

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
    return (
        f"From {span} the account made {made_sentence(found.total.total)} a backtest of the same "
        f"rule: {shared_sentence(found)}, and the account values differ by up to {gap}."
    )


def made_sentence(more: float) -> str:
    """Say how much more or less was made, up to the word before what it is compared with.

    >>> made_sentence(2.5), made_sentence(-2.5), made_sentence(0.0)
    ('2.50 more than', '2.50 less than', 'as much as')
    """
    if abs(more) < CENT:
        return "as much as"
    return f"{written(abs(more), Unit.MONEY)} {'more' if more > 0 else 'less'} than"


def shared_sentence(found: Parity) -> str:
    """Say how many fills an account and its backtest have in common."""
    mine, others = counted(found.fills, "fill"), counted(found.tested_fills, "fill")
    if not found.fills and not found.tested_fills:
        return "neither has fills"
    if not found.fills:
        return f"it has no fills, the backtest has {others}"
    if not found.tested_fills:
        return f"it has {mine}, the backtest has none"
    if not found.matched:
        return f"none of its {mine} is among the {found.tested_fills:,} of the backtest"
    verb = "is" if found.matched == 1 else "are"
    return (
        f"{found.matched:,} of its {mine} {verb} among the {found.tested_fills:,} of the backtest"
    )


def sent_sentence(orders: tuple[SessionOrder, ...], *, is_plan: bool) -> str:
    """Say how many orders of a close were handed in, or would be, and how many denied."""
    denied = sum(each.is_refused for each in orders)
    sent = len(orders) - denied
    said: list[str] = []
    if sent:
        were = _were(sent, is_plan=is_plan)
        said.append(f"{counted(sent, 'order')} {were} handed in, to be filled at the next session")
    if denied:
        what = f"{denied:,}" if sent else counted(denied, "order")
        said.append(f"{what} {_were(denied, is_plan=is_plan)} denied")
    return f"{'; '.join(said)}."


def _were(count: int, *, is_plan: bool) -> str:
    if is_plan:
        return "would be"
    return "was" if count == 1 else "were"


def never_caveats(view: AccountView) -> tuple[str, ...]:
    """Say of an account whose orders are denied at every session that this will not change."""
    if view.denied_sessions < FEWEST_DENIED:
        return ()
    return (
        f"every order of all {view.denied_sessions:,} sessions at which it ordered was denied by "
        "the same limit: the strategy asks for more than that allows and can never trade",
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
        refused = sum(each.is_refused for each in traded.orders)
        allowed = counted(len(traded.orders) - refused, "order")
        besides = f", {refused:,} denied" if refused else ""
        return f"{allowed} would be handed in{besides}, and none was"
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
        held = f" {counted(len(refused), 'order')} of {session} denied." if refused else ""
        return (f"{state_sentence(book)}{held} {release_sentence(book)}",)
    state = state_sentence(book)
    states = (f"{state} {release_sentence(book)}",) if state else ()
    return states + tuple(
        f"{each.symbol}: the order of {session} was denied ({listed(each.reasons)})"
        for each in refused
    )
