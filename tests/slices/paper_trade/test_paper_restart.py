"""A replay that was killed, repeated or started twice leaves the books it always leaves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.frames import repository


def ran(what: str) -> list[list[str]]:
    """Run `dying` and return the words of its lines."""
    words = [sys.executable, "-m", "tests.slices.paper_trade.dying", what]
    found = subprocess.run(words, cwd=repository(), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-2000:]
    return [line.split() for line in found.stdout.splitlines()]


@pytest.mark.slow
def test_r23_a_replay_killed_at_any_step_ends_with_the_books_of_a_whole_one() -> None:
    (steps, *whole), *rounds = ran("kills")
    assert len(rounds) == int(steps) > 15
    assert whole[0] == "4"
    assert {code for _, code, *_ in rounds} == {"-9"}
    assert {after for _, _, after, *_ in rounds} == {"0"}
    assert {tuple(books) for _, _, _, *books in rounds} == {tuple(whole)}


@pytest.mark.slow
def test_r16_two_processes_that_act_at_one_session_at_once_order_once() -> None:
    turns = ran("race")
    assert {(one, other, orders) for one, other, orders, _ in turns} == {("0", "0", "4")}
    assert len({books for *_, books in turns}) == 1
