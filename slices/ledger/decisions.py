"""What a strategy decided, so that the next session knows what changed and a second run nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from slices.ledger.journal import append, written
from slices.ledger.schema import DECISIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from slices.ledger.opening import Ledger


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A strategy's decision at a session.

    Attributes:
        targets: What it wants of every symbol, as fractions of equity.
        details: Name and value of what it stood on.
    """

    session: dt.date
    targets: tuple[tuple[str, float], ...]
    details: tuple[tuple[str, str], ...] = ()


def read_decision(
    ledger: Ledger, account: str, *, workflow: str, strategy: str, session: dt.date
) -> Decision | None:
    """Return what was decided at a session; None where nothing was."""
    mine = _of(account, workflow, strategy) & (DECISIONS.c.session == session)
    return _read(ledger, _chosen(mine))


def write_decision(
    connection: Connection,
    account: str,
    *,
    workflow: str,
    strategy: str,
    session: dt.date,
    targets: Sequence[tuple[str, float]],
    details: Sequence[tuple[str, str]],
    at: dt.datetime,
) -> None:
    """Write a decision in the transaction of the connection; the first one of a session stays."""
    mine = _of(account, workflow, strategy) & (DECISIONS.c.session == session)
    if connection.execute(_chosen(mine)).one_or_none() is not None:
        return
    values = {
        "workflow": workflow,
        "strategy": strategy,
        "session": session,
        "targets": tuple((symbol, float(weight)) for symbol, weight in targets),
        "details": tuple(details),
    }
    connection.execute(insert(DECISIONS).values(account=account, **values))
    payload = [(name, written(value)) for name, value in values.items()]
    subject = decision_subject(workflow, strategy, session)
    append(connection, account, kind="decision.made", subject=subject, payload=payload, at=at)


def decision_subject(workflow: str, strategy: str, session: dt.date) -> str:
    """Return what the journal calls a decision."""
    return f"{workflow}/{strategy}/{session}"


def _of(account: str, workflow: str, strategy: str) -> ColumnElement[bool]:
    rows = DECISIONS.c
    return (
        (rows.account == account) & (rows.workflow == workflow) & (rows.strategy == strategy)
    )  # fmt: skip


def _chosen(
    condition: ColumnElement[bool],
) -> Select[tuple[dt.date, tuple[tuple[str, float], ...], tuple[tuple[str, str], ...]]]:
    rows = DECISIONS.c
    return select(rows.session, rows.targets, rows.details).where(condition)


def _read(
    ledger: Ledger,
    query: Select[tuple[dt.date, tuple[tuple[str, float], ...], tuple[tuple[str, str], ...]]],
) -> Decision | None:
    with ledger.reading() as connection:
        found = connection.execute(query).one_or_none()
    return None if found is None else Decision(**found._asdict())
