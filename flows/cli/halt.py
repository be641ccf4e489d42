"""`tradeflows halt`: stop trading, whatever else works.

The file that halts everything is there before anything heavy is imported, so that it works without
a database, without Prefect, and at once.
"""

from __future__ import annotations

import getpass
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flows.cli.exits import Exit
from flows.cli.output import note, print_json, print_line
from slices.domain.errors import ParameterError, TradingError
from slices.runtime.environment import home

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from slices.domain.accounts import TradingMode
    from slices.domain.brokers import Broker
    from slices.ledger.opening import Ledger

BY_HAND = "halted by hand"


@dataclass(frozen=True, kw_only=True)
class HaltedAccount:
    """An account that was halted, and what was cancelled; `problem` where that failed."""

    mode: str
    account: str
    cancelled: int
    problem: str = ""


def halt_file() -> Path:
    """Return the file that halts everything."""
    return home() / "ledger" / "HALT"


def operator() -> str:
    """Name the person at this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def show_halted(*, account: str | None, reason: str, as_json: bool) -> Exit:
    """Halt everything, or one account, then cancel what is open; say what could not be done.

    Raises:
        ParameterError: No ledger has the account; nothing was halted.
    """
    if account is None:
        _touch(halt_file())
    from slices.domain.clock import SystemClock

    at = SystemClock().now()
    if account is None:
        _write_reason(reason or BY_HAND, at=at)
        note("tradeflows: halted; nothing is traded until `tradeflows release --reason TEXT`")
    halted = _halted_everywhere(account, reason=reason or BY_HAND, at=at)
    if account is not None and not halted:
        raise ParameterError(
            parameter="--account",
            found=f"'{account}', which no ledger has, so nothing was halted",
            allowed="an account that `tradeflows accounts` lists, or no account to halt everything",
        )
    _show(halted, as_json=as_json)
    return Exit.FAILED if any(each.problem for each in halted) else Exit.OK


def _touch(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as refused:
        note(f"tradeflows: {file}: {refused.strerror}; trying the ledgers")


def _write_reason(reason: str, *, at: dt.datetime) -> None:
    from slices.ledger.states import write_halt_file

    try:
        write_halt_file(halt_file(), reason=reason, by=operator(), at=at)
    except OSError as refused:
        note(f"tradeflows: {halt_file()}: {refused.strerror}")


def _show(halted: list[HaltedAccount], *, as_json: bool) -> None:
    if as_json:
        print_json({"halted": [asdict(each) for each in halted]})
    for each in () if as_json else halted:
        name = " ".join(word for word in (each.mode, each.account) if word)
        if each.problem:
            note(f"tradeflows: {name}: orders may still be open ({each.problem})")
        else:
            print_line(f"{name}: halted, orders cancelled: {each.cancelled}")


def _halted_everywhere(account: str | None, *, reason: str, at: dt.datetime) -> list[HaltedAccount]:
    from flows.cli.books import has_ledger, opened_ledger
    from slices.domain.accounts import TradingMode

    halted = []
    for mode in TradingMode:
        try:
            if has_ledger(mode):
                with opened_ledger(mode) as ledger:
                    halted += _halted_within(ledger, account, reason=reason, at=at)
        except (TradingError, OSError, ValueError) as problem:
            failed = HaltedAccount(
                mode=mode, account=account or "", cancelled=0, problem=str(problem)
            )
            halted.append(failed)
    return halted


def _halted_within(
    ledger: Ledger, account: str | None, *, reason: str, at: dt.datetime
) -> list[HaltedAccount]:
    from flows.cli.books import ALL_ACCOUNTS
    from slices.domain.accounts import TradingState
    from slices.ledger.accounts import account_names
    from slices.ledger.states import set_state

    there = account_names(ledger)
    chosen = there if account is None else tuple(each for each in there if each == account)
    for name in (ALL_ACCOUNTS,) if account is None else chosen:
        set_state(ledger, name, TradingState.HALTED, reason=reason, by=operator(), at=at)
    return [_cancelled(ledger, name, at=at) for name in chosen]


def _cancelled(ledger: Ledger, account: str, *, at: dt.datetime) -> HaltedAccount:
    from slices.ledger.path import cancel_open

    count, problem = 0, ""
    try:
        with _broker(ledger, account) as broker:
            count = cancel_open(ledger, broker, account, at=at)
    except TradingError as refused:
        problem = str(refused)
    return HaltedAccount(mode=ledger.mode, account=account, cancelled=count, problem=problem)


@contextmanager
def _broker(ledger: Ledger, account: str) -> Iterator[Broker]:
    from slices.domain.accounts import TradingMode

    if ledger.mode is TradingMode.PAPER:
        from slices.paper_trade.venue import PaperBroker

        yield PaperBroker(ledger, account)
    else:
        yield _live_broker(account, ledger.mode)


def _live_broker(account: str, mode: TradingMode) -> Broker:
    from slices.domain.errors import SettingsError
    from slices.live_trade.broker import open_broker
    from slices.runtime.settings import load_settings

    settings = load_settings()
    if settings.broker_key is None or settings.broker_secret is None:
        raise SettingsError(
            setting="TRADEFLOWS_BROKER_KEY and TRADEFLOWS_BROKER_SECRET",
            found="none",
            needed=f"those of the {mode} account, or cancel its orders at the broker",
        )
    return open_broker(
        account,
        key=settings.broker_key.get_secret_value(),
        secret=settings.broker_secret.get_secret_value(),
        url=settings.broker_url,
        timeout_seconds=settings.broker_timeout_seconds,
    )
