"""Rules at work: one incident for each trouble, nothing lost, nothing repeated."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.accounts import Mark
from slices.domain.alerts import Level
from slices.domain.monitoring import AlertRule, Comparison, Incident, Notice, Sample
from slices.domain.observations import Observation, RunFacts
from slices.ledger.accounts import close_session, open_account
from slices.ledger.booking import book
from slices.monitor.alerts.incidents import (
    acknowledge,
    incidents_since,
    mark_notified,
    open_incidents,
    outbox_cursor,
    silence,
)
from slices.monitor.alerts.judging import Verdicts, judge
from slices.monitor.metrics import measure
from slices.monitor.observing.accounts import account_facts
from slices.monitor.store import Store
from tests.support.incident_tapes import DAILY, Look, fast_store, instant, notice, run
from tests.support.ledgers import AT, CAPITAL, SESSION, accept, fill, ledger_at, order

BROKER, HOUR = "broker-unreachable", 3600.0
FEW = settings(max_examples=15)


@dataclasses.dataclass
class Desk:
    """A watch that notes every notification as sent unless it dies before."""

    store: Store
    told: list[Incident] = dataclasses.field(default_factory=list)

    def look(
        self,
        seconds: float,
        *notices: Notice,
        runs: tuple[RunFacts, ...] = (),
        unseen: tuple[str, ...] = (),
        rules: tuple[AlertRule, ...] | None = None,
        marks: bool = True,
        values: dict[str, float] | None = None,
        **more: float,
    ) -> Verdicts:
        taken = samples(**(values or {}), **more)
        look = Look(at=instant(seconds), samples=taken, runs=runs, unseen=unseen)
        options = {"rules": rules} if rules else {}
        found = judge(self.store, look.observation, look.samples, notices, at=look.at, **options)
        if marks:
            self.tell(found, look.at)
        return found

    def tell(self, found: Verdicts, at: dt.datetime) -> None:
        for each in (*found.fire, *found.ended):
            mark_notified(self.store, each.key, at)
        self.told.extend(found.fire)

    @property
    def all(self) -> tuple[Incident, ...]:
        return incidents_since(self.store, instant(-1e7))


def samples(**values: float) -> tuple[Sample, ...]:
    account = (("account", "daily"), ("mode", "paper"))
    return tuple(
        Sample(
            metric=name.replace("__", "."),
            labels=account if name.startswith("account") else (),
            value=value,
        )
        for name, value in values.items()
    )


@contextmanager
def desk_in_memory() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder:
        store = fast_store(Path(folder))
        yield Desk(store=store)
        store.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    with desk_in_memory() as made:
        yield made


def numbered(offsets: list[float], subjects: list[str]) -> list[Notice]:
    pairs = zip(sorted(offsets), subjects, strict=False)
    return [
        notice(number + 1, instant(at), subject=subject)
        for number, (at, subject) in enumerate(pairs)
    ]


EVENTS = st.lists(
    st.tuples(st.floats(0, 5 * HOUR), st.sampled_from(["daily", "growth", "main"])),
    min_size=1,
    max_size=20,
).map(lambda found: numbered([at for at, _ in found], [who for _, who in found]))


def kept(desk: Desk) -> set[tuple[object, ...]]:
    """What incidents are, but for what was sent about them."""
    return {
        (each.key, each.count, each.level, each.opened, each.last_seen, each.is_open)
        for each in desk.all
    }


@pytest.mark.slow
@FEW
@given(EVENTS, st.data())
def test_neither_batches_nor_their_order_nor_crashes_change_what_is_counted(
    events: list[Notice], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(events)), max_size=4)) | {len(events)})
    with desk_in_memory() as whole, desk_in_memory() as parts:
        whole.look(6 * HOUR, *events)
        for cut in cuts:
            batch = data.draw(st.permutations(events[:cut]))
            is_told = data.draw(st.booleans())
            parts.look(6 * HOUR, *batch, marks=is_told)
        parts.look(6 * HOUR, *events)
        assert kept(parts) == kept(whole)
        assert sum(each.count for each in parts.all) == len(events)
        assert {each.key for each in parts.told} == {each.key for each in whole.told}


class Power(Exception):  # noqa: N818 - it is a cut, not an error
    """The power goes."""


@pytest.mark.slow
@FEW
@given(EVENTS, st.integers(0, 3))
def test_a_crash_within_the_transaction_loses_nothing(events: list[Notice], where: int) -> None:
    look = Look(at=instant(6 * HOUR), samples=samples(host__disk_used=0.9))

    def dying() -> Iterator[Sample]:
        yield from look.samples[:where]
        raise Power

    with desk_in_memory() as desk:
        with pytest.raises(Power):
            judge(desk.store, look.observation, dying(), events, at=look.at)  # type: ignore[arg-type]
        assert (desk.all, outbox_cursor(desk.store)) == ((), 0)
        desk.look(6 * HOUR, *events)
        assert sum(each.count for each in desk.all) == len(events)
        assert outbox_cursor(desk.store) == len(events)


def test_what_was_not_sent_before_a_crash_is_sent_after_it(desk: Desk) -> None:
    desk.look(0, notice(1, instant(0)), marks=False)
    (fired,) = desk.look(15).fire
    assert (fired.rule, fired.count, fired.attempts) == (BROKER, 1, 0)
    assert desk.look(30).fire == ()
    (ended,) = desk.look(3 * HOUR, marks=False).ended
    assert ended.key == fired.key
    assert [each.key for each in desk.look(3 * HOUR + 15).ended] == [fired.key]
    assert desk.look(3 * HOUR + 30).ended == ()


def test_the_same_observation_judged_twice_counts_once(desk: Desk) -> None:
    for _ in range(3):
        desk.look(60, account__drawdown=0.25)
    assert sum(each.count for each in desk.all if each.rule == "drawdown") == 1


@pytest.mark.slow
@FEW
@given(st.lists(st.tuples(st.floats(1, 900), st.integers(0, 3)), min_size=1, max_size=25))
def test_a_cooldown_has_at_most_one_notification(steps: list[tuple[float, int]]) -> None:
    rule_cooldown = HOUR / 2
    with desk_in_memory() as desk:
        at, number = 0.0, 0
        sent: dict[str, list[float]] = {}
        for pause, count in steps:
            at += pause
            news = [notice(number + each + 1, instant(at)) for each in range(count)]
            number += count
            for each in desk.look(at, *news).fire:
                sent.setdefault(each.key, []).append(at)
        assert sum(each.count for each in desk.all) == number
        for times in sent.values():
            gaps = [after - before for before, after in pairwise(times)]
            assert all(each >= rule_cooldown for each in gaps)


@pytest.mark.slow
@FEW
@given(st.lists(st.floats(0.832, 0.868), min_size=5, max_size=40))
def test_a_value_that_flickers_around_its_threshold_is_one_incident(values: list[float]) -> None:
    with desk_in_memory() as desk:
        for number, value in enumerate([0.86, 0.86, 0.86, *values]):
            desk.look(60.0 * number, host__disk_used=value)
        (found,) = desk.all
        assert found.is_open
        assert found.count == 3 + sum(each >= 0.85 for each in values)
        assert len(desk.told) == 1


@pytest.mark.parametrize("values", [{}, {"account__drawdown": math.nan}])
def test_what_is_not_measured_ends_nothing(desk: Desk, values: dict[str, float]) -> None:
    desk.look(0, account__drawdown=0.25)
    for hour in range(1, 50, 4):
        desk.look(HOUR * hour, unseen=("trading",), values=values)
    assert {each.rule for each in open_incidents(desk.store)} == {"drawdown", "drawdown-near"}
    for minute in range(7):
        desk.look(50 * HOUR + 60 * minute, account__drawdown=0.01)
    assert open_incidents(desk.store) == ()


def test_an_account_that_is_gone_does_not_end_its_drawdown(desk: Desk) -> None:
    desk.look(0, account__drawdown=0.25)
    desk.look(HOUR, host__cpu=0.1)
    assert len(open_incidents(desk.store)) == 2


def test_a_run_that_is_gone_ends_its_silence_but_not_while_the_server_is_away(desk: Desk) -> None:
    desk.look(0, runs__stuck=2000.0)
    desk.look(60, unseen=("orchestration",))
    assert [each.rule for each in open_incidents(desk.store)] == ["run-stuck"]
    desk.look(120)
    assert open_incidents(desk.store) == ()


def test_what_becomes_worse_is_told_at_once_even_if_it_was_acknowledged(desk: Desk) -> None:
    for minute in range(3):
        desk.look(60.0 * minute, host__disk_used=0.86)
    (first,) = desk.told
    acknowledge(desk.store, first.key, by="ada", at=instant(130))
    desk.look(240, host__disk_used=0.93)
    assert len(desk.told) == 1
    desk.look(300, host__disk_used=0.93)
    assert [each.level for each in desk.told] == [Level.WARNING, Level.ERROR]
    assert desk.told[1].acknowledged is None
    assert {each.key for each in desk.told} == {first.key}


def test_a_critical_incident_is_repeated_until_it_is_acknowledged(desk: Desk) -> None:
    hours = (0, 0.2, 0.5, 0.9, 1.0)
    for hour in hours:
        desk.look(HOUR * hour, account__day_loss=0.07)
    critical = [each for each in desk.told if each.level is Level.CRITICAL]
    assert len(critical) == 3
    acknowledge(desk.store, critical[0].key, by="ada", at=instant(HOUR))
    desk.look(HOUR * 9, account__day_loss=0.07)
    assert len([each for each in desk.told if each.level is Level.CRITICAL]) == 3


def test_what_stopped_growing_is_not_repeated(desk: Desk) -> None:
    desk.look(0, notice(1, instant(0)))
    desk.look(HOUR)
    desk.look(1.4 * HOUR)
    assert len(desk.told) == 1
    desk.look(1.5 * HOUR, notice(2, instant(1.5 * HOUR)))
    assert [each.count for each in desk.told] == [1, 2]


def test_a_silence_counts_on_and_lets_the_first_critical_word_through(desk: Desk) -> None:
    until = instant(4 * HOUR)
    silence(desk.store, rule="daily-loss", until=until, by="ada", reason="known")
    silence(
        desk.store, rule="daily-loss-near", subject=DAILY, until=until, by="ada", reason="known"
    )
    for hour in (0.0, 1.0, 2.0, 3.0):
        desk.look(HOUR * hour, account__day_loss=0.07)
    assert [each.rule for each in desk.told] == ["daily-loss"]
    assert {each.count for each in desk.all} == {4}
    assert {each.silenced_until for each in open_incidents(desk.store)} == {until}
    desk.look(5 * HOUR, account__day_loss=0.07)
    assert [each.rule for each in desk.told[1:]] == ["daily-loss", "daily-loss-near"]


def test_an_event_that_says_more_than_its_rule_is_believed(desk: Desk) -> None:
    name = "tradeflows.risk.limit-breached"
    desk.look(0, notice(1, instant(0), name=name, level=Level.INFO, message="a little"))
    desk.look(60, notice(2, instant(60), name=name, level=Level.CRITICAL, message="a lot"))
    desk.look(120, notice(3, instant(120), name=name, level=Level.INFO, message="a little"))
    assert [each.level for each in desk.told] == [Level.WARNING, Level.CRITICAL]
    (found,) = open_incidents(desk.store)
    assert (found.level, found.message, found.count) == (Level.CRITICAL, "a lot", 3)


def test_events_far_apart_are_two_incidents_however_late_they_are_read(desk: Desk) -> None:
    far = [notice(1, instant(0)), notice(2, instant(5 * HOUR))]
    desk.look(5 * HOUR, *far)
    assert [each.count for each in desk.all] == [1, 1]
    assert [each.is_open for each in desk.all] == [True, False]
    assert [each.opened for each in desk.told] == [instant(5 * HOUR)]


def test_what_comes_back_soon_is_the_same_incident(desk: Desk) -> None:
    for minute in (0, 1, 10, 16, 30, 31):
        value = 0.4 if minute in (10, 16) else 0.9
        desk.look(60.0 * minute, host__disk_used=value)
    (found,) = desk.all
    assert (found.is_open, found.count) == (True, 4)
    assert len(desk.told) == 1


def test_each_failed_run_counts_once_and_a_good_one_ends_it(desk: Desk) -> None:
    runs = [run(each, instant(60 * each), state="Failed") for each in range(1, 4)]
    for at in (200, 215, 230):
        desk.look(at, runs=tuple(runs))
    (found,) = desk.all
    assert (found.rule, found.subject, found.count) == ("run-failed", "paper-trading/daily", 3)
    other = run(8, instant(240), state="Completed", flow="risk-monitoring")
    desk.look(245, runs=(other, *runs))
    assert open_incidents(desk.store) == desk.all
    desk.look(260, runs=(run(9, instant(250), state="Degraded"), *runs))
    ended = next(each for each in desk.all if each.rule == "run-failed")
    assert ended.resolved == instant(250)
    assert [each.rule for each in desk.told] == ["run-failed", "run-degraded"]


def test_a_run_of_long_ago_changes_nothing_any_more(desk: Desk) -> None:
    failed = run(1, instant(60), state="Failed")
    desk.look(75, runs=(failed,))
    desk.look(8 * 24 * HOUR, runs=(failed,))
    before = desk.all
    for day in (31, 32):
        desk.look(day * 24 * HOUR, runs=(failed,))
    assert desk.all == before


def test_a_run_that_was_retried_in_vain_counts_again(desk: Desk) -> None:
    failed = run(1, instant(60), state="Failed")
    for at in (75, 90):
        desk.look(at, runs=(failed,))
    again = dataclasses.replace(failed, ended=instant(200))
    for at in (215, 230):
        desk.look(at, runs=(again,))
    (found,) = desk.all
    assert (found.count, found.last_seen) == (2, instant(200))


def test_a_failure_after_which_all_went_well_is_not_told(desk: Desk) -> None:
    runs = (run(2, instant(120), state="Completed"), run(1, instant(60), state="Crashed"))
    desk.look(300, runs=runs)
    (found,) = desk.all
    assert not found.is_open
    assert desk.told == []
    assert desk.look(315).ended == ()


def test_r20_a_clock_that_is_set_back_postpones_nothing(desk: Desk) -> None:
    desk.look(10 * HOUR, account__day_loss=0.07)
    desk.look(5 * HOUR, account__day_loss=0.07)
    assert [each.rule for each in desk.told].count("daily-loss") == 2
    for minute in range(8):
        desk.look(5 * HOUR + 60 + 60 * minute, account__day_loss=0.0)
    desk.look(10 * HOUR + 1, account__day_loss=0.0)
    assert all(each.opened <= (each.resolved or each.opened) for each in desk.all)


def test_critical_ones_are_never_held_back_and_the_rest_comes_with_the_next_looks(
    desk: Desk,
) -> None:
    name = "tradeflows.cache.refused"
    calm = [notice(each + 1, instant(0), subject=f"a{each:02d}") for each in range(30)]
    hot = [notice(100 + each, instant(0), name=name, subject=f"b{each}") for each in range(25)]
    first = desk.look(15, *calm, *hot).fire
    assert {each.level for each in first} == {Level.CRITICAL}
    assert len(first) == 25
    assert [len(desk.look(each).fire) for each in (30, 45, 60)] == [20, 10, 0]


def test_a_rule_that_is_below_its_threshold_is_judged_from_below(desk: Desk) -> None:
    few = AlertRule(
        name="few",
        level=Level.ERROR,
        title="Too few workers",
        next_step="Start one.",
        metric="workers.online",
        comparison=Comparison.BELOW,
        threshold=0.0,
        calm_seconds=0.0,
    )
    fired = [desk.look(at, rules=(few,), workers__online=value).fire
             for at, value in ((0, 1.0), (60, 0.0), (120, 2.0))]  # fmt: skip
    assert [len(each) for each in fired] == [0, 1, 0]
    assert open_incidents(desk.store) == ()


@pytest.mark.parametrize(("mark", "rules"), [
    ("80", {"drawdown", "daily-loss", "drawdown-near", "daily-loss-near"}),
    ("80.01", {"daily-loss", "drawdown-near", "daily-loss-near"}),
    ("97.01", set()),
])  # fmt: skip
def test_r33_losses_of_the_books_reach_the_limit_at_the_limit_itself(
    desk: Desk, tmp_path: Path, mark: str, rules: set[str]
) -> None:
    ledger = ledger_at(f"sqlite:///{tmp_path}/paper.db", tmp_path)
    open_account(ledger, "main", capital=CAPITAL, session=SESSION, at=AT)
    wanted = order("buy", shares=1000)
    accept(ledger, wanted)
    book(ledger, "main", fills=[fill("f", Decimal(1000), "100", of="buy")], at=AT)
    for number, price in enumerate(("100", mark)):
        day = SESSION + dt.timedelta(days=number)
        made = [Mark(symbol="AAPL", price=Decimal(price), session=day)]
        close_session(ledger, "main", session=day, marks=made, at=AT + dt.timedelta(days=number))
    at = AT + dt.timedelta(days=2)
    seen = Observation(at=at, accounts=account_facts(ledger, at=at))
    ledger.close()
    found = judge(desk.store, seen, measure(seen), (), at=at)
    assert {each.rule for each in found.fire} == rules


def test_what_is_critical_and_comes_back_is_told_anew(desk: Desk) -> None:
    for minute in (0, 1, 2, 8, 9):
        desk.look(60.0 * minute, account__day_loss=0.07 if minute in (0, 9) else 0.0)
    told = [each for each in desk.told if each.rule == "daily-loss"]
    assert len({each.key for each in told}) == len(told) == 2


@pytest.mark.parametrize("ahead", [5 * HOUR, 10 * 365 * 24 * HOUR])
def test_r20_a_clock_that_was_ahead_neither_keeps_nor_hides_trouble(
    desk: Desk, ahead: float
) -> None:
    desk.look(ahead, account__day_loss=0.07, host__disk_used=0.9)
    desk.look(ahead + 60, account__day_loss=0.07, host__disk_used=0.9)
    for minute in range(8):
        desk.look(60.0 * minute, account__day_loss=0.0, host__disk_used=0.1)
    assert open_incidents(desk.store) == ()
    assert all(each.opened <= (each.resolved or each.opened) for each in desk.all)
    before = len(desk.told)
    for minute in range(100, 120):
        desk.look(60.0 * minute, account__day_loss=0.07, host__disk_used=0.9)
    told = [each.rule for each in desk.told[before:]]
    assert told.count("daily-loss") == told.count("disk-full") == 1
