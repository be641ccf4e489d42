"""One order of a batch: what speaks against it, and the course of the batch after it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from slices.domain.accounts import TradingState
from slices.domain.limits import Breach, GateDecision, ReasonCode, RiskLimits
from slices.domain.orders import Order
from slices.quant.limits.changes import change_of, exposure_after
from slices.quant.limits.day_trades import Traded, day_trade_breach
from slices.quant.limits.exposure import Exposure
from slices.quant.limits.facts import GateFacts
from slices.quant.limits.form import age_breaches, collar_breaches, form_breaches, size_breaches
from slices.quant.limits.loss import daily_loss_breach, drawdown_breach
from slices.quant.limits.projected import (
    Projection,
    cash_breaches,
    exposure_breaches,
    net_breaches,
    permission_breaches,
)
from slices.quant.limits.traffic import Traffic, traffic_breaches

ONE = Decimal(1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """A batch, what it is judged by, and what is known before the first order."""

    orders: Sequence[Order]
    facts: GateFacts
    limits: RiskLimits
    start: Exposure
    worth: Decimal
    fill_session: dt.date
    each_net: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """How far the judging of a batch has come.

    Attributes:
        share: What the venue is expected to leave of purchases towards weights.
        decisions: By place in the batch.
        shares_of: By symbol, what accepted orders would trade.
    """

    exposure: Exposure
    traffic: Traffic
    share: Decimal = ONE
    decisions: Mapping[int, GateDecision] = field(default_factory=dict)
    shares_of: Mapping[str, tuple[Decimal, ...]] = field(default_factory=dict)


def with_judgement(bench: Bench, course: Course, place: int) -> Course:
    """Judge one order of a batch and return the course after it."""
    order = bench.orders[place]
    invalid = tuple(unjudgeable(order, bench, course.exposure))
    if invalid:
        decision = GateDecision(
            client_order_id=order.client_order_id,
            breaches=invalid,
            projected_quantity=math.nan,
            projected_gross=math.nan,
            projected_cash=math.nan,
        )
        return replace(course, decisions={**course.decisions, place: decision})
    change = change_of(order, course.exposure, worth=bench.worth)
    rate = bench.facts.cost_rate
    after = exposure_after(course.exposure, change.scaled(course.share), cost_rate=rate)
    case = Projection(
        change=change,
        before=course.exposure,
        after=after,
        in_full=exposure_after(course.exposure, change, cost_rate=rate),
        limits=bench.limits,
    )
    decision = _decision(case, tuple(_breaches(case, bench, course)))
    decided = {**course.decisions, place: decision}
    if not decision.is_accepted:
        return replace(course, decisions=decided)
    traded = (*course.shares_of.get(order.symbol, ()), change.shares)
    return replace(
        course,
        decisions=decided,
        exposure=after,
        traffic=course.traffic.with_order(order),
        shares_of={**course.shares_of, order.symbol: traded},
    )


def unjudgeable(order: Order, bench: Bench, exposure: Exposure) -> Iterator[Breach]:
    """Yield what keeps an order from being projected at all."""
    facts = bench.facts
    if facts.book.state is TradingState.HALTED:
        reason = facts.book.state_reason or "no reason given"
        yield Breach(code=ReasonCode.HALTED, found=reason, allowed="an account not halted")
    yield from form_breaches(order, facts)
    if order.symbol not in exposure.marks:
        yield Breach(
            code=ReasonCode.MARK_MISSING, found=f"no mark of {order.symbol}", allowed="a mark"
        )


def _breaches(case: Projection, bench: Bench, course: Course) -> Iterator[Breach]:
    order, facts, limits = case.change.order, bench.facts, bench.limits
    mark = case.before.marks[order.symbol]
    yield from _of_state(case, bench)
    yield from size_breaches(order, case.change.shares, mark.price, limits)
    yield from collar_breaches(order, mark.price, limits)
    yield from _of_marks(case, bench)
    yield from traffic_breaches(order, course.traffic, limits)
    yield from permission_breaches(case)
    yield from exposure_breaches(case)
    if bench.each_net:
        yield from net_breaches(case.before, case.after, limits)
    yield from cash_breaches(case)
    day_trade = day_trade_breach(facts, limits, _wanted(case, bench, course))
    if day_trade is not None:
        yield day_trade


def _of_state(case: Projection, bench: Bench) -> Iterator[Breach]:
    """Yield what the state of the account and its losses forbid."""
    facts, limits = bench.facts, bench.limits
    drawdown = drawdown_breach(facts.book, bench.worth, limits)
    if drawdown is not None:
        yield drawdown
    if case.change.is_reducing:
        return
    if facts.book.state is TradingState.REDUCING:
        reason = facts.book.state_reason or "no reason given"
        yield Breach(
            code=ReasonCode.REDUCING_ONLY, found=reason, allowed="orders that reduce a position"
        )
    loss = daily_loss_breach(facts.book, bench.worth, limits)
    if loss is not None:
        yield loss


def _of_marks(case: Projection, bench: Bench) -> Iterator[Breach]:
    """Yield what is wrong with the marks; an exit at market waits for none."""
    order = case.change.order
    if case.change.is_reducing and case.change.is_certain:
        return
    yield from age_breaches(case.before.marks[order.symbol], bench.facts, bench.limits)
    if case.before.unpriced and not case.change.is_reducing:
        yield Breach(
            code=ReasonCode.MARK_MISSING,
            found=f"no mark of {', '.join(case.before.unpriced)}",
            allowed="a mark of everything held or ordered",
        )


def _decision(case: Projection, breaches: tuple[Breach, ...]) -> GateDecision:
    after = case.after
    sold_too = after.range_of(case.symbol)
    is_sale = case.change.shares < 0
    return GateDecision(
        client_order_id=case.change.order.client_order_id,
        breaches=breaches,
        projected_quantity=float(sold_too.lowest if is_sale else sold_too.highest),
        projected_gross=float(after.gross / after.equity) if after.equity > 0 else math.nan,
        projected_cash=float(after.cash),
    )


def _wanted(case: Projection, bench: Bench, course: Course) -> list[Traded]:
    waiting = [
        each.open_quantity
        for each in bench.facts.book.open_orders
        if each.order.symbol == case.symbol
    ]
    accepted = course.shares_of.get(case.symbol, ())
    return [
        Traded(symbol=case.symbol, session=bench.fill_session, shares=each)
        for each in (*waiting, *accepted, case.change.shares)
        if each
    ]
