"""Several processes at one ledger, and processes that are killed while they write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.frames import repository
from tests.support.ledgers import new_database

ROUNDS = 25


def run(what: str, folder: Path, *urls: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.support.ledger_processes", what, str(folder), *urls],
        cwd=repository(),
        env=os.environ | {"TRADEFLOWS_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]


@pytest.mark.slow
def test_r16_processes_that_write_equal_names_write_them_once(
    ledger_url: str, tmp_path: Path
) -> None:
    run("write", tmp_path, ledger_url)


@pytest.mark.slow
def test_r23_whoever_is_killed_between_statements_leaves_whole_books(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path}/{each}.db" for each in range(ROUNDS + 1)]
    run("die", tmp_path, *urls)


@pytest.mark.slow
def test_r23_whoever_is_killed_leaves_whole_books_on_a_server(
    postgresql: Path, tmp_path: Path
) -> None:
    urls = [new_database(postgresql) for _ in range(8)]
    run("die", tmp_path, *urls)


@pytest.mark.slow
def test_processes_that_open_a_ledger_at_once_make_it_once(ledger_url: str, tmp_path: Path) -> None:
    run("open", tmp_path, ledger_url)
