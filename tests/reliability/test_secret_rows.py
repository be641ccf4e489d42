"""Row 46: keys and passwords stay where they were given."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from slices.runtime.settings import load_settings
from tests.slices.live_trade.live_accounts import switches
from tests.support.broker_server import trading_server
from tests.support.canaries import BROKER, KEYS, LEDGERS, betrayed, files_of, open_to_others
from tests.support.provider_server import serving
from tests.support.server import ROOT, clean_environment

if TYPE_CHECKING:
    pass

COMMANDS = """
import sys, traceback
from flows.cli import main
from slices.runtime.settings import load_settings

LINES = '''
doctor
environment
live-check --symbols AAPL
live-check
accounts --json
journal
journal verify
halt --account main --reason test
alerts rules
watch --once
status
run paper_trading --verbose --symbols AAPL --account secrets
run portfolio_rebalance --verbose --symbols AAPL --execution live
run quick_test --verbose --source alpaca --symbols AAPL
run quick_test --json --verbose --symbols AAPL --start never
'''
for line in filter(None, LINES.splitlines()):
    try:
        code = main(line.split())
    except SystemExit as ended:
        code = ended.code
    print("DONE", code, line, flush=True)
print(repr(load_settings()), str(load_settings()))
print(load_settings().model_dump_json())
try:
    raise RuntimeError(load_settings())
except RuntimeError:
    traceback.print_exc()
"""
FAILED_FOR_A_SECRET = (
    "accounts --json",
    "run paper_trading",
    "run portfolio_rebalance",
    "run quick_test --verbose",
)


@pytest.fixture(scope="module")
def told(
    api_url: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A home, and what commands say there that fail for every reason that has to do with secrets:
    books that cannot be reached, a broker and a provider who refuse the keys.
    """
    home = tmp_path_factory.mktemp("secrets") / "home"
    with trading_server() as exchange, serving({}) as provider:
        given = clean_environment(home) | switches(exchange) | KEYS | BROKER | LEDGERS
        given |= {"TRADEFLOWS_ALPACA_URL": provider.url, "PREFECT_API_URL": api_url}
        finished = subprocess.run(
            [sys.executable, "-c", COMMANDS],
            cwd=ROOT, env=given, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return home, finished


@pytest.mark.slow
def test_r46_no_command_prints_a_secret(
    told: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    printed = told[1].stdout + told[1].stderr
    ended = [line for line in printed.splitlines() if line.startswith("DONE ")]
    assert len(ended) == 15
    for words in FAILED_FOR_A_SECRET:
        assert any(f" {words}" in line and not line.startswith("DONE 0 ") for line in ended), words
    lines = [(line, line.encode()) for line in printed.splitlines()]
    assert betrayed(lines) == []


@pytest.mark.slow
def test_r46_no_command_writes_a_secret_and_books_are_their_owners(
    told: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home = told[0]
    written = list(files_of(home))
    assert written
    assert betrayed(written) == []
    assert open_to_others(home / "ledger") == []
    assert open_to_others(home / "monitor") == []


def test_r46_a_secret_would_be_found(tmp_path: Path) -> None:
    secret = KEYS["TRADEFLOWS_ALPACA_SECRET"]
    (tmp_path / "one.log").write_text(f"the key is {secret}")
    (tmp_path / "two.json").write_text('{"authorization": "Basic ZDpjbnJ5N1F4UjJ2THc5YWw="}')
    (tmp_path / "three.txt").write_text("the key is ******")
    assert betrayed(files_of(tmp_path)) == ["one.log", "two.json"]


def test_r46_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (KEYS | BROKER | LEDGERS).items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    shown = {
        "repr": repr(settings), "str": str(settings), "error": str(RuntimeError(settings)),
        "json": settings.model_dump_json(),
    }  # fmt: skip
    assert betrayed((name, text.encode()) for name, text in shown.items()) == []
    assert os.environ["TRADEFLOWS_LEDGER_URL"] == LEDGERS["TRADEFLOWS_LEDGER_URL"]
