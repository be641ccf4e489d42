"""`tradeflows live-check`: what it prints turns live trading on, and nothing secret is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.cli import main
from slices.domain.limits import RiskLimits
from slices.live_trade import desk
from tests.slices.live_trade.live_accounts import bars, purchase, switch_on
from tests.slices.live_trade.live_orders import ACCOUNT
from tests.support.broker_server import KEY, SECRET, Exchange

LIMITS = RiskLimits(max_leverage=2.0, restricted=["IBM", "XOM"], allow_short=False)
WORDS = (
    "live-check", "--account", ACCOUNT, "--limits.max-leverage", "2", "--limits.restricted",
    "IBM,XOM", "--limits.allow_short", "false",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _switched_on(exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    switch_on(monkeypatch, exchange, tmp_path / "home", LIMITS)


def test_what_is_printed_turns_live_trading_on(
    exchange: Exchange,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("TRADEFLOWS_LIVE_CONFIRMATION")
    assert main([*WORDS, "--json"]) == 7
    said = json.loads(capsys.readouterr().out)
    assert [each["is_on"] for each in said["switches"]] == [True, True, False]
    monkeypatch.setenv("TRADEFLOWS_LIVE_CONFIRMATION", said["confirmation"])
    assert main(list(WORDS)) == 0
    ref = bars(tmp_path)
    desk.settle(ACCOUNT, ref, limits=LIMITS)
    desk.submit(ACCOUNT, ref, purchase(), limits=LIMITS)
    assert len(exchange.orders) == 1


def test_other_limits_have_another_digest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live-check", "--account", ACCOUNT, "--json"]) == 7
    assert [each["is_on"] for each in json.loads(capsys.readouterr().out)["switches"]][-1] is False


def test_no_key_is_printed_and_nothing_is_asked(
    exchange: Exchange, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(list(WORDS))
    main([*WORDS, "--json"])
    told = capsys.readouterr()
    assert KEY not in told.out + told.err
    assert SECRET not in told.out + told.err
    assert exchange.asked == []
    assert not (tmp_path / "home" / "ledger").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["live-check"],
        ["live-check", "--account", "../main"],
        ["live-check", "--account", "main", "--limits.max-leverage", "-1"],
        ["live-check", "--account", "main", "--nonsense"],
    ],
)
def test_words_that_are_not_allowed_are_bad_input(words: list[str]) -> None:
    assert main(words) == 2
