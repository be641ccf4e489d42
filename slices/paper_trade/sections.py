"""The parts of a report of an account, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.report import LineChart, Note, Section, Series, Tone, Unit
from slices.paper_trade.selected import selected_section
from slices.paper_trade.tables import (
    cost_table,
    divergence_table,
    ended_table,
    fill_table,
    life_table,
    order_table,
    position_table,
    ranking_table,
    waiting_table,
)
from slices.paper_trade.wording import (
    gap_sentence,
    release_sentence,
    sent_sentence,
    state_sentence,
)
from slices.quant.signals.catalogue import STRATEGIES

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.backtests import StrategyChoice
    from slices.domain.paper_trading import AccountView, SessionOrder
    from slices.domain.report import Block

EQUITY = "equity"


def worth_section(view: AccountView) -> Section:
    """Show what the account is worth, and what it holds."""
    book = view.book
    chart = (equity_chart(view),) if len(book.curve) > 1 else ()
    held = position_table(book) if book.positions else Note(text="It holds cash alone.")
    blocks: tuple[Block, ...] = (*state_notes(book), *chart, held, cost_table(view))
    return Section(title="What it is worth", intro=standing(book), blocks=blocks)


def standing(book: AccountBook) -> str:
    """Say whose account it is and when it was closed last."""
    began = f"Account '{book.name}', play money, "
    if book.session is None:
        return f"{began}would begin at the close of {book.opened} with {_money(book.capital)}."
    return (
        f"{began}began at the close of {book.opened} with {_money(book.capital)} and was last "
        f"valued at the close of {book.session}."
    )


def state_notes(book: AccountBook) -> tuple[Note, ...]:
    """Say what an account that may not do everything may do, and who ends that."""
    sentence = state_sentence(book)
    if not sentence:
        return ()
    return (Note(text=f"{sentence} {release_sentence(book)}", tone=Tone.BAD),)


def equity_chart(view: AccountView) -> LineChart:
    """Draw the account value, beside its backtest and holding where there are such.

    An account and a backtest that are equal are one line.
    """
    curve = view.book.curve
    sessions = tuple(each.session for each in curve)
    beside = view.parity
    is_equal = beside is not None and beside.is_equal
    name = "Paper, equal to its backtest" if is_equal else "Paper"
    paper = Series(name=name, x=sessions, y=tuple(float(each.equity) for each in curve))
    others: tuple[Series, ...] = ()
    if beside is not None:
        tested = Series(name="Backtest", x=beside.sessions, y=beside.tested)
        holding = Series(name="Holding", x=beside.sessions, y=beside.holding)
        others = (holding,) if is_equal else (tested, holding)
    return LineChart(
        key=EQUITY,
        title="Account value",
        series=(paper, *others),
        y_unit=Unit.MONEY,
        y_label="account value",
        caption="At every close, net of costs.",
        log_scale=len(sessions) > 504,
    )


def order_section(
    orders: tuple[SessionOrder, ...], view: AccountView, session: str, *, is_plan: bool
) -> Section:
    """Show the orders of the newest close, what the gate said of each, and older ones that wait."""
    title = f"What it ordered at the close of {session}"
    waiting = tuple(each for each in view.waiting if str(each.order.session) != session)
    older = (waiting_table(waiting),) if waiting else ()
    if not orders:
        nothing = Note(text="Nothing: no target had changed.")
        return Section(title=title, blocks=(nothing, *older))
    return Section(
        title=title,
        intro=sent_sentence(orders, is_plan=is_plan),
        blocks=(order_table(orders), *older),
    )


def life_section(view: AccountView) -> Section | None:
    """Show the newest fills of its whole life; None where the newest session has them all."""
    if view.fill_count == len(view.fills):
        return None
    return Section(title="What it has traded", blocks=(life_table(view),))


def happened_section(view: AccountView) -> Section | None:
    """Show what the newest session filled, ended and restated; None where that is nothing."""
    fills = (fill_table(view.fills),) if view.fills else ()
    ended = (ended_table(view.ended),) if view.ended else ()
    restated = tuple(
        Note(
            text=f"{each.symbol}: {each.old_quantity:,f} shares became {each.new_quantity:,f} "
            f"({each.reason or 'split'})."
        )
        for each in view.actions
    )
    blocks: tuple[Block, ...] = (*fills, *ended, *restated)
    if not blocks:
        return None
    return Section(title=f"What happened in the session of {view.book.session}", blocks=blocks)


def parity_section(view: AccountView) -> Section | None:
    """Show whether paper and backtest are one, and where not, why; None where nothing replayed."""
    title = "Paper against backtest"
    if view.no_parity:
        note = Note(text=f"No backtest stands beside it: {view.no_parity}.", tone=Tone.WARNING)
        return Section(title=title, blocks=(note,))
    if view.parity is None:
        return None
    tables = () if view.parity.is_equal else (divergence_table(view.parity),)
    return Section(
        title=title,
        intro=gap_sentence(view.parity),
        blocks=tables,
    )


def choice_section(choice: StrategyChoice) -> Section | None:
    """Show what was tried to choose the strategy; None where a person named it."""
    if choice.selected is not None:
        return selected_section(choice.selected)
    if choice.in_sample is None:
        return None
    start, end = choice.in_sample
    tried = (*choice.ranking, choice.holding) if choice.holding else choice.ranking
    left_out = tuple(
        Note(text=f"{STRATEGIES[name].title} was not tried: {reason}.")
        for name, reason in choice.not_tried
    )
    return Section(
        title="How it was chosen",
        intro=(
            f"{choice.trials} strategies with their default parameters were ranked by their Sharpe "
            f"ratio from {start} to {end}, net of costs; the first was taken. Nothing after that "
            "was looked at. Holding is the measure and was no candidate."
        ),
        blocks=(ranking_table(tried), *left_out),
    )


def unattended_note(view: AccountView) -> tuple[Note, ...]:
    """Name sessions the account lived through while nobody decided."""
    missed = view.unattended
    if not missed:
        return ()
    named = listed(tuple(str(each) for each in missed), most=10)
    return (
        Note(
            text=f"At {counted(len(missed), 'session')} of its life nothing was decided, because "
            f"no run looked at them: {named}. Positions and open orders lived on.",
            tone=Tone.WARNING,
        ),
    )


def _money(amount: object) -> str:
    return written(float(str(amount)), Unit.MONEY)
