"""Paper trading killed anywhere, or done twice at once, leaves the books it always leaves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.frames import repository


@pytest.mark.slow
def test_r23_sessions_killed_at_every_step_and_at_random_moments_leave_the_same_books() -> None:
    words = [sys.executable, "-m", "tests.reliability.chaos", "--short"]
    found = subprocess.run(words, cwd=repository(), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-2000:]
    *runs, last = found.stdout.splitlines()
    killed = [line for line in runs if "exit -9 0" in line]
    assert last.endswith("0 with other books")
    assert len(killed) >= 9 + 3
