"""One session of a replay: live through it, decide at its close, hand in what was decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from slices.domain.accounts import AccountBook, TradingState
from slices.domain.calendar import session_close
from slices.domain.dataset import DatasetRef
from slices.domain.errors import counted
from slices.domain.limits import RiskLimits
from slices.ledger.guarding import withdraw_barred
from slices.ledger.opening import Ledger
from slices.ledger.path import Reached, Step, place
from slices.ledger.states import trading_state
from slices.paper_trade.deciding import Rule, is_taken, planned, taken_targets
from slices.paper_trade.living import live_until
from slices.paper_trade.ordered import standing_orders
from slices.paper_trade.venue import PaperBroker
from slices.quant.panel import Panel
from slices.quant.types import FloatArray

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from slices.domain.orders import OrderRecord
    from slices.domain.trading import OrderPlan, Placement


@dataclass
class Tally:
    """What a run has done so far.

    Attributes:
        before: Weight last ordered of each symbol.
        book: The account at the close decided last; None before the first.
        stopped: Why it ended before the last session; empty where it did not.
    """

    decided: int = 0
    placed: int = 0
    denied: int = 0
    before: dict[str, float] = field(default_factory=dict)
    book: AccountBook | None = None
    stopped: str = ""

    def count(self, placement: Placement, book: AccountBook) -> None:
        """Count what was done for the first time, and remember what was ordered."""
        self.book = book
        if not placement.is_repeated:
            self.decided += 1
            self.placed += sum(is_taken(each) for each in placement.records)
            self.denied += sum(not each.is_accepted for each in placement.decisions)
            self.before |= taken_targets(placement.records)


@dataclass(frozen=True, kw_only=True, eq=False)
class Replay:
    """Everything that trading an account session by session takes.

    Attributes:
        weights: T x N weights wanted at each close of the panel.
        cost_rate: Costs of a purchase to expect, as a fraction of its notional.
        reached: Told of every step.
    """

    ledger: Ledger
    broker: PaperBroker
    account: str
    bars: DatasetRef
    panel: Panel
    weights: FloatArray
    rule: Rule
    limits: RiskLimits
    cost_rate: Decimal
    reached: Reached

    def trade_all(self, rows: range, tally: Tally, shown: Callable[[float], object]) -> int:
        """Trade sessions one after the other, up to the last or to a halt, whoever asked for it.

        What was halted lives through no further session: time cannot go back, and a halted account
        would have orders denied at every close that a later run could not hand in any more.

        Args:
            rows: The sessions, at least one; the first is one the account may stand at.
            tally: What was done before; all of this is counted too.
            shown: Told of every session, as a fraction of all.

        Returns:
            The last session that was traded.
        """
        for row in rows:
            if row > rows[0] and self._is_halted(row, rows[-1], tally):
                return row - 1
            self.trade(row, tally)
            shown((row + 1 - rows[0]) / len(rows))
        return rows[-1]

    def _is_halted(self, row: int, last: int, tally: Tally) -> bool:
        state, reason = trading_state(self.ledger, self.account)
        if state is not TradingState.HALTED:
            return False
        done, days = self.panel.sessions[row - 1], self.panel.sessions
        at = session_close(done, calendar=self.bars.calendar)
        withdraw_barred(self.ledger, self.broker, self.account, at=at)
        tally.stopped = (
            f"The replay stopped after {done}, because trading is halted ({reason}); "
            f"{counted(last + 1 - row, 'session')} up to {days[last]} are left, and the same run "
            "goes on with them once trading is released."
        )
        return True

    def trade(self, row: int, tally: Tally) -> None:
        """Live through everything up to a session, decide at its close, hand in the orders.

        Args:
            row: The session.
            tally: What was done before; this is counted too.
        """
        book = live_until(
            self.ledger,
            self.broker,
            self.account,
            self.bars,
            self.panel,
            until=self.panel.sessions[row],
            limits=self.limits,
            book=tally.book,
            reached=self.reached,
        )
        wanted = self.weights[row]
        plan = planned(self.panel, row, wanted, book=book, before=tally.before, rule=self.rule)
        tally.count(self._hand_in(plan), book)
        self.reached(Step.DECIDED)

    def _hand_in(self, plan: OrderPlan) -> Placement:
        calendar = self.bars.calendar
        return place(
            self.ledger,
            self.broker,
            self.account,
            plan.named(self.account),
            limits=self.limits,
            session=plan.session,
            at=session_close(plan.session, calendar=calendar),
            targets=plan.targets,
            workflow=plan.workflow,
            strategy=plan.decided_by,
            details=plan.details,
            calendar=calendar,
            cost_rate=self.cost_rate,
            reached=self.reached,
        )

    def standing(self, session: dt.date) -> tuple[OrderRecord, ...]:
        """List what was ordered at a close."""
        return standing_orders(self.ledger, self.account, session)
