"""`tradeflows release`: let trading go on; the only way, and always recorded with who and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flows.cli.books import ALL_ACCOUNTS, has_ledger, mode_of, opened_ledger
from flows.cli.exits import Exit
from flows.cli.halt import halt_file, operator
from flows.cli.output import print_json, print_line
from slices.domain.accounts import TradingMode, TradingState
from slices.domain.clock import SystemClock
from slices.domain.errors import ParameterError
from slices.ledger.accounts import account_names
from slices.ledger.states import release, remove_halt_file, trading_state

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, kw_only=True)
class RestrictedAccount:
    """An account that may not trade freely, whatever else is released."""

    mode: str
    account: str
    state: str
    reason: str


def show_released(*, account: str | None, mode: str, reason: str, as_json: bool) -> Exit:
    """Release everything, or one account; what still holds it back is said.

    Raises:
        ParameterError: Nobody said why.
        LedgerError: It cannot be recorded; then nothing is released.
    """
    if not reason.strip():
        raise ParameterError(parameter="--reason", found="nothing", allowed="words that say why")
    at = SystemClock().now()
    if account is None:
        _release_all(reason, at=at)
        _show_all(_restricted(), as_json=as_json)
        return Exit.OK
    state, why = _release_one(account, mode_of(mode), reason, at=at)
    if as_json:
        print_json({"account": account, "state": state, "reason": why})
    elif state is TradingState.ACTIVE:
        print_line(f"{account}: released")
    else:
        everything = "`tradeflows release --reason TEXT` releases everything"
        print_line(f"{account}: released by itself; still {state} ({why}): {everything}")
    return Exit.OK if state is TradingState.ACTIVE else Exit.HALTED


def _show_all(restricted: list[RestrictedAccount], *, as_json: bool) -> None:
    """Say that nothing halts everything any more, and which accounts are restricted by themselves.

    Their losses, or somebody who halted them alone, are another matter.
    """
    if as_json:
        still = [asdict(each) for each in restricted]
        print_json({"account": None, "state": TradingState.ACTIVE, "reason": "", "still": still})
        return
    print_line("all accounts: released")
    for each in restricted:
        release_it = f"tradeflows release --account {each.account} --mode {each.mode} --reason TEXT"
        why = f"{each.state} by itself ({each.reason})"
        print_line(f"{each.mode} {each.account}: still {why}; `{release_it}`")


def _restricted() -> list[RestrictedAccount]:
    found = []
    for mode in TradingMode:
        if has_ledger(mode):
            with opened_ledger(mode) as ledger:
                for account in account_names(ledger):
                    state, reason = trading_state(ledger, account)
                    if state is not TradingState.ACTIVE:
                        found.append(
                            RestrictedAccount(
                                mode=mode, account=account, state=state, reason=reason
                            )
                        )
    return found


def _release_all(reason: str, *, at: dt.datetime) -> None:
    """Record first, so that what cannot be recorded stays halted."""
    for mode in TradingMode:
        if has_ledger(mode):
            with opened_ledger(mode) as ledger:
                release(ledger, ALL_ACCOUNTS, reason=reason, by=operator(), at=at)
    remove_halt_file(halt_file())


def _release_one(
    account: str, mode: TradingMode, reason: str, *, at: dt.datetime
) -> tuple[TradingState, str]:
    with opened_ledger(mode) as ledger:
        release(ledger, account, reason=reason, by=operator(), at=at)
        return trading_state(ledger, account)
