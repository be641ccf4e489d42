"""Stopping trading for an incident: the account it is about, or everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from slices.domain.accounts import TradingMode, TradingState, is_account_name
from slices.domain.alerts import Level
from slices.domain.errors import TradingError
from slices.ledger.accounts import has_account
from slices.ledger.existing import place_of
from slices.ledger.opening import ledger_for
from slices.ledger.states import UNREADABLE, read_halt_file, set_state, write_halt_file
from slices.monitor.alerts.incidents import read_cursor, write_cursor
from slices.monitor.alerts.spells import is_beyond, matching
from slices.monitor.alerts.subjects import labels_of
from slices.monitor.alerts.wording import measured_message
from slices.monitor.store import reading, writing
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from slices.domain.monitoring import AlertRule, Incident, Sample
    from slices.domain.observations import Observation
    from slices.monitor.store import Store

WATCH = "watch"
"""Who halts, as the journal says it."""

EVERYTHING = "all trading"
BOOKS = (TradingError, OSError, SQLAlchemyError)
"""What books that cannot be written fail with."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The account an incident is about.

    Attributes:
        account: Its name; empty where it is about none.
        modes: Whose ledgers may have it.
    """

    account: str
    modes: tuple[TradingMode, ...]


def is_to_halt(incident: Incident, rule: AlertRule | None) -> bool:
    """Tell whether an incident stops trading: its rule says so, and it is critical."""
    return rule is not None and rule.halts and incident.level is Level.CRITICAL


def subject_account(subject: str) -> Subject:
    """Read the account and its mode from what an incident is about.

    >>> subject_account("account=daily,mode=paper").account
    'daily'
    >>> subject_account("daily").modes
    (<TradingMode.PAPER: 'paper'>, <TradingMode.LIVE: 'live'>)
    >>> subject_account("source=embedded").account
    ''
    """
    labels = dict(labels_of(subject))
    account = labels.get("account", "") if labels else subject
    named = tuple(mode for mode in TradingMode if mode.value == labels.get("mode"))
    is_name = is_account_name(account)
    return Subject(account=account if is_name else "", modes=named or tuple(TradingMode))


def is_halted(store: Store, incident: Incident) -> bool:
    """Tell whether trading was stopped for an incident; a release afterwards stands.

    Raises:
        StorageError: The disk refuses.
    """
    with reading(store) as connection:
        return read_cursor(connection, _noted(incident)) > 0


def halt(store: Store, incident: Incident, *, at: dt.datetime) -> str:
    """Stop trading for an incident, once; a person's release afterwards stands.

    The account it is about is halted in its books. Where it is about none, no books have it or
    books cannot be written, the halt file halts everything: what is unknown is not traded.

    Returns:
        What was halted now; empty where that was done before.

    Raises:
        OSError: Neither books nor the halt file can be written.
        StorageError: The disk refuses to note that it was done.
    """
    if is_halted(store, incident):
        return ""
    reason = f"{incident.rule}: {incident.message}"
    halted = _halt_account(subject_account(incident.subject), reason=reason, at=at)
    if not halted:
        _halt_everything(reason, at=at)
    with writing(store) as connection:
        write_cursor(connection, _noted(incident), 1)
    return halted or EVERYTHING


def halt_unjudged(
    observation: Observation, samples: Sequence[Sample], rules: Iterable[AlertRule]
) -> tuple[str, ...]:
    """Stop trading for what was measured where no incident can be kept, so that none is missed.

    A release stands here too: losses are counted anew from it. What is halted already is left.

    Returns:
        What was halted now.

    Raises:
        OSError: Neither books nor the halt file can be written.
    """
    halted = {
        Subject(account=each.name, modes=(each.mode,))
        for each in observation.accounts or ()
        if each.state is TradingState.HALTED
    }
    done = []
    for reason, subject in _to_halt(samples, rules):
        if subject not in halted:
            found = _halt_account(subject, reason=reason, at=observation.at)
            if not found:
                _halt_everything(reason, at=observation.at)
            halted.add(subject)
            done.append(found or EVERYTHING)
    return tuple(done)


def _to_halt(
    samples: Sequence[Sample], rules: Iterable[AlertRule]
) -> Iterator[tuple[str, Subject]]:
    for rule in rules:
        if rule.metric and rule.halts and rule.level is Level.CRITICAL:
            measured = [each for each in samples if each.metric == rule.metric]
            for subject, sample in matching(rule, measured):
                if is_beyond(rule, sample.value, rule.threshold):
                    message = measured_message(rule, subject, sample.value, rule.threshold)
                    reason = f"{rule.name}: {message}; no alert could be kept"
                    yield reason, subject_account(subject)


def _halt_account(subject: Subject, *, reason: str, at: dt.datetime) -> str:
    if not subject.account:
        return ""
    try:
        halted = [
            mode.value
            for mode in subject.modes
            if _halt_within(mode, subject.account, reason=reason, at=at)
        ]
    except BOOKS:
        return ""
    return f"account {subject.account} ({', '.join(halted)})" if halted else ""


def _halt_within(mode: TradingMode, account: str, *, reason: str, at: dt.datetime) -> bool:
    """Halt an account; whether this ledger has it."""
    if place_of(mode) is None:
        return False
    ledger = ledger_for(mode)
    try:
        if not has_account(ledger, account):
            return False
        set_state(ledger, account, TradingState.HALTED, reason=reason, by=WATCH, at=at)
    finally:
        ledger.close()
    return True


def _halt_everything(reason: str, *, at: dt.datetime) -> None:
    """Write the halt file; what nobody can read halts only until somebody repairs it."""
    file = load_settings().halt_file
    if read_halt_file(file) in {None, UNREADABLE}:
        write_halt_file(file, reason=reason, by=WATCH, at=at)


def _noted(incident: Incident) -> str:
    return f"halted:{incident.key}"
