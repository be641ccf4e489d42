"""Tables as they are read: every cell written, the best of each column marked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from slices.domain.numbers import UNIT_WORDS, is_number, written_column
from slices.domain.report import Cell, Table, Unit

MOST_ROWS = 100
"""Longer tables are cut in pages for people; the run's table artifact and `to_dict()` have all."""

Wanted = Literal["high", "low", ""]


@dataclass(frozen=True, kw_only=True)
class ShownColumn:
    """A column's heading; `unit` is the word its cells leave out."""

    name: str
    unit: str
    numeric: bool


@dataclass(frozen=True, kw_only=True)
class ShownCell:
    """A written cell; `best` marks the best value of its column."""

    text: str
    numeric: bool
    best: bool


@dataclass(frozen=True, kw_only=True)
class ShownTable:
    """A table ready for any medium."""

    title: str
    caption: str
    columns: tuple[ShownColumn, ...]
    rows: tuple[tuple[ShownCell, ...], ...]

    @property
    def marks_best(self) -> bool:
        """Tell whether any cell is marked, so that the mark needs explaining."""
        return any(cell.best for row in self.rows for cell in row)


def shown_table(table: Table) -> ShownTable:
    """Write the cells of a table, mark the best of each column, cut what nobody reads."""
    count = len(table.columns)
    wanted: tuple[Wanted, ...] = (*table.best, *("",) * count)[:count]  # type: ignore[assignment]
    columns = [tuple(row[each] for row in table.rows) for each in range(count)]
    cells = [
        _column_cells(values, unit, wish)
        for values, unit, wish in zip(columns, table.units, wanted, strict=True)
    ]
    return ShownTable(
        title=table.title,
        caption=" ".join(part for part in (table.caption, _left_out(len(table.rows))) if part),
        columns=tuple(map(_heading, table.columns, table.units)),
        rows=tuple(
            tuple(column[row] for column in cells) for row in range(min(len(table.rows), MOST_ROWS))
        ),
    )


def _left_out(count: int) -> str:
    if count <= MOST_ROWS:
        return ""
    return f"{count - MOST_ROWS} more rows are in the run's table artifact."


def _heading(name: str, unit: Unit) -> ShownColumn:
    word = UNIT_WORDS.get(unit, "")
    shown = "" if word.rstrip("s") in name.lower() else word
    return ShownColumn(name=name, unit=shown, numeric=unit is not Unit.TEXT)


def _column_cells(values: tuple[Cell, ...], unit: Unit, wanted: Wanted) -> list[ShownCell]:
    best = best_value(values, wanted)
    return [
        ShownCell(text=text, numeric=unit is not Unit.TEXT, best=best is not None and value == best)
        for text, value in zip_longest(written_column(values, unit), values)
    ]


def best_value(values: tuple[Cell, ...], wanted: Wanted) -> float | None:
    """Find the value to mark; none where nothing is wanted or all values are the same.

    >>> best_value((1.0, 3.0, 2.0), "high"), best_value((1.0, 1.0), "low")
    (3.0, None)
    """
    numbers = {float(each) for each in values if is_number(each) and each is not None}
    if not wanted or len(numbers) < 2:
        return None
    return max(numbers) if wanted == "high" else min(numbers)
