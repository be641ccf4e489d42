"""Stored choices of a strategy: one per series and session, written once and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from slices.domain.choices import ActiveChoice
from slices.domain.trading_errors import LedgerError
from slices.ledger.choice_tables import STRATEGY_CHOICES
from slices.ledger.journal import EVERYBODY, append, written

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Connection, Select

    from slices.ledger.opening import Ledger

ROWS = STRATEGY_CHOICES.c


def record_choice(ledger: Ledger, choice: ActiveChoice) -> bool:
    """Store a choice; where the same was stored before, the first recording stays.

    Args:
        ledger: Where to store it.
        choice: What was chosen; the same means the same strategy, parameters and symbols.

    Returns:
        Whether it is new.

    Raises:
        LedgerError: Something else was chosen at that session.
    """
    with ledger.writing() as connection:
        known = _stored(connection, choice.name, choice.session)
        if known is not None:
            _check_same(ledger, choice, known)
            return False
        values = vars(choice)
        connection.execute(insert(STRATEGY_CHOICES).values(**values))
        append(
            connection,
            EVERYBODY,
            kind="choice.recorded",
            subject=choice_subject(choice.name, choice.session),
            payload=tuple((name, written(value)) for name, value in values.items()),
            at=choice.recorded_at,
        )
    return True


def choice_at(ledger: Ledger, name: str, session: dt.date) -> ActiveChoice | None:
    """Return the newest choice of a series that was made at a session or before; None without.

    Args:
        ledger: Where choices are stored.
        name: Of the series.
        session: The session that decides.
    """
    query = _asked(name).where(ROWS.session <= session).order_by(ROWS.session.desc()).limit(1)
    with ledger.reading() as connection:
        found = connection.execute(query).one_or_none()
    return None if found is None else ActiveChoice(**found._asdict())


def choices_of(ledger: Ledger, name: str) -> tuple[ActiveChoice, ...]:
    """List the choices of a series, oldest first."""
    with ledger.reading() as connection:
        rows = connection.execute(_asked(name).order_by(ROWS.session))
        return tuple(ActiveChoice(**row._asdict()) for row in rows)


def choice_series(ledger: Ledger) -> tuple[tuple[str, dt.date], ...]:
    """List the series there are, each with the session of its first choice."""
    query = select(ROWS.name, func.min(ROWS.session)).group_by(ROWS.name).order_by(ROWS.name)
    with ledger.reading() as connection:
        return tuple((name, first) for name, first in connection.execute(query))


def choice_subject(name: str, session: dt.date) -> str:
    """Return what the journal calls a choice."""
    return f"{name}/{session}"


def _asked(name: str) -> Select[tuple[object, ...]]:
    return select(STRATEGY_CHOICES).where(ROWS.name == name)


def _stored(connection: Connection, name: str, session: dt.date) -> ActiveChoice | None:
    found = connection.execute(_asked(name).where(ROWS.session == session)).one_or_none()
    return None if found is None else ActiveChoice(**found._asdict())


def _check_same(ledger: Ledger, given: ActiveChoice, known: ActiveChoice) -> None:
    if given.is_same_as(known):
        return
    problem = (
        f"choice '{given.name}' of {given.session} was recorded as {_told(known)}, "
        f"now {_told(given)}; another choice of one session needs another name"
    )
    raise LedgerError(ledger=ledger.name, problem=problem)


def _told(choice: ActiveChoice) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in choice.parameters)
    return f"{choice.strategy.value} ({settings}) for {len(choice.symbols)} symbols"
