"""What of a report is new, and whether it fits what is booked already."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Table, select

from slices.domain.orders import CashFlow, Fill, ShareAction
from slices.ledger.positions import place_of
from slices.ledger.schema import CASH_FLOWS, FILLS, SHARE_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from sqlalchemy import Connection

Item = TypeVar("Item", Fill, CashFlow, ShareAction)
BATCH = 1000


class ContradictionError(Exception):
    """Something was reported that cannot be true if the books are."""


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """What is not booked yet, in the order in which it counts."""

    fills: tuple[Fill, ...] = ()
    flows: tuple[CashFlow, ...] = ()
    actions: tuple[ShareAction, ...] = ()

    @property
    def count(self) -> int:
        """Number of all."""
        return len(self.fills) + len(self.flows) + len(self.actions)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols whose positions change."""
        filled = {each.symbol for each in self.fills}
        return tuple(sorted(filled | {each.symbol for each in self.actions}))


def arrived(
    connection: Connection,
    account: str,
    *,
    fills: Sequence[Fill],
    flows: Sequence[CashFlow],
    actions: Sequence[ShareAction],
) -> Arrivals:
    """Pick what is new.

    Raises:
        ContradictionError: A name stands for something else already, or something is of another
            account.
    """
    new_fills = _new(account, fills, "fill_id", _known(connection, account, FILLS, fills))
    new_flows = _new(account, flows, "flow_id", _known(connection, account, CASH_FLOWS, flows))
    booked = _known(connection, account, SHARE_ACTIONS, actions)
    new_actions = _new(account, actions, "action_id", booked)
    return Arrivals(
        fills=tuple(sorted(new_fills, key=place_of)),
        flows=tuple(sorted(new_flows, key=lambda each: (each.session, each.at, each.flow_id))),
        actions=tuple(sorted(new_actions, key=place_of)),
    )


def _known(
    connection: Connection, account: str, table: Table, items: Sequence[Item]
) -> tuple[Item, ...]:
    key = table.primary_key.columns.values()[1]
    names = iter([getattr(each, key.name) for each in items])
    found: list[Any] = []
    while batch := tuple(islice(names, BATCH)):
        query = select(table).where((table.c.account == account) & key.in_(batch))
        found.extend(type(items[0])(**row._asdict()) for row in connection.execute(query))
    return tuple(found)


def _new(account: str, items: Sequence[Item], key: str, known: Iterable[Item]) -> Iterator[Item]:
    booked = {getattr(each, key): each for each in known}
    for item in items:
        name = getattr(item, key)
        if item.account != account:
            raise ContradictionError(f"{name} is of account '{item.account}'")
        if booked.get(name, item) != item:
            raise ContradictionError(f"{name} was booked as {booked[name]} and is now {item}")
        if name not in booked:
            booked[name] = item
            yield item
