from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.adaptive_portfolio.recovery import (
    recovery_plan,
    recovery_steps,
    required_return,
    sessions_to_regain,
)
from slices.domain.protection import ProtectionRules, RecoveryPlan

RULES = ProtectionRules()
paths = st.lists(st.floats(1.0, 1e6), min_size=1, max_size=60)


def planned(*values: float, released: bool = True, invested: bool = True) -> RecoveryPlan:
    return recovery_plan(np.array(values), rules=RULES, is_released=released, is_invested=invested)


@given(st.floats(0, 0.99))
def test_what_is_required_brings_the_loss_back(lost: float) -> None:
    assert (1 - lost) * (1 + required_return(lost)) == pytest.approx(1)


def test_nothing_brings_back_everything() -> None:
    assert required_return(1.0) == math.inf


@pytest.mark.parametrize("chance", [0.25, 0.5, 0.75])
def test_likely_times_are_those_of_simulated_walks(chance: float) -> None:
    volatility, lost = 0.02, 0.1
    expected = sessions_to_regain(lost, volatility, chance)
    random = np.random.default_rng(7)
    steps = random.normal(0, volatility, (4_000, int(expected)))
    reached = np.cumsum(steps, axis=1).max(axis=1) >= -math.log(1 - lost)
    # Walks are looked at once a session, not all the time: they are seen a little later.
    assert chance - 0.06 < reached.mean() <= chance + 0.02


@given(st.floats(0.01, 0.9), st.floats(0.001, 0.1))
def test_deeper_and_quieter_takes_longer(lost: float, volatility: float) -> None:
    times = [sessions_to_regain(lost, volatility, each) for each in (0.25, 0.5, 0.75)]
    assert times == sorted(times)
    assert sessions_to_regain(lost * 1.05, volatility, 0.5) > times[1]
    assert sessions_to_regain(lost, volatility / 2, 0.5) == pytest.approx(4 * times[1])


@given(paths, st.booleans(), st.booleans())
def test_a_plan_is_consistent_on_any_path(path: list[float], free: bool, held: bool) -> None:  # noqa: FBT001
    plan = planned(*path, released=free, invested=held)
    assert plan.trough <= plan.equity <= plan.peak == max(path)
    assert 0 <= plan.regained <= 1
    assert plan.equity * (1 + plan.required_return) == pytest.approx(plan.peak)
    reached = [each.is_reached for each in plan.steps]
    assert reached == sorted(reached, reverse=True)
    assert reached[0]
    assert plan.exposure == max(each.exposure for each in plan.steps if each.is_reached)
    assert not (plan.in_force and not free)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 100), st.integers(0, 50))
def test_more_regained_and_longer_quiet_never_closes_a_step(
    regained: float, more: float, quiet: int, longer: int
) -> None:
    before = recovery_steps(RULES, regained=regained, quiet_sessions=quiet)
    after = recovery_steps(RULES, regained=min(1, regained + more), quiet_sessions=quiet + longer)
    assert all(late.is_reached or not early.is_reached
               for early, late in zip(before, after, strict=True))  # fmt: skip


def test_steps_hold_after_a_release_from_a_deep_loss_until_the_peak() -> None:
    assert planned(100.0, 80.0, 82.0).in_force
    assert not planned(100.0, 80.0, 82.0, released=False).in_force
    assert not planned(100.0, 95.0, 96.0).in_force
    assert not planned(100.0, 80.0, 100.0).in_force
    assert planned(100.0, 80.0, 82.0).exposure == RULES.recovery_exposures[0]
    quiet = planned(100.0, 80.0, *([90.0] * RULES.recovery_sessions))
    assert quiet.exposure == RULES.recovery_exposures[1]


def test_the_time_is_unknown_where_nothing_tells_it() -> None:
    assert planned(100.0, 90.0).unknown
    random = np.random.default_rng(1)
    path = 100 * np.exp(np.cumsum(random.normal(0, 0.02, 60)))
    path[-1] = path.max() * 0.8
    assert planned(*path, invested=False).unknown
    known = planned(*path)
    assert not known.unknown
    assert known.likely_sessions[0] < known.likely_sessions[1] < known.likely_sessions[2]
    assert planned(100.0, 0.0).unknown
