from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.accounts import TradingState
from slices.domain.alerts import Level
from slices.domain.monitoring import Comparison, Health, Part, Sample
from slices.domain.observations import Observation, WorkerFacts
from slices.monitor.health import health
from slices.monitor.metrics import METRICS, measure, metric_type
from slices.monitor.scheme import INCIDENT_POINTS, SCHEME, Loss, scheme_table
from tests.support.observed import (
    alert_facts,
    feed_facts,
    half_seen,
    host_facts,
    hostile,
    incident,
    model_facts,
    observation,
    run_facts,
    server_facts,
)
from tests.support.observed_accounts import NOW, account_facts

LEAST = 1e-6


def sound() -> Observation:
    """Everything seen, and nothing wrong with it."""
    server = server_facts()
    recent = tuple(run_facts(number) for number in range(1, 6))
    calm = dataclasses.replace(server, late=0, recent=recent, failed_actions=0)
    champion = dataclasses.replace(model_facts()[0], live_ic=0.05, drifted=0.0, coverage=0.9)
    account = dataclasses.replace(account_facts(), limits=(), drawdown=0.0, orders=())
    waiting = dataclasses.replace(alert_facts(), undelivered=0, oldest_undelivered_seconds=0.0)
    return Observation(
        at=NOW,
        host=host_facts(),
        server=calm,
        data=feed_facts()[:1],
        accounts=(account,),
        models=(champion,),
        alerts=waiting,
    )


def judged(seen: Observation, *incidents: object) -> dict[str, Health]:
    found = health(seen, measure(seen), incidents)  # type: ignore[arg-type]
    assert [each.part for each in found] == ["overall", *(part.value for part in Part)]
    return {each.part: each for each in found}


def with_values(metric: str, *values: float, labels: tuple[tuple[str, str], ...]) -> Health:
    """Judge everything sound but one metric; each value under labels of its own."""
    seen = sound()
    others = [each for each in measure(seen) if each.metric != metric]
    mine = [
        Sample(metric=metric, labels=(*labels, ("number", str(number))), value=value)
        for number, value in enumerate(values)
    ]
    part = metric_type(metric).part
    return {each.part: each for each in health(seen, [*others, *mine], ())}[part.value]


def labels_for(loss: Loss) -> tuple[tuple[str, str], ...]:
    words = {"account": "a", "mode": "paper", "model": "m", "version": "1", "alias": "champion"}
    words |= {"feed": "f", "source": "s", "pool": "p", "flow": "x", "deployment": "x/y"}
    sample = next(each for each in measure(observation()) if each.metric == loss.metric)
    return tuple((name, words.get(name, "w")) for name, _ in sample.labels)


def test_what_is_sound_has_all_points_and_no_reason() -> None:
    for each in judged(sound()).values():
        assert (each.score, each.lost) == (100.0, ()), each.part


@pytest.mark.parametrize("loss", SCHEME, ids=lambda each: each.metric)
def test_a_bound_costs_when_it_is_reached_and_not_before(loss: Loss) -> None:
    labels, side = labels_for(loss), 1 if loss.comparison is Comparison.ABOVE else -1
    before = 0.0
    for bound, points in loss.steps:
        assert points > before
        short = with_values(loss.metric, bound - side * abs(LEAST * bound), labels=labels)
        reached = with_values(loss.metric, bound, labels=labels)
        beyond = with_values(
            loss.metric, bound + side * (LEAST + abs(LEAST * bound)), labels=labels
        )
        if bound:
            assert short.score == 100 - before
        assert reached.score == 100 - points
        assert beyond.score == 100 - points
        before = points
    for count in range(5) if loss.each else ():
        found = with_values(loss.metric, float(count), labels=labels)
        assert found.score == 100 - min(loss.most, loss.each * count)


