"""Halting and releasing, with and without the database; stops."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from slices.domain.accounts import TradingState
from slices.domain.stops import Stop, StopKind, StopStatus
from slices.domain.trading_errors import LedgerError
from slices.ledger.accounts import read_book
from slices.ledger.journal import entries
from slices.ledger.opening import Ledger
from slices.ledger.states import (
    read_halt_file,
    release,
    remove_halt_file,
    set_state,
    trading_state,
    write_halt_file,
)
from slices.ledger.stops import arm_stop, end_stop, stops_of, trigger_stop
from tests.support.ledgers import AT, SESSION, OpenLedger

ACTIVE, REDUCING, HALTED = TradingState


def become(ledger: Ledger, account: str, state: TradingState, reason: str = "a test") -> bool:
    return set_state(ledger, account, state, reason=reason, by="test", at=AT)


def test_an_account_only_does_less(ledger: Ledger) -> None:
    assert trading_state(ledger, "main") == (ACTIVE, "")
    assert become(ledger, "main", REDUCING, "lost much")
    assert not become(ledger, "main", REDUCING, "again")
    assert trading_state(ledger, "main") == (REDUCING, "lost much")
    assert become(ledger, "main", HALTED, "lost more")
    assert not become(ledger, "main", REDUCING)
    assert not become(ledger, "main", ACTIVE)
    assert trading_state(ledger, "main") == (HALTED, "lost more")
    book = read_book(ledger, "main")
    assert (book.state, book.state_reason) == (HALTED, "lost more")


def test_a_release_is_journalled_with_its_reason(ledger: Ledger) -> None:
    become(ledger, "main", HALTED)
    release(ledger, "main", reason="looked into it", by="Ada", at=AT)
    assert trading_state(ledger, "main") == (ACTIVE, "")
    last = dict(entries(ledger, account="main")[-1].payload)
    assert (last["reason"], last["by"], last["state"]) == ("looked into it", "Ada", "active")
    count = len(entries(ledger))
    release(ledger, "main", reason="once more", by="Ada", at=AT)
    assert len(entries(ledger)) == count


def test_the_most_severe_state_holds(ledger: Ledger) -> None:
    become(ledger, "main", REDUCING)
    become(ledger, "", HALTED, "everybody")
    assert trading_state(ledger, "main") == (HALTED, "everybody")
    release(ledger, "main", reason="r", by="b", at=AT)
    assert trading_state(ledger, "main") == (HALTED, "everybody")
    release(ledger, "", reason="r", by="b", at=AT)
    assert trading_state(ledger, "main") == (ACTIVE, "")


def test_r33_a_halt_outlives_the_process(
    ledger: Ledger, ledger_url: str, opened: OpenLedger
) -> None:
    become(ledger, "main", HALTED, "drawdown")
    ledger.close()
    assert trading_state(opened(ledger_url), "main") == (HALTED, "drawdown")


def test_only_accounts_have_a_state(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="nobody"):
        become(ledger, "nobody", HALTED)
    with pytest.raises(LedgerError, match="nobody"):
        release(ledger, "nobody", reason="r", by="b", at=AT)


def test_r34_the_halt_file_halts_everything(ledger: Ledger) -> None:
    file = ledger.halt_file
    assert read_halt_file(file) is None
    write_halt_file(file, reason="fire in\nthe house", by="Ada", at=AT)
    state, why = trading_state(ledger, "main")
    assert state is HALTED
    assert "fire in the house" in why
    assert "Ada" in why
    assert read_book(ledger, "main").state is HALTED
    release(ledger, "main", reason="r", by="b", at=AT)
    assert trading_state(ledger, "main")[0] is HALTED
    remove_halt_file(file)
    remove_halt_file(file)
    assert trading_state(ledger, "main") == (ACTIVE, "")


def test_r34_a_new_reason_replaces_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "new" / "HALT"
    write_halt_file(file, reason="a long story about something", by="Ada", at=AT)
    write_halt_file(file, reason="short", by="Bob", at=AT)
    assert read_halt_file(file) == f"short (Bob, {AT.isoformat()})"


@pytest.mark.parametrize("kind", ["empty", "binary", "folder", "dangling", "behind a file"])
def test_r34_whatever_is_there_halts(ledger: Ledger, kind: str) -> None:
    file = ledger.halt_file
    match kind:
        case "empty":
            file.touch()
        case "binary":
            file.write_bytes(b"\xff\x00\xfe")
        case "folder":
            file.mkdir()
        case "dangling":
            file.symlink_to(file.parent / "nothing")
        case _:
            (file.parent / "plain").touch()
            file = file.parent / "plain" / "HALT"
    assert read_halt_file(file)
    if file == ledger.halt_file:
        assert trading_state(ledger, "main")[0] is HALTED


def stop(name: str = "s", account: str = "main") -> Stop:
    return Stop(
        stop_id=name,
        account=account,
        symbol="AAPL",
        kind=StopKind.TRAILING,
        level=Decimal("9.500000000"),
        trail=0.1,
        armed=SESSION,
    )


def test_a_stop_is_armed_once(ledger: Ledger) -> None:
    assert arm_stop(ledger, stop("z"), at=AT)
    assert arm_stop(ledger, stop("a"), at=AT)
    assert not arm_stop(ledger, stop("z"), at=AT)
    assert stops_of(ledger, "main") == (stop("z"), stop("a"))
    with pytest.raises(LedgerError, match="nobody"):
        arm_stop(ledger, stop("b", account="nobody"), at=AT)


def test_a_stop_is_triggered_once_and_ends_once(ledger: Ledger) -> None:
    arm_stop(ledger, stop(), at=AT)

    def trigger() -> bool:
        level = Decimal("9.4")
        return trigger_stop(
            ledger, "s", session=SESSION, level=level, client_order_id="tf-x", at=AT
        )

    assert trigger()
    assert not trigger()
    (found,) = stops_of(ledger, "main", status=StopStatus.TRIGGERED)
    assert (found.client_order_id, found.triggered, found.triggered_level) == (
        "tf-x",
        SESSION,
        Decimal("9.4"),
    )
    assert end_stop(ledger, "s", StopStatus.DONE, at=AT)
    assert not end_stop(ledger, "s", StopStatus.CANCELLED, at=AT)
    assert not trigger()
    assert stops_of(ledger, "main", status=StopStatus.ARMED) == ()
    assert [each.kind for each in entries(ledger, subject="s")] == [
        "stop.armed",
        "stop.triggered",
        "stop.done",
    ]


def test_a_stop_ends_only_in_an_end(ledger: Ledger) -> None:
    arm_stop(ledger, stop(), at=AT)
    for status in (StopStatus.ARMED, StopStatus.TRIGGERED):
        with pytest.raises(LedgerError, match=status):
            end_stop(ledger, "s", status, at=AT)
    with pytest.raises(LedgerError, match="unheard"):
        end_stop(ledger, "unheard", StopStatus.DONE, at=AT)
