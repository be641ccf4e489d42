"""Trading for an account session by session: live through it, decide at its close, hand in orders.

A replay goes on where the account stands, so it may be killed and started again, and one that is
repeated changes nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from slices.domain.errors import ParameterError
from slices.domain.limits import DEFAULT_LIMITS
from slices.domain.paper_trading import SessionsTraded
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES
from slices.ledger.accounts import has_account, read_book
from slices.ledger.locking import account_lock
from slices.ledger.orders import orders_of
from slices.ledger.path import nothing
from slices.paper_trade.beginning import CAPITAL, cost_rate, opened, paper_ledger
from slices.paper_trade.deciding import planned, taken_targets, weights_of
from slices.paper_trade.living import row_of
from slices.paper_trade.ordered import looked_orders, session_orders
from slices.paper_trade.replaying import Replay, Tally
from slices.quant.panel import read_panel
from slices.runtime.artifacts import ProgressBar

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.accounts import AccountBook, Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.limits import RiskLimits
    from slices.domain.parameters import Costs, TradingRules
    from slices.domain.trading import OrderPlan, Placement
    from slices.ledger.path import Reached
    from slices.paper_trade.deciding import Rule
    from slices.quant.panel import Panel


def plan_session(
    account: str,
    bars: DatasetRef,
    rule: Rule,
    *,
    book: AccountBook,
    as_of: dt.date | None = None,
) -> OrderPlan:
    """Plan what the strategy wants at a close, given what it ordered before.

    Args:
        account: Whose; what was ordered is read from the ledger.
        bars: Of all symbols, up to that close at least.
        rule: What decides.
        book: The account after that close.
        as_of: The session; None takes the last of the bars.
    """
    panel = read_panel(bars)
    row = row_of(panel, as_of)
    weights = weights_of(panel.until(row + 1), rule)
    with paper_ledger() as ledger:
        known = orders_of(ledger, account) if has_account(ledger, account) else ()
    return planned(panel, row, weights[row], book=book, before=taken_targets(known), rule=rule)


def traded(plan: OrderPlan, placed: Placement, *, execution: Execution = "paper") -> SessionsTraded:
    """Say what handing in a plan did.

    Args:
        plan: What was wanted.
        placed: What became of it.
        execution: Whether it was handed in, or only looked at.
    """
    is_sent = execution != "plan"
    orders = session_orders(placed.records) if is_sent else looked_orders(plan, placed)
    refused = sum(each.is_refused for each in orders)
    is_new = is_sent and not placed.is_repeated
    return SessionsTraded(
        account=placed.account,
        session=placed.session,
        first_session=placed.session,
        decided=int(is_new),
        placed=len(orders) - refused if is_new else 0,
        denied=refused if is_new or not is_sent else 0,
        orders=orders,
        is_repeated=placed.is_repeated,
    )


def trade_sessions(
    account: str,
    bars: DatasetRef,
    rule: Rule,
    *,
    replay_from: dt.date,
    replay_to: dt.date | None = None,
    capital: float = CAPITAL,
    costs: Costs = DEFAULT_COSTS,
    rules: TradingRules = DEFAULT_RULES,
    limits: RiskLimits = DEFAULT_LIMITS,
    reached: Reached = nothing,
) -> SessionsTraded:
    """Live through past sessions one after the other, deciding at the close of each.

    An account that has begun goes on at its newest session. Where trading is halted, it ends at the
    session it has finished, and goes on from there after a release. Sessions before `replay_from`
    that it has not lived through are lived through, and nothing is decided at them.

    Args:
        account: Whose; it is opened at the first session where there is none.
        bars: Of all symbols, over all sessions.
        rule: What decides.
        replay_from: The first session to decide at.
        replay_to: The last; None takes the last of the bars.
        capital: Money at the start.
        costs: Of every fill.
        rules: What may be traded.
        limits: What the risk gate lets through.
        reached: Told of every step.

    Raises:
        ParameterError: Where the account has lived longer than that, or began later.
    """
    panel = read_panel(bars)
    first, last = replayed_rows(panel, replay_from, replay_to)
    bar = ProgressBar("paper-trading-replay", "Sessions lived through")
    with paper_ledger() as ledger, account_lock(ledger, account):
        broker = opened(
            ledger,
            account,
            bars,
            session=panel.sessions[first],
            capital=capital,
            costs=costs,
            rules=rules,
        )
        book = read_book(ledger, account, curve=False)
        begun = first_to_decide(book, broker.session, panel, first, last)
        replay = Replay(
            ledger=ledger,
            broker=broker,
            account=account,
            bars=bars,
            panel=panel,
            weights=weights_of(panel.until(last + 1), rule),
            rule=rule,
            limits=limits,
            cost_rate=cost_rate(ledger, account),
            reached=reached,
        )
        tally = Tally(before=taken_targets(orders_of(ledger, account)))
        last = replay.trade_all(range(begun, last + 1), tally, bar.show)
        orders = session_orders(replay.standing(panel.sessions[last]))
    return SessionsTraded(
        account=account,
        session=panel.sessions[last],
        first_session=panel.sessions[begun],
        decided=tally.decided,
        placed=tally.placed,
        denied=tally.denied,
        orders=orders,
        is_repeated=tally.decided == 0,
        stopped=tally.stopped,
    )


def replayed_rows(panel: Panel, start: dt.date, end: dt.date | None) -> tuple[int, int]:
    """Find the first and the last session of a replay.

    Raises:
        ParameterError: Where there is none between the dates.
    """
    first = bisect_left(panel.sessions, start)
    last = (len(panel.sessions) if end is None else bisect_right(panel.sessions, end)) - 1
    if first > last:
        span = f"{panel.sessions[0]} to {panel.sessions[-1]}" if panel.sessions else "none"
        raise ParameterError(
            parameter="replay_from",
            found=f"no session from {start} to {end or 'the last of the bars'}",
            allowed=f"dates with sessions between them, of {span}",
        )
    return first, last


def first_to_decide(
    book: AccountBook, lived: dt.date | None, panel: Panel, first: int, last: int
) -> int:
    """Find the session to go on at: the newest the account or its venue stands at.

    Raises:
        ParameterError: Where the account began after the first, or stands after the last.
    """
    if book.opened > panel.sessions[first]:
        raise ParameterError(
            parameter="replay_from",
            found=f"{panel.sessions[first]}, before account '{book.name}' began",
            allowed=f"{book.opened} or later, or another account",
        )
    newest = max(each for each in (book.session, lived, book.opened) if each is not None)
    if newest > panel.sessions[last]:
        raise ParameterError(
            parameter="replay_to",
            found=f"{panel.sessions[last]}, before the newest session of account '{book.name}'",
            allowed=f"{newest} or later, or another account",
        )
    return max(first, bisect_left(panel.sessions, newest))


def check_replay(parameters: dict[str, Any]) -> None:
    """Check that the dates of a replay go together.

    Raises:
        ParameterError: Where it has no beginning, an end before it, or is only planned.
    """
    start, end, as_of = (parameters[name] for name in ("replay_from", "replay_to", "as_of"))
    if start is None and end is None:
        return
    if start is None:
        raise ParameterError(
            parameter="replay_from", found="nothing", allowed="a date, where replay_to is given"
        )
    if end is not None and end < start:
        raise ParameterError(parameter="replay_to", found=str(end), allowed=f"{start} or later")
    if as_of is not None:
        raise ParameterError(
            parameter="as_of", found=str(as_of), allowed="nothing with replay_from; see replay_to"
        )
    if parameters["execution"] == "plan":
        raise ParameterError(
            parameter="execution", found="plan", allowed="paper, where sessions are replayed"
        )
