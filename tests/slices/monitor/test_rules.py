"""Rules as data: whole, agreeing with what they stand on, and good on labelled tapes."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest

from flows.cli import main
from flows.cli.catalogue import flow_names
from slices.domain import alerts
from slices.domain.alerts import Event, Level
from slices.domain.errors import ParameterError
from slices.domain.monitoring import AlertRule, Comparison
from slices.domain.protection import DEFAULT_PROTECTION
from slices.monitor.alerts.hearing import ANY, OWN, rule_about
from slices.monitor.alerts.rules import RULES, rule
from slices.monitor.alerts.spells import is_beyond
from slices.monitor.alerts.table import rules_table
from slices.monitor.metrics import metric_type
from tests.support.frames import repository
from tests.support.incident_tapes import Quality, Tape, fast_store, quality, replay
from tests.support.tapes import clear_tapes, hard_tapes, quiet_tape

COMMANDS = sorted(
    {found for each in RULES for found in re.findall(r"`(tradeflows [^`]+)`", each.next_step)}
)
BY_NAME = pytest.mark.parametrize("each", RULES, ids=[each.name for each in RULES])


def test_there_are_rules_of_every_level_and_no_name_twice() -> None:
    names = [each.name for each in RULES]
    assert len(set(names)) == len(names) >= 16
    levels = {each.level for each in RULES} | {level for each in RULES for level, _ in each.worse}
    assert levels == set(Level)


@BY_NAME
def test_a_rule_is_about_one_thing_and_says_why_and_what_to_do(each: AlertRule) -> None:
    kinds = bool(each.metric), bool(each.events) and not each.metric, bool(each.states)
    assert sum(kinds) == 1
    assert each.title
    assert each.why
    assert each.next_step.endswith(".")
    assert min(each.cooldown_seconds, each.ends_after_seconds) > 0
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", each.name)


@pytest.mark.parametrize("each", [e for e in RULES if e.metric], ids=lambda each: each.name)
def test_thresholds_become_worse_and_the_end_lies_before_them(each: AlertRule) -> None:
    metric_type(each.metric)
    steps = [(each.level, each.threshold), *each.worse]
    sign = 1 if each.comparison is Comparison.ABOVE else -1
    for (level, value), (higher, farther) in pairwise(steps):
        assert higher.rank > level.rank
        assert sign * farther > sign * value
    if each.clears is not None:
        assert sign * each.clears < sign * each.threshold
    assert is_beyond(each, each.threshold, each.threshold)
    assert not is_beyond(each, math.nan, each.threshold)


def test_every_event_has_a_rule_of_its_own_and_the_watchs_have_none() -> None:
    kinds = [
        each
        for each in vars(alerts).values()
        if isinstance(each, type) and issubclass(each, Event) and each is not Event
    ]
    for each in kinds:
        found = rule_about(each.name, RULES)
        assert (found is None) == (each.name in OWN)
        assert found is None or each.name in found.events
    assert sum(ANY in each.events for each in RULES) == 1
    unknown = rule_about("tradeflows.of.tomorrow", RULES)
    assert unknown is not None
    assert unknown.name == "event-unlisted"


def test_losses_are_those_at_which_protection_halts_and_reduces() -> None:
    found = {each.name: each for each in RULES}
    protection = DEFAULT_PROTECTION
    assert found["drawdown"].threshold == protection.halting_drawdown
    assert found["drawdown-near"].threshold == protection.reducing_drawdown
    assert found["daily-loss"].threshold == protection.halting_daily_loss
    assert found["daily-loss-near"].threshold == protection.reducing_daily_loss


def test_only_critical_rules_act_on_trading() -> None:
    acting = [each for each in RULES if each.halts or each.pauses]
    assert {each.level for each in acting} == {Level.CRITICAL}
    assert {each.name for each in RULES if each.halts} == {"drawdown", "daily-loss"}


def test_deployments_that_rules_start_or_pause_are_there() -> None:
    text = (repository() / "prefect.yaml").read_text()
    for each in RULES:
        if each.runs:
            flow, _, name = each.runs.partition("/")
            entry = rf"- name: {name}\n    entrypoint: \S+\.{flow.replace('-', '_')}\n"
            assert re.search(entry, text)
        if each.pauses:
            assert re.search(rf"tags: \[.*\b{each.pauses}\b.*scheduled.*\]", text)


@pytest.mark.parametrize("command", COMMANDS)
def test_next_steps_name_commands_that_exist(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = command.split()[1:]
    plain = [each for each in words if re.fullmatch(r"[a-z_-]+", each) and each[0] != "-"]
    if words[0] == "run":
        assert words[1] in flow_names()
        return
    named = next(
        (at for at, each in enumerate(words) if each.isupper() or each.startswith("--")), len(words)
    )
    with pytest.raises(SystemExit) as ended:
        main([*[each for each in plain if each in words[:named]], "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(each in shown for each in words if each.startswith("--"))


def test_an_unknown_rule_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ParameterError, match="disk-full"):
        rule("disk-empty")


def test_the_page_has_a_row_for_each_rule() -> None:
    rows = [line for line in rules_table().splitlines() if line.startswith("| `")]
    assert len(rows) == len(RULES)
    assert len({line.count(" | ") for line in rows}) == 1


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Quality, ...]:
    folder = tmp_path_factory.mktemp("tapes")
    return tuple(measured(each, folder) for each in clear_tapes())


def measured(tape: Tape, folder: Path) -> Quality:
    store = fast_store(folder / tape.name.replace(" ", "-"))
    told = replay(store, tape)
    store.close()
    return quality(tape, told)


@pytest.mark.slow
def test_whatever_is_really_wrong_is_told_in_time(judged: tuple[Quality, ...]) -> None:
    assert [each.missed for each in judged] == [()] * len(judged)
    critical = [t for each in judged for t in each.tape.troubles if t.level is Level.CRITICAL]
    assert len(critical) > 10


@pytest.mark.slow
def test_nothing_is_told_that_is_not_wrong(judged: tuple[Quality, ...]) -> None:
    assert [each.false for each in judged] == [()] * len(judged)
    seen = {trouble.rule for each in judged for trouble in each.tape.troubles}
    assert len(seen) >= 24


@pytest.mark.slow
def test_one_trouble_is_one_first_word(judged: tuple[Quality, ...]) -> None:
    for each in judged:
        assert len(each.words) == len(each.tape.troubles), each.tape.name


@pytest.mark.slow
def test_a_storm_is_counted_and_told_once(judged: tuple[Quality, ...]) -> None:
    (storm,) = [each for each in judged if each.tape.name == "storm"]
    (told,) = [each for each in storm.told if each.incident.rule == "broker-unreachable"]
    events = sum(len(each.notices) for each in storm.tape.looks)
    assert (events, told.incident.count) == (10_300, 6_000)
    assert len(storm.told) == len(storm.tape.troubles)


@pytest.mark.slow
def test_quiet_days_are_quiet(tmp_path: Path) -> None:
    assert measured(quiet_tape(days=3, every=3600), tmp_path).told == ()


@pytest.mark.slow
def test_what_thresholds_judge_wrongly_is_known(tmp_path: Path) -> None:
    found = {each.name: measured(each, tmp_path) for each in hard_tapes()}
    missed = {name for name, each in found.items() if each.missed}
    false = {name for name, each in found.items() if each.false}
    assert missed == {"half spinning", "dragging server"}
    assert false == {"harmless memory", "waking machine", "slow restart"}
    assert not any(t.incident.level is Level.CRITICAL for q in found.values() for t in q.false)
