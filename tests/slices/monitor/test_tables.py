from __future__ import annotations

import math
from typing import Any

import pytest

from slices.domain.report import Cell, Table, Unit
from slices.monitor.tables import best_value, shown_table


def table(**options: Any) -> Table:
    columns = ("Name", "Longest drawdown", "Sessions held")
    units = (Unit.TEXT, Unit.SESSIONS, Unit.SESSIONS)
    rows = (("a", 3, 10), ("b", 1, 20), ("c", 1, math.nan))
    return Table(key="k", title="T", columns=columns, units=units, rows=rows, **options)


def test_the_unit_is_named_once_in_the_heading() -> None:
    headings = [(each.name, each.unit) for each in shown_table(table()).columns]
    assert headings == [("Name", ""), ("Longest drawdown", "sessions"), ("Sessions held", "")]


def test_all_who_share_the_best_value_are_marked() -> None:
    shown = shown_table(table(best=("", "low", "high")))
    marked = [[cell.best for cell in row] for row in shown.rows]
    assert marked == [[False, False, False], [False, True, True], [False, True, False]]


def test_best_may_be_left_short_or_empty() -> None:
    assert not shown_table(table()).marks_best
    assert shown_table(table(best=("", "low"))).marks_best


@pytest.mark.parametrize("values", [(), (1.0,), (2.0, 2.0), (math.nan, 1.0), ("a", "b")])
def test_without_a_choice_there_is_no_best(values: tuple[Cell, ...]) -> None:
    assert best_value(values, "high") is None


def test_a_table_without_rows_keeps_its_columns() -> None:
    empty = Table(key="k", title="T", columns=("A",), units=(Unit.RATIO,), rows=())
    assert [each.name for each in shown_table(empty).columns] == ["A"]
