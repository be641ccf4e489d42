"""The parts of a report on the protection of an account."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.protection import NAMES
from slices.domain.accounts import TradingState
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.report import (
    BarChart,
    LineChart,
    Note,
    Section,
    Series,
    Table,
    Tone,
    Unit,
)

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.protection import Pause, Protection, RecoveryPlan
    from slices.domain.report import Block
    from slices.domain.tiers import TierStanding
    from slices.domain.trading import OrderPlan, Placement

LOSS_CHART = "loss-limits"


def loss_section(protection: Protection) -> Section:
    """Set what was lost beside the thresholds."""
    readings = protection.readings
    names = tuple(NAMES[each.measure] for each in readings)
    chart = BarChart(
        key=LOSS_CHART,
        title="Losses and their thresholds",
        categories=names,
        groups=(
            ("Lost", tuple(each.loss for each in readings)),
            ("Reducing from", tuple(each.reducing_at for each in readings)),
            ("Halted from", tuple(each.halting_at for each in readings)),
        ),
        unit=Unit.FRACTION,
    )
    table = Table(
        key="losses",
        title="Losses",
        columns=("Measure", "Lost", "Reducing from", "Halted from", "Asks for"),
        units=(Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.TEXT),
        rows=tuple(
            (name, each.loss, each.reducing_at, each.halting_at, each.state.value)
            for name, each in zip(names, readings, strict=True)
        ),
        caption="Losses are fractions of the account value; a threshold itself counts.",
    )
    return Section(
        title="Losses", intro=_counted_from(protection), blocks=(chart, table, *_path(protection))
    )


def _counted_from(protection: Protection) -> str:
    released = protection.released
    if released is None:
        return "Losses are counted from the account's peak."
    if released.session is None:
        return f"{released.by} released the account before its first close ({released.reason})."
    return (
        f"{released.by} released the account after the close of {released.session} "
        f"({released.reason}): losses are counted from there, the way back from the highest close "
        "ever."
    )


def counted_since(protection: Protection) -> str:
    """Say from when on losses are counted anew; empty where they are counted from the beginning."""
    released = protection.released
    return "" if released is None or released.session is None else " since the release"


def allowed_text(protection: Protection) -> str:
    """Say which gross exposure an account may have; a halted one may open nothing."""
    if protection.state is TradingState.HALTED:
        return "none: halted"
    cap = protection.allowed_exposure
    return "no cap" if math.isinf(cap) else written(cap, Unit.FRACTION)


def _path(protection: Protection) -> tuple[Block, ...]:
    if len(protection.sessions) < 2:
        return ()
    below = tuple(-each for each in protection.below_peak)
    series = Series(name="Below the highest close", x=protection.sessions, y=below)
    return (
        LineChart(
            key="below-peak",
            title="Loss since the highest close ever",
            series=(series,),
            y_unit=Unit.FRACTION,
            fill=True,
        ),
    )


def crowding_section(protection: Protection) -> Section:
    """Say whether the positions are one bet."""
    crowded = protection.crowding
    blocks: list[Block] = [
        Note(text=f"The positions count as one bet: {each}.", tone=Tone.WARNING)
        for each in crowded.reasons
    ]
    blocks.append(
        Table(
            key="crowding",
            title="How the positions move together",
            columns=("Measure", "Value"),
            units=(Unit.TEXT, Unit.TEXT),
            rows=(
                ("Positions", written(len(crowded.symbols), Unit.COUNT)),
                ("Average correlation", written(crowded.average_correlation, Unit.RATIO)),
                ("Effective number of bets", written(crowded.effective_bets, Unit.RATIO)),
                ("Largest weight", written(crowded.largest_weight, Unit.FRACTION)),
                ("Gross exposure", written(protection.gross_exposure, Unit.FRACTION)),
                ("Returns in common", written(crowded.returns, Unit.COUNT)),
            ),
            caption="A short position is turned over before its correlations are taken.",
        )
    )
    return Section(title="Concentration", blocks=tuple(blocks))


def action_section(
    book: AccountBook,
    protection: Protection,
    pauses: tuple[Pause, ...],
    withdrawn: int,
    plan: OrderPlan,
    placed: Placement | None,
) -> Section:
    """Tell what was done: states, orders taken back, orders that reduce."""
    notes = [
        f"{each.before.value} → {each.after.value}: {each.reason}."
        for each in pauses
        if each.is_new
    ]
    if withdrawn:
        were = "was" if withdrawn == 1 else "were"
        notes.append(f"{counted(withdrawn, 'open order')} {were} taken back.")
    if not plan.orders:
        notes.append("No order has to be placed.")
    waiting = tuple(each.order.symbol for each in book.open_orders)
    if waiting:
        notes.append(f"Open when the account was looked at: orders for {listed(waiting, most=10)}.")
    blocks: tuple[Block, ...] = tuple(Note(text=each) for each in notes)
    if plan.orders:
        blocks = (*blocks, _order_table(book, plan, placed))
    return Section(title="What was done", intro=_allowance(protection), blocks=blocks)


def _allowance(protection: Protection) -> str:
    gross = f"Gross exposure {written(protection.gross_exposure, Unit.FRACTION)}"
    if protection.state is not TradingState.HALTED:
        return f"{gross}; allowed: {allowed_text(protection)}."
    held = "what is held stays" if protection.allowed_exposure > 0 else "what is held is closed"
    return f"{gross}; halted: nothing may be opened, {held}."


def _order_table(book: AccountBook, plan: OrderPlan, placed: Placement | None) -> Table:
    said = {} if placed is None else {
        order.client_order_id: order for order in placed.decisions
    }  # fmt: skip
    named = plan.named(book.name)
    return Table(
        key="orders",
        title="Orders that reduce",
        columns=("Symbol", "Side", "Shares", "Of", "Gate", "Why"),
        units=(Unit.TEXT, Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.TEXT, Unit.TEXT),
        rows=tuple(
            (
                each.symbol,
                each.side.value,
                float(each.quantity),
                float(abs(book.held(each.symbol))),
                _verdict(said.get(each.client_order_id)),
                each.purpose,
            )
            for each in named
        ),
    )


def _verdict(decision: object) -> str:
    breaches = getattr(decision, "breaches", None)
    if breaches is None:
        return "not asked"
    return "; ".join(str(each) for each in breaches) or "accepted"


def recovery_section(plan: RecoveryPlan) -> Section:
    """Show the way back."""
    table = Table(
        key="recovery",
        title="Steps of the way back",
        columns=("Gross exposure", "Regained, at least", "Sessions without a new low", "Reached"),
        units=(Unit.FRACTION, Unit.FRACTION, Unit.SESSIONS, Unit.TEXT),
        rows=tuple(
            (each.exposure, each.regained, each.quiet_sessions, "yes" if each.is_reached else "no")
            for each in plan.steps
        ),
        caption="Regained is the share of the loss from peak to trough.",
    )
    return Section(
        title="The way back",
        intro=f"{recovery_sentence(plan)} {_force(plan)}",
        blocks=(table,),
    )


def recovery_sentence(plan: RecoveryPlan) -> str:
    """Say what has to be made and how long that may take."""
    if plan.drawdown == 0:
        return "The account is at its highest close ever: there is nothing to regain."
    if math.isinf(plan.required_return):
        return "Nothing is left: no return leads back to the highest close ever."
    needed = (
        f"{written(plan.required_return, Unit.FRACTION)} has to be made to be back at the highest "
        "close ever."
    )
    if plan.unknown:
        return f"{needed} How long that takes is unknown: {plan.unknown}."
    early, middle, late = (f"{each:,.0f}" for each in plan.likely_sessions)
    return (
        f"{needed} By its own volatility alone, without any edge, the account gets there with a "
        f"chance of 25% within {early} sessions, 50% within {middle}, 75% within {late}."
    )


def _force(plan: RecoveryPlan) -> str:
    if plan.in_force:
        allowed = written(plan.exposure, Unit.FRACTION)
        return f"The account was released: the steps reached allow {allowed} of exposure."
    return "The steps hold after a release, until the highest close ever is regained."


def tier_section(standing: TierStanding) -> Section:
    """Show the capital tier and what it allows."""
    rules = standing.rules
    notes: list[Block] = []
    if standing.excess:
        notes.append(
            Note(
                text=f"{standing.positions} positions, {rules.positions} are allowed: "
                f"{listed(standing.excess, most=10)} are the smallest.",
                tone=Tone.WARNING,
            )
        )
    if standing.too_heavy:
        notes.append(
            Note(
                text=f"Above {written(rules.largest_weight, Unit.FRACTION)} of equity: "
                f"{listed(standing.too_heavy, most=10)}."
            )
        )
    table = Table(
        key="tier",
        title="What the tier means",
        columns=("What", "Value"),
        units=(Unit.TEXT, Unit.TEXT),
        rows=(
            ("Tier", standing.tier.value),
            ("Equity", written(standing.equity, Unit.MONEY)),
            ("Next tier from", written(standing.up_from, Unit.MONEY)),
            ("Tier before below", written(standing.down_below, Unit.MONEY)),
            ("Strategies at once", str(rules.strategies)),
            ("Positions", f"{standing.positions} of {rules.positions}"),
            ("Largest weight", written(rules.largest_weight, Unit.FRACTION)),
            ("Rebalanced at most", rules.rebalance),
            ("Parts of shares", "yes" if rules.fractional else "no"),
        ),
    )
    return Section(title="Capital tier", blocks=(*notes, table))
