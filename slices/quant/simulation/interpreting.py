"""The compiled session as plain Python, for accounts that live through a session now and then.

Compiling takes longer than living through a year of a small account. It is the same text on the
same numbers, so that it comes to the same result, bit for bit; only the records it touches are
Python objects, whose numbers are read and written far faster one by one than numpy's.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from slices.quant.compiled import interpreted
from slices.quant.simulation.session import advance, take_decisions

if TYPE_CHECKING:
    from slices.quant.simulation.records import RecordArray, World

READ, WRITTEN = ("bars",), ("purse", "positions", "book", "tape", "closes")


class PlainRows:
    """An array of records as Python objects, each made when it is first looked at."""

    def __init__(self, records: RecordArray) -> None:
        """Wrap records, of one dimension or two."""
        self.size, self.shape = records.size, records.shape
        self._records = records.reshape(-1)
        self._names = tuple(records.dtype.names or ())
        self._rows: dict[int, SimpleNamespace] = {}

    def __getitem__(self, place: int | tuple[int, int]) -> SimpleNamespace:
        """Return one record, to be read or written."""
        flat = place[0] * self.shape[-1] + place[1] if isinstance(place, tuple) else place
        row = self._rows.get(flat)
        if row is None:
            values = self._records[flat].item()
            row = SimpleNamespace(**dict(zip(self._names, values, strict=True)))
            self._rows[flat] = row
        return row

    def write(self) -> None:
        """Write what was looked at back to the records."""
        for place, row in self._rows.items():
            self._records[place] = tuple(vars(row).values())


def advance_plainly(first: int, shift: int, world: World) -> int:
    """Live through sessions; see `session.advance`."""
    plain = _plain(world)
    row: int = interpreted(advance)(first, shift, plain)
    _write(plain)
    return row


def take_decisions_plainly(t: int, now: int, world: World) -> None:
    """Take in what was decided at a close; see `session.take_decisions`."""
    plain = _plain(world)
    interpreted(take_decisions)(t, now, plain)
    _write(plain)


def _plain(world: World) -> World:
    rows = {name: PlainRows(getattr(world, name)) for name in (*READ, *WRITTEN)}
    return world._replace(**rows)  # type: ignore[arg-type]


def _write(world: World) -> None:
    for name in WRITTEN:
        cast("PlainRows", getattr(world, name)).write()
