"""Incidents as they are kept, and what people say about them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from slices.domain.alerts import Level
from slices.domain.errors import ParameterError
from slices.domain.monitoring import Incident
from slices.monitor.alerts.due import MOST_AT_ONCE, due, is_due
from slices.monitor.alerts.incidents import (
    acknowledge,
    alert_facts,
    incident,
    incidents_since,
    mark_notified,
    open_incidents,
    silence,
    silences,
    write_incidents,
)
from slices.monitor.alerts.rules import RULES
from slices.monitor.alerts.subjects import SYSTEM, incident_key, labels_of, subject_of
from slices.monitor.schema import DELIVERIES
from slices.monitor.store import Store, open_store, writing

NOW = dt.datetime(2024, 7, 3, 15, 30, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def made(key: str = "k", *, level: Level = Level.ERROR, **fields: object) -> Incident:
    values = {
        "rule": "broker-unreachable",
        "subject": "daily",
        "message": "no answer",
        "next_step": "Look.",
        "value": 1.0,
        "threshold": 1.0,
        "count": 1,
        "opened": NOW - HOUR,
        "last_seen": NOW,
    }
    return Incident(key=key, level=level, **(values | fields))  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def keep(store: Store, *incidents: Incident) -> None:
    with writing(store) as connection:
        write_incidents(connection, incidents)


@given(st.dictionaries(WORDS, WORDS, min_size=1, max_size=4))
def test_labels_come_back_from_the_subject_they_make(labels: dict[str, str]) -> None:
    pairs = tuple(sorted(labels.items()))
    assert labels_of(subject_of(pairs)) == pairs


def test_subjects_that_are_no_labels_have_none() -> None:
    assert subject_of(()) == SYSTEM
    assert labels_of(SYSTEM) == labels_of("paper-trading/daily") == labels_of("AAPL") == ()


def test_keys_fit_into_addresses_and_tell_incidents_apart() -> None:
    keys = {
        incident_key(rule, subject, at)
        for rule in ("drawdown", "run-failed")
        for subject in ("account=a/b?c", "account=ä")
        for at in (NOW, NOW + HOUR)
    }
    assert len(keys) == 8
    assert all(each.replace("-", "").isalnum() and each.isascii() for each in keys)


def test_an_incident_is_read_as_it_was_written(store: Store) -> None:
    whole = made(resolved=NOW, notified=NOW, attempts=3, delivered=NOW, acknowledged=NOW,
                 acknowledged_by="ada", silenced_until=NOW + HOUR)  # fmt: skip
    keep(store, whole)
    assert incident(store, "k") == whole
    keep(store, made("n", value=math.nan))
    assert math.isnan(incident(store, "n").value)
    with pytest.raises(ParameterError, match="tradeflows alerts"):
        incident(store, "none")


def test_lists_are_of_what_lasts_and_of_what_was_lately(store: Store) -> None:
    old = made("old", opened=NOW - 50 * HOUR, resolved=NOW - 40 * HOUR)
    lately = made("lately", opened=NOW - 50 * HOUR, resolved=NOW)
    lasting = made("lasting", opened=NOW - 90 * HOUR)
    hot = made("hot", level=Level.CRITICAL)
    keep(store, old, lately, lasting, hot)
    assert [each.key for each in open_incidents(store)] == ["hot", "lasting"]
    found = [each.key for each in incidents_since(store, NOW - 24 * HOUR)]
    assert found == ["hot", "lately", "lasting"]


def test_acknowledging_is_recorded_with_who_and_when_and_only_once(store: Store) -> None:
    keep(store, made())
    first = acknowledge(store, "k", by="ada", at=NOW)
    again = acknowledge(store, "k", by="bob", at=NOW + HOUR)
    assert first == again == incident(store, "k")
    assert (first.acknowledged, first.acknowledged_by) == (NOW, "ada")
    for key, by in (("none", "ada"), ("k", " ")):
        with pytest.raises(ParameterError):
            acknowledge(store, key, by=by, at=NOW)


def test_a_silence_needs_a_rule_a_name_and_a_reason(store: Store) -> None:
    good = {"rule": "disk-full", "by": "ada", "reason": "a new disk comes"}
    for wrong in ({"rule": "disk"}, {"by": ""}, {"reason": " "}):
        with pytest.raises(ParameterError):
            silence(store, until=NOW + HOUR, **(good | wrong))
    assert silences(store, NOW) == ()
    silence(store, until=NOW + HOUR, **good)
    replaced = silence(store, until=NOW + 2 * HOUR, **good)
    assert silences(store, NOW) == (replaced,)
    assert silences(store, NOW + 2 * HOUR) == ()


def test_a_silence_shows_at_once_at_what_it_is_about(store: Store) -> None:
    keep(store, made("a"), made("b", subject="growth"), made("c", rule="drawdown"))
    silence(store, rule="broker-unreachable", subject="growth", until=NOW + HOUR, by="ada",
            reason="known")  # fmt: skip
    silent = [each.key for each in open_incidents(store) if each.silenced_until]
    assert silent == ["b"]
    silence(store, rule="broker-unreachable", until=NOW + HOUR, by="ada", reason="known")
    assert sorted(each.key for each in open_incidents(store) if each.silenced_until) == ["a", "b"]


def test_what_was_sent_is_noted_and_is_not_yet_taken(store: Store) -> None:
    keep(store, made("lasts"), made("over", resolved=NOW + HOUR))
    for key in ("lasts", "over"):
        mark_notified(store, key, NOW)
        mark_notified(store, key, NOW)
    lasts, over = incident(store, "lasts"), incident(store, "over")
    assert (lasts.notified, lasts.attempts, lasts.delivered) == (NOW, 2, None)
    assert over.notified == over.resolved


def test_facts_about_alerts_count_levels_and_what_waits(store: Store) -> None:
    keep(
        store,
        made("a", level=Level.CRITICAL),
        made("b", acknowledged=NOW),
        made("c", opened=NOW - 30 * HOUR, resolved=NOW),
        made("d", level=Level.INFO, resolved=NOW),
    )
    rows = [
        ("a", 1, NOW - HOUR, None),
        ("a", 2, NOW - HOUR / 2, None),
        ("b", 1, NOW - HOUR, NOW - HOUR / 2),
        ("b", 2, NOW - HOUR / 4, None),
        ("d", 1, NOW - HOUR, None),
        ("d", 2, NOW - HOUR / 2, NOW),
    ]
    with writing(store) as connection:
        for number, (key, attempt, sent, taken) in enumerate(rows):
            values = {"event_id": f"{number}", "incident": key, "attempt": attempt,
                      "sent_at": sent, "delivered_at": taken, "failure": ""}  # fmt: skip
            connection.execute(insert(DELIVERIES).values(values))
    found = alert_facts(store, at=NOW)
    assert dict(found.open) == {"info": 0, "warning": 0, "error": 1, "critical": 1}
    assert dict(found.opened) == {"info": 1, "warning": 0, "error": 1, "critical": 1}
    assert (found.unacknowledged, found.undelivered, found.delivered) == (1, 2, 2)
    assert found.oldest_undelivered_seconds == 3600


@pytest.mark.parametrize(("fields", "expected"), [
    ({}, True),
    ({"silenced_until": NOW + HOUR}, False),
    ({"silenced_until": NOW - HOUR}, True),
    ({"silenced_until": NOW + HOUR, "level": Level.CRITICAL}, True),
    ({"notified": NOW - HOUR / 4}, False),
    ({"notified": NOW - HOUR / 2}, True),
    ({"notified": NOW - HOUR / 2, "last_seen": NOW - HOUR}, False),
    ({"notified": NOW - HOUR / 2, "last_seen": NOW - HOUR, "level": Level.CRITICAL}, True),
    ({"notified": NOW - HOUR / 2, "acknowledged": NOW, "level": Level.CRITICAL}, False),
    ({"notified": NOW + 9 * HOUR}, False),
    ({"notified": NOW + 9 * HOUR, "level": Level.CRITICAL}, True),
])  # fmt: skip
def test_who_is_told_again(fields: dict[str, object], expected: bool) -> None:  # noqa: FBT001
    found = made(**fields)  # type: ignore[arg-type]
    assert is_due(found, cooldown_seconds=1800.0, at=NOW) is expected


def test_the_worst_and_the_oldest_come_first() -> None:
    many = [made(f"{each:02d}", opened=NOW - each * HOUR) for each in range(30)]
    hot = made("hot", level=Level.CRITICAL)
    found = due([*many, hot], RULES, at=NOW)
    assert [each.key for each in found[:3]] == ["hot", "29", "28"]
    assert len(found) == MOST_AT_ONCE