@pytest.mark.parametrize("loss", SCHEME, ids=lambda each: each.metric)
def test_one_reason_costs_no_more_than_it_may_and_nothing_where_undefined(loss: Loss) -> None:
    labels = labels_for(loss)
    worst = loss.steps[-1][0] if loss.steps else 100.0
    many = with_values(loss.metric, *(worst,) * 40, labels=labels)
    assert many.score == pytest.approx(100 - loss.most)
    assert sum(each.points for each in many.lost) == pytest.approx(loss.most)
    undefined = with_values(loss.metric, math.nan, labels=labels)
    assert (undefined.score, undefined.lost) == (100.0, ())


@pytest.mark.parametrize("loss", SCHEME, ids=lambda each: each.metric)
def test_a_value_without_bound_still_gives_a_score(loss: Loss) -> None:
    side = 1 if loss.comparison is Comparison.ABOVE else -1
    worst = loss.steps[-1][1] if loss.steps else loss.most
    found = with_values(loss.metric, side * math.inf, labels=labels_for(loss))
    assert found.score == 100 - worst


@pytest.mark.parametrize("loss", [each for each in SCHEME if each.where])
def test_only_what_trades_is_judged(loss: Loss) -> None:
    labels = tuple(
        (name, word) for name, word in labels_for(loss) if (name, word) not in loss.where
    )
    worst = loss.steps[-1][0]
    assert with_values(loss.metric, worst, labels=labels).score == 100


def test_the_scheme_rests_on_metrics_of_every_part_and_says_what_about() -> None:
    assert {metric_type(each.metric).part for each in SCHEME} == set(Part)
    names = {each.name for each in METRICS}
    for each in SCHEME:
        assert each.metric in names
        assert bool(each.steps) != bool(each.each)
        bounds = [bound for bound, _ in each.steps]
        assert bounds == sorted(bounds, reverse=each.comparison is Comparison.BELOW)
        filled = each.words.format(about="ABOUT", value="VALUE")
        assert len(labels_for(each)) == 0 or "ABOUT" in filled


def test_failed_runs_of_a_deployment_are_named_with_their_points() -> None:
    seen = sound()
    assert seen.server is not None
    states = ("Failed", "Completed", "Crashed", "Completed", "Completed", "Failed")
    recent = tuple(run_facts(number, state=state) for number, state in enumerate(states, 1))
    seen = dataclasses.replace(seen, server=dataclasses.replace(seen.server, recent=recent))
    found = judged(seen)["orchestration"]
    assert found.score == 80
    (lost,) = found.lost
    assert (lost.points, lost.reason) == (20.0, "paper-trading/daily failed 2 of its last 5 runs")


def test_reasons_name_the_account_and_why_it_was_halted() -> None:
    seen = sound()
    account = dataclasses.replace(
        (seen.accounts or ())[0], state=TradingState.HALTED, state_reason="lost too much"
    )
    found = judged(dataclasses.replace(seen, accounts=(account,), halted="by hand"))["trading"]
    assert [each.points for each in found.lost] == [50.0, 40.0]
    assert "by hand" in found.lost[0].reason
    assert "daily (paper)" in found.lost[1].reason
    assert "lost too much" in found.lost[1].reason


@pytest.mark.parametrize(
    ("metric", "value", "said"),
    [
        ("host.load_per_core", 8.9391, "8.9 processes"),
        ("runs.late", 12_000.0, " 12,000"),
        ("host.disk_used", 0.9312, "93.1%"),
        ("runs.stuck", 7200.0, " 120 minutes"),
        ("alerts.oldest_undelivered", 61.0, " 61 seconds "),
        ("data.age_sessions", 2.0, " 2 sessions"),
    ],
)
def test_reasons_write_numbers_with_their_unit(metric: str, value: float, said: str) -> None:
    labels = labels_for(next(each for each in SCHEME if each.metric == metric))
    (lost,) = with_values(metric, value, labels=labels).lost
    assert said in lost.reason


