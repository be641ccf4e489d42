"""The findings of drawdown protection: the answer in one sentence, the figures, the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.protection_sections import (
    LOSS_CHART,
    action_section,
    allowed_text,
    counted_since,
    crowding_section,
    loss_section,
    recovery_section,
    recovery_sentence,
    tier_section,
)
from slices.adaptive_portfolio.risk_findings import behind_caveats
from slices.domain.accounts import TradingState
from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.protection import DrawdownProtection
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.protection import Pause, Protection
    from slices.domain.trading import OrderPlan, Placement


def drawdown_protection_findings(
    bars: DatasetRef,
    *,
    book: AccountBook,
    protection: Protection,
    pauses: tuple[Pause, ...],
    withdrawn: int,
    plan: OrderPlan,
    placed: Placement | None,
) -> DrawdownProtection:
    """Put together what an account lost and what was done about it.

    Args:
        bars: Bars of what it holds.
        book: The account when it was looked at.
        protection: What its losses ask for.
        pauses: Changes of its state, in order.
        withdrawn: How many open orders were cancelled.
        plan: The orders that reduce.
        placed: What became of them; None without any.
    """
    state = pauses[-1].after if pauses else protection.state
    caveats = (
        *_state_caveats(book, protection, state),
        *_order_caveats(placed),
        *_unknown_caveats(protection),
        *behind_caveats(book, bars),
        *data_caveats(bars),
    )
    notes = (*_history_notes(book, protection), *data_notes(bars))
    report = Report(
        key="drawdown-protection",
        title="Drawdown protection",
        headline=_headline(book, protection, state, plan),
        figures=_figures(protection),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in notes),
        ),
        sections=(
            loss_section(protection),
            action_section(book, protection, pauses, withdrawn, plan, placed),
            crowding_section(protection),
            recovery_section(protection.recovery),
            tier_section(protection.tier),
            data_section(bars),
        ),
        chart=LOSS_CHART,
        provenance=(),
    )
    return DrawdownProtection(
        headline=report.headline,
        caveats=caveats,
        summary=_summary(book, protection, state, plan),
        notes=notes,
        report=report,
        bars=bars,
        book=book,
        protection=protection,
        pauses=pauses,
        withdrawn=withdrawn,
        plan=plan,
        placed=placed,
    )


def _headline(
    book: AccountBook, protection: Protection, state: TradingState, plan: OrderPlan
) -> str:
    if not protection.is_known:
        return f"Account '{book.name}' has no history: there is nothing to protect yet."
    lost = written(protection.readings[0].loss, Unit.FRACTION)
    peak = f"its peak{counted_since(protection)}{_ever(protection)}"
    told = f"Account '{book.name}' is {lost} below {peak} and {state.value}"
    count = len(plan.orders)
    if not count:
        return f"{told}; {_kept(book, state)}."
    brings = "brings" if count == 1 else "bring"
    return f"{told}; {counted(count, 'order')} {brings} it down to what that allows."


def _ever(protection: Protection) -> str:
    if not counted_since(protection):
        return ""
    return f" ({written(protection.recovery.drawdown, Unit.FRACTION)} below its highest close ever)"


def _kept(book: AccountBook, state: TradingState) -> str:
    if not book.positions:
        return "it holds nothing"
    return "its positions stay" if state is TradingState.HALTED else "nothing has to be reduced"


def _figures(protection: Protection) -> tuple[KeyFigure, ...]:
    drawdown, daily, velocity = protection.readings
    return (
        KeyFigure(
            label="Loss since the peak",
            value=drawdown.loss,
            unit=Unit.FRACTION,
            note=f"halted from {written(drawdown.halting_at, Unit.FRACTION)} on"
            f"{_counted_note(protection)}",
            tone=_tone(drawdown.state),
        ),
        KeyFigure(
            label="Loss of the session",
            value=daily.loss,
            unit=Unit.FRACTION,
            note=f"halted from {written(daily.halting_at, Unit.FRACTION)} on",
            tone=_tone(daily.state),
        ),
        KeyFigure(
            label="Loss a session, lately",
            value=velocity.loss,
            unit=Unit.FRACTION,
            note=f"halted from {written(velocity.halting_at, Unit.FRACTION)} on",
            tone=_tone(velocity.state),
        ),
        KeyFigure(
            label="Gross exposure",
            value=protection.gross_exposure,
            unit=Unit.FRACTION,
            note=f"allowed: {allowed_text(protection)}",
        ),
    )


def _counted_note(protection: Protection) -> str:
    since = counted_since(protection)
    return f"; counted{since}" if since else ""


def _tone(state: TradingState) -> Tone:
    return (Tone.GOOD, Tone.WARNING, Tone.BAD)[state.severity]


def _state_caveats(
    book: AccountBook, protection: Protection, state: TradingState
) -> tuple[str, ...]:
    if state is TradingState.ACTIVE:
        return ()
    why = "; ".join(protection.reasons) or book.state_reason
    return (
        f"account '{book.name}' is {state.value} ({why}); "
        f"`tradeflows release --account {book.name}` ends that and is recorded",
    )


def _order_caveats(placed: Placement | None) -> tuple[str, ...]:
    denied = () if placed is None else tuple(d for d in placed.decisions if not d.is_accepted)
    return tuple(
        f"an order that reduces was denied: {'; '.join(map(str, each.breaches))}" for each in denied
    )


def _unknown_caveats(protection: Protection) -> tuple[str, ...]:
    unknown = protection.crowding.unknown
    if not unknown:
        return ()
    return (f"how the positions move together is unknown ({unknown}): they count as one bet",)


def _history_notes(book: AccountBook, protection: Protection) -> tuple[str, ...]:
    if not protection.is_known:
        return (
            f"Account '{book.name}' has lived through no session: losses, speed and the way back "
            "begin with its first close.",
        )
    return (recovery_sentence(protection.recovery),)


def _summary(
    book: AccountBook, protection: Protection, state: TradingState, plan: OrderPlan
) -> tuple[tuple[str, str], ...]:
    drawdown, daily, velocity = protection.readings
    return (
        ("Account", f"{book.name}, {book.mode.value}"),
        ("Session", str(book.session or "none yet")),
        ("Account value", written(protection.equity, Unit.MONEY)),
        ("State", state.value),
        ("Loss since the peak", written(drawdown.loss, Unit.FRACTION)),
        (
            "Loss since the highest close ever",
            written(protection.recovery.drawdown, Unit.FRACTION),
        ),
        ("Loss of the session", written(daily.loss, Unit.FRACTION)),
        ("Loss a session, lately", written(velocity.loss, Unit.FRACTION)),
        ("Gross exposure", written(protection.gross_exposure, Unit.FRACTION)),
        ("Allowed exposure", allowed_text(protection)),
        ("Average correlation", written(protection.crowding.average_correlation, Unit.RATIO)),
        ("Effective bets", written(protection.crowding.effective_bets, Unit.RATIO)),
        ("Orders", listed(tuple(f"{o.side.value} {o.symbol}" for o in plan.orders), most=6) or "–"),
        ("Capital tier", protection.tier.tier.value),
    )
