"""Runs that are killed while they place a plan, and runs that place one together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.frames import repository
from tests.support.placing import PLACES, plan

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.placing", str(tmp_path_factory.mktemp("placing"))],
        capture_output=True,
        text=True,
        check=False,
        cwd=repository(),
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    return {each["name"]: each for each in json.loads(done.stdout)}


@pytest.mark.parametrize(
    "place",
    [f"{step.name}-{each + 1}" for step, count in PLACES.items() for each in range(count)],
)
def test_r23_a_run_killed_at_any_step_and_started_again_leaves_one_order_each(
    runs: dict[str, dict[str, Any]], place: str
) -> None:
    found = runs[place]
    assert found["codes"] == [-9, 0]
    assert found["submissions"] == [1] * len(plan())
    assert found["dump"] == runs["undisturbed"]["dump"]


def test_r23_two_processes_that_place_one_plan_at_once_leave_one_order_each(
    runs: dict[str, dict[str, Any]],
) -> None:
    together = [each for name, each in runs.items() if name.startswith("at-once")]
    assert together
    for found in together:
        assert found["codes"] == [0, 0]
        assert found["submissions"] == [1] * len(plan())
        assert found["dump"] == runs["undisturbed"]["dump"]


def test_the_places_to_die_at_are_all_there_are(runs: dict[str, dict[str, Any]]) -> None:
    assert runs["undisturbed"]["codes"] == [0]
    assert sum(PLACES.values()) + 4 == len(runs)
