"""Rules about accounts, their orders, their broker and their books."""

from __future__ import annotations

from slices.domain.alerts import (
    BooksDisagree,
    BrokerUnreachable,
    Level,
    LimitBreached,
    TradingPaused,
)
from slices.domain.monitoring import AlertRule
from slices.domain.protection import DEFAULT_PROTECTION

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
PROTECTION = "drawdown-protection/adhoc"
RELEASE = (
    "Look at the positions on the dashboard and find out why; `tradeflows alerts ack KEY` says that"
    " you do. Trading goes on after `tradeflows release --reason TEXT` and not before; `python -m"
    " deployments.resume` lets schedules order it again."
)

TRADING_RULES = (
    AlertRule(
        name="drawdown",
        level=Level.CRITICAL,
        title="Loss since the peak halts trading",
        next_step=RELEASE,
        why="The loss at which the protection of accounts halts by itself; booked closes have no"
        " noise, so nothing is waited for. A release counts losses anew, so the next is another.",
        metric="account.drawdown",
        threshold=DEFAULT_PROTECTION.halting_drawdown,
        clears=0.9 * DEFAULT_PROTECTION.halting_drawdown,
        calm_seconds=0.0,
        cooldown_seconds=HOUR / 2,
        halts=True,
        runs=PROTECTION,
    ),
    AlertRule(
        name="drawdown-near",
        level=Level.WARNING,
        title="Loss since the peak comes near its limit",
        next_step="Look at the account on the dashboard; `tradeflows run drawdown_protection` says"
        " what its protection would do, `tradeflows halt --account NAME` stops it.",
        why="The loss from which on protection lets an account only reduce; once a day is enough,"
        " because closes are daily.",
        metric="account.drawdown",
        threshold=DEFAULT_PROTECTION.reducing_drawdown,
        clears=0.8 * DEFAULT_PROTECTION.reducing_drawdown,
        cooldown_seconds=DAY,
    ),
    AlertRule(
        name="daily-loss",
        level=Level.CRITICAL,
        title="Loss of the day halts trading",
        next_step=RELEASE,
        why="The loss of one session at which the protection of accounts halts by itself; a release"
        " counts losses anew, so the next is another.",
        metric="account.day_loss",
        threshold=DEFAULT_PROTECTION.halting_daily_loss,
        clears=0.9 * DEFAULT_PROTECTION.halting_daily_loss,
        calm_seconds=0.0,
        cooldown_seconds=HOUR / 2,
        halts=True,
        runs=PROTECTION,
    ),
    AlertRule(
        name="daily-loss-near",
        level=Level.ERROR,
        title="Loss of the day comes near its limit",
        next_step="Look at the account on the dashboard; `tradeflows run drawdown_protection` says"
        " what its protection would do, `tradeflows halt --account NAME` stops it.",
        why="The loss of one session from which on protection lets an account only reduce.",
        metric="account.day_loss",
        threshold=DEFAULT_PROTECTION.reducing_daily_loss,
        clears=0.8 * DEFAULT_PROTECTION.reducing_daily_loss,
        cooldown_seconds=6 * HOUR,
    ),
    AlertRule(
        name="limit-breached",
        level=Level.WARNING,
        title="An account is beyond one of its limits",
        next_step="`tradeflows run risk_monitoring` shows every limit; `tradeflows run"
        " portfolio_rebalance` brings the account back, `tradeflows halt --account NAME` stops it.",
        why="Each limit is announced once a session, so a day of silence means that none was.",
        events=(LimitBreached.name,),
        cooldown_seconds=6 * HOUR,
        ends_after_seconds=26 * HOUR,
    ),
    AlertRule(
        name="trading-paused",
        level=Level.ERROR,
        title="An account may only reduce, or not trade",
        next_step="`tradeflows accounts` says why; `tradeflows release --account NAME --mode MODE"
        " --reason TEXT` lets it trade again.",
        why="1 is an account that may only reduce, 2 one that is halted, whoever did it.",
        metric="account.state",
        threshold=1.0,
        worse=((Level.CRITICAL, 2.0),),
        calm_seconds=0.0,
        events=(TradingPaused.name,),
        cooldown_seconds=4 * HOUR,
    ),
    AlertRule(
        name="trading-halted",
        level=Level.ERROR,
        title="All trading is halted",
        next_step="`tradeflows accounts` says why; `tradeflows release --reason TEXT` ends it.",
        why="The halt file is there or it is not; reminded of every four hours.",
        metric="trading.halted",
        threshold=1.0,
        calm_seconds=0.0,
        cooldown_seconds=4 * HOUR,
    ),
    AlertRule(
        name="orders-rejected",
        level=Level.WARNING,
        title="Many orders were denied or rejected for one reason",
        next_step="`tradeflows explain ORDER_ID` shows what an order broke; `tradeflows journal"
        " show --last 50` lists the newest.",
        why="Counted over 30 days: a few are the gate at work, twenty are a strategy that asks for"
        " what it may not have.",
        metric="account.rejects",
        threshold=20.0,
        worse=((Level.ERROR, 100.0),),
        ends_when_gone=True,
        cooldown_seconds=12 * HOUR,
    ),
    AlertRule(
        name="order-fate-unknown",
        level=Level.ERROR,
        title="Nobody knows what became of an order",
        next_step="Run the trading flow again: it asks the broker before anything else. Where that"
        " does not help, look the order up at the broker; `tradeflows explain ORDER_ID` names it.",
        why="A lost answer is asked for at once; five minutes later that has not helped.",
        metric="account.unknown_orders",
        threshold=1.0,
        for_seconds=5 * MINUTE,
        cooldown_seconds=HOUR,
    ),
    AlertRule(
        name="broker-unreachable",
        level=Level.ERROR,
        title="The broker does not answer",
        next_step="Look at the broker's status page and at the network of this machine; `tradeflows"
        " doctor` checks the settings. Nothing is sent meanwhile.",
        why="Runs ask at least hourly while the exchange is open, so two hours of silence end it.",
        events=(BrokerUnreachable.name,),
        cooldown_seconds=HOUR / 2,
        ends_after_seconds=2 * HOUR,
    ),
    AlertRule(
        name="books-disagree",
        level=Level.CRITICAL,
        title="Books and broker disagree, and the account is halted",
        next_step="`tradeflows journal verify` proves the books; compare them with the broker's"
        " statement, then `tradeflows release --account NAME --mode live --reason TEXT`.",
        why="One unexplained difference is one too many.",
        events=(BooksDisagree.name,),
        cooldown_seconds=HOUR,
        ends_after_seconds=DAY,
    ),
)
