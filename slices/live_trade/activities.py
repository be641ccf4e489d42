"""What happened at Alpaca, read from the account's activities: fills, money, splits."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import TYPE_CHECKING

from slices.domain.errors import counted
from slices.domain.exact import ZERO
from slices.domain.orders import CashFlow, Fill, FlowKind, ShareAction
from slices.live_trade.fields import EXCHANGE_ZONE, Fields, exchange_date, rows
from slices.live_trade.wire import malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from slices.live_trade.wire import Wire

PAGE = 100
ONE_DAY = dt.timedelta(days=1)
CLOSING_TIME = dt.time(16)
FILL = "FILL"
SPLIT_KINDS = frozenset({"SPLIT", "SSP", "REORG"})
FLOW_KINDS = (
    (FlowKind.DIVIDEND, ("DIV", "DIVCGL", "DIVCGS", "DIVFEE", "DIVFT", "DIVNRA", "DIVROC",
                         "DIVTW", "DIVTXEX", "DIVWH", "CIL")),
    (FlowKind.INTEREST, ("INT", "INTNRA", "INTPNL", "INTTW", "SWP")),
    (FlowKind.FEE, ("FEE", "CFEE", "PTC", "PTR", "REGFEE", "TAFFEE", "WH")),
    (FlowKind.DEPOSIT, ("CSD", "CSR", "JNLC", "TRANS", "ACATC")),
    (FlowKind.WITHDRAWAL, ("CSW",)),
)  # fmt: skip
KIND_OF = {code: kind for kind, codes in FLOW_KINDS for code in codes}
SIGNS = {"buy": 1, "sell": -1, "sell_short": -1}
REASONS = {"limit": "take profit", "stop": "stop loss", "stop_limit": "stop loss"}


def read_activities(wire: Wire, *, category: str, since: dt.date | None) -> tuple[Fields, ...]:
    """Read all activities of a category, oldest first, each once.

    Args:
        wire: Where to ask.
        category: `trade_activity` or `non_trade_activity`.
        since: First date; None for all there are.

    Raises:
        BrokerError: The broker refuses or cannot be asked.
        MalformedAnswerError: The answer is not a list of activities, pages go round in circles,
            or one activity comes with two contents.
    """
    asked = {"category": category, "direction": "asc", "page_size": str(PAGE)}
    if since is not None:
        asked["after"] = f"{since - ONE_DAY:%Y-%m-%dT00:00:00Z}"
    found: dict[str, Fields] = {}
    while True:
        page = rows(wire.get("/account/activities", **asked), "an activity")
        fresh = [each for each in page if _added(found, each)]
        if len(page) < PAGE:
            return tuple(found.values())
        if not fresh:
            raise malformed(f"activities: a page of {len(page)} that brings nothing new")
        asked["page_token"] = page[-1].text("id")


def _added(found: dict[str, Fields], activity: Fields) -> bool:
    name = activity.text("id")
    known = found.setdefault(name, activity)
    if known.values != activity.values:
        raise malformed(f"activity {name}: told twice, with different contents")
    return known is activity


def fill_of(activity: Fields, *, account: str, names: Callable[[Fields], tuple[str, str]]) -> Fill:
    """Read a fill.

    Args:
        activity: Of the kind FILL.
        account: Whose it is.
        names: Returns our name for the order it belongs to, and why the order was placed.

    Raises:
        MalformedAnswerError: Where something is missing.
    """
    side = activity.text("side")
    if side not in SIGNS or activity.text("activity_type") != FILL:
        raise malformed(f"activity {activity.text('id')}: neither bought nor sold: {side!r}")
    shares = activity.shares("qty")
    if shares <= ZERO:
        raise malformed(f"activity {activity.text('id')}: qty is {shares}")
    at = activity.instant("transaction_time")
    order, reason = names(activity)
    return Fill(
        fill_id=activity.text("id"),
        account=account,
        client_order_id=order,
        symbol=activity.text("symbol"),
        quantity=SIGNS[side] * shares,
        price=activity.price("price"),
        session=exchange_date(at),
        at=at,
        reason=reason,
    )


def is_split(activity: Fields) -> bool:
    """Tell whether an activity restates shares."""
    return activity.text("activity_type") in SPLIT_KINDS


def flow_of(activity: Fields, *, account: str) -> CashFlow:
    """Read money that came or went.

    Raises:
        MalformedAnswerError: Where its kind is not known here, because nothing may be left out.
    """
    code, amount = activity.text("activity_type"), activity.money("net_amount")
    if code not in KIND_OF:
        problem = f"is of the kind {code}, which is not known here"
        raise malformed(f"activity {activity.text('id')}: {problem}")
    kind = KIND_OF[code]
    if kind is FlowKind.DEPOSIT and amount < ZERO:
        kind = FlowKind.WITHDRAWAL
    date = activity.date("date")
    return CashFlow(
        flow_id=activity.text("id"),
        account=account,
        kind=kind,
        amount=amount,
        session=date,
        at=_afternoon(date),
    )


def splits_of(activities: Iterable[Fields], *, account: str) -> tuple[ShareAction, ...]:
    """Read splits: per symbol and date one activity takes the old shares and one brings the new.

    Raises:
        MalformedAnswerError: Where there are not exactly two that say so.
    """
    restated = sorted(activities, key=lambda each: (each.date("date"), each.text("symbol")))
    groups = groupby(restated, key=lambda each: (each.date("date"), each.text("symbol")))
    return tuple(
        _split(date, symbol, tuple(pair), account=account) for (date, symbol), pair in groups
    )


def _split(date: dt.date, symbol: str, pair: tuple[Fields, ...], *, account: str) -> ShareAction:
    changes = [each.shares("qty") for each in pair]
    if len(changes) != 2 or changes[0] * changes[1] >= ZERO or any(map(_has_money, pair)):
        found = f"{counted(len(changes), 'change')} of shares ({', '.join(map(str, changes))})"
        raise malformed(f"split of {symbol} on {date}: {found} instead of old and new shares")
    return ShareAction(
        action_id="+".join(each.text("id") for each in pair),
        account=account,
        symbol=symbol,
        old_quantity=-changes[0],
        new_quantity=changes[1],
        session=date,
        at=_afternoon(date),
        reason="split",
    )


def _has_money(activity: Fields) -> bool:
    return activity.has("net_amount") and activity.money("net_amount") != ZERO


def _afternoon(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, CLOSING_TIME, EXCHANGE_ZONE).astimezone(dt.UTC)