def test_a_pool_without_a_worker_costs_points() -> None:
    seen = sound()
    assert seen.server is not None
    gone = WorkerFacts(name="desk-1", pool="local", status="OFFLINE", heard=NOW)
    server = dataclasses.replace(seen.server, workers=(gone,))
    assert judged(dataclasses.replace(seen, server=server))["orchestration"].score == 60


def test_what_was_not_seen_has_no_score() -> None:
    nothing = judged(Observation(at=NOW))
    assert {each.score for each in nothing.values()} == {None}
    found = judged(half_seen())
    for part, reason in half_seen().unknown:
        assert found[part].score is None
        assert reason in found[part].lost[0].reason
        assert any(reason in each.reason for each in found["overall"].lost)


@pytest.mark.parametrize(("part", "empty"), [("data", ()), ("accounts", ()), ("models", ())])
def test_where_there_is_nothing_to_judge_there_is_no_score(part: str, empty: object) -> None:
    named = {"accounts": "trading"}.get(part, part)
    found = judged(dataclasses.replace(sound(), **{part: empty}))
    assert (found[named].score, found[named].lost) == (None, ())
    assert found["overall"].score == 100


def test_a_halt_is_seen_even_without_an_account() -> None:
    found = judged(dataclasses.replace(sound(), accounts=(), halted="HALT"))
    assert found["trading"].score == 50


def test_the_overall_score_is_half_the_worst_and_half_the_mean() -> None:
    seen = sound()
    host = dataclasses.replace(host_facts(), disk_used=0.95, memory_used=0.95)
    found = judged(dataclasses.replace(seen, host=host))
    assert found["host"].score == pytest.approx(10)
    assert found["overall"].score == pytest.approx(0.5 * 10 + 0.5 * (10 + 5 * 100) / 6)


def test_a_part_that_could_not_be_looked_at_costs_twenty() -> None:
    unseen = dataclasses.replace(sound(), server=None, unknown=(("orchestration", "refused"),))
    assert judged(unseen)["overall"].score == 80


@pytest.mark.parametrize("seen", [sound(), observation(), half_seen(), hostile()])
def test_points_add_up_to_what_is_missing(seen: Observation) -> None:
    for each in judged(seen, incident(), incident(level=Level.ERROR)).values():
        missing = sum(lost.points for lost in each.lost)
        assert all(lost.points > 0 and lost.reason for lost in each.lost)
        assert list(each.lost) == sorted(each.lost, key=lambda lost: -lost.points)
        if each.score is not None:
            assert each.score == pytest.approx(max(0.0, 100 - missing))


@given(st.lists(st.sampled_from(list(Level)), max_size=8))
def test_incidents_cost_the_alerting_by_their_level(levels: list[Level]) -> None:
    found = judged(sound(), *(incident(level=each) for each in levels))
    expected = max(0.0, 100 - sum(INCIDENT_POINTS[each] for each in levels))
    assert found["alerting"].score == expected
    assert {found[part].score for part in ("host", "data", "trading")} == {100.0}


def test_levels_cost_more_the_higher_they_are() -> None:
    points = [INCIDENT_POINTS[each] for each in Level]
    assert all(one < other for one, other in itertools.pairwise(points))


@pytest.mark.parametrize(
    "facts",
    [
        {"acknowledged": NOW},
        {"resolved": NOW},
        {"silenced_until": NOW + dt.timedelta(seconds=1)},
        {"level": Level.INFO},
    ],
)
def test_what_somebody_knows_of_costs_nothing(facts: dict[str, object]) -> None:
    known = dataclasses.replace(incident(), **facts)  # type: ignore[arg-type]
    assert judged(sound(), known)["alerting"].score == 100
    expired = dataclasses.replace(incident(), silenced_until=NOW)
    assert judged(sound(), expired)["alerting"].score == 60


def test_the_table_of_the_scheme_has_a_row_for_each_reason() -> None:
    rows = [line for line in scheme_table().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [each.metric for each in SCHEME]
