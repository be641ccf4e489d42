"""The gate: what speaks against an order, looked at before it leaves.

A batch is judged in one order, whatever order it comes in: what makes positions smaller first,
then sales, then purchases, those towards weights last. Each order is held against the exposure
that open orders and the accepted ones before it may lead to: orders at market of the batch count
as filled, every other order as filled or not, whichever is worse. Longs less shorts are looked at
after the whole batch, so that both legs of a pair may come in at once; only where that is too
much are they looked at order by order.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING

from slices.domain.exact import ZERO
from slices.quant.limits.changes import change_of, exposure_after
from slices.quant.limits.exposure import exposure_of
from slices.quant.limits.judgement import ONE, Bench, Course, unjudgeable, with_judgement
from slices.quant.limits.numbers import PRECISION, exact
from slices.quant.limits.projected import net_breaches
from slices.quant.limits.traffic import traffic_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slices.domain.limits import GateDecision, RiskLimits
    from slices.domain.orders import Order
    from slices.quant.limits.facts import GateFacts


def judge_orders(
    orders: Sequence[Order], facts: GateFacts, limits: RiskLimits
) -> tuple[GateDecision, ...]:
    """Say of every order of a batch what speaks against it.

    Args:
        orders: Decided together.
        facts: The account and its market at that instant.
        limits: What the account may not go beyond. A limit passes, the smallest unit beyond it
            does not; a limit that is exceeded already does not stop an order that brings the
            account nearer to it.

    Returns:
        One decision for each order, in the order given; accepted where it has no breaches.
    """
    with localcontext(Context(prec=PRECISION)):
        bench = _bench_of(orders, facts, limits)
        course = _settled(bench)
        if any(net_breaches(bench.start, course.exposure, limits)):
            course = _settled(replace(bench, each_net=True))
        return tuple(course.decisions[place] for place in range(len(orders)))


def _bench_of(orders: Sequence[Order], facts: GateFacts, limits: RiskLimits) -> Bench:
    start = exposure_of(
        facts.book,
        marks=facts.marks,
        unsettled_cash=facts.unsettled_cash,
        cost_rate=facts.cost_rate,
    )
    held = (each.quantity * start.marks[each.symbol].price for each in facts.book.positions)
    return Bench(
        orders=orders,
        facts=facts,
        limits=limits,
        start=start,
        worth=facts.book.cash + sum(held, ZERO),
        fill_session=facts.fill_session,
    )


def _settled(bench: Bench) -> Course:
    """Judge until nobody's share of the cash changes any more: a denied order leaves it."""
    denied: dict[int, GateDecision] = {}
    while True:
        course = _judged(bench, denied)
        found = {key: each for key, each in course.decisions.items() if not each.is_accepted}
        if len(found) == len(denied) or course.share == ONE:
            return course
        denied = found


def _judged(bench: Bench, denied: Mapping[int, GateDecision]) -> Course:
    places = [each for each in _in_turn(bench) if each not in denied]
    course = Course(
        exposure=bench.start,
        traffic=traffic_of(bench.orders, bench.facts, bench.limits),
        share=_share(bench, places),
        decisions=denied,
    )
    for place in places:
        course = with_judgement(bench, course, place)
    return course


def _in_turn(bench: Bench) -> list[int]:
    """Return the places of a batch in the order in which they are judged."""
    keys: dict[int, tuple[bool, bool, bool]] = {}
    for place, order in enumerate(bench.orders):
        if any(unjudgeable(order, bench, bench.start)):
            keys[place] = (False, False, False)
        else:
            change = change_of(order, bench.start, worth=bench.worth)
            keys[place] = (not change.is_smaller, change.is_purchase, change.is_weight)
    return sorted(keys, key=lambda place: keys[place])


def _share(bench: Bench, places: Sequence[int]) -> Decimal:
    """Return what cash leaves of purchases towards weights, after sales and other purchases.

    What waits to be bought reserves nothing: the venue would not know of it either.
    """
    exposure, wanted = bench.start, ZERO
    cash = bench.facts.book.cash
    for place in places:
        order = bench.orders[place]
        if any(unjudgeable(order, bench, bench.start)):
            continue
        change = change_of(order, exposure, worth=bench.worth)
        after = exposure_after(exposure, change, cost_rate=bench.facts.cost_rate)
        if change.is_weight and change.is_purchase:
            wanted += exposure.cash - after.cash
        elif change.is_certain:
            cash += after.cash - exposure.cash
        exposure = after
    borrowed = max(ZERO, exact(bench.limits.max_leverage) - 1) * max(ZERO, bench.worth)
    available = max(ZERO, cash + borrowed)
    return ONE if wanted <= available else available / wanted
