"""What an incident is about, in one word, and the name it has for good."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from slices.domain.fingerprint import fingerprint

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from slices.domain.observations import RunFacts

ALL = "all"
"""Subject of a rule whose subjects make one incident."""

SYSTEM = "system"
"""Subject of what has no labels."""

ESCAPED = {"%": "%25", ",": "%2C", "=": "%3D"}


def subject_of(labels: Iterable[tuple[str, str]]) -> str:
    """Join labels so that they can be told apart again.

    >>> subject_of((("account", "daily"), ("mode", "paper")))
    'account=daily,mode=paper'
    """
    pairs = (f"{_escaped(name)}={_escaped(value)}" for name, value in labels)
    return ",".join(pairs) or SYSTEM


def labels_of(subject: str) -> tuple[tuple[str, str], ...]:
    """Return the labels that make a subject; none where it was not made of labels.

    >>> labels_of("account=daily,mode=paper")
    (('account', 'daily'), ('mode', 'paper'))
    >>> labels_of("paper-trading/daily")
    ()
    """
    pairs = [each.partition("=") for each in subject.split(",")]
    if not all(equals for _, equals, _ in pairs):
        return ()
    return tuple((unquote(name), unquote(value)) for name, _, value in pairs)


def run_subject(run: RunFacts) -> str:
    """Name the deployment of a run, or its flow where it has none."""
    return f"{run.flow}/{run.deployment}" if run.deployment else run.flow


def end_of(run: RunFacts) -> str:
    """Name the end of a run; one that is retried and fails again has ended another time."""
    return f"{run.run_id} {run.ended}"


def incident_key(rule: str, subject: str, opened: dt.datetime) -> str:
    """Name an incident for good, in a word that fits into an address and a command."""
    return f"{rule}-{fingerprint(rule, subject, opened.isoformat())[:12]}"


def _escaped(text: str) -> str:
    return "".join(ESCAPED.get(each, each) for each in text)
