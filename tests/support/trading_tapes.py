"""Tapes of accounts, data, models and events: each kind of trouble once, on real closes too."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator

import numpy as np

from slices.domain.alerts import Level
from slices.domain.monitoring import Sample
from tests.slices.quant.market import us_closes
from tests.support.incident_tapes import (
    ACCOUNT,
    DAILY,
    DAY,
    HOUR,
    MINUTE,
    Look,
    Tape,
    Trouble,
    instant,
    looks,
    notice,
    trouble,
)

HALTING, REDUCING = 0.2, 0.1
DAY_HALTING, DAY_REDUCING = 0.06, 0.03
CRISES = (
    (dt.date(2007, 10, 1), dt.date(2009, 12, 31)),
    (dt.date(2020, 1, 2), dt.date(2020, 8, 31)),
)
DEPTHS = (
    (dt.date(2008, 8, 29), dt.date(2009, 4, 30)),
    (dt.date(2020, 2, 19), dt.date(2020, 5, 29)),
)
"""The worst of them."""


def unreachable_broker() -> Tape:
    """A broker that does not answer for an hour, asked every five minutes."""
    taken = looks(lasts=3 * HOUR, every=MINUTE)
    asked = {instant(HOUR + 300 * each): each for each in range(12)}
    return Tape(
        name="broker unreachable",
        looks=tuple(
            dataclasses.replace(
                each,
                notices=(notice(asked[each.at] + 1, each.at),) if each.at in asked else (),
            )
            for each in taken
        ),
        troubles=(
            trouble(
                "broker-unreachable", "daily", level=Level.ERROR, begins=HOUR, within=15,
                until=2 * HOUR,
            ),
        ),
    )  # fmt: skip


def stale_source() -> Tape:
    """A source that stands still: fifty symbols lack one session at once, then three."""
    taken = looks(lasts=2 * DAY, every=HOUR)
    found = []
    for hour, each in enumerate(taken):
        level = Level.WARNING if hour < 30 else Level.CRITICAL
        is_loaded = hour in (10, 34)
        notices = tuple(
            notice(
                1000 * hour + number,
                each.at - dt.timedelta(seconds=30),
                name="tradeflows.data.stale",
                subject=f"S{number:02d}",
                level=level,
                message=f"S{number:02d}: newest bar is old",
            )
            for number in range(50)
        )
        found.append(dataclasses.replace(each, notices=notices if is_loaded else ()))
    return Tape(
        name="stale source",
        looks=tuple(found),
        troubles=(
            trouble("data-stale", "all", level=Level.WARNING, begins=10 * HOUR - 30, within=60),
            trouble("data-stale", "all", level=Level.CRITICAL, begins=34 * HOUR - 30, within=60),
        ),
    )


def storm() -> Tape:
    """Ten thousand equal events within two minutes, and three hundred of all kinds."""
    first, second = looks(lasts=10 * MINUTE, every=MINUTE)[4:6]
    names = ("model.refused", "cache.refused", "surely.new")
    equal = [notice(each + 1, first.at) for each in range(10_000)]
    mixed = [
        notice(20_000 + each, second.at, name=f"tradeflows.{names[each % 3]}", subject="x")
        for each in range(300)
    ]
    rest = looks(lasts=10 * MINUTE, every=MINUTE)[6:]
    return Tape(
        name="storm",
        looks=(
            dataclasses.replace(first, notices=tuple(equal[:6000])),
            dataclasses.replace(second, notices=(*equal[6000:], *mixed)),
            *rest,
        ),
        troubles=tuple(
            trouble(rule, subject, level=level, begins=at, within=15)
            for rule, subject, level, at in (
                ("broker-unreachable", "daily", Level.ERROR, 240),
                ("prediction-refused", "x", Level.ERROR, 300),
                ("result-refused", "x", Level.CRITICAL, 300),
                ("event-unlisted", "x", Level.ERROR, 300),
            )
        ),
    )


def paused_account() -> Tape:
    """An account that may only reduce, is halted, and is released an hour later."""

    def state(at: float) -> float:
        return 0.0 if at < 600 or at >= 5400 else 1.0 if at < 1800 else 2.0

    return Tape(
        name="paused account",
        looks=looks(lasts=2 * HOUR, every=MINUTE, values={"account.state": state}),
        troubles=(
            trouble("trading-paused", DAILY, level=Level.ERROR, begins=600, within=0, until=1800),
            trouble(
                "trading-paused", DAILY, level=Level.CRITICAL, begins=1800, within=0, until=5400
            ),
        ),
    )


def lost_answer() -> Tape:
    """An order nobody knows the fate of for a minute, and one for an hour."""

    def unknown(at: float) -> float:
        return float(300 <= at < 360 or at >= 3600)

    return Tape(
        name="lost answer",
        looks=looks(lasts=2 * HOUR, every=MINUTE, values={"account.unknown_orders": unknown}),
        troubles=(
            trouble("order-fate-unknown", DAILY, level=Level.ERROR, begins=3600, within=330),
        ),
    )


def replaced_model() -> Tape:
    """A champion that grows too old by a day each look, until another takes its place."""
    old = (("alias", "champion"), ("model", "ranker"), ("version", "4"))
    new = (("alias", "champion"), ("model", "ranker"), ("version", "5"))
    before, after = (
        looks(
            lasts=20 * DAY,
            every=DAY,
            values={"model.age_sessions": age},
            labels={"model.age_sessions": labels},
        )
        for age, labels in ((lambda at: 116 + at // DAY, old), (lambda at: at // DAY - 15, new))
    )
    return Tape(
        name="replaced model",
        looks=(*before[:15], *after[15:]),
        troubles=(
            trouble(
                "model-aged", "alias=champion,model=ranker,version=4", level=Level.WARNING,
                begins=11 * DAY, within=0, until=15 * DAY,
            ),
        ),
    )  # fmt: skip


def crises(*, whole: bool) -> tuple[Tape, ...]:
    """The two crises of the bundled closes that an account of shares suffered most from."""
    return tuple(crisis(*each) for each in (CRISES if whole else DEPTHS))


def crisis(first: dt.date, last: dt.date) -> Tape:
    """An account that holds twenty US names in equal parts through a crisis, close by close.

    Troubles are found apart from the rules: a loss is there from the day it reaches its limit until
    the day it is a tenth (before the limit that halts) or a fifth less than that.
    """
    dates, _, closes = us_closes()
    inside = [row for row, day in enumerate(dates) if first <= day <= last]
    equity = (closes[inside] / closes[inside[0]]).mean(axis=1)
    peak = np.maximum.accumulate(equity)
    lost = 1 - equity / peak
    daily = np.maximum(0.0, 1 - equity / np.concatenate([equity[:1], equity[:-1]]))
    taken = []
    for row, day in zip(range(len(inside)), (dates[each] for each in inside), strict=True):
        closed = dt.datetime(day.year, day.month, day.day, 21, 30, tzinfo=dt.UTC)
        values = (("account.drawdown", lost[row]), ("account.day_loss", daily[row]))
        samples = tuple(Sample(metric=m, labels=ACCOUNT, value=float(v)) for m, v in values)
        taken += [
            Look(at=closed, samples=samples),
            Look(at=closed + dt.timedelta(minutes=10), samples=samples),
        ]
    closes_at = [each.at for each in taken[::2]]
    found = (
        *_losses("drawdown", Level.CRITICAL, closes_at, lost, HALTING, 0.9),
        *_losses("drawdown-near", Level.WARNING, closes_at, lost, REDUCING, 0.8),
        *_losses("daily-loss", Level.CRITICAL, closes_at, daily, DAY_HALTING, 0.9),
        *_losses("daily-loss-near", Level.ERROR, closes_at, daily, DAY_REDUCING, 0.8),
    )
    return Tape(name=f"crisis of {first.year}", looks=tuple(taken), troubles=tuple(found))


def _losses(
    rule: str,
    level: Level,
    times: list[dt.datetime],
    lost: np.ndarray,
    limit: float,
    share: float,
) -> Iterator[Trouble]:
    begun: dt.datetime | None = None
    for at, value in zip(times, lost, strict=True):
        if begun is None and value >= limit:
            begun = at
        elif begun is not None and value < share * limit:
            yield _loss(rule, level, begun, at)
            begun = None
    if begun is not None:
        yield _loss(rule, level, begun, None)


def _loss(rule: str, level: Level, begun: dt.datetime, over: dt.datetime | None) -> Trouble:
    return Trouble(
        rule=rule, subject=DAILY, level=level, begins=begun, within_seconds=0.0, until=over
    )


def books_unreadable() -> Tape:
    """Books nobody can read for twenty minutes, while an account is in drawdown."""

    def gone(at: float) -> tuple[str, ...]:
        return ("trading",) if 1200 <= at < 2400 else ()

    return Tape(
        name="books unreadable",
        looks=looks(
            lasts=HOUR,
            every=30,
            values={
                "watch.unseen": lambda at: float(bool(gone(at))),
                "account.drawdown": lambda _: 0.14,
            },
            unseen=gone,
        ),
        troubles=(
            trouble("drawdown-near", DAILY, level=Level.WARNING, begins=0, within=0),
            trouble(
                "not-looked-at", "part=trading", level=Level.ERROR, begins=1200, within=330,
                until=2460,
            ),
        ),
    )  # fmt: skip
