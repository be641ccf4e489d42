from __future__ import annotations

import math

import pytest

from slices.domain.numbers import axis_label, written, written_column
from slices.domain.report import Cell, Unit


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0123, Unit.FRACTION, "1.23%"),
        (-0.0123, Unit.FRACTION, "−1.23%"),
        (0.95, Unit.FRACTION, "95%"),
        (41.0371, Unit.FRACTION, "4,104%"),
        (0.00004, Unit.FRACTION, "0.0040%"),
        (0.8612, Unit.RATIO, "0.86"),
        (-1234567.4, Unit.MONEY, "−1,234,567"),
        (12.345, Unit.MONEY, "12.35"),
        (12, Unit.COUNT, "12"),
        (1234, Unit.SESSIONS, "1,234 sessions"),
        (3.25, Unit.BPS, "3.2 bps"),
        (2.04, Unit.YEARS, "2.0 years"),
        ("as it is", Unit.RATIO, "as it is"),
        (0.0, Unit.MONEY, "0.00"),
        (-0.0, Unit.RATIO, "0.00"),
    ],
)
def test_each_unit_reads_as_people_write_it(value: Cell, unit: Unit, expected: str) -> None:
    assert written(value, unit) == expected


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("value", [None, math.nan])
def test_what_is_undefined_is_a_dash_without_a_unit(value: Cell, unit: Unit) -> None:
    assert written(value, unit) == "–"


@pytest.mark.parametrize("unit", list(Unit))
def test_infinity_is_not_mistaken_for_a_number(unit: Unit) -> None:
    assert written(-math.inf, unit) == "−∞"


def test_a_column_has_equally_many_decimals() -> None:
    texts = written_column((0.5, 123.456, -7, None), Unit.RATIO)
    assert texts == ("0.5", "123.5", "−7.0", "–")


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert written_column((-0.001, 5.0), Unit.RATIO)[0] == "0.00"


@pytest.mark.parametrize(
    ("value", "unit", "step", "expected"),
    [
        (0.1, Unit.FRACTION, 0.1, "10%"),
        (-0.025, Unit.FRACTION, 0.025, "−2.5%"),
        (1_500_000, Unit.MONEY, 500_000, "1.5M"),
        (-2000, Unit.MONEY, 1000, "−2k"),
        (0.25, Unit.RATIO, 0.25, "0.25"),
    ],
)
def test_tick_labels_show_what_their_step_needs(
    value: Cell, unit: Unit, step: float, expected: str
) -> None:
    assert axis_label(value, unit, step=step) == expected
